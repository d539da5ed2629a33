import { describe, expect, test } from '@jest/globals'
import { createMetrics } from '@bourse/common/telemetry/metrics.ts'
import { createManualClock } from '@bourse/common/testkit/manual-clock.ts'
import { createSeededRandom } from '@bourse/common/testkit/seeded-random.ts'
import { dropCondition, setCondition } from '../../src/runtime/conditions.ts'
import { dropFinalizer, ensureFinalizer } from '../../src/runtime/finalizers.ts'
import { configMapKind, eventKind } from '../../src/runtime/kinds.ts'
import type { ConfigMap } from '../../src/runtime/kinds.ts'
import { createRecorder, EVENTS_MAX } from '../../src/runtime/recorder.ts'
import { createStore } from '../../src/runtime/store.ts'
import type { RequestFault } from '../../src/testkit/fake-api.ts'
import { createFakeCluster } from '../../src/testkit/fake-cluster.ts'
import { mapNamed, silent, valueOf } from './support.ts'

const NOW_MS = 1_700_000_000_000

describe('Conditions', () => {
  test('keep the time of their last change while only reason or message change, and leave the others alone.', () => {
    const other = { type: 'Other', status: 'True' as const, reason: 'X', message: '', lastTransitionTime: 'then' }
    const first = setCondition([other], { type: 'Ready', status: 'False', reason: 'A', message: 'a' }, NOW_MS)
    expect(first[1]).toMatchObject({ status: 'False', lastTransitionTime: '2023-11-14T22:13:20Z' })
    const second = setCondition(first, { type: 'Ready', status: 'False', reason: 'B', message: 'b' }, NOW_MS + 60_000)
    expect(second[1]).toMatchObject({ reason: 'B', lastTransitionTime: '2023-11-14T22:13:20Z' })
    const next = { type: 'Ready', status: 'True', reason: 'C', message: '', observedGeneration: 3 } as const
    const third = setCondition(second, next, NOW_MS + 60_000)
    expect(third).toEqual([other, { ...next, lastTransitionTime: '2023-11-14T22:14:20Z' }])
    expect(dropCondition(third, 'Ready')).toEqual([other])
  })
})

describe('Finalizers', () => {
  const setUp = () => {
    const cluster = createFakeCluster({ clock: createManualClock(NOW_MS) })
    const object: ConfigMap = cluster.create(configMapKind, mapNamed('a'))
    const add = (name: string) =>
      cluster.update(configMapKind, 'a', ({ metadata, ...rest }) => ({
        ...rest,
        metadata: { ...metadata, finalizers: [...(metadata.finalizers ?? []), name] },
      }))
    const there = () => cluster.get(configMapKind, 'a')?.metadata.finalizers
    return { cluster, object, add, there }
  }

  test('are added and taken off beside those that another set since the object was read.', async () => {
    const { cluster, object, add, there } = setUp()
    add('other/one')
    await ensureFinalizer(cluster.client, configMapKind, object, 'bourse.dev/x')
    expect(there()).toEqual(['other/one', 'bourse.dev/x'])
    const known = cluster.get(configMapKind, 'a')!
    const writes = cluster.requests.length
    await ensureFinalizer(cluster.client, configMapKind, known, 'bourse.dev/x')
    expect(cluster.requests).toHaveLength(writes)
    add('other/two')
    await dropFinalizer(cluster.client, configMapKind, known, 'bourse.dev/x')
    expect(there()).toEqual(['other/one', 'other/two'])
  })

  test('hold an object until the last is off, and are not put on one that is being deleted or is another by now.', async () => {
    const { cluster, object } = setUp()
    const held = await ensureFinalizer(cluster.client, configMapKind, object, 'bourse.dev/x')
    cluster.remove(configMapKind, 'a')
    const leaving = cluster.get(configMapKind, 'a')!
    expect(leaving.metadata.deletionTimestamp).toBeDefined()
    expect(await ensureFinalizer(cluster.client, configMapKind, leaving, 'bourse.dev/y')).toBe(leaving)
    await dropFinalizer(cluster.client, configMapKind, held!, 'bourse.dev/x')
    expect(cluster.get(configMapKind, 'a')).toBeUndefined()
    expect(await dropFinalizer(cluster.client, configMapKind, held!, 'bourse.dev/x')).toBeNull()
    cluster.create(configMapKind, mapNamed('a'))
    expect(await ensureFinalizer(cluster.client, configMapKind, object, 'bourse.dev/x')).toBeNull()
    expect(cluster.get(configMapKind, 'a')?.metadata.finalizers).toBeUndefined()
  })
})

