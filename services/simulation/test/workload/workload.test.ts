import { describe, expect, test } from '@jest/globals'
import { refuse } from '@bourse/common/errors/codes.ts'
import { createHistory, type Call } from '../../src/history/history.ts'
import type { Profile } from '../../src/run/seed-report.ts'
import { takesKey } from '../../src/workload/identity.ts'
import { createWorkload } from '../../src/workload/workload.ts'
import { createWorld } from '../../src/world/world.ts'
import { fakePlatform } from './support/fake-platform.ts'

const LONG = { durationMsMax: 100 * 3_600_000, eventsMax: 1_000_000 }

/** Runs a workload over a platform that refuses everything, so that steps learn nothing from one another. */
const runOf = async (seed: number, profile: Profile, steps: number, skip: readonly number[] = []) => {
  const lines: string[] = []
  const world = createWorld(seed, { onLine: (line) => lines.push(line) })
  const history = createHistory(() => world.nowMs())
  const { platform } = fakePlatform(world, () => refuse('ACCOUNT_NOT_FOUND', 'there is nothing here'))
  const workload = createWorkload(world, platform, history, { profile, steps, skip: new Set(skip) })
  workload.begin()
  const end = await world.run(workload.isDone, LONG)
  const open = history.calls().length
  workload.close()
  const closed = await world.run(workload.isDone, LONG)
  const calls = history.calls()
  return { end, closed, lines, workload, calls: calls.slice(0, open), closing: calls.slice(open) }
}

const nameOf = ({ key, request }: Call): string =>
  `${key} ${JSON.stringify(request, (_, value: unknown) => (typeof value === 'bigint' ? `${value}` : value))}`

describe('the workload', () => {
  test('comes to its end and says so', async () => {
    const { end, closed, workload } = await runOf(1, 'mixed', 60)
    expect([end, closed]).toEqual(['done', 'done'])
    expect(workload.waiting()).toEqual([])
    expect(workload.findings()).toEqual([])
  })

  test('is the same for the same seed and another one for another', async () => {
    const [first, again, other] = [
      await runOf(5, 'mixed', 40),
      await runOf(5, 'mixed', 40),
      await runOf(6, 'mixed', 40),
    ]
    expect(again.lines).toEqual(first.lines)
    expect(other.lines).not.toEqual(first.lines)
  })

  test('leaves the moments and first calls of all other steps as they are when some are left out', async () => {
    for (const seed of [1, 2, 3]) {
      const [whole, part] = [await runOf(seed, 'bank', 30), await runOf(seed, 'bank', 30, [2, 3, 17])]
      const begun = (lines: readonly string[]): string[] =>
        lines.filter((line) => /^\d+ step \d+$/.test(line) && !/ step (2|3|17)$/.test(line))
      expect(begun(part.lines)).toEqual(begun(whole.lines))
      const ofSteps = (calls: readonly Call[]): readonly string[] =>
        calls.filter(({ step }) => ![2, 3, 17].includes(step)).map(({ step, request }) => `${step} ${request.kind}`)
      expect(part.calls.some(({ step }) => step === 2 || step === 3 || step === 17)).toBe(false)
      expect(new Set(ofSteps(part.calls))).toEqual(new Set(ofSteps(whole.calls)))
    }
  })

  test.each(['trader', 'bank'] as const)('of profile %s asks what such clients ask', async (profile) => {
    const { calls } = await runOf(3, profile, 80)
    const isBanks = ({ request }: Call): boolean => request.kind.startsWith('bank-') || /quote/.test(request.kind)
    expect(calls.length).toBeGreaterThan(40)
    expect(calls.every((call) => isBanks(call) === (profile === 'bank'))).toBe(true)
  })

  test('asks at the end every keyed request once more and reads every account', async () => {
    const { calls, closing } = await runOf(4, 'mixed', 80)
    const keyed = calls.filter(({ key, request }) => key !== null && request.kind !== 'market-state')
    expect(keyed.length).toBeGreaterThan(20)
    const repeats = closing.filter(({ request }) => takesKey(request))
    expect(new Set(repeats.map(nameOf))).toEqual(new Set(keyed.map(nameOf)))
    expect(repeats).toHaveLength(new Set(keyed.map(nameOf)).size)
    const kinds = new Set(closing.map(({ request }) => request.kind))
    for (const kind of ['balances', 'open-trades', 'bank-accounts', 'bank-transactions', 'bank-events'] as const) {
      expect(kinds).toContain(kind)
    }
    const lastRepeat = Math.max(...repeats.map(({ number }) => number))
    const firstRead = Math.min(...closing.filter(({ request }) => !takesKey(request)).map(({ number }) => number))
    expect(lastRepeat).toBeLessThan(firstRead)
  })
})
