import { divCeil, divFloor, ceilTo, floorTo, mulDivCeil, mulDivFloor } from '@bourse/common/money/rounding.ts'
import { UNITS_PER_WHOLE } from '@bourse/common/money/amount.ts'
import { BPS_UNITS, directions } from './numbers.ts'

/** Twice 10,000 bps: the divisor of half a spread, and of a funding rate on bid + ask. */
const TWICE_WHOLE_BPS = 20_000n * BPS_UNITS

/** What the two sides of a market trade at, in units, multiples of the tick size. */
export interface Quote {
  readonly bid: bigint
  readonly ask: bigint
}

/**
 * The quote of a feed: half the spread on each side, bid rounded down and ask up to the tick, both in favour
 * of the house (contract cfd, "Quote"). `spreadBps` is in units of 1e-8 bp.
 */
export const quoteOf = (feedBid: bigint, feedAsk: bigint, spreadBps: bigint, tickSize: bigint): Quote => ({
  bid: floorTo(mulDivFloor(feedBid, TWICE_WHOLE_BPS - spreadBps, TWICE_WHOLE_BPS), tickSize),
  ask: ceilTo(mulDivCeil(feedAsk, TWICE_WHOLE_BPS + spreadBps, TWICE_WHOLE_BPS), tickSize),
})

/** What pnl needs of a trade. */
export interface PnlTrade {
  readonly direction: number
  readonly quantity: bigint
  readonly entryPrice: bigint
}

/** The price a direction closes at: a long at bid, a short at ask. */
export const closingPriceOf = (direction: number, quote: Quote): bigint =>
  direction === directions.LONG ? quote.bid : quote.ask

/** The pnl of closing at the quote, before fees and funding, rounded towards −∞ (favours the house). */
export const pnlOf = (trade: PnlTrade, quote: Quote): bigint => {
  const closing = closingPriceOf(trade.direction, quote)
  const gain = trade.direction === directions.LONG ? closing - trade.entryPrice : trade.entryPrice - closing
  return mulDivFloor(trade.quantity, gain, UNITS_PER_WHOLE)
}

/** What funding costs the customer so far (negative: a receipt), rounded up (favours the house). */
export const fundingCostOf = (direction: number, quantity: bigint, funding: bigint, fundingAtOpen: bigint): bigint => {
  const paid = funding - fundingAtOpen
  return mulDivCeil(quantity, direction === directions.LONG ? paid : -paid, UNITS_PER_WHOLE)
}

/**
 * The hold for the open fee: ceil(M × L × openBps ÷ 10000), never less than the fee itself. `openBps` is in
 * units of 1e-8 bp.
 */
export const feeHoldOf = (margin: bigint, leverage: number, openBps: bigint): bigint =>
  divCeil(margin * BigInt(leverage) * openBps, 10_000n * BPS_UNITS)

/** One funding instant's change of F: truncTowardsZero((bid + ask) × clamp(rate, ±cap) ÷ 20000), of the feed's prices. */
export const fundingStepOf = (feedBid: bigint, feedAsk: bigint, rateBps: bigint, capBps: bigint): bigint => {
  const rate = rateBps > capBps ? capBps : rateBps < -capBps ? -capBps : rateBps
  return ((feedBid + feedAsk) * rate) / TWICE_WHOLE_BPS
}

/** The first funding instant (ms) strictly after `time`, or 0 when the market has no funding. */
export const fundingInstantAfter = (time: bigint, intervalSeconds: number): bigint => {
  const intervalMs = BigInt(intervalSeconds) * 1_000n
  return intervalMs === 0n ? 0n : (divFloor(time, intervalMs) + 1n) * intervalMs
}
