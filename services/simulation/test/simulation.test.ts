import { describe, expect, test } from '@jest/globals'
import { createSeededRandom } from '@bourse/common/testkit/seeded-random.ts'
import { testSeed } from '@bourse/common/testkit/test-seed.ts'
import { regressions } from '../src/regressions.ts'
import { reproduceCommand } from '../src/run/reproduce.ts'
import { command } from './run/command.ts'

const count = (name: string, otherwise: number): number => {
  const text = process.env[name]
  if (text === undefined || text === '') return otherwise
  if (!/^\d{1,6}$/.test(text)) throw new Error(`${name} is '${text}', not a number of seeds`)
  return Number(text)
}

const FIXED = count('BOURSE_TEST_SIMULATION_SEEDS', 40)
const DRAWN = count('BOURSE_TEST_SIMULATION_DRAWN', 10)
const STEPS = 400
const TIMEOUT_MS = 1_800_000

const say = (text: string): void => void process.stderr.write(`simulation.test: ${text}\n`)

/** Everything it printed, when it failed: the seed, the statements, the command that repeats it. */
const expectGood = ({
  code,
  stdout,
  stderr,
}: {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}): void => expect({ code, stderr, output: code === 0 ? '' : stdout }).toEqual({ code: 0, stderr: '', output: '' })

describe('The exchange in simulated worlds', () => {
  test(
    `${FIXED} fixed seeds hold every statement`,
    async () => {
      const ended = await command('simulate', '--seeds', `1..${FIXED}`, '--steps', String(STEPS), '--json')
      expectGood(ended)
      expect(ended.last()).toMatchObject({ seeds: FIXED, failed: [] })
    },
    TIMEOUT_MS,
  )

  test(
    `${DRAWN} drawn seeds, which it prints, hold every statement`,
    async () => {
      const random = createSeededRandom(testSeed())
      const drawn = Array.from({ length: DRAWN }, () => random.uint32())
      say(`drawn seeds ${drawn.join(',')}`)
      const ended = await command('simulate', '--seeds', drawn.join(','), '--steps', String(STEPS), '--json')
      expectGood(ended)
      expect(ended.last()).toMatchObject({ seeds: DRAWN, failed: [] })
    },
    TIMEOUT_MS,
  )

  test.each(['bank', 'trader'])(
    'the profile %s holds every statement',
    async (profile) => {
      const ended = await command('simulate', '--seeds', '1..10', '--steps', '200', '--profile', profile, '--json')
      expectGood(ended)
    },
    TIMEOUT_MS,
  )

  test(
    'one seed gives the same trace in every process and on every number of threads',
    async () => {
      const run = async (...args: readonly string[]): Promise<Record<string, string>> => {
        const ended = await command('simulate', '--seeds', '11..16', '--steps', '150', '--json', ...args)
        return (ended.last() as { readonly traces: Record<string, string> }).traces
      }
      const [first, again, inOrder] = [await run(), await run('--threads', '3'), await run('--threads', '1')]
      expect(Object.keys(first)).toHaveLength(6)
      expect(new Set(Object.values(first)).size).toBe(6)
      expect(again).toEqual(first)
      expect(inOrder).toEqual(first)
    },
    TIMEOUT_MS,
  )

  test(
    'a planted bug is found, with the seed and the statement that does not hold',
    async () => {
      const ended = await command('mutants', '--only', 'crypto-rounded', '--seeds', '20', '--steps', '200', '--json')
      expect(ended.last()).toEqual({
        mutants: [{ name: 'crypto-rounded-towards-the-customer', seed: expect.any(Number) }],
      })
      expect(ended.code).toBe(0)
    },
    TIMEOUT_MS,
  )
})

describe('Runs that once failed', () => {
  test('each says what was wrong', () => {
    for (const { what } of regressions) expect(what).toMatch(/\w.{20,}/)
  })

  test.each(regressions.map((regression) => [regression.what, regression] as const))(
    '%s',
    async (_, { seed, steps, profile, without = [] }) => {
      const [, args = ''] = reproduceCommand({ seed, steps, profile, without, skip: new Set() }).split(' -- ')
      expectGood(await command('simulate', ...args.split(' ')))
    },
    TIMEOUT_MS,
  )
})

describe('The command', () => {
  test('without a seed it says what is missing and exits with a failure', async () => {
    const ended = await command('simulate', '--steps', '5')
    expect(ended.code).not.toBe(0)
    expect(ended.stderr).toContain('give --seed, --seeds or --fresh')
  })

  test.each([
    ['--seeds', '9..1'],
    ['--profile', 'fish'],
    ['--without', 'gravity'],
    ['--steps', '0'],
  ])('%s %s is refused', async (option, value) => {
    const ended = await command('simulate', '--seed', '1', option, value)
    expect(ended.code).not.toBe(0)
    expect(ended.stderr).toContain(option)
  })
})