describe('Stores', () => {
  test('an object is found by what an index says of it, and no more once that changed.', () => {
    const store = createStore<ConfigMap>()
    const cluster = createFakeCluster({ clock: createManualClock(NOW_MS) })
    const object: ConfigMap = cluster.create(configMapKind, { ...mapNamed('a'), data: { colour: 'red' } })
    store.put(object)
    store.addIndex('colour', ({ data }) => Object.values(data ?? {}))
    expect(store.by('colour', 'red')).toEqual([object])
    store.put({ ...object, data: {} })
    expect(store.by('colour', 'red')).toEqual([])
    expect(() => store.by('none', 'x')).toThrow('no index')
  })
})

describe('The recorder', () => {
  const setUp = () => {
    const clock = createManualClock(NOW_MS)
    const cluster = createFakeCluster({ clock })
    const metrics = createMetrics()
    const { client } = cluster
    const names = { component: 'bourse.dev/operator', instance: 'pod-1' }
    const recorder = createRecorder({ client, clock, random: createSeededRandom(1), logger: silent, metrics, ...names })
    const about: ConfigMap = cluster.create(configMapKind, mapNamed('a'))
    const event = { type: 'Normal' as const, reason: 'Moved', action: 'Move', note: 'moved' }
    return { clock, cluster, metrics, recorder, about, event }
  }

  test('writes an event once and counts its repeats, no more often than every ten seconds.', async () => {
    const { clock, cluster, recorder, about, event } = setUp()
    for (let count = 0; count < 100; count++) {
      recorder.event(about, event)
      await clock.advance(300)
    }
    const [written, ...others] = cluster.list(eventKind)
    expect(others).toEqual([])
    expect(written).toMatchObject({ reason: 'Moved', note: 'moved', regarding: { name: 'a', uid: about.metadata.uid } })
    expect(cluster.requests.length).toBeLessThanOrEqual(5)
    await recorder.stop()
    expect(cluster.list(eventKind)[0]).toMatchObject({ series: { count: 100 } })
    expect(JSON.stringify(cluster.list(eventKind)[0])).toMatch(/"eventTime":"[^"]+\.\d{6}Z"/u)
  })

  test('begins a new event after six minutes of quiet.', async () => {
    const { clock, cluster, recorder, about, event } = setUp()
    recorder.event(about, event)
    await clock.advance(400_000)
    recorder.event(about, event)
    await recorder.stop()
    expect(cluster.list(eventKind)).toHaveLength(2)
  })

  test('tries again when the server does not answer, without a second event when the first answer was lost.', async () => {
    const { clock, cluster, metrics, recorder, about, event } = setUp()
    const faults: RequestFault[] = [{ fault: 'reset' }, { fault: 'lost' }]
    cluster.setFaults({ onRequest: () => faults.shift() ?? null })
    recorder.event(about, { ...event, note: '€'.repeat(1_000) })
    await clock.advance(5_000)
    recorder.event(about, { ...event, note: '€'.repeat(1_000) })
    await clock.advance(20_000)
    const [written, ...others] = cluster.list(eventKind) as unknown as { note: string; series: object }[]
    expect(written!.series).toMatchObject({ count: 2 })
    expect(await valueOf(metrics, 'bourse_operator_events_dropped_total{reason="failed"}')).toBe(0)
    expect(others).toEqual([])
    expect(Buffer.byteLength(written!.note)).toBeLessThanOrEqual(1_024)
    await recorder.stop()
  })

  test('drops and counts what is beyond its limit and what cannot be written.', async () => {
    const { clock, cluster, metrics, recorder, about, event } = setUp()
    for (let count = 0; count < EVENTS_MAX + 5; count++) recorder.event(about, { ...event, note: `note ${count}` })
    const dropped = (reason: string) => valueOf(metrics, `bourse_operator_events_dropped_total{reason="${reason}"}`)
    expect(await dropped('full')).toBe(5)
    cluster.setFaults({ onRequest: () => ({ fault: 'status', status: 403, reason: 'Forbidden' }) })
    await clock.advance(10_000)
    expect(await dropped('failed')).toBe(EVENTS_MAX)
    await recorder.stop()
  })
})
