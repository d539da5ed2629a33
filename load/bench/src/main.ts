/**
 * `npm run bench [-- --only PREFIX… --runs N --json --list]`: measures the platform beside its peers, prints the figures and
 * writes docs/performance.md. Exits 1 when a group broke, 2 when there is nothing to measure; a missed goal is a result.
 */
import { readFile, rename, writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { Command, InvalidArgumentError } from 'commander'
import { renderReport } from './report/document.ts'
import { formatFigure } from './report/format.ts'
import { machineName } from './report/machine.ts'
import type { Group, GroupEntry, RowDefinition } from './row.ts'
import { jsonOf, summarize, type RowResult } from './runner/result.ts'
import { measureGroups } from './runner/run.ts'

/** Fewer runs say too little to be written down. */
const REPORTED_RUNS_MIN = 5

const inRepository = (path: string): string => fileURLToPath(new URL(`../../../${path}`, import.meta.url))

const positive = (text: string): number => {
  if (!/^[1-9]\d{0,2}$/.test(text)) throw new InvalidArgumentError('a number from 1 to 999')
  return Number(text)
}

interface Options {
  readonly only?: readonly string[]
  readonly runs: number
  readonly json?: true
  readonly list?: true
  readonly report?: string
  readonly groups: string
}

const options = new Command('bench')
  .description('measures the platform and its peers, and writes docs/performance.md')
  .option('--only <prefix...>', 'only rows whose names begin with one of these; the report keeps the others')
  .option('--runs <number>', `fresh processes per group; the report takes ${REPORTED_RUNS_MIN} or more`, positive, 5)
  .option('--json', 'ends with one line of JSON on stdout')
  .option('--list', 'lists the rows and measures nothing')
  .option('--report <file>', 'the report, written with any number of runs (default: docs/performance.md)')
  .option('--groups <module>', 'the module that lists the groups', inRepository('load/bench/src/rows/index.ts'))
  .parse()
  .opts<Options>()

const note = (line: string): void => void process.stderr.write(`${line}\n`)
const print = (line: string): void => void process.stdout.write(`${line}\n`)

const isWanted = ({ name }: RowDefinition): boolean =>
  options.only === undefined || options.only.some((prefix) => name.startsWith(prefix))

const loadGroups = async (module: string): Promise<readonly Group[]> => {
  const { groups } = (await import(pathToFileURL(module).href)) as { groups: readonly GroupEntry[] }
  return Promise.all(groups.map((entry) => entry.load()))
}

const printResult = (result: RowResult): void => {
  const { row, reason } = result
  const summary = summarize(result)
  if (summary === null) return print(`${row.name.padEnd(28)} not measured: ${reason}`)
  const spread = `${formatFigure(summary.min)} – ${formatFigure(summary.max)}`
  const peers = summary.peers.map(
    ({ name, value, ratio }) => `${name} ${formatFigure(value)} (${formatFigure(ratio)} ×)`,
  )
  const absent = Object.entries(summary.absent).map(([name, why]) => `${name} absent: ${why}`)
  const verdict = summary.met ? 'met' : 'MISSED'
  print(`${row.name.padEnd(28)} ${formatFigure(summary.value)} ${row.unit} [${spread}]  ${row.goal.text}: ${verdict}`)
  if (peers.length + absent.length > 0) print(`${' '.repeat(28)} ${[...peers, ...absent].join('; ')}`)
}

const readFormer = async (path: string): Promise<string> => {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return ''
    throw error
  }
}

const writeReport = async (rows: readonly RowDefinition[], results: readonly RowResult[]): Promise<void> => {
  if (options.report === undefined && options.runs < REPORTED_RUNS_MIN) {
    return note(`docs/performance.md is left as it is: it takes ${REPORTED_RUNS_MIN} runs or more`)
  }
  const path = options.report === undefined ? inRepository('docs/performance.md') : resolve(options.report)
  const date = new Date().toISOString().slice(0, 10)
  const text = renderReport({ former: await readFormer(path), rows, results, machine: machineName(), date })
  // Whole or not at all: the notes in it exist nowhere else.
  await writeFile(`${path}.new`, text)
  await rename(`${path}.new`, path)
}

const main = async (): Promise<number> => {
  const groupsModule = resolve(options.groups)
  const groups = await loadGroups(groupsModule)
  const rows = groups.flatMap((group) => group.rows)
  const wanted = groups.filter((group) => group.rows.some(isWanted))
  if (wanted.length === 0) {
    note(`no row begins with ${options.only?.join(' or ')}; --list shows them`)
    return 2
  }
  if (options.list === true) {
    for (const { name, kind, unit, goal } of rows.filter(isWanted))
      print(`${name.padEnd(28)} ${kind}, ${unit}: ${goal.text}`)
    return 0
  }
  const measured = await measureGroups({ groups: wanted, groupsModule, runs: options.runs, note })
  const results = measured.results.filter(({ row }) => isWanted(row))
  print(machineName())
  results.forEach(printResult)
  await writeReport(rows, results)
  if (options.json === true) print(JSON.stringify({ rows: results.map(jsonOf) }))
  return measured.failures === 0 ? 0 : 1
}

process.exitCode = await main()
