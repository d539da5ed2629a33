/** The prices that matter to a trader in a market: of the trades that are open and of the ticket that is being written. */
import type { OpenTrade } from '@bourse/client/shapes.ts'

/** A line across the chart. */
export interface ChartLine {
  readonly kind: 'entry' | 'liquidation' | 'stop' | 'target'
  /** Decimal string. */
  readonly price: string
  readonly title: string
  /** Of the ticket: nothing stands there yet. */
  readonly planned: boolean
}

/** What of a ticket's preview is drawn; null for what there is none of. */
export interface PlannedLevels {
  readonly entryPrice: string | null
  readonly liquidationPrice: string | null
  readonly stopLossPrice: string | null
  readonly takeProfitPrice: string | null
}

/** Lines for more trades than these would cover the bars: the newest are drawn, the list below has all. */
export const TRADES_DRAWN_MAX = 5

const linesFor = (levels: PlannedLevels, name: string, planned: boolean): ChartLine[] => {
  const line = (kind: ChartLine['kind'], price: string | null, title: string): ChartLine[] =>
    price === null ? [] : [{ kind, price, title, planned }]
  return [
    ...line('entry', levels.entryPrice, name),
    ...line('liquidation', levels.liquidationPrice, `${name} liquidation`),
    ...line('stop', levels.stopLossPrice, `${name} stop`),
    ...line('target', levels.takeProfitPrice, `${name} target`),
  ]
}

/** Lines of the newest open trades of an asset, then those of the ticket. */
export const chartLines = (
  asset: string,
  trades: readonly OpenTrade[],
  planned: PlannedLevels | null,
): readonly ChartLine[] => {
  const own = trades.filter((trade) => trade.asset === asset)
  const newest = [...own].sort((a, b) => b.openedAt.localeCompare(a.openedAt)).slice(0, TRADES_DRAWN_MAX)
  return [
    ...newest.flatMap((trade) =>
      linesFor(trade, `${trade.direction === 'LONG' ? 'Long' : 'Short'} ${trade.leverage}×`, false),
    ),
    ...(planned === null ? [] : linesFor(planned, 'Ticket', true)),
  ]
}
