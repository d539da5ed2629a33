/**
 * `npm run simulate -- --seed S | --seeds A..B --steps N`: runs the exchange in simulated worlds, one for each seed, and audits
 * each. Exits 1 when a statement did not hold, and prints the command that repeats it.
 */
import { availableParallelism } from 'node:os'
import { Command } from 'commander'
import type { FaultKind } from '../faults/kinds.ts'
import { createPool, type Pool } from '../run/pool.ts'
import { reproduceCommand } from '../run/reproduce.ts'
import type { Profile, SeedOptions, SeedReport } from '../run/seed-report.ts'
import { shrink } from '../run/shrink.ts'
import { kinds, numbers, profile, wholeNumber } from './arguments.ts'

interface Arguments {
  readonly seed?: number
  readonly seeds?: readonly number[]
  readonly fresh?: number
  readonly steps: number
  readonly profile: Profile
  readonly without: readonly FaultKind[]
  readonly skip: readonly number[]
  readonly threads: number
  readonly shrink: boolean
  readonly verbose: boolean
  readonly json: boolean
}

/** Findings of one run that are printed. */
const FINDINGS_SHOWN = 10
/** Most steps of a run, and most threads. */
const STEPS_MAX = 1_000_000
const THREADS_MAX = 256
const SEED_MAX = 0xffff_ffff

const command = new Command('simulate')
  .description('runs the whole exchange in simulated worlds with faults, and audits what came of it')
  .option('--seed <seed>', 'the world to run', wholeNumber(0, SEED_MAX))
  .option('--seeds <range>', 'the worlds to run: A..B', numbers)
  .option(
    '--fresh <count>',
    'as many worlds that nobody has run before; their seeds are printed',
    wholeNumber(1, SEED_MAX),
  )
  .option('--steps <count>', 'steps of the clients in each world', wholeNumber(1, STEPS_MAX), 400)
  .option('--profile <name>', 'bank, trader or mixed', profile, 'mixed')
  .option('--without <kinds>', 'faults that do not strike, separated by commas', kinds, [])
  .option('--skip <steps>', 'steps that are left out: 1..3,7', numbers, [])
  .option('--threads <count>', 'worlds run at a time', wholeNumber(1, THREADS_MAX), availableParallelism())
  .option('--shrink', 'make the first failing run smaller', false)
  .option('--verbose', 'print every line of the trace', false)
  .option('--json', 'end with one line of JSON', false)
  .parse()

const given = command.opts<Arguments>()

const freshSeeds = (count: number): number[] => Array.from(crypto.getRandomValues(new Uint32Array(count)))

const seeds = [
  ...(given.seed === undefined ? [] : [given.seed]),
  ...(given.seeds ?? []),
  ...freshSeeds(given.fresh ?? 0),
]
if (seeds.length === 0) command.error('give --seed, --seeds or --fresh')

const write = (line: string): void => void process.stdout.write(`${line}\n`)

const optionsOf = (seed: number): SeedOptions => ({
  seed,
  steps: given.steps,
  profile: given.profile,
  without: given.without,
  skip: new Set(given.skip),
})

const printFailure = (options: SeedOptions, report: SeedReport): void => {
  write(`seed ${report.seed} FAILED, trace ${report.trace}`)
  for (const { statement, message } of report.findings.slice(0, FINDINGS_SHOWN)) write(`  ${statement}: ${message}`)
  if (report.findings.length > FINDINGS_SHOWN) write(`  … and ${report.findings.length - FINDINGS_SHOWN} more`)
  write(`  again: ${reproduceCommand(options)}`)
}

const totalOf = (counts: readonly Readonly<Partial<Record<string, number>>>[]): Record<string, number> => {
  const totals: Record<string, number> = {}
  for (const each of counts)
    for (const [name, count] of Object.entries(each)) totals[name] = (totals[name] ?? 0) + (count ?? 0)
  return Object.fromEntries(Object.entries(totals).sort(([a], [b]) => (a < b ? -1 : 1)))
}

const printShrunk = async (pool: Pool, report: SeedReport): Promise<void> => {
  const shrunk = await shrink(optionsOf(report.seed), report, (options) => pool.run(options))
  write(`shrunk in ${shrunk.runs} runs:`)
  printFailure(shrunk.options, shrunk.report)
}

const run = async (): Promise<boolean> => {
  const pool = createPool({ threads: Math.min(given.threads, seeds.length) })
  try {
    if (given.fresh !== undefined) write(`fresh seeds: ${seeds.slice(-given.fresh).join(',')}`)
    const reports = await Promise.all(
      seeds.map(async (seed) => {
        const options = optionsOf(seed)
        const report = await pool.run(options, given.verbose ? write : undefined)
        if (report.findings.length > 0) printFailure(options, report)
        return report
      }),
    )
    const failed = reports.filter((report) => report.findings.length > 0)
    if (given.shrink && failed[0] !== undefined) await printShrunk(pool, failed[0])
    const faults = totalOf(reports.map((report) => report.faults))
    const answers = totalOf(reports.map((report) => report.counts.answers))
    const sum = (of: (report: SeedReport) => number): number => reports.reduce((total, report) => total + of(report), 0)
    write(
      `${reports.length} worlds, ${failed.length} failed: ${sum(({ counts }) => counts.calls)} calls, ` +
        `${sum(({ counts }) => counts.records)} records, ${sum(({ counts }) => counts.events)} events, ` +
        `${Math.round(sum(({ counts }) => counts.worldMs) / 60_000)} minutes of world time`,
    )
    write(
      `faults: ${Object.entries(faults)
        .map(([kind, count]) => `${kind} ${count}`)
        .join(', ')}`,
    )
    write(
      `answers: ${Object.entries(answers)
        .map(([kind, count]) => `${kind} ${count}`)
        .join(', ')}`,
    )
    if (given.json) {
      const traces = Object.fromEntries(reports.map((report) => [report.seed, report.trace]))
      write(JSON.stringify({ seeds: reports.length, failed: failed.map(({ seed }) => seed), faults, traces }))
    } else if (reports.length === 1) {
      write(`trace ${reports[0]?.trace}`)
    }
    return failed.length === 0
  } finally {
    await pool.close()
  }
}

process.exitCode = (await run()) ? 0 : 1
