/** Asks every query of every panel, variable and rule on a real Prometheus: `npm run queries`. Exits 1 when one has no data. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSystemClock } from '@bourse/common/adapters/system/clock.ts'
import { queriesMissing, runQueries } from '../queries/run.ts'

const run = async (): Promise<number> => {
  const missing = queriesMissing()
  if (missing !== undefined) {
    process.stderr.write(`queries: ${missing}\n`)
    return 2
  }
  const folder = await mkdtemp(join(tmpdir(), 'bourse-queries-'))
  try {
    const { verdicts, withData, faults } = await runQueries({ folder, clock: createSystemClock() })
    for (const fault of faults) process.stdout.write(`${fault}\n`)
    process.stdout.write(`${verdicts.length} queries, ${withData} with data\n`)
    return faults.length === 0 ? 0 : 1
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

process.exitCode = await run()
