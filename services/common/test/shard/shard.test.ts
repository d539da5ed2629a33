import { describe, expect, test } from '@jest/globals'
import { createEmbeddedBus } from '../../src/adapters/embedded/bus.ts'
import { createPartitionClient } from '../../src/kernel/client.ts'
import { partitionNumber } from '../../src/kernel/partition.ts'
import { PortError } from '../../src/ports/failure.ts'
import type { Journal } from '../../src/ports/journal.ts'
import type { Views } from '../../src/ports/views.ts'
import { HERE, THERE, until } from '../kernel/harness.ts'
import { createTallyMachine } from '../kernel/tally-machine.ts'
import { addOne, commandsIn, REFUSED_WITHIN_MS, stageOfEachTest, statusOf } from './stage.ts'

const stage = stageOfEachTest()

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1)
const refusedWith = (code: string) => ({ ok: false, refusal: { code } })

describe('an assignment', () => {
  test('names the full set: what is new is acquired, what is gone is released', async () => {
    const a = stage.shard('a')
    expect(await a.assign(1, [HERE])).toEqual({ ok: true, value: [{ partition: HERE, refusal: null }] })
    expect(statusOf(a, HERE)).toMatchObject({ state: 'serving', epoch: 1, reason: null })
    expect((await a.assign(2, [THERE])).ok).toBe(true)
    expect(statusOf(a, HERE)).toMatchObject({ state: 'released', epoch: 2, runner: null })
    expect(statusOf(a, THERE)).toMatchObject({ state: 'serving', epoch: 2 })
    expect(a.epoch).toBe(2)
  })

  test('said again changes nothing, and another set under its epoch is refused', async () => {
    const a = stage.shard('a')
    const first = await a.assign(1, [HERE, THERE])
    const { runner } = statusOf(a, HERE)!
    expect(await a.assign(1, [THERE, HERE, HERE])).toEqual(first)
    expect(statusOf(a, HERE)?.runner?.recovery).toBe(runner?.recovery)
    expect(await a.assign(1, [HERE])).toMatchObject(refusedWith('EPOCH_REUSED'))
    expect(statusOf(a, THERE)?.state).toBe('serving')
  })

  test('under an epoch lower than any seen is refused, and so is any order', async () => {
    const a = stage.shard('a')
    await a.assign(5, [HERE])
    expect(await a.assign(4, [])).toMatchObject(refusedWith('STALE_EPOCH'))
    expect(await a.release(HERE, 4)).toMatchObject(refusedWith('STALE_EPOCH'))
    expect(await a.prepare(THERE, 4)).toMatchObject(refusedWith('STALE_EPOCH'))
    expect(await a.snapshotNow(HERE, 4)).toMatchObject(refusedWith('STALE_EPOCH'))
    expect((await a.acquire(THERE, 9)).ok).toBe(true)
    expect(await a.assign(8, [HERE])).toMatchObject(refusedWith('STALE_EPOCH'))
    expect(statusOf(a, HERE)?.state).toBe('serving')
    expect(statusOf(a, THERE)?.state).toBe('serving')
  })

  test('covers what it does not name: an order under its epoch that came late is refused', async () => {
    const a = stage.shard('a')
    await a.assign(5, [HERE])
    expect(await a.acquire(THERE, 5)).toMatchObject(refusedWith('STALE_EPOCH'))
    expect(await a.release(THERE, 5)).toMatchObject({ ok: true, value: { state: 'released' } })
    expect((await a.acquire(THERE, 6)).ok).toBe(true)
  })

  test('tells of each partition whether it is as it should be', async () => {
    const loadCursors: Journal['loadCursors'] = (partition) =>
      partition === THERE
        ? Promise.reject(new PortError('unavailable', 'gone'))
        : stage.world.journal.loadCursors(partition)
    const a = stage.shard('a', { ports: { journal: { ...stage.world.journal, loadCursors } } })
    expect(await a.assign(1, [HERE, THERE])).toMatchObject({
      ok: true,
      value: [
        { partition: HERE, refusal: null },
        { partition: THERE, refusal: { code: 'ACQUIRE_FAILED', message: expect.stringContaining('gone') } },
      ],
    })
    expect(statusOf(a, HERE)?.state).toBe('serving')
    expect(statusOf(a, THERE)).toMatchObject({ state: 'failed', reason: 'gone' })
  })

  test('of another machine, or of a shard that stops, is refused', async () => {
    const a = stage.shard('a')
    expect(await a.assign(1, [partitionNumber('bridge', 0)])).toMatchObject(refusedWith('WRONG_MACHINE'))
    expect(a.epoch).toBe(0)
    const stopping = a.stop()
    expect(await a.acquire(HERE, 2)).toMatchObject(refusedWith('STOPPING'))
    await stopping
  })
})

