import { ceilOf, floorOf, WHOLE } from './rational.ts'

/*
 * The arithmetic of a bank customer's trade, from the contract's sentences. Prices and money are units of 1e-8, basis
 * points units of 1e-8 of one.
 */

const TEN_THOUSAND_BPS = 10_000n * WHOLE
/** Fiat is paid in hundredths. */
export const FIAT_STEP = WHOLE / 100n

/** The side of a trade. */
export type Side = 'BUY' | 'SELL'

/** What the arithmetic needs of a pair. */
export interface PairTerms {
  readonly spreadBps: bigint
  readonly tickSize: bigint
  readonly lotSize: bigint
}

/** What a customer is promised. */
export interface Promised {
  readonly price: bigint
  readonly fiat: bigint
  readonly crypto: bigint
  readonly spread: bigint
}

/** Market price × (1 + spread), up to the tick, on a buy; × (1 − spread), down to the tick, on a sell. */
export const priceWithSpread = (side: Side, ticker: bigint, { spreadBps, tickSize }: PairTerms): bigint => {
  const scale = TEN_THOUSAND_BPS * tickSize
  if (side === 'BUY') return ceilOf(ticker * (TEN_THOUSAND_BPS + spreadBps), scale) * tickSize
  return floorOf(ticker * (TEN_THOUSAND_BPS - spreadBps), scale) * tickSize
}

/** What `amount` (fiat on a buy, crypto on a sell) gives at the ticker's price; null when it gives nothing. */
export const promised = (side: Side, ticker: bigint, amount: bigint, pair: PairTerms): Promised | null => {
  const price = priceWithSpread(side, ticker, pair)
  if (price <= 0n) return null
  if (side === 'BUY') {
    const crypto = floorOf(amount * WHOLE, price * pair.lotSize) * pair.lotSize
    if (crypto <= 0n) return null
    return { price, fiat: amount, crypto, spread: floorOf(amount * WHOLE - crypto * ticker, WHOLE) }
  }
  const fiat = floorOf(amount * price, WHOLE * FIAT_STEP) * FIAT_STEP
  if (fiat <= 0n) return null
  return { price, fiat, crypto: amount, spread: floorOf(amount * ticker - fiat * WHOLE, WHOLE) }
}

/** Whether the ticker is now worse for us than the quote's by more than slippageBps. */
export const hasSlipped = (side: Side, quoted: bigint, now: bigint, slippageBps: bigint): boolean =>
  side === 'BUY'
    ? (now - quoted) * TEN_THOUSAND_BPS > quoted * slippageBps
    : (quoted - now) * TEN_THOUSAND_BPS > quoted * slippageBps

/** Fiat that the exchange's fill cost (a buy, rounded up) or brought (a sell, rounded down): never in our favour. */
export const fillCost = (side: Side, quantity: bigint, price: bigint): bigint =>
  side === 'BUY' ? ceilOf(quantity * price, WHOLE) : floorOf(quantity * price, WHOLE)
