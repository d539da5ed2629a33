import { ceilOf, floorOf, WHOLE } from './rational.ts'

/*
 * The arithmetic of a CFD, from the contract's sentences. Prices, quantities and money are units of 1e-8, rates in basis
 * points units of 1e-8 of one: a product of two units is a number of 1e-16, of three of 1e-24.
 */

/** 10,000 basis points. */
const TEN_THOUSAND_BPS = 10_000n * WHOLE

/** A tier of maintenance: m_k and c_k. */
export interface Tier {
  readonly floor: bigint
  readonly rate: bigint
  readonly maxLeverage: number
  readonly amount: bigint
}

/** What the arithmetic needs of a trade. */
export interface Position {
  readonly isLong: boolean
  readonly margin: bigint
  readonly quantity: bigint
  readonly entryPrice: bigint
  /** F at opening. */
  readonly fundingAtOpen: bigint
  readonly tiers: readonly Tier[]
}

/** What both sides trade at. */
export interface Quote {
  readonly bid: bigint
  readonly ask: bigint
}

/** c_0 = 0, c_k = floor(floor_k × (m_k − m_{k−1})) + c_{k−1}. */
export const withAmounts = (tiers: readonly Omit<Tier, 'amount'>[]): readonly Tier[] => {
  let amount = 0n
  let rate = tiers[0]?.rate ?? 0n
  return tiers.map((tier) => {
    amount += floorOf(tier.floor * (tier.rate - rate), WHOLE)
    rate = tier.rate
    return { floor: tier.floor, rate: tier.rate, maxLeverage: tier.maxLeverage, amount }
  })
}

/**
 * bid = floorTo(feedBid × (1 − s ÷ 20000), tick), ask = ceilTo(feedAsk × (1 + s ÷ 20000), tick): half the spread on each
 * side.
 */
export const quoteAt = (feedBid: bigint, feedAsk: bigint, spreadBps: bigint, tick: bigint): Quote => {
  const whole = 2n * TEN_THOUSAND_BPS
  return {
    bid: floorOf(feedBid * (whole - spreadBps), whole * tick) * tick,
    ask: ceilOf(feedAsk * (whole + spreadBps), whole * tick) * tick,
  }
}

/** The price that a side opens at. */
export const openingPrice = (isLong: boolean, quote: Quote): bigint => (isLong ? quote.ask : quote.bid)
/** The price that a side closes at, the contract's X. */
export const closingPrice = (isLong: boolean, quote: Quote): bigint => (isLong ? quote.bid : quote.ask)

/** q = floorTo(notional ÷ E, lot). */
export const quantityFor = (notional: bigint, price: bigint, lot: bigint): bigint =>
  floorOf(notional * WHOLE, price * lot) * lot

/** ceil(q × price × bps ÷ 10000). */
export const feeAt = (quantity: bigint, price: bigint, bps: bigint): bigint =>
  ceilOf(quantity * price * bps, WHOLE * TEN_THOUSAND_BPS)

/** What F moves at one instant: truncTowardsZero((feedBid + feedAsk) × clamp(rate, ±cap) ÷ 20000). */
export const fundingMove = (feedBid: bigint, feedAsk: bigint, rateBps: bigint, capBps: bigint): bigint => {
  const clamped = rateBps > capBps ? capBps : rateBps < -capBps ? -capBps : rateBps
  const product = (feedBid + feedAsk) * clamped
  const size = floorOf(product < 0n ? -product : product, 2n * TEN_THOUSAND_BPS)
  return product < 0n ? -size : size
}

/** The liquidation rule at X with today's F, exact. */
export const isDue = (position: Position, price: bigint, funding: bigint): boolean => {
  const { isLong, margin, quantity, entryPrice, fundingAtOpen, tiers } = position
  const gain = isLong ? price - entryPrice : entryPrice - price
  const paid = isLong ? funding - fundingAtOpen : fundingAtOpen - funding
  const equity = (margin * WHOLE + quantity * (gain - paid)) * WHOLE
  return tiers.some(({ rate, amount }) => equity <= rate * quantity * price - amount * WHOLE * WHOLE)
}

/** Prices above this are none: a liquidation price that lies beyond is told as the highest multiple of the tick below it. */
const PRICE_MAX = 4n * 10n ** 18n

/**
 * Whether `price` is the multiple of the tick nearest to the entry at which the rule holds; 0 says that there is none
 * above 0.
 */
export const isLiquidationPrice = (position: Position, price: bigint, funding: bigint, tick: bigint): boolean => {
  if (price % tick !== 0n || price < 0n) return false
  if (position.isLong)
    return (price === 0n || isDue(position, price, funding)) && !isDue(position, price + tick, funding)
  if (price + tick > PRICE_MAX) return !isDue(position, price - tick, funding)
  return isDue(position, price, funding) && (price === 0n || !isDue(position, price - tick, funding))
}

/** Where a stop or a target stands: above the price it closes at, below it, or no such order (0). */
export const isStopped = ({ isLong }: Position, stopLoss: bigint, price: bigint): boolean =>
  stopLoss !== 0n && (isLong ? price <= stopLoss : price >= stopLoss)
/** Whether the target is reached. */
export const isAtTarget = ({ isLong }: Position, takeProfit: bigint, price: bigint): boolean =>
  takeProfit !== 0n && (isLong ? price >= takeProfit : price <= takeProfit)

/** What funding has cost so far: ceil(q(F − F₀)) long, ceil(−q(F − F₀)) short. */
export const fundingCostOf = ({ isLong, quantity, fundingAtOpen }: Position, funding: bigint): bigint =>
  ceilOf(quantity * (isLong ? funding - fundingAtOpen : fundingAtOpen - funding), WHOLE)

/** What a close comes to. */
export interface Settled {
  readonly pnl: bigint
  readonly funding: bigint
  readonly fee: bigint
  readonly returned: bigint
  readonly deficit: bigint
}

/** Close at X with the fee's rate of its reason. */
export const settle = (position: Position, price: bigint, funding: bigint, feeBps: bigint): Settled => {
  const { isLong, margin, quantity, entryPrice } = position
  const pnl = floorOf(quantity * (isLong ? price - entryPrice : entryPrice - price), WHOLE)
  const cost = fundingCostOf(position, funding)
  const rest = margin + pnl - cost
  const feeDue = feeAt(quantity, price, feeBps)
  if (rest <= 0n) return { pnl, funding: cost, fee: 0n, returned: 0n, deficit: -rest }
  const fee = feeDue < rest ? feeDue : rest
  return { pnl, funding: cost, fee, returned: rest - fee, deficit: 0n }
}
