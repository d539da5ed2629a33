import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { createEmbeddedBus } from '../../src/adapters/embedded/bus.ts'
import { createPartitionClient, type PartitionClient } from '../../src/kernel/client.ts'
import type { Bus } from '../../src/ports/bus.ts'
import { PortError } from '../../src/ports/failure.ts'
import type { Views } from '../../src/ports/views.ts'
import { EPOCH_MAX } from '../../src/shard/types.ts'
import { partitionStateModel } from '../../src/views/models.ts'
import { HERE, THERE, until } from '../kernel/harness.ts'
import { addOne, heartIn, REFUSED_WITHIN_MS, stageOfEachTest, startHeart, statusOf } from './stage.ts'

const stage = stageOfEachTest()
const heartOf = heartIn(stage)

const word = () => stage.views.get(partitionStateModel, String(HERE))

describe('an owner that a move left behind', () => {
  /** Where the other shard hears its commands: the first one's messages do not come to it. */
  let otherBus: Bus
  let others: PartitionClient
  beforeEach(() => {
    otherBus = createEmbeddedBus({ clock: stage.world.clock })
    others = createPartitionClient({ bus: otherBus })
  })
  afterEach(() => otherBus.close())

  /** Both serve the partition, each under its epoch; nobody has said so yet. */
  const both = async (epochs: { readonly a: number; readonly b: number }, viewsOfA?: Views) => {
    const [a, b] = [stage.shard('a'), stage.shard('b', { ports: { bus: otherBus } })]
    const [heartOfA, heartOfB] = [await heartOf(a, viewsOfA && { views: viewsOfA }), await heartOf(b)]
    await a.acquire(HERE, epochs.a)
    await addOne(stage.world.client, HERE, 1)
    await b.acquire(HERE, epochs.b)
    return { a, b, heartOfA, heartOfB }
  }
  /** Long enough for a release, which is done beside a beat. */
  const settle = () => stage.world.clock.sleep(300)

  test('gives the partition up under the higher epoch, and the new owner serves on', async () => {
    const { a, b, heartOfA, heartOfB } = await both({ a: 1, b: 2 })
    await heartOfA.beat()
    await heartOfB.beat()
    await heartOfA.beat()
    await until(stage.world.clock, () => statusOf(a, HERE)!.state === 'released')
    expect(statusOf(a, HERE)).toMatchObject({ epoch: 2, runner: null })
    expect(await a.acquire(HERE, 2)).toMatchObject({ ok: false, refusal: { code: 'STALE_EPOCH' } })
    await heartOfA.beat()
    expect(await addOne(others, HERE, 2)).toBe(2n)
    await heartOfB.beat()
    expect(statusOf(b, HERE)?.state).toBe('serving')
    expect(await word()).toMatchObject({ shard: 'b', epoch: 2, state: 'serving' })
  })

  test('gives it up as well when it has deposed the new one, which then takes it for good', async () => {
    const { a, b, heartOfA, heartOfB } = await both({ a: 1, b: 2 })
    expect(await addOne(stage.world.client, HERE, 2)).toBe(2n)
    await expect(addOne(others, HERE, 3, REFUSED_WITHIN_MS)).rejects.toThrow('UNAVAILABLE')
    await until(stage.world.clock, () => statusOf(b, HERE)?.state === 'deposed')
    await heartOfB.beat()
    await heartOfA.beat()
    await until(stage.world.clock, () => statusOf(a, HERE)!.state === 'released')
    expect(await b.acquire(HERE, 3)).toMatchObject({ ok: true, value: { state: 'serving' } })
    await heartOfA.beat()
    await heartOfB.beat()
    expect(await addOne(others, HERE, 3)).toBe(3n)
    expect(await word()).toMatchObject({ shard: 'b', epoch: 3, state: 'serving' })
  })

  test('keeps what others speak of under its own epoch or a lower one', async () => {
    for (const epochs of [
      { a: 4, b: 4 },
      { a: 6, b: 5 },
    ]) {
      const { a, b, heartOfA, heartOfB } = await both(epochs)
      await heartOfB.beat()
      await heartOfA.beat()
      await stage.world.clock.sleep(200)
      await heartOfB.beat()
      await heartOfA.beat()
      await settle()
      expect(statusOf(a, HERE)).toMatchObject({ state: 'serving', epoch: epochs.a })
      await a.release(HERE, 9)
      await b.release(HERE, 9)
    }
  })

  test('keeps what it was told to serve under that epoch since', async () => {
    const { a, heartOfA, heartOfB } = await both({ a: 1, b: 2 })
    await heartOfB.beat()
    await a.acquire(HERE, 3)
    expect(await a.giveWay(HERE, 3)).toBeNull()
    await heartOfA.beat()
    await settle()
    expect(statusOf(a, HERE)).toMatchObject({ state: 'serving', epoch: 3 })
  })

  test('changes nothing while the views are away; gives way when they are back', async () => {
    let isAway = true
    const get: Views['get'] = (model, id) =>
      isAway ? Promise.reject(new PortError('unavailable', 'gone')) : stage.views.get(model, id)
    const { a, heartOfA, heartOfB } = await both({ a: 1, b: 2 }, { ...stage.views, get })
    await heartOfB.beat()
    await heartOfA.beat()
    await settle()
    expect([statusOf(a, HERE)?.state, heartOfA.failures]).toEqual(['serving', 1])
    isAway = false
    await heartOfA.beat()
    await until(stage.world.clock, () => statusOf(a, HERE)!.state === 'released')
  })

  test('keeps its partitions when a row can not be right, and when one can not be read', async () => {
    let said: unknown = null
    const get: Views['get'] = (_model, id) =>
      id === String(THERE) ? Promise.reject(new PortError('corrupt', 'unreadable')) : Promise.resolve(said as never)
    const { a, heartOfA } = await both({ a: 1, b: 2 }, { ...stage.views, get })
    await a.acquire(THERE, 1)
    for (const row of [null, { shard: 'b' }, { shard: 'b', epoch: EPOCH_MAX + 1 }, { shard: 'a', epoch: 7 }]) {
      said = row
      await heartOfA.beat()
      await settle()
      expect(a.status().map(({ state }) => state)).toEqual(['serving', 'serving'])
    }
    said = { shard: 'b', epoch: 2 }
    await heartOfA.beat()
    await until(stage.world.clock, () => statusOf(a, HERE)!.state === 'released')
    expect(statusOf(a, THERE)?.state).toBe('serving')
  })

  test('counts what it gave up', async () => {
    const [a, b] = [stage.shard('a'), stage.shard('b', { ports: { bus: otherBus } })]
    const { heart, metrics } = startHeart(stage, a)
    await a.acquire(HERE, 1)
    await b.acquire(HERE, 2)
    await (await heartOf(b)).beat()
    const given = `bourse_shard_given_way_total{partition="${HERE}"} 1`
    await until(stage.world.clock, async () => (await metrics.expose()).text.includes(given))
    expect(statusOf(a, HERE)?.state).toBe('released')
    await heart.stop()
  })
})
