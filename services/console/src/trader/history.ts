/** Closed trades as a list: filters, reasons in words, the file to download. */
import type { CloseReason, Direction, ListedClosedTrade } from '@bourse/client/shapes.ts'
import { netOf } from './totals.ts'

/** Which closed trades are shown. */
export interface HistoryFilter {
  readonly asset: string | null
  readonly direction: Direction | null
  readonly reason: CloseReason | null
}

/** Every closed trade. */
export const EVERYTHING: HistoryFilter = { asset: null, direction: null, reason: null }

/** The trades that a filter lets through. */
export const filtered = (trades: readonly ListedClosedTrade[], filter: HistoryFilter): readonly ListedClosedTrade[] =>
  trades.filter(
    ({ asset, direction, reason }) =>
      (filter.asset === null || filter.asset === asset) &&
      (filter.direction === null || filter.direction === direction) &&
      (filter.reason === null || filter.reason === reason),
  )

/** Why a trade was closed: a name for the list, a sentence for whoever asks. */
export const reasonWords: Readonly<Record<CloseReason, { readonly name: string; readonly sentence: string }>> = {
  USER: { name: 'Closed by you', sentence: 'You closed this trade.' },
  STOP_LOSS: {
    name: 'Stop',
    sentence: 'The price reached your stop, and the trade was closed at the price of that tick.',
  },
  TAKE_PROFIT: {
    name: 'Target',
    sentence: 'The price reached your target, and the trade was closed at the price of that tick.',
  },
  LIQUIDATION: {
    name: 'Liquidated',
    sentence:
      'What was left of the margin no longer covered the maintenance, so the trade was closed at the price of that tick.',
  },
}

const COLUMNS: readonly (readonly [name: string, value: (trade: ListedClosedTrade) => string | number | null])[] = [
  ['tradeId', (trade) => trade.tradeId],
  ['asset', (trade) => trade.asset],
  ['direction', (trade) => trade.direction],
  ['margin', (trade) => trade.margin],
  ['leverage', (trade) => trade.leverage],
  ['quantity', (trade) => trade.quantity],
  ['entryPrice', (trade) => trade.entryPrice],
  ['exitPrice', (trade) => trade.exitPrice],
  ['liquidationPrice', (trade) => trade.liquidationPrice],
  ['stopLossPrice', (trade) => trade.stopLossPrice],
  ['takeProfitPrice', (trade) => trade.takeProfitPrice],
  ['pnl', (trade) => trade.pnl],
  ['fees', (trade) => trade.fees],
  ['funding', (trade) => trade.funding],
  ['returned', (trade) => trade.returned],
  ['net', netOf],
  ['reason', (trade) => trade.reason],
  ['openedAt', (trade) => trade.openedAt],
  ['closedAt', (trade) => trade.closedAt],
]

const csvField = (value: string | number | null): string => {
  const text = value === null ? '' : String(value)
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

/**
 * Trades as CSV (RFC 4180): amounts are the server's decimal strings and times ISO 8601 in UTC, so that another program
 * reads back exactly what the platform booked.
 */
export const csvOf = (trades: readonly ListedClosedTrade[]): string =>
  [COLUMNS.map(([name]) => name), ...trades.map((trade) => COLUMNS.map(([, value]) => csvField(value(trade))))]
    .map((line) => `${line.join(',')}\r\n`)
    .join('')
