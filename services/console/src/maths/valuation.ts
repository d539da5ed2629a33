import { AmountError, formatAmount, parseAmount } from '@bourse/common/money/amount.ts'
import { mulDivFloor } from '@bourse/common/money/rounding.ts'
import { directions } from '@bourse/risk-rules/trading/numbers.ts'
import { closingPriceOf, pnlOf } from '@bourse/risk-rules/trading/quote.ts'
import type { OpenTrade } from '@bourse/client/shapes.ts'

/** What a valuation needs of a trade, as the API has it. */
export type ValuedFields = Pick<OpenTrade, 'direction' | 'quantity' | 'entryPrice' | 'liquidationPrice'>

/** What an open trade is worth at a quote. */
export interface Valuation {
  /** The price it would close at; null without a quote. */
  readonly closingPrice: string | null
  /** Of closing there, before fees and funding, as the engine rounds it (against the customer); null without a quote. */
  readonly pnl: string | null
  /**
   * How far that price is from liquidation, in basis points of the entry price, rounded down, never below 0; null without a
   * quote, or when no price liquidates the trade.
   */
  readonly marginHealth: number | null
  /**
   * How much is left of the way from entry to liquidation, in basis points: 10000 at the entry, 0 at liquidation, rounded down
   * and kept within the two; null as `marginHealth`.
   */
  readonly wayLeft: number | null
}

const BPS = 10_000n
const NOTHING: Valuation = { closingPrice: null, pnl: null, marginHealth: null, wayLeft: null }

const within = (value: bigint, low: bigint, high: bigint): bigint => (value < low ? low : value > high ? high : value)

/** Both sides in units; null when a text is no price. */
const quoteUnits = (quote: { readonly bid: string; readonly ask: string } | null) => {
  if (quote === null) return null
  try {
    return { bid: parseAmount(quote.bid), ask: parseAmount(quote.ask) }
  } catch (error) {
    if (error instanceof AmountError) return null
    throw error
  }
}

/** Values a trade at a quote by the engine's own rule of pnl. */
export const valuationOf = (
  trade: ValuedFields,
  quote: { readonly bid: string; readonly ask: string } | null,
): Valuation => {
  const units = quoteUnits(quote)
  if (units === null) return NOTHING
  const direction = directions[trade.direction]
  const entryPrice = parseAmount(trade.entryPrice)
  const closing = closingPriceOf(direction, units)
  const shown = {
    closingPrice: formatAmount(closing),
    pnl: formatAmount(pnlOf({ direction, quantity: parseAmount(trade.quantity), entryPrice }, units)),
  }
  if (trade.liquidationPrice === null) return { ...shown, marginHealth: null, wayLeft: null }
  const liquidation = parseAmount(trade.liquidationPrice)
  const long = direction === directions.LONG
  const distance = long ? closing - liquidation : liquidation - closing
  const way = long ? entryPrice - liquidation : liquidation - entryPrice
  // Funding may have carried liquidation past the entry: then there is no way left to share out, only whether it is reached.
  const left = way > 0n ? mulDivFloor(distance, BPS, way) : distance > 0n ? BPS : 0n
  return {
    ...shown,
    marginHealth: Number(within(mulDivFloor(distance, BPS, entryPrice), 0n, BigInt(Number.MAX_SAFE_INTEGER))),
    wayLeft: Number(within(left, 0n, BPS)),
  }
}
