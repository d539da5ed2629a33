import { afterAll, beforeAll } from '@jest/globals'
import { createRedisCache } from '../../../src/adapters/redis/cache.ts'
import { createSystemClock } from '../../../src/adapters/system/clock.ts'
import type { Cache } from '../../../src/ports/cache.ts'
import { cacheContract, type CacheHarness } from '../../../src/testkit/contracts/cache.contract.ts'
import { pause, type Opened } from '../../../src/testkit/contracts/scenario.ts'
import { redisMissing, startRedis, type RedisServer } from '../../../src/testkit/servers/redis.ts'
import { describeUnless } from '../../../src/testkit/skip.ts'
import { openPatient } from '../redis/support.ts'

const valueBytesMax = 1_000

describeUnless(redisMissing(), 'the Cache contract on Redis', () => {
  let server: RedisServer
  beforeAll(async () => void (server = await startRedis()))
  afterAll(() => server.stop())
  const clock = createSystemClock()

  const open = async (): Promise<CacheHarness> => {
    const connection = await openPatient(server.url)
    return {
      // A name in which every letter means something to SCAN.
      port: createRedisCache(connection, { clock, valueBytesMax, name: '[a-z]*?' }),
      valueBytesMax,
      entriesMax: null,
      // Redis tells the time in whole milliseconds, and a timer may be a part of one early.
      elapse: (deltaMs) => pause(deltaMs + 20),
      openNeighbour: async () => createRedisCache(connection, { clock, name: 'a' }),
      destroy: () => connection.close(),
    }
  }
  const openBroken = async (): Promise<Opened<Cache>> => {
    const doomed = await startRedis()
    const connection = await openPatient(doomed.url)
    await doomed.stop()
    return { port: createRedisCache(connection, { clock }), destroy: () => connection.close() }
  }

  cacheContract({ name: 'the cache on Redis', open, openBroken })
  cacheContract({ name: 'the cache on Redis', open, faults: ['forgets', 'slow', 'twice'] })
})
