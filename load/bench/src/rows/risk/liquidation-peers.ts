import { Decimal } from 'decimal.js'

/** A trade as the peers have it: units of 1e-8. */
export interface PeerTrade {
  readonly isLong: boolean
  readonly margin: bigint
  readonly quantity: bigint
  readonly entryPrice: bigint
  readonly fundingAtOpen: bigint
}

/** What all trades share: units; `rate` 1 = 1e8. */
export interface PeerMarket {
  readonly tickSize: bigint
  readonly funding: bigint
  readonly tiers: readonly { readonly rate: bigint; readonly continuity: bigint }[]
}

/*
 * The liquidation price in closed form. With D = 1e8, R_k = ceil((M + c_k) × 1e16 ÷ q) and S = (E + F − F₀) × D, tier k of a long
 * fires at X ≤ (S − R_k) ÷ (D − r_k) and of a short at X ≥ (S + R_k) ÷ (D + r_k); the price is the highest of a long's and
 * the lowest of a short's, on the tick that still fires.
 */
const D = 100_000_000n
const D_SQUARED = D * D
const HIGHEST = 4_000_000_000_000_000_000n

const floorDivide = (value: bigint, divisor: bigint): bigint => {
  const quotient = value / divisor
  return value < 0n && quotient * divisor !== value ? quotient - 1n : quotient
}
const ceilDivide = (value: bigint, divisor: bigint): bigint => {
  const quotient = value / divisor
  return value > 0n && quotient * divisor !== value ? quotient + 1n : quotient
}

/** The price in units, −1 for a long that no price liquidates, in bigint. */
export const bigintPrice = (trade: PeerTrade, { tickSize, funding, tiers }: PeerMarket): bigint => {
  const shifted = (trade.entryPrice + funding - trade.fundingAtOpen) * D
  let best = 0n
  for (let k = 0; k < tiers.length; k++) {
    const { rate, continuity } = tiers[k]!
    const room = ceilDivide((trade.margin + continuity) * D_SQUARED, trade.quantity)
    const price = trade.isLong ? floorDivide(shifted - room, D - rate) : ceilDivide(shifted + room, D + rate)
    if (k === 0 || (trade.isLong ? price > best : price < best)) best = price
  }
  if (best < 0n) return trade.isLong ? -1n : 0n
  const highest = HIGHEST - (HIGHEST % tickSize)
  if (best >= highest) return highest
  return trade.isLong ? best - (best % tickSize) : ceilDivide(best, tickSize) * tickSize
}

/** Digits of the widest product, so that nothing but the named roundings rounds. */
const Exact = Decimal.clone({ precision: 60, toExpNeg: -100, toExpPos: 100 })

/** A trade in Decimals. */
export interface DecimalTrade {
  readonly isLong: boolean
  readonly margin: Decimal
  readonly quantity: Decimal
  readonly entryPrice: Decimal
  readonly fundingAtOpen: Decimal
}

/** A market in Decimals. */
export interface DecimalMarket {
  readonly tickSize: Decimal
  readonly funding: Decimal
  readonly tiers: readonly { readonly rate: Decimal; readonly continuity: Decimal }[]
}

const decimal = (value: bigint): Decimal => new Exact(value.toString())

/** The same trade in Decimals. */
export const decimalTrade = (trade: PeerTrade): DecimalTrade => ({
  isLong: trade.isLong,
  margin: decimal(trade.margin),
  quantity: decimal(trade.quantity),
  entryPrice: decimal(trade.entryPrice),
  fundingAtOpen: decimal(trade.fundingAtOpen),
})

/** The same market in Decimals. */
export const decimalMarket = (market: PeerMarket): DecimalMarket => ({
  tickSize: decimal(market.tickSize),
  funding: decimal(market.funding),
  tiers: market.tiers.map(({ rate, continuity }) => ({ rate: decimal(rate), continuity: decimal(continuity) })),
})

const DECIMAL_D = decimal(D)
const DECIMAL_D_SQUARED = decimal(D_SQUARED)
const DECIMAL_HIGHEST = decimal(HIGHEST)

/** The price in units, −1 for a long that no price liquidates, in decimal.js. */
export const decimalPrice = (trade: DecimalTrade, { tickSize, funding, tiers }: DecimalMarket): Decimal => {
  const shifted = trade.entryPrice.plus(funding).minus(trade.fundingAtOpen).times(DECIMAL_D)
  let best = shifted
  for (let k = 0; k < tiers.length; k++) {
    const { rate, continuity } = tiers[k]!
    const room = trade.margin.plus(continuity).times(DECIMAL_D_SQUARED).div(trade.quantity).ceil()
    const price = trade.isLong
      ? shifted.minus(room).div(DECIMAL_D.minus(rate)).floor()
      : shifted.plus(room).div(DECIMAL_D.plus(rate)).ceil()
    if (k === 0 || (trade.isLong ? price.gt(best) : price.lt(best))) best = price
  }
  if (best.isNegative() && !best.isZero()) return new Exact(trade.isLong ? -1 : 0)
  const highest = DECIMAL_HIGHEST.minus(DECIMAL_HIGHEST.mod(tickSize))
  if (best.gte(highest)) return highest
  return trade.isLong ? best.minus(best.mod(tickSize)) : best.div(tickSize).ceil().times(tickSize)
}
