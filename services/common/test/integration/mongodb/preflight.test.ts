import { expect, test } from '@jest/globals'
import { openMongo } from '../../../src/adapters/mongodb/connection.ts'
import { checkMongo } from '../../../src/adapters/mongodb/preflight.ts'
import { readMongoTime } from '../../../src/adapters/mongodb/server-time.ts'
import { PortError } from '../../../src/ports/failure.ts'
import { clock, connect, discard, logger } from './support.ts'
import { describeOnMongo } from './subjects.ts'

for (const kind of ['mongo-memory', 'ferretdb'] as const) {
  describeOnMongo(kind, 'the look at a server', (server) => {
    test('a stand-in is recognised, named, and refused where data matter', async () => {
      const connection = await connect(server.current())
      const findings = await checkMongo({ connection, clock, clockDifferenceMsMax: 5_000 })
      expect(findings).toHaveLength(1)
      expect(findings[0]).toMatchObject({ service: 'mongodb', code: 'stand-in', losesData: true })
      expect(findings[0]!.message).toContain(kind)
      await discard(connection)
    })

    test('the time of a server is told by a stand-in too', async () => {
      const connection = await connect(server.current())
      const [fromMs, timeMs, toMs] = [clock.nowMs(), await readMongoTime(connection), clock.nowMs()]
      expect(timeMs).toBeGreaterThanOrEqual(fromMs)
      expect(timeMs).toBeLessThanOrEqual(toMs)
      await discard(connection)
    })
  })
}

describeOnMongo('ferretdb', 'the clock of a server', (server) => {
  test('one that is too far from ours is found', async () => {
    const connection = await connect(server.current())
    const early = { ...clock, nowMs: () => clock.nowMs() - 60_000 }
    const findings = await checkMongo({ connection, clock: early, clockDifferenceMsMax: 5_000 })
    expect(findings.map(({ code }) => code)).toEqual(['stand-in', 'clocks-apart'])
    // Half of the time that the answer took makes it wrong by that much.
    expect(findings[1]!.message).toMatch(/\b(5\d|6\d)\d{3} ms\b/u)
    await discard(connection)
  })
})

describeOnMongo('mongod', 'the look at a server', (server) => {
  test('a replica set in order is found without fault', async () => {
    const connection = await connect(server.current())
    expect(await checkMongo({ connection, clock, clockDifferenceMsMax: 5_000 })).toEqual([])
    await discard(connection)
  })
})

test('no server, or a URL that is none, is unavailable, and nothing says the password', async () => {
  const urls = [
    'mongodb://user:sEcret@127.0.0.1:1/x',
    'mongodb://user:s@sEcret@127.0.0.1:1/x',
    'mongodb://user:sEcret@127.0.0.1:port/x?w=sEcret',
    'http://user:sEcret@127.0.0.1/',
  ]
  for (const url of urls) {
    const failure = await openMongo({ url, clock, logger, serverSelectionMsMax: 200 }).then(
      () => null,
      (error: unknown) => error,
    )
    expect(failure).toBeInstanceOf(PortError)
    const shown = [(failure as PortError).message, (failure as PortError).stack, String((failure as PortError).cause)]
    expect((failure as PortError).kind).toBe('unavailable')
    expect(shown.join()).not.toContain('sEcret')
  }
})
