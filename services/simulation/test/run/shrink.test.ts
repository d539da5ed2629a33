import { describe, expect, test } from '@jest/globals'
import type { FaultKind } from '../../src/faults/kinds.ts'
import type { SeedOptions, SeedReport } from '../../src/run/seed-report.ts'
import { shrink } from '../../src/run/shrink.ts'

const start: SeedOptions = { seed: 1, steps: 400, profile: 'mixed', without: [], skip: new Set() }

const reportOf = (statement: string | null): SeedReport => ({
  seed: 1,
  trace: 'abc',
  findings: statement === null ? [] : [{ statement, message: 'wrong' }],
  faults: { crash: 3, zombie: 1, 'answer-lost': 9 },
  counts: { events: 0, calls: 0, records: 0, answers: {}, worldMs: 0 },
})

/** A run that fails when all of these steps are in it and this fault can strike. */
const failsWith = (steps: readonly number[], kind: FaultKind, statement = 'zero-sum') => {
  const runs: SeedOptions[] = []
  const run = async (options: SeedOptions): Promise<SeedReport> => {
    runs.push(options)
    const hasSteps = steps.every((step) => step <= options.steps && !options.skip.has(step))
    return reportOf(hasSteps && !options.without.includes(kind) ? statement : null)
  }
  return { run, runs }
}

const keptSteps = ({ steps, skip }: SeedOptions): number[] =>
  Array.from({ length: steps }, (_, index) => index + 1).filter((step) => !skip.has(step))

describe('shrinking a failing run', () => {
  test('what is left are the steps and the fault that are needed', async () => {
    const { run } = failsWith([17, 44, 203], 'zombie')
    const { options, report } = await shrink(start, reportOf('zero-sum'), run)
    expect(keptSteps(options)).toEqual([17, 44, 203])
    expect(options.steps).toBe(203)
    expect([...options.without].sort()).toEqual(['answer-lost', 'crash'])
    expect(report.findings).not.toEqual([])
  })

  test('a run that fails by another statement is not taken for the same failure', async () => {
    const { run } = failsWith([5], 'crash', 'comes-to-rest')
    const { options } = await shrink(start, reportOf('zero-sum'), run)
    expect(options).toEqual(start)
  })

  test('it ends after the runs it may take, with the smallest run found so far', async () => {
    const { run, runs } = failsWith([17, 44, 203], 'zombie')
    const { options } = await shrink(start, reportOf('zero-sum'), run, 12)
    expect(runs).toHaveLength(12)
    expect(options.steps).toBe(203)
  })
})
