import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { openRedis } from '../../../src/adapters/redis/connection.ts'
import { BUCKET_EXPIRY_SLACK_MS, createRedisRateLimits } from '../../../src/adapters/redis/rate-limits.ts'
import { readRedisTime } from '../../../src/adapters/redis/server-time.ts'
import { pause, until } from '../../../src/testkit/contracts/scenario.ts'
import { startProxy } from '../../../src/testkit/servers/proxy.ts'
import { redisMissing, startRedis, type RedisServer } from '../../../src/testkit/servers/redis.ts'
import { describeUnless } from '../../../src/testkit/skip.ts'
import { endedAtOnce, freshPrefix, openPatient, silent } from './support.ts'

const LIMIT = { perSecond: 10, burst: 5 }
/** A token takes so long to come back that none does in a test, however busy the machine is. */
const SLOW = { perSecond: 1 / 3_600, burst: 5 }
const SLOW_TOKEN_MS = 3_600_000
/** How long a machine may stand still. */
const STANDSTILL_MS = 100_000

describeUnless(redisMissing(), "rate limits by Redis's own time", () => {
  let server: RedisServer
  beforeAll(async () => void (server = await startRedis()))
  afterAll(() => server.stop())

  test('a burst over two gateways passes once, refusals say when a token is back, and then it is', async () => {
    const prefix = freshPrefix()
    const connections = [await openPatient(server.url, prefix), await openPatient(server.url, prefix)]
    const gateways = connections.map((connection) => createRedisRateLimits(connection))
    const decisions = await Promise.all(
      Array.from({ length: 40 }, (_, index) => gateways[index % 2]!.take('client', SLOW)),
    )
    expect(decisions.filter(({ allowed }) => allowed)).toHaveLength(5)
    const waitMs = Math.max(...decisions.map(({ retryAfterMs }) => retryAfterMs))
    expect(waitMs).toBeGreaterThan(SLOW_TOKEN_MS - STANDSTILL_MS)
    expect(waitMs).toBeLessThanOrEqual(SLOW_TOKEN_MS)
    // As if the last token had been taken long ago: the next one is back in half a second.
    let refusal = { allowed: true, retryAfterMs: 0 }
    while (refusal.allowed) {
      const fullMs = (await readRedisTime(connections[0]!)) + (SLOW.burst - 1) * SLOW_TOKEN_MS + 500
      await connections[0]!.command('SET', `${prefix}:rate:client`, Math.round(fullMs * 1_000))
      refusal = await gateways[0]!.take('client', SLOW)
    }
    expect(refusal.retryAfterMs).toBeLessThanOrEqual(500)
    await pause(refusal.retryAfterMs + 5)
    expect((await gateways[0]!.take('client', SLOW)).allowed).toBe(true)
    expect((await gateways[1]!.take('client', SLOW)).allowed).toBe(false)
    await Promise.all(connections.map((connection) => connection.close()))
  })

  test('keys expire by themselves, and a long one is stored by its hash', async () => {
    const connection = await openPatient(server.url)
    const limits = createRedisRateLimits(connection)
    await limits.take('k', SLOW)
    const leftMs = Number(await connection.command('PTTL', `${connection.prefix}:rate:k`))
    expect(leftMs).toBeGreaterThan(SLOW_TOKEN_MS - STANDSTILL_MS)
    expect(leftMs).toBeLessThanOrEqual(BUCKET_EXPIRY_SLACK_MS + SLOW_TOKEN_MS)
    await limits.take('x'.repeat(100_000), SLOW)
    const keys = (await connection.command('KEYS', `${connection.prefix}:rate:sha256:*`)) as Buffer[]
    expect(keys).toHaveLength(1)
    await connection.close()
  })

  test('a bucket of a clock that has gone back counts as an empty one, not as one of the far future', async () => {
    const connection = await openPatient(server.url)
    const limits = createRedisRateLimits(connection)
    await connection.command('SET', `${connection.prefix}:rate:k`, '9000000000000000')
    expect(await limits.take('k', LIMIT)).toEqual({ allowed: false, retryAfterMs: 100 })
    await connection.close()
  })

  test('forgotten scripts and data cost nothing but the buckets', async () => {
    const connection = await openPatient(server.url)
    const limits = createRedisRateLimits(connection)
    for (let index = 0; index < 10; index++) await limits.take('k', SLOW)
    await connection.command('SCRIPT', 'FLUSH')
    expect((await limits.take('k', { ...SLOW, burst: 1 })).allowed).toBe(false)
    await connection.command('FLUSHALL')
    expect((await limits.take('k', LIMIT)).allowed).toBe(true)
    expect(limits.letPass()).toBe(0)
    await connection.close()
  })

  test('a black hole lets pass within the timeout and is noticed; limits hold again after it', async () => {
    const proxy = await startProxy({ port: server.port })
    const prefix = freshPrefix()
    const connection = await openRedis({ url: proxy.urlOf(server.url), logger: silent, prefix })
    const limits = createRedisRateLimits(connection)
    await until(async () => !(await limits.take('k', { ...SLOW, burst: 1 })).allowed)
    const { timedOut } = connection.counters()
    proxy.blackHole()
    const decision = await limits.take('k', LIMIT)
    expect(decision.allowed).toBe(true)
    expect(limits.letPass()).toBeGreaterThan(0)
    // It was the command's own timeout, not that of the silent connection, which is several times as long.
    expect(connection.counters().timedOut).toBe(timedOut + 1)
    await until(() => connection.state() === 'away')
    const passing = Array.from({ length: 1_000 }, () => limits.take('k', LIMIT))
    expect(await endedAtOnce(passing)).toBe(1_000)
    proxy.heal()
    await until(async () => !(await limits.take('k', { ...SLOW, burst: 1 })).allowed)
    await connection.close()
    await proxy.stop()
  })
})
