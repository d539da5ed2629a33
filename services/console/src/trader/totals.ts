/** Sums of money, exact. */
import { formatAmount, parseAmount } from '@bourse/common/money/amount.ts'
import type { ListedClosedTrade } from '@bourse/client/shapes.ts'

/** The sum of decimal strings. */
export const sumOf = (amounts: readonly string[]): string =>
  formatAmount(amounts.reduce((total, amount) => total + parseAmount(amount), 0n))

/** `a − b`, exact. */
export const difference = (a: string, b: string): string => formatAmount(parseAmount(a) - parseAmount(b))

/**
 * What a closed trade changed of the balance: pnl − fees − funding. Where the loss was more than the margin, the margin and
 * the fees: the rest was borne by the house, and nobody ends below zero.
 */
export const netOf = (trade: Pick<ListedClosedTrade, 'margin' | 'pnl' | 'fees' | 'funding'>): string => {
  const margin = parseAmount(trade.margin)
  const change = parseAmount(trade.pnl) - parseAmount(trade.funding)
  return formatAmount((change < -margin ? -margin : change) - parseAmount(trade.fees))
}

/** What some closed trades of one currency came to. */
export interface HistoryTotals {
  readonly count: number
  readonly liquidations: number
  readonly pnl: string
  readonly fees: string
  readonly funding: string
  /** The sum of `netOf`. */
  readonly net: string
}

/** Totals of closed trades. */
export const totalsOf = (trades: readonly ListedClosedTrade[]): HistoryTotals => ({
  count: trades.length,
  liquidations: trades.filter(({ reason }) => reason === 'LIQUIDATION').length,
  pnl: sumOf(trades.map((trade) => trade.pnl)),
  fees: sumOf(trades.map((trade) => trade.fees)),
  funding: sumOf(trades.map((trade) => trade.funding)),
  net: sumOf(trades.map(netOf)),
})
