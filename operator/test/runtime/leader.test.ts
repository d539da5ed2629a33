import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { Clock } from '@bourse/common/ports/clock.ts'
import { createMetrics } from '@bourse/common/telemetry/metrics.ts'
import { createManualClock } from '@bourse/common/testkit/manual-clock.ts'
import { createSeededRandom } from '@bourse/common/testkit/seeded-random.ts'
import { leaseKind } from '../../src/runtime/kinds.ts'
import { createLeaderElector } from '../../src/runtime/leader.ts'
import type { Leadership } from '../../src/runtime/leader.ts'
import { createFakeCluster } from '../../src/testkit/fake-cluster.ts'
import type { RequestFault } from '../../src/testkit/fake-api.ts'
import { silent, valueOf } from './support.ts'

/** A clock that runs `percent` of another's speed and whose wall clock is `offsetMs` away. */
const skewed = (clock: Clock, percent: number, offsetMs: number): Clock => ({
  ...clock,
  nowMs: () => clock.nowMs() + offsetMs,
  monotonicMs: () => (clock.monotonicMs() * percent) / 100,
  sleep: (delayMs, signal) => clock.sleep((delayMs * 100) / percent, signal),
})

const setUp = () => {
  const clock = createManualClock(1_700_000_000_000)
  const cluster = createFakeCluster({ clock })
  const make = (identity: string, own: Clock = clock) => {
    const metrics = createMetrics()
    const random = createSeededRandom(identity.charCodeAt(0))
    const client = cluster.connect({ clock: own })
    const options = { client, clock: own, random, logger: silent, metrics, identity, leaseName: 'lease' }
    return { metrics, elector: createLeaderElector(options) }
  }
  const spec = () => cluster.get(leaseKind, 'lease')!.spec!
  return { clock, cluster, make, spec }
}

const going = (): AbortSignal => new AbortController().signal

/** Keeps an elector in the race: leads, and when it lost, begins anew under another name, as a restarted process does. */
const compete = (set: ReturnType<typeof setUp>, name: string, clock: Clock, signal: AbortSignal) => {
  const state: { now: Leadership | null; fences: number[]; ends: Promise<void> } = {
    now: null,
    fences: [],
    ends: Promise.resolve(),
  }
  const run = async (): Promise<void> => {
    for (let life = 0; !signal.aborted; life++) {
      const leadership = await set.make(`${name}${life}`, clock).elector.lead(signal)
      if (leadership === null) return
      state.now = leadership
      state.fences.push(leadership.fence)
      await new Promise<void>((resolve) => {
        leadership.signal.addEventListener('abort', () => resolve())
        signal.addEventListener('abort', () => resolve())
      })
      await leadership.release('give-back')
      state.now = null
    }
  }
  state.ends = run()
  return state
}

const anyFault = fc.constantFrom<RequestFault | null>(
  null,
  null,
  null,
  { fault: 'reset' },
  { fault: 'lost' },
  { fault: 'hang' },
  { fault: 'delay', delayMs: 4_000 },
  { fault: 'status', status: 500, reason: 'InternalError' },
  { fault: 'status', status: 409, reason: 'Conflict' },
)

