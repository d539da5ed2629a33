import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { createMetrics } from '@bourse/common/telemetry/metrics.ts'
import { createManualClock } from '@bourse/common/testkit/manual-clock.ts'
import { createSeededRandom } from '@bourse/common/testkit/seeded-random.ts'
import { configMapKind } from '../../src/runtime/kinds.ts'
import type { ConfigMap } from '../../src/runtime/kinds.ts'
import { createReflectorMetrics, runReflector } from '../../src/runtime/reflector.ts'
import { createStore } from '../../src/runtime/store.ts'
import type { KubeObject, WatchEvent, WatchSource } from '../../src/runtime/types.ts'
import type { EventFault, RequestFault } from '../../src/testkit/fake-api.ts'
import { createFakeCluster } from '../../src/testkit/fake-cluster.ts'
import { mapNamed, silent, valueOf } from './support.ts'

const setUp = (labelSelector?: string) => {
  const clock = createManualClock(1_700_000_000_000)
  const cluster = createFakeCluster({ clock })
  const store = createStore<ConfigMap>()
  const metrics = createMetrics()
  const stop = new AbortController()
  const told: string[] = []
  /** What whoever only hears of changes believes to be there: name → uid and version. */
  const believed = new Map<string, string>()
  const textOf = ({ metadata }: ConfigMap): string => `${metadata.uid}@${metadata.resourceVersion}`
  const onChange = (before: ConfigMap | undefined, after: ConfigMap | undefined): void => {
    told.push(`${before?.metadata.uid ?? '-'} > ${after?.metadata.uid ?? '-'}`)
    if (before !== undefined && after !== undefined) expect(before.metadata.uid).toBe(after.metadata.uid)
    if (before !== undefined && after === undefined) believed.delete(before.metadata.name)
    if (after !== undefined) believed.set(after.metadata.name, textOf(after))
  }
  const start = () =>
    runReflector(
      {
        source: cluster.client,
        kind: configMapKind,
        labelSelector,
        store,
        onChange,
        clock,
        random: createSeededRandom(1),
        logger: silent,
        metrics: createReflectorMetrics(metrics),
      },
      stop.signal,
    )
  const versions = (objects: readonly ConfigMap[]) =>
    Object.fromEntries(objects.map((object) => [object.metadata.name, textOf(object)]))
  const isEqual = () => {
    const truth = versions(cluster.list(configMapKind))
    expect(versions(store.list())).toEqual(truth)
    expect(Object.fromEntries(believed)).toEqual(truth)
  }
  const requestsOf = (isWatch: boolean): number => cluster.requests.filter((each) => each.isWatch === isWatch).length
  return { clock, cluster, store, metrics, stop, told, start, isEqual, requestsOf }
}

const requestFault = fc.constantFrom<RequestFault | null>(
  null,
  null,
  { fault: 'reset' },
  { fault: 'lost' },
  { fault: 'stale' },
  { fault: 'hang' },
  { fault: 'delay', delayMs: 2_000 },
  { fault: 'status', status: 500, reason: 'InternalError' },
  { fault: 'status', status: 410, reason: 'Expired' },
  { fault: 'status', status: 429, reason: 'TooManyRequests', retryAfterSeconds: 7 },
)
const eventFault = fc.constantFrom<EventFault | null>(
  null,
  null,
  { fault: 'drop' },
  { fault: 'duplicate' },
  { fault: 'cut' },
  { fault: 'close' },
  { fault: 'hang' },
  { fault: 'delay', delayMs: 1_500 },
  { fault: 'error', code: 410, reason: 'Expired' },
  { fault: 'error', code: 500, reason: 'InternalError' },
)
const step = fc.record({
  do: fc.constantFrom('put', 'put', 'put', 'remove', 'recreate', 'compact', 'cut', 'hang'),
  name: fc.constantFrom('a', 'b', 'c', 'd'),
  waitMs: fc.constantFrom(0, 0, 10, 2_000, 40_000),
})

