import { AMOUNT_MAX_UNITS, UNITS_PER_WHOLE, type Units } from '@bourse/common/money/amount.ts'
import { divCeil, divFloor, floorTo, mulDivCeil, mulDivFloor } from '@bourse/common/money/rounding.ts'
import { FIAT_STEP, type PairRules } from '../codec/bank-rules.ts'

/** 10,000 basis points in units of 1e-8 bps: the whole. */
const WHOLE_BPS = 1_000_000_000_000n

/** What a customer is promised, in units. */
export interface Deal {
  readonly price: Units
  readonly tickerPrice: Units
  readonly fiatAmount: Units
  readonly cryptoAmount: Units
  readonly spreadEarned: Units
}

/** Side of a trade. */
export type Side = 'BUY' | 'SELL'

/**
 * The price with the spread: ticker × (1 + spread), up to the tick, on a buy; ticker × (1 − spread), down to the tick, on
 * a sell. Rounded once, in the house's favour.
 */
export const executionPrice = (side: Side, ticker: Units, pair: Pick<PairRules, 'spreadBps' | 'tickSize'>): Units =>
  side === 'BUY'
    ? divCeil(ticker * (WHOLE_BPS + pair.spreadBps), WHOLE_BPS * pair.tickSize) * pair.tickSize
    : divFloor(ticker * (WHOLE_BPS - pair.spreadBps), WHOLE_BPS * pair.tickSize) * pair.tickSize

/** Crypto for `fiat` at `price`: down to the lot, in the house's favour. */
const cryptoFor = (fiat: Units, price: Units, lot: Units): Units => divFloor(fiat * UNITS_PER_WHOLE, price * lot) * lot

/** Fiat for `crypto` at `price`: down to 0.01, in the house's favour. */
const fiatFor = (crypto: Units, price: Units): Units => floorTo(mulDivFloor(crypto, price, UNITS_PER_WHOLE), FIAT_STEP)

/**
 * The deal for `amount` (fiat on a buy, crypto on a sell) at the ticker's price. The spread earned is what the customer pays
 * more (gets less) than the ticker's price; a fraction of a unit of 1e-8 in it stays with the house. Null when the amount
 * is too small to give anything, or the result too large to be an amount.
 */
export const dealAt = (side: Side, ticker: Units, amount: Units, pair: PairRules): Deal | null => {
  const price = executionPrice(side, ticker, pair)
  if (price <= 0n) return null
  const fiatAmount = side === 'BUY' ? amount : fiatFor(amount, price)
  const cryptoAmount = side === 'BUY' ? cryptoFor(amount, price, pair.lotSize) : amount
  if (fiatAmount <= 0n || cryptoAmount <= 0n || fiatAmount > AMOUNT_MAX_UNITS || cryptoAmount > AMOUNT_MAX_UNITS)
    return null
  const spreadEarned =
    side === 'BUY'
      ? fiatAmount - mulDivCeil(cryptoAmount, ticker, UNITS_PER_WHOLE)
      : mulDivFloor(cryptoAmount, ticker, UNITS_PER_WHOLE) - fiatAmount
  return { price, tickerPrice: ticker, fiatAmount, cryptoAmount, spreadEarned }
}

/**
 * Whether the ticker is now worse for us than `quoted` by more than `slippageBps` (units of 1e-8 bps): dearer on a buy,
 * cheaper on a sell.
 */
export const slipped = (side: Side, quoted: Units, now: Units, slippageBps: Units): boolean =>
  side === 'BUY'
    ? now * WHOLE_BPS > quoted * (WHOLE_BPS + slippageBps)
    : now * WHOLE_BPS < quoted * (WHOLE_BPS - slippageBps)
