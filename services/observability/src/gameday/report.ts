import Table from 'cli-table3'
import type { ModeResult, UndrilledMode } from './mode.ts'

/** The last line of a gameday. */
export interface GamedayTotals {
  readonly passed: number
  readonly failed: number
  /** Not drilled, or drilled and not judged. */
  readonly skipped: readonly { readonly name: string; readonly reason: string }[]
}

const isFailed = ({ faults }: ModeResult): boolean => faults.length > 0
const isExcused = (result: ModeResult): boolean => !isFailed(result) && result.excused.length > 0

const excuseOf = ({ excused }: ModeResult): string =>
  `the machine was overloaded, so that pages were not judged: ${excused.join(', ')}`

/** In one line: passed, failed or excused, and why. */
export const verdictOf = (result: ModeResult): string => {
  if (isFailed(result)) return `FAILED: ${result.faults.join('; ')}`
  return isExcused(result) ? `EXCUSED: ${excuseOf(result)}` : 'passed'
}

const seconds = (value: number | null | undefined): string =>
  value === null || value === undefined ? 'never' : value.toFixed(1)

/** What the drills come to. */
export const totalsOf = (results: readonly ModeResult[], skipped: readonly UndrilledMode[]): GamedayTotals => {
  const failed = results.filter(isFailed).length
  const excused = results.filter(isExcused).map((result) => ({ name: result.name, reason: excuseOf(result) }))
  return { passed: results.length - failed - excused.length, failed, skipped: [...excused, ...skipped] }
}

/** A line for each mode: alerts with seconds to fire, seconds to the page, seconds to clear, verdict. */
export const tableOf = (results: readonly ModeResult[]): string => {
  const table = new Table({
    head: ['failure', 'alert: fired after, s', 'told, s', 'cleared, s', 'verdict'],
    style: { head: [], border: [] },
    colWidths: [24, 42, 9, 12, 44],
    wordWrap: true,
  })
  for (const result of results) {
    const { name, firedAfterSeconds, toldAfterSeconds, clearedAfterSeconds } = result
    table.push([
      name,
      Object.entries(firedAfterSeconds)
        .map(([alert, after]) => `${alert} ${seconds(after)}`)
        .join('\n'),
      seconds(toldAfterSeconds),
      seconds(clearedAfterSeconds),
      verdictOf(result),
    ])
  }
  return table.toString()
}

/** The same for a page of documentation. */
export const markdownOf = (results: readonly ModeResult[]): string =>
  [
    '| failure | how it is made | alert (fired after, s) | told, s | cleared, s | other alerts | verdict |',
    '|---|---|---|---|---|---|---|',
    ...results.map((result) => {
      const { title, name, door, firedAfterSeconds, toldAfterSeconds, clearedAfterSeconds, others } = result
      const alerts = Object.entries(firedAfterSeconds).map(([alert, after]) => `${alert} (${seconds(after)})`)
      const cells = [`${title} (\`${name}\`)`, door, alerts.join(', ')]
      const times = [seconds(toldAfterSeconds), seconds(clearedAfterSeconds)]
      return `| ${[...cells, ...times, others.join(', '), verdictOf(result)].join(' | ')} |`
    }),
  ].join('\n')
