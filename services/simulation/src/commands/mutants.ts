/**
 * `npm run simulate:mutants`: plants bugs in the product, one at a time, and shows the seed that finds each. Exits 1 when one is
 * not found: that is a hole in the simulator.
 */
import { availableParallelism } from 'node:os'
import { Command } from 'commander'
import { hunt } from '../mutants/hunt.ts'
import { mutants } from '../mutants/mutants.ts'
import { reproduceCommand } from '../run/reproduce.ts'
import type { Profile } from '../run/seed-report.ts'
import { profile, wholeNumber } from './arguments.ts'

interface Arguments {
  readonly only?: string
  readonly seeds: number
  readonly steps: number
  readonly profile: Profile
  readonly threads: number
  readonly json: boolean
}

const COUNT_MAX = 1_000_000

const command = new Command('simulate:mutants')
  .description('plants bugs in the product, one at a time, and looks for the seed that finds each')
  .option('--only <text>', 'only bugs whose name holds this')
  .option('--seeds <count>', 'how many seeds are tried for each', wholeNumber(1, COUNT_MAX), 300)
  .option('--steps <count>', 'steps of the clients in each world', wholeNumber(1, COUNT_MAX), 400)
  .option('--profile <name>', 'bank, trader or mixed', profile, 'mixed')
  .option('--threads <count>', 'worlds run at a time', wholeNumber(1, 256), availableParallelism())
  .option('--json', 'end with one line of JSON', false)
  .parse()

const given = command.opts<Arguments>()
const write = (line: string): void => void process.stdout.write(`${line}\n`)

const chosen = mutants.filter(({ name }) => name.includes(given.only ?? ''))
if (chosen.length === 0) command.error(`no bug has '${given.only}' in its name`)

const results: { name: string; seed: number | null }[] = []
for (const mutant of chosen) {
  const { seed, finding } = await hunt(mutant, { ...given, seedsMax: given.seeds })
  results.push({ name: mutant.name, seed })
  write(`${mutant.name.padEnd(36)} ${seed === null ? 'NOT FOUND' : `seed ${seed}`}  ${mutant.what}`)
  if (seed !== null) write(`${''.padEnd(36)} ${finding?.statement}: ${finding?.message.slice(0, 300)}`)
}
const unfound = results.filter(({ seed }) => seed === null)
write(`${results.length} bugs planted, ${results.length - unfound.length} found`)
const { steps } = given
write(
  `a seed's run without the bug: ${reproduceCommand({ seed: 1, steps, profile: given.profile, without: [], skip: new Set() })}`,
)
if (given.json) write(JSON.stringify({ mutants: results }))
process.exitCode = unfound.length === 0 ? 0 : 1
