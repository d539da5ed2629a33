import {
  add128, addChecked, compare128, divideCeil128, divideFloor128, divideUp, high128, mulDivCeil, mulDivFloor, multiply,
  multiply128, multiplyUnsigned, narrow, sub128, subChecked, WHOLE,
} from '../shared/int128'
import { BPS_MAX, LIQUIDATION_PRICE_MAX, LONG, RATE_ONE } from './codes'
import { TABLE_CONTINUITY, TABLE_TIERS, TIER_BYTES, Trade } from './layout'
import { market, tableAt } from './state'

/** Units of 1e-24 in a unit: what a margin is multiplied by before it is divided by a quantity for a price × rate. */
const TWO_WHOLES: u64 = 10_000_000_000_000_000

/** The quote made last by `makeQuote`. */
export let bid: i64 = 0
export let ask: i64 = 0

// The fractions (20000 − s) / 20000 and (20000 + s) / 20000 in lowest terms: their products mostly fit 64 bits.
export let bidNumerator: i64 = 1
export let askNumerator: i64 = 1
export let denominator: i64 = 1

/** Takes over the spread of the spec. Spreads are below 20,000 bps. */
export function deriveSpread(): void {
  const whole = BPS_MAX << 1
  let a = whole
  let b = market.spreadBps
  while (b != 0) {
    const rest = a % b
    a = b
    b = rest
  }
  denominator = whole / a
  bidNumerator = (whole - market.spreadBps) / a
  askNumerator = (whole + market.spreadBps) / a
}

/** `value` ≥ 0 down to a multiple of `step`. */
export function floorTo(value: i64, step: i64): i64 {
  return subChecked(value, value % step)
}

/** `value` ≥ 0 up to a multiple of `step`. */
export function ceilTo(value: i64, step: i64): i64 {
  const over = value % step
  return over == 0 ? value : addChecked(value, subChecked(step, over))
}

/** The quote of a feed: bid down, ask up, both in favour of the house. Rounding twice down is rounding once down. */
export function makeQuote(feedBid: i64, feedAsk: i64): void {
  bid = floorTo(mulDivFloor(feedBid, bidNumerator, denominator), market.tickSize)
  ask = ceilTo(mulDivCeil(feedAsk, askNumerator, denominator), market.tickSize)
}

/** ceil(q × price × bps ÷ 10000) in units; rounding twice up is rounding once up. */
export function feeOf(quantity: i64, price: i64, bps: i64): i64 {
  let low = multiply128(multiply(quantity, price), <i64>high128, bps)
  low = divideCeil128(low, <i64>high128, BPS_MAX)
  low = divideCeil128(low, <i64>high128, WHOLE)
  return narrow(low, <i64>high128)
}

/**
 * The liquidation key at today's F. Of the rule, divided by q, with D = 1e8, r = m × D and
 * R_k = ceil((M + c_k) × 1e16 ÷ q):
 *
 *   a long fires in tier k iff   X × (D − r_k) ≤ (E + F − F₀) × D − R_k
 *   a short fires in tier k iff  X × (D + r_k) ≥ (E + F − F₀) × D + R_k
 *
 * The left sides are integers, so rounding R_k up is exact. A trade fires when any tier does: the highest key
 * of a long, the lowest of a short. Answers a multiple of the tick from 0 to LIQUIDATION_PRICE_MAX; −1 for a
 * long that no price ≥ 0 liquidates.
 */
export function liquidationKey(trade: Trade): i64 {
  const table = tableAt(trade.tableSlot)
  const count = load<u32>(table, 4)
  const shift = addChecked(trade.entryPrice, subChecked(market.funding, trade.fundingAtOpen))
  const shiftLow = multiply(shift, RATE_ONE)
  const shiftHigh = <i64>high128
  let bestLow: u64 = 0
  let bestHigh: i64 = 0
  for (let k: u32 = 0; k < count; k++) {
    const rate = load<i64>(table + TABLE_TIERS + <usize>k * TIER_BYTES, 8)
    const amount = addChecked(trade.margin, load<i64>(table + TABLE_CONTINUITY + (<usize>k << 3)))
    // A product of values ≥ 0 below 2^127: dividing without signs and rounding up afterwards is the same.
    assert(amount >= 0 && trade.quantity > 0)
    const marginLow = multiplyUnsigned(<u64>amount, TWO_WHOLES)
    const roomLow = divideUp(marginLow, high128, <u64>trade.quantity)
    const roomHigh = <i64>high128
    let low: u64
    if (trade.direction == LONG) {
      low = sub128(shiftLow, shiftHigh, roomLow, roomHigh)
      low = divideFloor128(low, <i64>high128, subChecked(RATE_ONE, rate))
    } else {
      low = add128(shiftLow, shiftHigh, roomLow, roomHigh)
      low = divideCeil128(low, <i64>high128, addChecked(RATE_ONE, rate))
    }
    const order = k == 0 ? 0 : compare128(low, <i64>high128, bestLow, bestHigh)
    if (k == 0 || (trade.direction == LONG ? order > 0 : order < 0)) {
      bestLow = low
      bestHigh = <i64>high128
    }
  }
  return toKey(trade.direction, bestLow, bestHigh)
}

function toKey(direction: u32, low: u64, high: i64): i64 {
  const highest = floorTo(LIQUIDATION_PRICE_MAX, market.tickSize)
  if (high < 0) return direction == LONG ? -1 : 0
  if (high > 0 || low >= <u64>highest) return highest
  return direction == LONG ? floorTo(<i64>low, market.tickSize) : ceilTo(<i64>low, market.tickSize)
}

/** The price shown: none (0) when nothing above 0 liquidates. */
@inline
export function shownLiquidationPrice(trade: Trade): i64 {
  return max<i64>(trade.liquidationKey, 0)
}

/** Whether the trade's key says that it is liquidated at the price its side closes at. */
@inline
export function isLiquidatedAt(trade: Trade, price: i64): bool {
  return trade.direction == LONG ? price <= trade.liquidationKey : price >= trade.liquidationKey
}

export let settledPnl: i64 = 0
export let settledFunding: i64 = 0
export let settledFee: i64 = 0
export let settledReturned: i64 = 0
export let settledDeficit: i64 = 0

/** What a close at `price` comes to, for the five values above: pnl down, funding and fee up, all in favour of the house. */
export function settle(trade: Trade, price: i64, feeBps: i64): void {
  const long = trade.direction == LONG
  const entry = trade.entryPrice
  const gain = long ? subChecked(price, entry) : subChecked(entry, price)
  settledPnl = mulDivFloor(trade.quantity, gain, WHOLE)
  const funding = market.funding
  const paid = long ? subChecked(funding, trade.fundingAtOpen) : subChecked(trade.fundingAtOpen, funding)
  settledFunding = mulDivCeil(trade.quantity, paid, WHOLE)
  const rest = subChecked(addChecked(trade.margin, settledPnl), settledFunding)
  const left = max<i64>(rest, 0)
  settledFee = min<i64>(feeOf(trade.quantity, price, feeBps), left)
  settledReturned = subChecked(left, settledFee)
  settledDeficit = subChecked(left, rest)
}
