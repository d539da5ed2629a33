/**
 * The arithmetic of a CFD in plain bigint, each function straight from the contract's sentence. Prices,
 * quantities, margins are units of
 * 1e-8, so a product of two is in units of 1e-16; `E8` lifts a value of units there.
 */
import { ceilTo, divCeil, divFloor, divTruncate, floorTo } from '@bourse/common/money/rounding.ts'
import { BPS_UNITS, directions, LIQUIDATION_PRICE_MAX_UNITS, RATE_ONE } from '../../src/trading/numbers.ts'
import type { TierSpec } from '../../src/trading/commands.ts'

const E8 = 100_000_000n

/** A tier with its c, which makes the maintenance continuous. */
export interface Tier extends TierSpec {
  readonly c: bigint
}

/** What the rules need of a trade. */
export interface RuleTrade {
  readonly direction: number
  readonly margin: bigint
  readonly quantity: bigint
  readonly entryPrice: bigint
  readonly fundingAtOpen: bigint
  readonly tiers: readonly Tier[]
}

/** c_0 = 0, c_k = floor(floor_k × (m_k − m_{k−1})) + c_{k−1}. */
export const tiersOf = (specs: readonly TierSpec[]): Tier[] => {
  const tiers: Tier[] = []
  for (const spec of specs) {
    const before = tiers.at(-1)
    const c = before === undefined ? 0n : divFloor(spec.floor * (spec.rate - before.rate), RATE_ONE) + before.c
    tiers.push({ ...spec, c })
  }
  return tiers
}

/** bid = floorTo(feedBid × (1 − s/20000), tick), ask = ceilTo(feedAsk × (1 + s/20000), tick), each rounded once. */
export const quoteOfFeed = (
  feedBid: bigint,
  feedAsk: bigint,
  spreadBps: bigint,
  tick: bigint,
): { bid: bigint; ask: bigint } => {
  const whole = 20_000n * BPS_UNITS
  return {
    bid: floorTo(feedBid * (whole - spreadBps), whole * tick) / whole,
    ask: ceilTo(feedAsk * (whole + spreadBps), whole * tick) / whole,
  }
}

/** ceil(q × price × bps ÷ 10000) in units. */
export const feeOf = (quantity: bigint, price: bigint, bps: bigint): bigint =>
  divCeil(quantity * price * bps, E8 * 10_000n * BPS_UNITS)

/** The funding instant's step of F. */
export const fundingStep = (feedBid: bigint, feedAsk: bigint, rateBps: bigint, capBps: bigint): bigint => {
  let rate = rateBps
  if (rate > capBps) rate = capBps
  if (rate < -capBps) rate = -capBps
  return divTruncate((feedBid + feedAsk) * rate, 20_000n * BPS_UNITS)
}

/** max over k of (m_k × q × X − c_k), in units of 1e-24. */
const maintenance = (trade: RuleTrade, price: bigint): bigint => {
  let most: bigint | null = null
  for (const tier of trade.tiers) {
    const amount = tier.rate * trade.quantity * price - tier.c * E8 * E8
    if (most === null || amount > most) most = amount
  }
  return most ?? 0n
}

/** The liquidation rule at price X with funding F, exact. */
export const isLiquidated = (trade: RuleTrade, price: bigint, funding: bigint): boolean => {
  const sign = trade.direction === directions.LONG ? 1n : -1n
  const { margin, quantity, entryPrice, fundingAtOpen } = trade
  const equity = margin * E8 + sign * quantity * (price - entryPrice) - sign * quantity * (funding - fundingAtOpen)
  return equity * E8 <= maintenance(trade, price)
}

/**
 * The liquidation price, found by search with the rule itself: the highest (long) or lowest (short) multiple
 * of the tick at which it holds; 0 when there is none above 0. Above LIQUIDATION_PRICE_MAX it is that.
 */
export const liquidationPriceOf = (trade: RuleTrade, funding: bigint, tick: bigint): bigint => {
  const last = LIQUIDATION_PRICE_MAX_UNITS / tick
  const long = trade.direction === directions.LONG
  // The rule holds below some multiple (long) or from some multiple on (short): halve the range around it.
  let low = 0n
  let high = last
  while (low < high) {
    const middle = long ? (low + high + 1n) / 2n : (low + high) / 2n
    const holds = isLiquidated(trade, middle * tick, funding)
    if (long) {
      if (holds) low = middle
      else high = middle - 1n
    } else if (holds) high = middle
    else low = middle + 1n
  }
  return low * tick
}

/** What a close comes to. */
export interface Settlement {
  readonly pnl: bigint
  readonly funding: bigint
  readonly fee: bigint
  readonly returned: bigint
  readonly deficit: bigint
}

/** Close at X, the contract's list from top to bottom. */
export const settlementOf = (trade: RuleTrade, price: bigint, funding: bigint, feeBps: bigint): Settlement => {
  const long = trade.direction === directions.LONG
  const { margin, quantity, entryPrice, fundingAtOpen } = trade
  const pnl = divFloor(long ? quantity * (price - entryPrice) : quantity * (entryPrice - price), E8)
  const paid = quantity * (funding - fundingAtOpen)
  const cost = divCeil(long ? paid : -paid, E8)
  const rest = margin + pnl - cost
  const due = feeOf(quantity, price, feeBps)
  const most = rest > 0n ? rest : 0n
  const fee = due < most ? due : most
  return { pnl, funding: cost, fee, returned: most - fee, deficit: rest < 0n ? -rest : 0n }
}
