import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { readRedisTime } from '../../../src/adapters/redis/server-time.ts'
import { redisMissing, startRedis, type RedisServer } from '../../../src/testkit/servers/redis.ts'
import { describeUnless } from '../../../src/testkit/skip.ts'
import { openPatient } from './support.ts'

describeUnless(redisMissing(), 'the time of Redis', () => {
  let server: RedisServer
  beforeAll(async () => void (server = await startRedis()))
  afterAll(() => server.stop())

  test('is ours on the same machine, and parts of a second count', async () => {
    const connection = await openPatient(server.url)
    const [fromMs, timeMs, toMs] = [Date.now(), await readRedisTime(connection), Date.now()]
    // Our own clock counts whole milliseconds.
    expect(timeMs).toBeGreaterThanOrEqual(fromMs)
    expect(timeMs).toBeLessThanOrEqual(toMs + 1)
    await connection.close()
  })
})