describe('The leader elector', () => {
  test('writes times of six digits, and a fence higher than any that a deleted lease had.', async () => {
    const { clock, cluster, make, spec } = setUp()
    const first = await make('a').elector.lead(going())
    expect(spec()).toMatchObject({ holderIdentity: 'a', leaseDurationSeconds: 15 })
    expect(spec().renewTime).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/u)
    expect(spec().acquireTime).toMatch(/\.\d{6}Z$/u)
    await first!.release('give-back')
    cluster.finish(leaseKind, 'lease')
    await clock.advance(120_000)
    const second = await make('b').elector.lead(going())
    expect(second!.fence).toBeGreaterThan(first!.fence)
    await second!.release('give-back')
  })

  test('takes a lease over 15 seconds after the last renewal it saw, whatever times it bears, one fence higher.', async () => {
    const set = setUp()
    const { clock, cluster, make, spec } = set
    const renewTime = '2035-01-01T00:00:00.000000Z'
    const dead = { holderIdentity: 'dead', leaseDurationSeconds: 15, renewTime, leaseTransitions: 7 }
    cluster.create(leaseKind, {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: 'lease' },
      spec: dead,
    })
    let leadership: Leadership | null = null
    void make('a')
      .elector.lead(going())
      .then((got) => (leadership = got))
    await clock.advance(14_990)
    expect(leadership).toBeNull()
    await clock.advance(2_500)
    expect(leadership).toMatchObject({ fence: 8 })
    expect(spec()).toMatchObject({ holderIdentity: 'a', leaseTransitions: 8 })
    await leadership!.release('give-back')
  })

  test('loses leadership ten seconds after its last renewal when requests hang, and says so in the metric.', async () => {
    const { clock, cluster, make } = setUp()
    const { elector, metrics } = make('a')
    const series = 'leader_election_master_status{name="lease"}'
    expect(await valueOf(metrics, series)).toBe(0)
    const leadership = await elector.lead(going())
    expect(await valueOf(metrics, series)).toBe(1)
    cluster.setFaults({ onRequest: () => ({ fault: 'hang' }) })
    await clock.advance(9_900)
    expect(leadership!.signal.aborted).toBe(false)
    await clock.advance(200)
    expect(leadership!.signal.aborted).toBe(true)
    expect(leadership!.isCurrent()).toBe(false)
    expect(await valueOf(metrics, series)).toBe(0)
  })

  test('loses leadership as soon as it sees that another holds the lease.', async () => {
    const { clock, cluster, make } = setUp()
    const leadership = await make('a').elector.lead(going())
    cluster.update(leaseKind, 'lease', (lease) => ({ ...lease, spec: { ...lease.spec, holderIdentity: 'thief' } }))
    await clock.advance(2_500)
    expect(leadership!.signal.aborted).toBe(true)
  })

  test('gives the lease back when released, so that the next leads within one retry.', async () => {
    const { clock, make, spec } = setUp()
    const first = await make('a').elector.lead(going())
    let second: Leadership | null = null
    void make('b')
      .elector.lead(going())
      .then((got) => (second = got))
    await clock.advance(5_000)
    expect(second).toBeNull()
    await first!.release('give-back')
    expect(spec()).toMatchObject({ holderIdentity: '', leaseDurationSeconds: 1 })
    await clock.advance(2_500)
    expect(second).toMatchObject({ fence: first!.fence + 1 })
    await second!.release('give-back')
  })

  test('leads after an acquisition whose answer was lost, without waiting for its own lease to expire.', async () => {
    const { clock, cluster, make, spec } = setUp()
    cluster.setFaults({ onRequest: ({ method }) => (method === 'POST' ? { fault: 'lost' } : null) })
    let leadership: Leadership | null = null
    void make('a')
      .elector.lead(going())
      .then((got) => (leadership = got))
    await clock.advance(3_000)
    expect(leadership).toMatchObject({ fence: spec().leaseTransitions })
    await leadership!.release('give-back')
  })

  test('never leads twice at once, whatever the speed of clocks and the faults of requests; no fence comes twice.', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyFault, { minLength: 5, maxLength: 60 }),
        fc.integer({ min: 85, max: 120 }),
        fc.integer({ min: 85, max: 120 }),
        fc.integer({ min: -3_600_000, max: 3_600_000 }),
        async (faults, speedA, speedB, offsetMs) => {
          const set = setUp()
          const stop = new AbortController()
          let count = 0
          set.cluster.setFaults({ onRequest: () => faults[count++ % faults.length]! })
          const all = [
            compete(set, 'a', skewed(set.clock, speedA, 0), stop.signal),
            compete(set, 'b', skewed(set.clock, speedB, offsetMs), stop.signal),
          ]
          for (let ms = 0; ms < 120_000; ms += 500) {
            await set.clock.advance(500)
            expect(all.filter(({ now }) => now?.isCurrent() === true).length).toBeLessThanOrEqual(1)
          }
          set.cluster.setFaults({})
          // Whatever happened, somebody leads soon after the faults are over: when the last request that hangs is given
          // up, another's lease has run out, and the slower clock has come to the next attempt.
          await set.clock.advance(90_000)
          expect(all.filter(({ now }) => now?.isCurrent() === true)).toHaveLength(1)
          const fences = all.flatMap((each) => each.fences)
          expect(new Set(fences).size).toBe(fences.length)
          stop.abort()
          await set.clock.advance(40_000)
          await Promise.all(all.map(({ ends }) => ends))
        },
      ),
      { numRuns: 25 },
    )
  })
})
