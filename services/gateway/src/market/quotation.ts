import { UNITS_PER_WHOLE, parseAmount, type Units } from '@bourse/common/money/amount.ts'
import { ceilTo, divCeil, divFloor, floorTo } from '@bourse/common/money/rounding.ts'
import type { FeedQuote } from '@bourse/common/ports/prices.ts'
import type { Direction, OpenTrade } from '@bourse/trading/client/types.ts'
import type { PairSpec } from '../deps.ts'

/** The prices trades open and close at. */
export interface MarketQuote {
  readonly bid: Units
  readonly ask: Units
}

/** Half the spread of 10,000 bps, in units of 1e-8 bps. */
const HALF_SPREAD_DIVISOR = 20_000n * UNITS_PER_WHOLE

/**
 * The pair's quote of a feed quote: half the spread off on each side, bid down and ask up to the tick (both for the house):
 * `bid = floorTo(feedBid × (1 − s/20000), tick)`, `ask = ceilTo(feedAsk × (1 + s/20000), tick)`.
 */
export const marketQuoteOf = (pair: Pick<PairSpec, 'tickSize' | 'spreadBps'>, { feedBid, feedAsk }: Pick<FeedQuote, 'feedBid' | 'feedAsk'>): MarketQuote => {
  const tick = parseAmount(pair.tickSize)
  const spread = parseAmount(pair.spreadBps)
  // Rounding to a whole unit first does not move the multiple of the tick, which is a whole number of units.
  return {
    bid: floorTo(divFloor(feedBid * (HALF_SPREAD_DIVISOR - spread), HALF_SPREAD_DIVISOR), tick),
    ask: ceilTo(divCeil(feedAsk * (HALF_SPREAD_DIVISOR + spread), HALF_SPREAD_DIVISOR), tick),
  }
}

/** The price a side closes at. */
export const closingPriceOf = (direction: Direction, { bid, ask }: MarketQuote): Units => (direction === 'LONG' ? bid : ask)

/** Profit and loss at the current quote, towards −∞ as on closing (for the house): `floor(q(X − E))`, short `floor(q(E − X))`. */
export const unrealizedPnlOf = (trade: Pick<OpenTrade, 'direction' | 'quantity' | 'entryPrice'>, quote: MarketQuote): Units => {
  const price = closingPriceOf(trade.direction, quote)
  const gain = trade.direction === 'LONG' ? price - trade.entryPrice : trade.entryPrice - price
  return divFloor(trade.quantity * gain, UNITS_PER_WHOLE)
}