describe('The reflector', () => {
  test('ends with the server’s objects, in the store and as told, whatever struck requests and events.', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 5, maxLength: 40 }),
        fc.array(requestFault, { minLength: 1, maxLength: 12 }),
        fc.array(eventFault, { minLength: 1, maxLength: 12 }),
        async (steps, requestFaults, eventFaults) => {
          const { clock, cluster, stop, start, isEqual } = setUp()
          let count = 0
          cluster.setFaults({
            onRequest: () => requestFaults[count++ % requestFaults.length]!,
            onEvent: () => eventFaults[count++ % eventFaults.length]!,
          })
          const running = start()
          for (const [index, each] of steps.entries()) {
            const exists = cluster.get(configMapKind, each.name) !== undefined
            if (each.do === 'put' && exists) {
              cluster.update(configMapKind, each.name, (object) => ({ ...object, data: { value: String(index) } }))
            }
            if ((each.do === 'remove' || each.do === 'recreate') && exists) cluster.remove(configMapKind, each.name)
            if ((each.do === 'put' && !exists) || each.do === 'recreate') {
              cluster.create(configMapKind, mapNamed(each.name, String(index)))
            }
            if (each.do === 'compact') cluster.compact()
            if (each.do === 'cut' || each.do === 'hang') cluster.endWatches(each.do)
            await clock.advance(each.waitMs)
          }
          cluster.setFaults({})
          // Longer than the longest time between two whole lists, the watch before it included.
          await clock.advance(2_000_000)
          isEqual()
          stop.abort()
          await clock.advance(1)
          await running
          expect(cluster.openWatches()).toBe(0)
        },
      ),
      { numRuns: 150 },
    )
  })

  test('pages through a list and watches from there with bookmarks.', async () => {
    const { clock, cluster, store, stop, start, isEqual, requestsOf } = setUp()
    for (let count = 0; count < 1_203; count++) cluster.create(configMapKind, mapNamed(`map-${count}`))
    expect(store.hasSynced).toBe(false)
    const running = start()
    await clock.advance(10)
    expect(store.hasSynced).toBe(true)
    expect(requestsOf(false)).toBe(3)
    isEqual()
    const watch = cluster.requests.find(({ isWatch }) => isWatch)!.path
    expect(watch).toContain('allowWatchBookmarks=true')
    expect(watch).toMatch(/timeoutSeconds=[3-5]\d\d/u)
    stop.abort()
    await clock.advance(1)
    await running
  })

  test('tells an object that was made anew under the same name during a gap as a deletion and an addition.', async () => {
    const { clock, cluster, stop, told, start } = setUp()
    cluster.create(configMapKind, mapNamed('a'))
    const running = start()
    await clock.advance(10)
    cluster.setFaults({ onEvent: () => ({ fault: 'drop' }) })
    cluster.remove(configMapKind, 'a')
    cluster.create(configMapKind, mapNamed('a'))
    await clock.advance(10)
    cluster.compact()
    cluster.endWatches('cut')
    await clock.advance(5_000)
    expect(told).toEqual(['- > uid-1', 'uid-1 > -', '- > uid-2'])
    stop.abort()
    await running
  })

  test('takes a silent watch for dead after 90 seconds and goes on where it was, without a new list.', async () => {
    const { clock, cluster, metrics, stop, start, isEqual, requestsOf } = setUp()
    const running = start()
    await clock.advance(10)
    cluster.create(configMapKind, mapNamed('first'))
    await clock.advance(10)
    cluster.compact()
    cluster.endWatches('hang')
    cluster.create(configMapKind, mapNamed('a'))
    await clock.advance(89_000)
    expect(requestsOf(true)).toBe(1)
    await clock.advance(5_000)
    isEqual()
    expect([requestsOf(true), requestsOf(false)]).toEqual([2, 1])
    expect(cluster.openWatches()).toBe(1)
    const series = 'bourse_operator_watch_restarts_total{kind="ConfigMap",reason="Silent"}'
    expect(await valueOf(metrics, series)).toBe(1)
    stop.abort()
    await running
  })

  test('stays on one quiet watch as long as bookmarks come, and begins the next from the last one.', async () => {
    const { clock, cluster, stop, start, requestsOf } = setUp()
    const running = start()
    await clock.advance(200_000)
    expect(requestsOf(true)).toBe(1)
    cluster.create({ apiVersion: 'v1', kind: 'Secret', plural: 'secrets' }, { ...mapNamed('other'), kind: 'Secret' })
    await clock.advance(60_000)
    cluster.compact()
    cluster.endWatches('close')
    await clock.advance(5_000)
    expect([requestsOf(true), requestsOf(false)]).toEqual([2, 1])
    stop.abort()
    await running
  })

  test('lists anew after 410, both as an answer and in the stream, and counts what the watch had missed.', async () => {
    const { clock, cluster, metrics, stop, start, isEqual, requestsOf } = setUp()
    const running = start()
    await clock.advance(10)
    cluster.setFaults({ onEvent: () => ({ fault: 'error', code: 410, reason: 'Expired' }) })
    cluster.create(configMapKind, mapNamed('a'))
    await clock.advance(5_000)
    expect(requestsOf(false)).toBe(2)
    cluster.setFaults({ onEvent: () => ({ fault: 'drop' }) })
    cluster.create(configMapKind, mapNamed('b'))
    await clock.advance(10)
    cluster.setFaults({})
    cluster.compact()
    cluster.endWatches('cut')
    await clock.advance(10_000)
    expect(requestsOf(false)).toBe(3)
    isEqual()
    expect(await valueOf(metrics, 'bourse_operator_missed_events_total{kind="ConfigMap"}')).toBe(2)
    expect(await valueOf(metrics, 'bourse_operator_relists_total{kind="ConfigMap"}')).toBe(3)
    stop.abort()
    await running
  })

  test('waits as long as Retry-After asks, and backs off from 0.8 to 30 seconds from a server that fails.', async () => {
    const { clock, cluster, stop, start } = setUp()
    cluster.setFaults({
      onRequest: () => ({ fault: 'status', status: 429, reason: 'TooManyRequests', retryAfterSeconds: 40 }),
    })
    const running = start()
    await clock.advance(39_900)
    expect(cluster.requests).toHaveLength(1)
    cluster.setFaults({ onRequest: () => ({ fault: 'status', status: 500, reason: 'InternalError' }) })
    await clock.advance(300_000)
    const asked = cluster.requests.length
    expect(asked).toBeGreaterThan(9)
    expect(asked).toBeLessThan(20)
    stop.abort()
    await running
  })

  test('keeps to its label selector: what loses the label is gone, what gains it is new.', async () => {
    const { clock, cluster, store, stop, start } = setUp('group=a')
    cluster.create(configMapKind, mapNamed('in', 'x', { group: 'a' }))
    cluster.create(configMapKind, mapNamed('out', 'x', { group: 'b' }))
    const running = start()
    await clock.advance(10)
    const names = () => store.list().map(({ metadata }) => metadata.name)
    expect(names()).toEqual(['in'])
    const label = (name: string, group: string) =>
      cluster.update(configMapKind, name, (object) => ({
        ...object,
        metadata: { ...object.metadata, labels: { group } },
      }))
    label('in', 'b')
    label('out', 'a')
    await clock.advance(10)
    expect(names()).toEqual(['out'])
    stop.abort()
    await running
  })

  test('leaves no watch behind and tells nothing more when it is stopped while a list is under way.', async () => {
    const { clock, cluster, stop, told, start } = setUp()
    cluster.create(configMapKind, mapNamed('a'))
    cluster.setFaults({ onRequest: () => ({ fault: 'delay', delayMs: 1_000 }) })
    const running = start()
    await clock.advance(500)
    stop.abort()
    await clock.advance(2_000)
    await running
    expect(told).toEqual([])
    expect(cluster.openWatches()).toBe(0)
    expect(cluster.requests).toHaveLength(1)
  })

  test('takes no notice of a late deletion of an object whose name was taken again.', async () => {
    const { clock, cluster, told, stop } = setUp()
    const old: ConfigMap = cluster.create(configMapKind, mapNamed('a'))
    cluster.remove(configMapKind, 'a')
    cluster.create(configMapKind, mapNamed('a'))
    const store = createStore<ConfigMap>()
    const source: WatchSource = {
      listPage: cluster.client.listPage,
      async watch<Type extends KubeObject>() {
        const late = { ...old, metadata: { ...old.metadata, resourceVersion: '99' } } as unknown as Type
        const events = async function* (): AsyncGenerator<WatchEvent<Type>> {
          yield await Promise.resolve({ type: 'DELETED' as const, object: late })
          await clock.sleep(1_000_000, stop.signal)
        }
        return Promise.resolve(events())
      },
    }
    const onChange = (before: ConfigMap | undefined): void => void (before !== undefined && told.push('gone'))
    const metrics = createReflectorMetrics(createMetrics())
    const random = createSeededRandom(1)
    const options = { source, kind: configMapKind, store, onChange, clock, random, logger: silent, metrics }
    const running = runReflector(options, stop.signal)
    await clock.advance(10)
    expect(told).toEqual([])
    expect(store.get('a')?.metadata.uid).toBe('uid-2')
    stop.abort()
    await running
  })
})
