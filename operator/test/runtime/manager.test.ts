import { describe, expect, test } from '@jest/globals'
import { createManualClock } from '@bourse/common/testkit/manual-clock.ts'
import { createSeededRandom } from '@bourse/common/testkit/seeded-random.ts'
import { createMetrics } from '@bourse/common/telemetry/metrics.ts'
import { configMapKind, leaseKind } from '../../src/runtime/kinds.ts'
import { createManager } from '../../src/runtime/manager.ts'
import { KubeApiError, TerminalError } from '../../src/runtime/types.ts'
import type { ControllerSpec } from '../../src/runtime/types.ts'
import { createFakeCluster } from '../../src/testkit/fake-cluster.ts'
import { mapNamed, silent, valueOf } from './support.ts'

const setUp = (spec: Partial<ControllerSpec> = {}) => {
  const clock = createManualClock(1_700_000_000_000)
  const cluster = createFakeCluster({ clock })
  const seen: string[] = []
  const make = (identity: string, own: Partial<ControllerSpec> = {}) => {
    const metrics = createMetrics()
    const random = createSeededRandom(identity.length)
    const client = cluster.connect()
    const manager = createManager({ client, clock, random, logger: silent, metrics, identity, leaseName: 'lease' })
    const store = manager.store(configMapKind)
    manager.add({
      name: 'maps',
      workers: 2,
      watches: [{ kind: configMapKind, keysOf: ({ metadata }) => [metadata.name] }],
      reconcile: (key, { fence }) => {
        seen.push(`${identity} ${key} ${store.get(key)?.data?.['value'] ?? 'gone'} ${fence}`)
        return Promise.resolve({})
      },
      ...spec,
      ...own,
    })
    return { manager, metrics, store }
  }
  return { clock, cluster, seen, make }
}

const FENCE = Math.floor(1_700_000_000_000 / 60_000)

