import { expect, test } from '@jest/globals'
import { pino } from 'pino'
import { createRedisCache } from '../../../src/adapters/redis/cache.ts'
import { openRedis, shownAddress } from '../../../src/adapters/redis/connection.ts'
import { checkRedis } from '../../../src/adapters/redis/preflight.ts'
import { createSystemClock } from '../../../src/adapters/system/clock.ts'
import { expectFailure, until } from '../../../src/testkit/contracts/scenario.ts'
import { startProxy } from '../../../src/testkit/servers/proxy.ts'
import { redisMissing, startRedis } from '../../../src/testkit/servers/redis.ts'
import { describeUnless } from '../../../src/testkit/skip.ts'
import { endedAtOnce, freshPrefix, NOBODY_URL, openPatient, PATIENT, silent } from './support.ts'

const clock = createSystemClock()
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

describeUnless(redisMissing(), 'the connection to Redis', () => {
  test('fails at once while nobody is there, and is there when somebody is', async () => {
    const server = await startRedis()
    await server.kill()
    const connection = await openRedis({ url: server.url, logger: silent, ...PATIENT })
    const failures = Array.from({ length: 500 }, () => expectFailure('unavailable', () => connection.command('PING')))
    expect(await endedAtOnce(failures)).toBe(500)
    await Promise.all(failures)
    expect(connection.counters()).toMatchObject({ commands: 0, refused: 500, connects: 0 })
    await server.start()
    await until(() => connection.state() === 'ready')
    expect(String(await connection.command('PING'))).toBe('PONG')
    await connection.close()
    await connection.close()
    await expectFailure('closed', () => connection.command('PING'))
    await server.stop()
  })

  test('a frozen server costs a command its timeout, and a bounded number may wait', async () => {
    const server = await startRedis()
    const connection = await openPatient(server.url, freshPrefix(), { commandTimeoutMs: 200, inFlightMax: 10 })
    server.signal('SIGSTOP')
    const kinds = await Promise.all(
      Array.from({ length: 15 }, () =>
        connection.command('PING').then(
          () => 'answered',
          (error: { kind: string }) => error.kind,
        ),
      ),
    )
    expect(kinds.filter((kind) => kind === 'timeout')).toHaveLength(10)
    expect(kinds.filter((kind) => kind === 'full')).toHaveLength(5)
    server.signal('SIGCONT')
    await until(async () => (await connection.command('PING').catch(() => null)) !== null)
    await connection.close()
    await server.stop()
  })

  test('no credentials in errors, logs or findings', async () => {
    const server = await startRedis({ password: 'sesame-sesame' })
    const lines: string[] = []
    const logger = pino({ level: 'trace' }, { write: (line: string) => void lines.push(line) })
    const told: unknown[] = []
    for (const url of [
      server.url,
      server.url.replace('sesame-sesame', 'wrong-sesame'),
      NOBODY_URL.replace('//', '//:no-sesame@'),
    ]) {
      const linesBefore = lines.length
      const connection = await openRedis({ url, logger })
      await until(() => lines.length > linesBefore)
      for (const command of ['PING', 'NONSENSE']) {
        told.push(
          await connection.command(command).catch((error: Error & { cause?: unknown }) => [error.stack, error.cause]),
        )
      }
      told.push(await checkRedis({ connection, clock, clockDifferenceMsMax: 1_000 }))
      await connection.close()
    }
    await server.stop()
    expect(lines.length).toBeGreaterThan(2)
    expect(lines.join('') + JSON.stringify(told)).not.toContain('sesame')
    expect(shownAddress('rediss://user:sesame@redis.example/3')).toBe('rediss://redis.example:6379/3')
  })
})

describeUnless(redisMissing(), 'the cache on a Redis that fails', () => {
  test('a value that could not be replaced or deleted is never found again', async () => {
    const server = await startRedis()
    const proxy = await startProxy({ port: server.port })
    const prefix = freshPrefix()
    const connection = await openPatient(proxy.urlOf(server.url), prefix)
    const other = await openPatient(server.url, prefix)
    const [cache, neighbour] = [createRedisCache(connection, { clock }), createRedisCache(other, { clock })]
    for (const key of ['replaced', 'deleted', 'kept']) await cache.set(key, bytes('old'), 60_000)
    proxy.refuse()
    await until(() => connection.state() === 'away')
    await cache.set('replaced', bytes('new'), 60_000)
    await cache.delete('deleted')
    expect(cache.failures()).toBe(2)
    proxy.heal()
    await until(() => connection.state() === 'ready')
    expect(await neighbour.get('replaced')).toEqual(bytes('old'))
    expect(await cache.get('replaced')).toBeUndefined()
    expect(await cache.get('deleted')).toBeUndefined()
    expect(await cache.get('kept')).toEqual(bytes('old'))
    await cache.set('replaced', bytes('new'), 60_000)
    expect(await cache.get('replaced')).toEqual(bytes('new'))
    proxy.refuse()
    await until(() => connection.state() === 'away')
    await cache.clear()
    proxy.heal()
    await until(() => connection.state() === 'ready')
    expect(await cache.get('kept')).toBeUndefined()
    expect(await neighbour.get('kept')).toBeUndefined()
    await cache.set('kept', bytes('again'), 60_000)
    expect(await cache.get('kept')).toEqual(bytes('again'))
    await Promise.all([connection.close(), other.close()])
    await proxy.stop()
    await server.stop()
  })

  test('a flushed, a killed and a restarted server are an empty cache', async () => {
    const server = await startRedis()
    const connection = await openPatient(server.url)
    const cache = createRedisCache(connection, { clock })
    await cache.set('k', bytes('v'), 60_000)
    await connection.command('FLUSHALL')
    expect(await cache.get('k')).toBeUndefined()
    await server.kill()
    await cache.set('k', bytes('v'), 60_000)
    expect(await cache.get('k')).toBeUndefined()
    await server.start()
    await until(async () => {
      await cache.set('k', bytes('w'), 60_000)
      return (await cache.get('k')) !== undefined
    })
    await connection.close()
    await server.stop()
  })
})

describeUnless(redisMissing(), 'the look at Redis before the start', () => {
  test('clocks apart lose data; memory settings are advice', async () => {
    const server = await startRedis({ args: ['--maxmemory-policy', 'allkeys-lru'] })
    const connection = await openPatient(server.url)
    const codes = async (oursIsAheadMs: number, most: number): Promise<string[]> => {
      const ours = { ...clock, nowMs: () => clock.nowMs() + oursIsAheadMs }
      const findings = await checkRedis({ connection, clock: ours, clockDifferenceMsMax: most })
      return findings.map(({ code, losesData }) => `${code}${losesData ? '!' : ''}`)
    }
    expect(await codes(0, 5_000)).toEqual(['evicts', 'memory-unbounded'])
    expect(await codes(-60_000, 5_000)).toContain('clocks-apart!')
    expect(await codes(60_000, 5_000)).toContain('clocks-apart!')
    await connection.command('CONFIG', 'SET', 'maxmemory-policy', 'noeviction')
    await connection.command('CONFIG', 'SET', 'maxmemory', '100mb')
    expect(await codes(0, 5_000)).toEqual([])
    await server.kill()
    expect(await codes(0, 5_000)).toEqual(['unreachable'])
    await connection.close()
    await server.stop()
  })
})