describe('orders', () => {
  test('within one epoch go forward only: prepare, acquire, release', async () => {
    const a = stage.shard('a')
    expect(await a.prepare(HERE, 1)).toMatchObject({ ok: true, value: { state: 'prepared' } })
    expect(await a.prepare(HERE, 1)).toMatchObject({ ok: true, value: { state: 'prepared' } })
    expect(await a.acquire(HERE, 1)).toMatchObject({ ok: true, value: { state: 'serving' } })
    expect(await a.prepare(HERE, 1)).toMatchObject({ ok: true, value: { state: 'serving' } })
    expect(await a.release(HERE, 1)).toMatchObject({ ok: true, value: { state: 'released' } })
    expect(await a.release(HERE, 1)).toMatchObject({ ok: true, value: { state: 'released' } })
    expect(await a.acquire(HERE, 1)).toMatchObject(refusedWith('STALE_EPOCH'))
    expect(await a.prepare(HERE, 1)).toMatchObject(refusedWith('STALE_EPOCH'))
    expect((await a.acquire(HERE, 2)).ok).toBe(true)
  })

  test('under an epoch lower than the partition has seen are refused, whatever others have seen', async () => {
    const a = stage.shard('a')
    await a.acquire(HERE, 5)
    for (const order of [a.prepare, a.acquire, a.release, a.snapshotNow])
      expect(await order(HERE, 4)).toMatchObject(refusedWith('STALE_EPOCH'))
    expect(statusOf(a, HERE)).toMatchObject({ state: 'serving', epoch: 5 })
    expect((await a.acquire(THERE, 1)).ok).toBe(true)
  })

  test('to one partition go one after the other; one that was overtaken is not carried out', async () => {
    const a = stage.shard('a')
    const [first, second, third, fourth] = await Promise.all([
      a.acquire(HERE, 1),
      a.release(HERE, 2),
      a.acquire(HERE, 3),
      a.acquire(HERE, 4),
    ])
    expect(first).toMatchObject(refusedWith('STALE_EPOCH'))
    expect(second).toMatchObject(refusedWith('STALE_EPOCH'))
    expect(third).toMatchObject(refusedWith('STALE_EPOCH'))
    expect(fourth).toMatchObject({ ok: true, value: { state: 'serving', epoch: 4 } })
  })

  test('to different partitions go side by side', async () => {
    const gate = Promise.withResolvers<void>()
    const loadCursors: Journal['loadCursors'] = async (partition) => {
      if (partition === HERE) await gate.promise
      return stage.world.journal.loadCursors(partition)
    }
    const a = stage.shard('a', { ports: { journal: { ...stage.world.journal, loadCursors } } })
    const slow = a.acquire(HERE, 1)
    expect((await a.acquire(THERE, 1)).ok).toBe(true)
    expect(statusOf(a, HERE)?.state).toBe('starting')
    gate.resolve()
    expect((await slow).ok).toBe(true)
  })

  test('for a snapshot are carried out by who serves the partition', async () => {
    const a = stage.shard('a')
    expect(await a.snapshotNow(HERE, 1)).toMatchObject(refusedWith('NOT_SERVED'))
    await a.acquire(HERE, 1)
    await addOne(stage.world.client, HERE, 1)
    expect(await a.snapshotNow(HERE, 1)).toMatchObject({ ok: true, value: { snapshotSequence: 1n } })
    const [kept, ...others] = await stage.world.snapshots.list(HERE)
    expect(others).toEqual([])
    expect(statusOf(a, HERE)?.snapshotAtMs).toBe(kept?.atMs)
    expect([...(await a.stateHashes())]).toEqual([[HERE, expect.stringMatching(/^[0-9a-f]{32}$/)]])
  })
})

