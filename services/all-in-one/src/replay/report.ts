import Table from 'cli-table3'
import { countsByReason } from './rows.ts'
import type { MoneyReport } from './money-check.ts'
import type { ReplayResult } from './run.ts'

/** What a replay came to, as its last line says with --json. */
export interface ReplaySummary {
  readonly ok: boolean
  readonly ticks: number
  /** Ticks the market's jump filter did not believe. */
  readonly ticksRefused: number
  readonly trades: number
  readonly partitions: number
  readonly byReason: Readonly<Record<string, number>>
  /** Null when no time passed. */
  readonly ticksPerSecond: { readonly wasm: number | null; readonly reference: number | null }
  readonly referenceAsked: number
  readonly differences: number
  readonly difference: string | null
  readonly stateHash: string | null
  readonly money: MoneyReport | null
}

const perSecond = (ticks: number, elapsedMs: number): number | null =>
  elapsedMs > 0 ? Math.round((ticks / elapsedMs) * 1_000) : null

/** The figures of a result. */
export const summaryOf = (result: ReplayResult, ticksRefused: number): ReplaySummary => {
  const { difference, rows, ticksPlayed, elapsedMs, referenceAsked, partitions, stateHash, money } = result
  return {
    ok: difference === null && money?.ok === true,
    ticks: ticksPlayed,
    ticksRefused,
    trades: rows.length,
    partitions,
    byReason: Object.fromEntries(countsByReason(rows)),
    ticksPerSecond: {
      wasm: perSecond(ticksPlayed, elapsedMs.wasm),
      reference: perSecond(ticksPlayed, elapsedMs.reference),
    },
    referenceAsked,
    differences: difference === null ? 0 : 1,
    difference,
    stateHash,
    money,
  }
}

const tableOf = (head: readonly string[], rows: readonly (readonly string[])[]): string => {
  const table = new Table({ head: [...head], style: { head: [], border: [] } })
  table.push(...rows.map((row) => [...row]))
  return table.toString()
}

const shown = (count: number | null): string => (count === null ? '-' : count.toLocaleString('en-US'))

const moneyLines = (money: MoneyReport | null): string[] => {
  if (money === null) return ['money: not checked, the replay ended at the difference']
  const rows = money.statements.map(({ name, ok, found }) => [name, found, ok ? 'ok' : 'FAILED'])
  return [tableOf(['money', money.currency, ''], rows)]
}

/** The figures for people, in tables. */
export const textOf = (summary: ReplaySummary): string => {
  const { ticks, ticksRefused, trades, partitions, byReason, ticksPerSecond, referenceAsked, difference, stateHash } =
    summary
  const lines = [
    [
      `${shown(ticks)} ticks (${shown(ticksRefused)} refused as jumps)`,
      `${shown(trades)} trades`,
      `partitions of the market: ${partitions}`,
    ].join(', '),
    tableOf(
      ['reason', 'trades'],
      Object.entries(byReason).map(([reason, count]) => [reason, shown(count)]),
    ),
    tableOf(
      ['engine', 'ticks/s', ''],
      [
        ['WASM', shown(ticksPerSecond.wasm), `asked at each of ${shown(ticks * partitions)} ticks of its partitions`],
        [
          'reference',
          shown(ticksPerSecond.reference),
          `asked at ${shown(referenceAsked)}; its answers imply the others`,
        ],
      ],
    ),
    ...moneyLines(summary.money),
    difference === null ? 'WASM and reference: no difference' : `WASM and reference DIFFER: ${difference}`,
    `state hash ${stateHash ?? '-'}`,
  ]
  return `${lines.join('\n')}\n`
}
