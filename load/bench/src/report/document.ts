import { ROW_KINDS, type RowDefinition, type RowKind } from '../row.ts'
import { summarize, type RowResult, type Summary } from '../runner/result.ts'
import { cell, formatFigure } from './format.ts'

/** What stands behind this line in the report is written by hand and kept. */
export const NOTES_MARK = '<!-- Written by hand from here on; the command keeps it. -->'

const NOTES_START = `${NOTES_MARK}

## What the profiles say
`

const MEANING: Readonly<Record<RowKind, string>> = {
  core: 'In memory, one thread: from binary command to binary outcome, no journal, no network.',
  'core + fsync': 'The core behind its journal: every record is flushed to the disk before its outcomes leave.',
  'core + broker': 'The core behind a message broker.',
  'wire to wire': 'From a client’s socket through sign-in, checks, core and journal back to the client’s socket.',
}

const HEADER = ['row', 'median', 'min – max', 'goal', 'met', 'peers (row ÷ peer)', 'runs', 'measured']

/** A line of a former report: its text, and the machine it was measured on. */
interface KeptLine {
  readonly cells: string
  readonly machine: string
}

const MACHINE_LINE = /^(\d+)\. (.+)$/
const ROW_LINE = /^\| `([^`]+)` \|.*, machine (\d+) \|$/

/** The lines of a former report by row name. Lines of machines that are not listed are left out. */
const keptLines = (document: string): Map<string, KeptLine> => {
  const generated = document.split(NOTES_MARK)[0]!.split('\n')
  const machines = new Map<string, string>()
  const lines = new Map<string, KeptLine>()
  for (const line of generated) {
    const machine = MACHINE_LINE.exec(line)
    if (machine !== null) machines.set(machine[1]!, machine[2]!)
    const row = ROW_LINE.exec(line)
    const name = row === null ? undefined : machines.get(row[2]!)
    if (row !== null && name !== undefined)
      lines.set(row[1]!, { cells: line.slice(0, line.lastIndexOf(', machine ')), machine: name })
  }
  return lines
}

const peersText = ({ peers, absent }: Summary): string =>
  [
    ...peers.map(({ name, value, ratio }) => `${name} ${formatFigure(value)} (${formatFigure(ratio)} ×)`),
    ...Object.entries(absent).map(([name, reason]) => `${name} absent: ${reason}`),
  ].join('; ')

const lineOf = (result: RowResult, date: string): string => {
  const { row } = result
  const summary = summarize(result)
  const cells =
    summary === null
      ? ['–', '–', row.goal.text, '–', `not measured: ${result.reason}`, '0', date]
      : [
          `${formatFigure(summary.value)} ${row.unit}`,
          `${formatFigure(summary.min)} – ${formatFigure(summary.max)}`,
          row.goal.text,
          summary.met ? 'yes' : '**no**',
          peersText(summary),
          String(summary.runs),
          date,
        ]
  return `| \`${row.name}\` | ${cells.map(cell).join(' | ')}`
}

const tableOf = (kind: RowKind, rows: readonly RowDefinition[], line: (name: string) => string): string =>
  [
    `## ${kind[0]!.toUpperCase()}${kind.slice(1)}`,
    '',
    MEANING[kind],
    '',
    `| ${HEADER.join(' | ')} |`,
    `|${' --- |'.repeat(HEADER.length)}`,
    ...rows.map(({ name }) => line(name)),
    '',
    ...rows.map(({ name, what }) => `- \`${name}\`: ${what}`),
    '',
  ].join('\n')

/**
 * The report: new results in place of old ones, lines of rows that were not measured this time kept as they are, lines of
 * rows that no longer exist left out, the hand-written end kept.
 *
 * @param options.former the report so far, empty when there is none
 * @param options.rows all rows that exist, in order
 * @param options.date of this measurement, YYYY-MM-DD
 */
export const renderReport = (options: {
  readonly former: string
  readonly rows: readonly RowDefinition[]
  readonly results: readonly RowResult[]
  readonly machine: string
  readonly date: string
}): string => {
  const { former, rows, results, machine, date } = options
  const lines = keptLines(former)
  for (const result of results) lines.set(result.row.name, { cells: lineOf(result, date), machine })
  const shown = rows.filter(({ name }) => lines.has(name))
  const machines = [...new Set([machine, ...shown.map(({ name }) => lines.get(name)!.machine)])]
  const line = (name: string): string => {
    const kept = lines.get(name)!
    return `${kept.cells}, machine ${machines.indexOf(kept.machine) + 1} |`
  }
  const tables = ROW_KINDS.map((kind) => [kind, shown.filter((row) => row.kind === kind)] as const)
  const notesAt = former.indexOf(NOTES_MARK)
  return [
    '# Performance',
    '',
    'Written by `npm run bench`; `npm run bench -- --only PREFIX` measures some rows again and keeps the others. Each run is a',
    'fresh process; figures are medians over the runs, with the smallest and largest. A peer does the same work in the same run',
    'on the same machine: the ratios travel between machines, the absolute figures do not.',
    '',
    '## Machines',
    '',
    ...machines.map((name, index) => `${index + 1}. ${name}`),
    '',
    ...tables.flatMap(([kind, ofKind]) => (ofKind.length === 0 ? [] : [tableOf(kind, ofKind, line)])),
    notesAt < 0 ? NOTES_START : former.slice(notesAt),
  ].join('\n')
}