describe('a partition that was acquired', () => {
  test('tells the snapshot it began from, and when that was taken', async () => {
    const [a, b] = [stage.shard('a'), stage.shard('b')]
    await a.acquire(HERE, 1)
    expect(statusOf(a, HERE)?.snapshotAtMs).toBeNull()
    await addOne(stage.world.client, HERE, 1)
    await a.snapshotNow(HERE, 1)
    await a.release(HERE, 2)
    await b.acquire(HERE, 2)
    const [kept] = await stage.world.snapshots.list(HERE)
    expect(statusOf(b, HERE)).toMatchObject({ snapshotSequence: kept?.sequence, snapshotAtMs: kept?.atMs })
  })

  test('is said to serve only once its spec is in order; a spec that is refused is told again', async () => {
    let attempts = 0
    const applySpec = (): Promise<void> => (++attempts < 2 ? Promise.reject(new Error('not now')) : Promise.resolve())
    const a = stage.shard('a', { kind: { applySpec } })
    expect(await a.acquire(HERE, 1)).toMatchObject({
      ok: true,
      value: { state: 'starting', reason: 'its spec is not in order yet: not now' },
    })
    expect(await addOne(stage.world.client, HERE, 1)).toBe(1n)
    await until(stage.world.clock, () => statusOf(a, HERE)?.state === 'serving')
    expect(statusOf(a, HERE)?.reason).toBeNull()
  })

  test('is released at once also while its spec hangs', async () => {
    const a = stage.shard('a', { kind: { applySpec: () => new Promise(() => undefined) } })
    const acquiring = a.acquire(HERE, 1)
    await until(stage.world.clock, () => statusOf(a, HERE)?.runner?.state === 'serving')
    expect(await a.release(HERE, 2)).toMatchObject({ ok: true, value: { state: 'released' } })
    await acquiring
  })

  test('takes the observations of its market', async () => {
    const market = partitionNumber('trading', 0, 7)
    const seen: [number, bigint][] = []
    const hostOf = (partition: number) => ({
      factory: () => createTallyMachine(),
      observe: (amount: bigint) => (seen.push([partition, amount]), null),
    })
    const a = stage.shard('a', { kind: { machine: 'trading', hostOf } })
    await a.assign(1, [market, partitionNumber('trading', 0, 8)])
    a.observe(7, 5n)
    a.observe(9, 6n)
    await until(stage.world.clock, () => seen.length > 0)
    await stage.world.clock.sleep(20)
    expect(seen).toEqual([[market, 5n]])
  })
})

describe('a partition that stepped down', () => {
  test('is shown deposed with its reason, and comes back under a later epoch only', async () => {
    const otherBus = createEmbeddedBus({ clock: stage.world.clock })
    const a = stage.shard('a')
    const b = stage.shard('b', { ports: { bus: otherBus } })
    await a.acquire(HERE, 1)
    await b.acquire(HERE, 1)
    expect(await addOne(createPartitionClient({ bus: otherBus }), HERE, 1)).toBe(1n)
    await expect(addOne(stage.world.client, HERE, 2, REFUSED_WITHIN_MS)).rejects.toThrow('UNAVAILABLE')
    await until(stage.world.clock, () => statusOf(a, HERE)?.state === 'deposed')
    expect(statusOf(a, HERE)).toMatchObject({ state: 'deposed', reason: expect.stringContaining('another writer') })
    expect(await a.acquire(HERE, 1)).toMatchObject({ ok: true, value: { state: 'deposed' } })
    await b.release(HERE, 2)
    expect(await a.acquire(HERE, 3)).toMatchObject({ ok: true, value: { state: 'serving', reason: null } })
    expect(await addOne(stage.world.client, HERE, 2)).toBe(2n)
    await otherBus.close()
  })

  test('failed because its data could not be had is tried again under the same epoch too', async () => {
    let isAway = true
    const head: Journal['head'] = (partition) =>
      isAway ? Promise.reject(new PortError('unavailable', 'gone')) : stage.world.journal.head(partition)
    const a = stage.shard('a', { ports: { journal: { ...stage.world.journal, head } } })
    expect(await a.acquire(HERE, 1)).toMatchObject(refusedWith('ACQUIRE_FAILED'))
    expect(statusOf(a, HERE)).toMatchObject({ state: 'failed', reason: 'gone' })
    isAway = false
    expect(await a.acquire(HERE, 1)).toMatchObject({ ok: true, value: { state: 'serving' } })
  })
})

