import { describe, expect, test } from '@jest/globals'
import { pino } from 'pino'
import { readConfig } from '../../src/config/read.ts'
import type { ManifestRecord } from '../../src/ports/directory.ts'
import { PortError } from '../../src/ports/failure.ts'
import { createLifetime } from '../../src/process/lifetime.ts'
import { createStoredSource, STORED_LOOK_INTERVAL_MS } from '../../src/process/manifest-source.ts'
import { keepManifests } from '../../src/process/manifest-watch.ts'
import type { LoadedManifests } from '../../src/resources/load.ts'
import { SpecRefused } from '../../src/resources/manifest-set.ts'
import { createManualClock } from '../../src/testkit/manual-clock.ts'

const broken = (generation: number): ManifestRecord => ({
  ...{ kind: 'Bank', name: 'one', generation, fence: 1 },
  document: '{}',
})

const open = () => {
  const read = readConfig(
    { BOURSE_MANIFESTS: 'directory', BOURSE_MONGODB_URL: 'mongodb://h/d', BOURSE_REDIS_URL: 'redis://h' },
    'market',
  )
  if (!('config' in read)) throw new Error(read.faults.join())
  const clock = createManualClock(0)
  let records: readonly ManifestRecord[] | PortError = []
  const directory = {
    manifests: () => (records instanceof PortError ? Promise.reject(records) : Promise.resolve(records)),
  }
  const lines: string[] = []
  const logger = pino({ level: 'warn' }, { write: (line: string) => void lines.push(line) })
  const source = createStoredSource({ config: read.config, clock }, directory)
  return {
    ...{ clock, source, lines, logger },
    store: (next: readonly ManifestRecord[] | PortError) => void (records = next),
    look: async () => {
      await clock.advance(STORED_LOOK_INTERVAL_MS)
      await new Promise((resolve) => setImmediate(resolve))
    },
  }
}

describe('manifests from the directory', () => {
  test('are looked at every second, and handed over only when they changed', async () => {
    const { clock, source, logger, store, look } = open()
    store([broken(1)])
    expect((await source.read()).unread).toMatchObject([{ name: 'one', generation: 1 }])
    const changes: LoadedManifests[] = []
    const lifetime = createLifetime()
    const set = { change: (loaded: LoadedManifests) => Promise.resolve(void changes.push(loaded)) }
    await keepManifests({ clock, logger, lifetime }, source, set)
    await look()
    expect(changes).toEqual([])
    store([broken(2)])
    await look()
    await look()
    expect(changes).toMatchObject([{ ok: true, manifests: { unread: [{ generation: 2 }] } }])
    await lifetime.stop()
  })

  test('that can not be read change nothing; it is told once and counted each time', async () => {
    const { clock, source, logger, lines, store, look } = open()
    await source.read()
    let changes = 0
    const lifetime = createLifetime()
    await keepManifests({ clock, logger, lifetime }, source, { change: () => Promise.resolve(void (changes += 1)) })
    store(new PortError('unavailable', 'MongoDB is away'))
    await look()
    await look()
    expect([changes, source.failures(), lines.length]).toEqual([0, 2, 1])
    store([broken(1)])
    await look()
    expect([changes, source.failures()]).toEqual([1, 2])
    store(new PortError('unavailable', 'MongoDB is away again'))
    await look()
    expect([source.failures(), lines.length]).toEqual([3, 2])
    await lifetime.stop()
  })

  test('a change waits for no pause of one before it that was refused', async () => {
    const { clock, source, store, look, logger } = open()
    const told: number[] = []
    const change = (loaded: LoadedManifests): Promise<void> => {
      const generation = loaded.ok ? (loaded.manifests.unread?.[0]?.generation ?? 0) : 0
      told.push(generation)
      return generation === 1 ? Promise.reject(new SpecRefused('no')) : Promise.resolve()
    }
    await source.read()
    await keepManifests({ clock, logger, lifetime: createLifetime() }, source, { change })
    store([broken(1)])
    for (let second = 0; second < 20; second++) await look()
    expect(told).toEqual([1, 1, 1, 1, 1])
    store([broken(2)])
    await look()
    expect(told.at(-1)).toBe(2)
  })
})
