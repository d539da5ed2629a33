import { afterAll, beforeAll } from '@jest/globals'
import { createRedisRateLimits } from '../../../src/adapters/redis/rate-limits.ts'
import type { RateLimits } from '../../../src/ports/rate-limits.ts'
import { rateLimitsContract, type RateLimitsHarness } from '../../../src/testkit/contracts/rate-limits.contract.ts'
import type { Opened } from '../../../src/testkit/contracts/scenario.ts'
import { createManualClock } from '../../../src/testkit/manual-clock.ts'
import { redisMissing, startRedis, type RedisServer } from '../../../src/testkit/servers/redis.ts'
import { describeUnless } from '../../../src/testkit/skip.ts'
import { openPatient } from '../redis/support.ts'

describeUnless(redisMissing(), 'the RateLimits contract on Redis', () => {
  let server: RedisServer
  beforeAll(async () => void (server = await startRedis()))
  afterAll(() => server.stop())

  const open = async (): Promise<RateLimitsHarness> => {
    const clock = createManualClock(1_780_000_000_000)
    const connection = await openPatient(server.url)
    return {
      port: createRedisRateLimits(connection, { sharedClock: clock, expirySlackMs: 600_000 }),
      keysMax: null,
      elapse: clock.advance,
      destroy: () => connection.close(),
    }
  }
  const openBroken = async (): Promise<Opened<RateLimits> & { letPass(): number }> => {
    const doomed = await startRedis()
    const connection = await openPatient(doomed.url)
    const port = createRedisRateLimits(connection)
    await doomed.stop()
    return { port, letPass: port.letPass, destroy: () => connection.close() }
  }

  rateLimitsContract({ name: 'rate limits on Redis', open, openBroken })
  rateLimitsContract({ name: 'rate limits on Redis', open, faults: ['slow'] })
  rateLimitsContract({ name: 'rate limits on Redis', open, faults: ['forgets'] })
})