describe('the views of a partition', () => {
  test('are brought on by whoever serves it, where the one before left off', async () => {
    const a = stage.shard('a')
    const b = stage.shard('b')
    await a.acquire(HERE, 1)
    let epoch = 1
    for (const id of upTo(60)) {
      await addOne(stage.world.client, HERE, id)
      if (id % 10 !== 0) continue
      const [from, to] = epoch % 2 === 1 ? [a, b] : [b, a]
      epoch += 1
      await to.prepare(HERE, epoch)
      await from.release(HERE, epoch)
      await to.acquire(HERE, epoch)
    }
    const owner = epoch % 2 === 1 ? a : b
    const { sequence } = statusOf(owner, HERE)!
    await until(stage.world.clock, () => statusOf(owner, HERE)?.viewSequence === sequence)
    expect(await commandsIn(stage.views)).toBe(60)
    // Complete, they are as of the moment of the question.
    const beforeMs = stage.world.clock.nowMs()
    const { viewsAsOfMs } = statusOf(owner, HERE)!
    expect(viewsAsOfMs).toBeGreaterThanOrEqual(beforeMs)
    expect(viewsAsOfMs).toBeLessThanOrEqual(stage.world.clock.nowMs())
  })

  test('that are away stop no partition; their moment stands still meanwhile', async () => {
    let isAway = true
    const cursor: Views['cursor'] = (projection, partition) =>
      isAway ? Promise.reject(new PortError('unavailable', 'gone')) : stage.views.cursor(projection, partition)
    const a = stage.shard('a', { ports: { views: { ...stage.views, cursor } } })
    await a.acquire(HERE, 1)
    expect(await addOne(stage.world.client, HERE, 1)).toBe(1n)
    expect(statusOf(a, HERE)).toMatchObject({ state: 'serving', viewSequence: 0n, viewsAsOfMs: 0 })
    isAway = false
    await until(stage.world.clock, () => statusOf(a, HERE)?.viewSequence === 1n)
    expect(await commandsIn(stage.views)).toBe(1)
  })

  test('are as of the first record that they lack while they catch up', async () => {
    const a = stage.shard('a')
    await a.acquire(HERE, 1)
    await addOne(stage.world.client, HERE, 1)
    await until(stage.world.clock, () => statusOf(a, HERE)?.viewSequence === 1n)
    const gate = Promise.withResolvers<void>()
    const project: Views['project'] = async (...values) => {
      await gate.promise
      return stage.views.project(...values)
    }
    const b = stage.shard('b', { ports: { views: { ...stage.views, project } } })
    await a.release(HERE, 2)
    await b.acquire(HERE, 2)
    await until(stage.world.clock, () => statusOf(b, HERE)!.viewsAsOfMs > 0)
    const before = stage.world.clock.nowMs()
    await stage.world.clock.sleep(20)
    await addOne(stage.world.client, HERE, 2)
    await stage.world.clock.sleep(50)
    const { viewsAsOfMs, viewSequence } = statusOf(b, HERE)!
    expect(viewSequence).toBe(1n)
    expect(viewsAsOfMs).toBeLessThanOrEqual(before)
    gate.resolve()
  })
})

describe('partitions moved under load', () => {
  test('between two shards keep one outcome for each id, and the views hold each once', async () => {
    const shards = [stage.shard('a'), stage.shard('b')] as const
    let epoch = 1
    await shards[0].assign(epoch, [HERE, THERE])
    const sums = { [HERE]: [] as bigint[], [THERE]: [] as bigint[] }
    let ids = 0
    let isOver = false
    const client = async (partition: number): Promise<void> => {
      while (!isOver) {
        const id = ++ids
        for (let isDone = false; !isDone;) {
          try {
            sums[partition]!.push(await addOne(stage.world.client, partition, id, REFUSED_WITHIN_MS))
            isDone = true
          } catch {
            // Its partition is between two shards: the same again.
          }
        }
      }
    }
    const clients = Promise.all([HERE, THERE, HERE, THERE, HERE, THERE].map(client))
    for (let move = 0; move < 20; move++) {
      epoch += 1
      const partition = move % 3 === 0 ? THERE : HERE
      const from = shards.find((shard) => statusOf(shard, partition)?.state === 'serving')!
      const to = from === shards[0] ? shards[1] : shards[0]
      expect(await to.prepare(partition, epoch)).toMatchObject({ ok: true, value: { state: 'prepared' } })
      expect(await from.release(partition, epoch)).toMatchObject({ ok: true })
      expect(await to.acquire(partition, epoch)).toMatchObject({ ok: true, value: { state: 'serving' } })
    }
    isOver = true
    await clients
    for (const partition of [HERE, THERE]) {
      const sorted = [...sums[partition]!].sort((a, b) => (a < b ? -1 : 1))
      expect(sorted).toEqual(upTo(sorted.length).map(BigInt))
    }
    await until(stage.world.clock, async () => (await commandsIn(stage.views)) === ids)
  }, 600_000)
})
