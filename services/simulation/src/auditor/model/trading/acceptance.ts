import type { OutcomeCode } from '@bourse/common/errors/codes.ts'
import { directions, marketStates, type OpenCommand } from '@bourse/risk-rules/trading/codec.ts'
import { WHOLE } from '../../arithmetic/rational.ts'
import { closingPrice, isDue, openingPrice, quantityFor, quoteAt, type Position } from '../../arithmetic/cfd.ts'
import type { Terms } from './trade.ts'

/** The most a trade may be worth and how large it may be, whatever the pair says: the engine's own limits. */
const NOTIONAL_MAX = 10n ** 16n
const QUANTITY_MAX = 4n * 10n ** 18n
/** The most that quantity × price may come to. */
const VALUE_MAX = 10n ** 26n

/** What an opening or a close is judged on. */
export interface Judged {
  readonly feedBid: bigint
  readonly feedAsk: bigint
  readonly quoteTime: bigint
}

/** What the checks need to know of the market. */
export interface Surroundings {
  readonly terms: Terms
  readonly state: number
  readonly now: bigint
  readonly funding: bigint
  /** Open trades of the account in this partition. */
  readonly ownTrades: number
  /** Longs minus shorts. */
  readonly netQuantity: bigint
}

/** What of the moment forbids any trade at this quote: the codes that may be told, none when nothing does. */
export const hindrances = (
  { terms, state, now }: Surroundings,
  judged: Judged,
  opens: boolean,
): readonly OutcomeCode[] => {
  const codes: OutcomeCode[] = []
  if (state === marketStates.Halted) codes.push('MARKET_HALTED')
  if (opens && state === marketStates.ReduceOnly) codes.push('MARKET_REDUCE_ONLY')
  const isNone = judged.feedBid === 0n || judged.feedAsk === 0n || judged.quoteTime === 0n
  if (isNone || (terms.maxAgeMs !== 0n && now - judged.quoteTime > terms.maxAgeMs)) codes.push('PRICE_STALE')
  return codes
}

const size = (value: bigint): bigint => (value < 0n ? -value : value)

/** Stop and target (0 is none) on their sides of the price that the trade would close at, on a tick; null when both are. */
export const judgeStops = (
  isLong: boolean,
  { stopLoss, takeProfit }: { readonly stopLoss: bigint; readonly takeProfit: bigint },
  price: bigint,
  tick: bigint,
): OutcomeCode | null => {
  const isStopRight = isLong ? stopLoss < price : stopLoss > price
  if (stopLoss !== 0n && (!isStopRight || stopLoss % tick !== 0n)) return 'INVALID_STOP_LOSS'
  const isTargetRight = isLong ? takeProfit > price : takeProfit < price
  return takeProfit !== 0n && (!isTargetRight || takeProfit % tick !== 0n) ? 'INVALID_TAKE_PROFIT' : null
}

/** The contract's checks of an opening, in its order: the quantity, or the code of the first that fails. */
export const judgeOpening = (open: OpenCommand, around: Surroundings): OutcomeCode | bigint => {
  const { terms, funding, netQuantity } = around
  const isLong = open.direction === directions.LONG
  const quote = quoteAt(open.feedBid, open.feedAsk, terms.spreadBps, terms.tickSize)
  const [entryPrice, price] = [openingPrice(isLong, quote), closingPrice(isLong, quote)]
  if (entryPrice <= 0n) return 'PRICE_STALE'
  const notional = open.margin * BigInt(open.leverage)
  const tiers = terms.tiersWithAmounts
  const tier = tiers.findLast(({ floor }) => floor <= notional)
  if (tier === undefined || open.leverage > tier.maxLeverage || open.leverage > terms.maxLeverage)
    return 'LEVERAGE_TOO_HIGH'
  if (open.margin < terms.minMargin) return 'MARGIN_TOO_SMALL'
  const quantity = quantityFor(notional, entryPrice, terms.lotSize)
  if (quantity === 0n) return 'MARGIN_TOO_SMALL'
  const value = quantity * entryPrice
  const isBeyondEngine =
    quantity > QUANTITY_MAX ||
    value > NOTIONAL_MAX * WHOLE ||
    2n * quantity * size(funding) > VALUE_MAX ||
    quantity * quote.ask > VALUE_MAX
  if (isBeyondEngine || (terms.maxNotional !== 0n && value > terms.maxNotional * WHOLE)) return 'NOTIONAL_TOO_HIGH'
  if (terms.maxOpenTrades !== 0 && around.ownTrades >= terms.maxOpenTrades) return 'TOO_MANY_TRADES'
  const after = size(netQuantity + (isLong ? quantity : -quantity))
  const isBeyondNet =
    (terms.maxNetNotional !== 0n && after * entryPrice > terms.maxNetNotional * WHOLE) || after > QUANTITY_MAX
  if (isBeyondNet && after > size(netQuantity)) return 'EXPOSURE_LIMIT'
  const wrong = judgeStops(isLong, open, price, terms.tickSize)
  if (wrong !== null) return wrong
  const position: Position = { isLong, margin: open.margin, quantity, entryPrice, fundingAtOpen: funding, tiers }
  if (isDue(position, price, funding)) return 'WOULD_LIQUIDATE'
  const { worstPrice } = open
  if (worstPrice !== 0n && (isLong ? entryPrice > worstPrice : entryPrice < worstPrice)) return 'PRICE_MOVED'
  // The fee's hold was made for another rate: the price of opening is not the one that was asked for.
  return terms.openBps > open.openBps ? 'PRICE_MOVED' : quantity
}
