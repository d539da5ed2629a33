import { describe, expect, test } from '@jest/globals'
import { createEmbeddedBus } from '../../src/adapters/embedded/bus.ts'
import { createPartitionClient } from '../../src/kernel/client.ts'
import { PortError } from '../../src/ports/failure.ts'
import type { Views } from '../../src/ports/views.ts'
import { partitionStateModel } from '../../src/views/models.ts'
import { HERE, until } from '../kernel/harness.ts'
import { addOne, heartIn, REFUSED_WITHIN_MS, startHeart, stageOfEachTest, statusOf } from './stage.ts'

const stage = stageOfEachTest()
const heartOf = heartIn(stage)

const word = () => stage.views.get(partitionStateModel, String(HERE))

describe('a heartbeat', () => {
  test('says once a second what a partition is, and where', async () => {
    const a = stage.shard('a')
    const beganMs = stage.world.clock.nowMs()
    const { heart } = startHeart(stage, a)
    await a.acquire(HERE, 3)
    await addOne(stage.world.client, HERE, 1)
    await until(stage.world.clock, async () => (await word())?.viewSequence === 1n)
    const said = (await word())!
    const nowMs = stage.world.clock.nowMs()
    expect(said).toMatchObject({
      shard: 'a',
      epoch: 3,
      state: 'serving',
      reason: null,
      sequence: 1n,
      snapshotSequence: 0n,
      snapshotAtMs: null,
      controlUrl: 'http://a',
    })
    for (const moment of [said.atMs, said.viewsAsOfMs]) {
      expect(moment).toBeGreaterThanOrEqual(beganMs)
      expect(moment).toBeLessThanOrEqual(nowMs)
    }
    // The next one says a later moment.
    await until(stage.world.clock, async () => {
      const next = (await word())!
      return next.atMs > said.atMs && next.viewsAsOfMs > said.viewsAsOfMs
    })
    await heart.stop()
  })

  test('of the higher epoch stands, however far the clocks of two shards are apart', async () => {
    const [a, b] = [stage.shard('a'), stage.shard('b')]
    const [heartOfA, heartOfB] = [await heartOf(a), await heartOf(b, { offsetMs: () => -3_600_000 })]
    await a.acquire(HERE, 1)
    await heartOfA.beat()
    await b.prepare(HERE, 2)
    await heartOfB.beat()
    expect(await word()).toMatchObject({ shard: 'a', state: 'serving' })
    await a.release(HERE, 2)
    await heartOfA.beat()
    expect(await word()).toMatchObject({ shard: 'a', state: 'released', epoch: 2 })
    await b.acquire(HERE, 2)
    await heartOfB.beat()
    expect(await word()).toMatchObject({ shard: 'b', state: 'serving', epoch: 2 })
    await heartOfA.beat()
    expect(await word()).toMatchObject({ shard: 'b', state: 'serving' })
  })

  test('of an owner that does not fold yet leaves what was said of the views: it still holds', async () => {
    let isAway = true
    const cursor: Views['cursor'] = (projection, partition) =>
      isAway ? Promise.reject(new PortError('unavailable', 'gone')) : stage.views.cursor(projection, partition)
    const [a, b] = [stage.shard('a'), stage.shard('b', { ports: { views: { ...stage.views, cursor } } })]
    const [heartOfA, heartOfB] = [await heartOf(a), await heartOf(b)]
    await b.acquire(HERE, 1)
    await addOne(stage.world.client, HERE, 1)
    await heartOfB.beat()
    expect(await word()).toMatchObject({ shard: 'b', state: 'serving', viewSequence: 0n, viewsAsOfMs: 0 })
    await b.release(HERE, 2)
    await a.acquire(HERE, 2)
    await until(stage.world.clock, () => statusOf(a, HERE)!.viewSequence === 1n)
    await heartOfA.beat()
    const { viewsAsOfMs } = (await word())!
    expect(viewsAsOfMs).toBeGreaterThan(0)
    await a.release(HERE, 3)
    await b.acquire(HERE, 3)
    expect(statusOf(b, HERE)).toMatchObject({ state: 'serving', viewSequence: 0n, viewsAsOfMs: 0 })
    await heartOfB.beat()
    expect(await word()).toMatchObject({ shard: 'b', state: 'serving', epoch: 3, viewSequence: 1n, viewsAsOfMs })
    isAway = false
    await addOne(stage.world.client, HERE, 2)
    await until(stage.world.clock, () => statusOf(b, HERE)!.viewSequence === 2n)
    await heartOfB.beat()
    expect((await word())!.viewSequence).toBe(2n)
  })

  test('goes on when the clock is put back', async () => {
    let offsetMs = 0
    const a = stage.shard('a')
    const heart = await heartOf(a, { offsetMs: () => offsetMs })
    await a.acquire(HERE, 1)
    await heart.beat()
    offsetMs = -60_000
    await addOne(stage.world.client, HERE, 1)
    await heart.beat()
    expect(await word()).toMatchObject({ sequence: 1n })
  })

  test('of who was deposed leaves the word of who came after; alone it tells the reason', async () => {
    const otherBus = createEmbeddedBus({ clock: stage.world.clock })
    const [a, b] = [stage.shard('a'), stage.shard('b', { ports: { bus: otherBus } })]
    const [heartOfA, heartOfB] = [await heartOf(a), await heartOf(b)]
    await a.acquire(HERE, 1)
    await heartOfA.beat()
    await b.acquire(HERE, 1)
    await addOne(createPartitionClient({ bus: otherBus }), HERE, 1)
    await expect(addOne(stage.world.client, HERE, 2, REFUSED_WITHIN_MS)).rejects.toThrow('UNAVAILABLE')
    await until(stage.world.clock, () => statusOf(a, HERE)?.state === 'deposed')
    await heartOfA.beat()
    expect(await word()).toMatchObject({
      shard: 'a',
      state: 'deposed',
      reason: expect.stringContaining('another writer'),
    })
    // Words of one epoch are told apart by tenths of a second.
    await stage.world.clock.sleep(300)
    await heartOfB.beat()
    await heartOfA.beat()
    expect(await word()).toMatchObject({ shard: 'b', state: 'serving' })
    await otherBus.close()
  })

  test('that the views do not take is counted and comes again', async () => {
    let isAway = true
    const project: Views['project'] = (...values) =>
      isAway ? Promise.reject(new PortError('unavailable', 'gone')) : stage.views.project(...values)
    const a = stage.shard('a')
    const heart = await heartOf(a, { views: { ...stage.views, project } })
    await a.acquire(HERE, 1)
    await heart.beat()
    expect([heart.failures, await word()]).toEqual([1, null])
    isAway = false
    await heart.beat()
    expect(await word()).toMatchObject({ state: 'serving' })
    expect(heart.failures).toBe(1)
  })
})
