import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { createSystemClock } from '@bourse/common/adapters/system/clock.ts'
import { describeUnless } from '@bourse/common/testkit/skip.ts'
import { queriesMissing, runQueries } from '../../src/queries/run.ts'

const TIMEOUT_MS = 1_800_000

describeUnless(queriesMissing(), 'queries on the running platform', () => {
  test(
    'every query of every panel, variable and rule is accepted and has data',
    async () => {
      const folder = await mkdtemp(join(tmpdir(), 'bourse-queries-'))
      try {
        const { verdicts, withData, faults } = await runQueries({ folder, clock: createSystemClock() })
        process.stderr.write(`${verdicts.length} queries, ${withData} with data\n`)
        expect(faults).toEqual([])
        expect(verdicts.length).toBeGreaterThan(500)
      } finally {
        await rm(folder, { recursive: true, force: true })
      }
    },
    TIMEOUT_MS,
  )
})