describe('The manager', () => {
  test('reconciles what was there at the start and what changes afterwards, under the fence of its lease.', async () => {
    const { clock, cluster, seen, make } = setUp()
    cluster.create(configMapKind, mapNamed('old'))
    const { manager } = make('one')
    const running = manager.run()
    await clock.advance(1_000)
    expect(seen.splice(0)).toEqual([`one old a ${FENCE}`])
    cluster.create(configMapKind, mapNamed('new'))
    await clock.advance(10)
    cluster.update(configMapKind, 'old', (object) => ({ ...object, data: { value: 'b' } }))
    cluster.remove(configMapKind, 'new')
    await clock.advance(10)
    expect(seen).toEqual([`one new a ${FENCE}`, `one old b ${FENCE}`, `one new gone ${FENCE}`])
    const stopped = manager.stop()
    await clock.advance(1_000)
    await stopped
    expect(await running).toBe('stopped')
    expect(cluster.get(leaseKind, 'lease')?.spec?.holderIdentity).toBe('')
    expect(cluster.openWatches()).toBe(0)
  })

  test('runs one of two instances; the other takes over with a higher fence when the first one stops.', async () => {
    const { clock, cluster, seen, make } = setUp()
    cluster.create(configMapKind, mapNamed('a'))
    const one = make('one')
    const two = make('two')
    const running = one.manager.run()
    await clock.advance(1_000)
    const waiting = two.manager.run()
    await clock.advance(60_000)
    expect(seen.splice(0)).toEqual([`one a a ${FENCE}`])
    expect([one.manager.isLeading(), two.manager.isLeading()]).toEqual([true, false])
    cluster.update(configMapKind, 'a', (object) => ({ ...object, data: { value: 'b' } }))
    await clock.advance(10)
    expect(seen.splice(0)).toEqual([`one a b ${FENCE}`])
    expect(await valueOf(two.metrics, 'workqueue_adds_total{name="maps"}')).toBe(0)
    expect([one.manager.isSynced(), two.manager.isSynced()]).toEqual([true, true])
    void one.manager.stop()
    await clock.advance(3_000)
    expect(await running).toBe('stopped')
    expect(seen).toEqual([`two a b ${FENCE + 1}`])
    void two.manager.stop()
    await clock.advance(1_000)
    expect(await waiting).toBe('stopped')
  })

  test('ends with lost when the lease cannot be renewed; reconciliations see their signal and are waited for.', async () => {
    const steps: string[] = []
    const { clock, cluster, make } = setUp({
      reconcile: async (_key, { signal }) => {
        await new Promise((resolve) => signal.addEventListener('abort', resolve))
        steps.push('aborted')
        await clock.sleep(2_000)
        steps.push('ended')
        return {}
      },
    })
    cluster.create(configMapKind, mapNamed('a'))
    const { manager } = make('one')
    const running = manager.run().then((result) => steps.push(result))
    await clock.advance(1_000)
    expect(manager.isLive()).toBe(true)
    cluster.setFaults({ onRequest: () => ({ fault: 'hang' }) })
    await clock.advance(10_500)
    expect(steps).toEqual(['aborted'])
    await clock.advance(3_000)
    expect(steps).toEqual(['aborted', 'ended', 'lost'])
    expect(manager.isLive()).toBe(false)
    await running
    expect(cluster.get(leaseKind, 'lease')?.spec?.holderIdentity).toMatch(/^one_[0-9a-f]{8}$/u)
  })

  test('gives the lease back only after its reconciliations ended, and keeps it when they do not end in time.', async () => {
    const { clock, cluster, make } = setUp({
      reconcile: async (key) => {
        await clock.sleep(key === 'slow' ? 60_000 : 5_000)
        return {}
      },
    })
    const holder = () => cluster.get(leaseKind, 'lease')?.spec?.holderIdentity
    cluster.create(configMapKind, mapNamed('a'))
    const one = make('one')
    const running = one.manager.run()
    await clock.advance(1_000)
    void one.manager.stop()
    await clock.advance(3_000)
    expect(holder()).toMatch(/^one_/u)
    await clock.advance(3_000)
    expect(holder()).toBe('')
    expect(await running).toBe('stopped')
    cluster.create(configMapKind, mapNamed('slow'))
    const two = make('two')
    const second = two.manager.run()
    await clock.advance(1_000)
    void two.manager.stop()
    await clock.advance(25_000)
    expect(await second).toBe('stopped')
    expect(holder()).toMatch(/^two_/u)
    const kept = cluster.get(leaseKind, 'lease')
    await clock.advance(20_000)
    expect(cluster.get(leaseKind, 'lease')).toEqual(kept)
  })

  test('asks again as the result says: after its time, after growing pauses, or not at all.', async () => {
    const times: Record<string, number[]> = { later: [], failing: [], terminal: [], limited: [], flaky: [] }
    const { clock, cluster, make } = setUp({
      reconcile: (key) => {
        times[key]!.push(clock.monotonicMs())
        const calls = times[key]!.length
        if (key === 'flaky' && calls === 3) return Promise.resolve({ requeueAfterMs: 1_000 })
        if (key === 'flaky' && calls === 5) return Promise.resolve({})
        if (key === 'later') return Promise.resolve({ requeueAfterMs: 30_000 })
        if (key === 'terminal') return Promise.reject(new TerminalError('for good'))
        const limited = new KubeApiError('slow down', { status: 429, reason: 'TooManyRequests', retryAfterMs: 20_000 })
        return Promise.reject(key === 'limited' ? limited : new Error('again'))
      },
    })
    for (const name of Object.keys(times)) cluster.create(configMapKind, mapNamed(name))
    const { manager, metrics } = make('one')
    const running = manager.run()
    await clock.advance(70_000)
    const gapsOf = (name: string) => times[name]!.slice(1).map((time, index) => time - times[name]![index]!)
    expect(gapsOf('later')).toEqual([30_000, 30_000])
    expect(gapsOf('failing').slice(0, 5)).toEqual([5, 10, 20, 40, 80])
    expect(gapsOf('flaky')).toEqual([5, 10, 1_000, 5])
    expect(gapsOf('limited')).toEqual([20_000, 20_000, 20_000])
    expect(times['terminal']).toHaveLength(1)
    cluster.update(configMapKind, 'terminal', (object) => ({ ...object, data: { value: 'fixed' } }))
    manager.enqueue('maps', 'later', 1_000)
    await clock.advance(1_500)
    expect(times['terminal']).toHaveLength(2)
    expect(times['later']).toHaveLength(4)
    const total = (result: string) => `controller_runtime_reconcile_total{controller="maps",result="${result}"}`
    expect(await valueOf(metrics, total('requeue_after'))).toBe(5)
    expect(await valueOf(metrics, 'controller_runtime_terminal_reconcile_errors_total{controller="maps"}')).toBe(2)
    expect(await valueOf(metrics, 'controller_runtime_max_concurrent_reconciles{controller="maps"}')).toBe(2)
    void manager.stop()
    await clock.advance(1_000)
    await running
  })

  test('survives a watch whose keys cannot be told, and stops while it waits for a server that does not answer.', async () => {
    const broken = () => {
      throw new Error('a bug')
    }
    const { clock, cluster, seen, make } = setUp()
    const { manager } = make('one')
    const watches = [{ kind: configMapKind, keysOf: broken }]
    manager.add({ name: 'broken', workers: 1, watches, reconcile: () => Promise.resolve({}) })
    const running = manager.run()
    await clock.advance(1_000)
    cluster.create(configMapKind, mapNamed('a'))
    await clock.advance(10)
    expect(seen).toEqual([`one a a ${FENCE}`])
    void manager.stop()
    await clock.advance(1_000)
    expect(await running).toBe('stopped')

    cluster.setFaults({ onRequest: () => ({ fault: 'hang' }) })
    const other = make('two').manager
    const second = other.run()
    await clock.advance(5_000)
    expect(other.isSynced()).toBe(false)
    void other.stop()
    await clock.advance(10)
    expect(await second).toBe('stopped')
  })
})
