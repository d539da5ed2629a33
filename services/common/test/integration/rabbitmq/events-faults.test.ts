import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals'
import { pauseInSteps, until } from '../../../src/testkit/contracts/scenario.ts'
import { startProxy } from '../../../src/testkit/servers/proxy.ts'
import { rabbitMqMissing, startRabbitMq, type RabbitMqServer } from '../../../src/testkit/servers/rabbitmq.ts'
import { describeUnless } from '../../../src/testkit/skip.ts'
import {
  deleteStream,
  firsts,
  hearing,
  openEventsWorld,
  range,
  STREAM,
  streamExists,
  type EventsWorld,
} from './events-support.ts'
import { WATCHFUL } from './bus-support.ts'

const SERVER_TIMEOUT_MS = 400_000
/** How long a fresh node takes until it would find its streams again after a crash. */
const SETTLE_MS = 2_000

describeUnless(rabbitMqMissing(), 'streams on a RabbitMQ that fails', () => {
  let server: RabbitMqServer
  let world: EventsWorld
  beforeAll(async () => void (server = await startRabbitMq()), SERVER_TIMEOUT_MS)
  afterAll(() => server.stop(), SERVER_TIMEOUT_MS)
  beforeEach(async () => void (world = await openEventsWorld(server.url)))
  let publishing: Promise<void> | null = null
  let isPublishing = false
  const stopPublishing = async (): Promise<void> => {
    isPublishing = false
    await publishing
  }
  afterEach(async () => {
    await stopPublishing()
    await world.close()
  })

  /** Publishes some hundred events a second until it is stopped. */
  const publishOnAndOn = (): (() => Promise<void>) => {
    isPublishing = true
    publishing = (async () => {
      while (isPublishing) await world.publish(1, 2)
    })()
    return stopPublishing
  }

  test(
    'killed with -9 under publishing and started again: nothing is left out, and the stream works again',
    async () => {
      const gateway = await world.openGateway()
      const { seen } = hearing(gateway)
      await until(() => gateway.counts().attached === 1)
      // A node that has never had a stream and is killed as it makes its first one may not find it again.
      await pauseInSteps(SETTLE_MS)
      const stopPublishing = publishOnAndOn()
      await until(() => gateway.counts().received > 50)
      await server.kill()
      const atKill = world.head()
      await until(() => (seen.at(-1) ?? 0n) > atKill + 20n)
      await server.start()
      await until(() => gateway.counts().attached >= 2)
      const { received } = gateway.counts()
      await until(() => gateway.counts().received > received + 50)
      await stopPublishing()
      await until(() => seen.at(-1) === world.head())
      expect(firsts(seen)).toEqual(range(1n, world.head()))
      expect(world.shard.counts().dropped).toBeGreaterThan(0)
    },
    SERVER_TIMEOUT_MS,
  )

  test('deleted underneath: declared again by reader and writer, nothing left out', async () => {
    const gateway = await world.openGateway()
    const { seen } = hearing(gateway)
    await until(() => gateway.counts().attached === 1)
    await world.publish(20)
    await until(() => gateway.counts().received === 20)
    await deleteStream(server.url, `${world.prefix}.${STREAM}`)
    await until(() => gateway.counts().attached === 2)
    await world.publish(20)
    await until(() => gateway.counts().received === 40)
    expect(firsts(seen)).toEqual(range(1n, 40n))
  })

  test('deleted while only a writer is there: it declares the stream again', async () => {
    await world.publish(5)
    await until(() => world.shard.counts().confirmed === 5)
    await deleteStream(server.url, `${world.prefix}.${STREAM}`)
    await world.publish(1)
    await until(() => world.shard.counts().returned === 1)
    await world.publish(1)
    await until(() => world.shard.counts().confirmed === 7)
    expect(await streamExists(server.url, `${world.prefix}.${STREAM}`)).toBe(true)
    expect(world.shard.counts().returned).toBe(1)
  })

  test(
    'an alarm: publishing drops at once, subscribers are served by the journal, and the stream comes back',
    async () => {
      const gateway = await world.openGateway()
      const { seen } = hearing(gateway)
      await until(() => gateway.counts().attached === 1)
      await server.control('set_vm_memory_high_watermark', 'absolute', '1MB')
      // The server tells a connection of the alarm when it publishes.
      await until(async () => {
        await world.publish(1, 50)
        return world.shard.counts().dropped > 0
      })
      // Because of the alarm: a full line would have taken many more, and the heart beats rarely.
      expect(world.head()).toBeLessThan(2_000n)
      const { dropped } = world.shard.counts()
      await world.publish(200)
      expect(world.shard.counts().dropped).toBe(dropped + 200)
      await until(() => seen.at(-1) === world.head())
      await server.control('set_vm_memory_high_watermark', '0.6')
      const { received } = gateway.counts()
      await until(async () => {
        await world.publish(1)
        return gateway.counts().received > received + 10
      })
      await until(() => seen.at(-1) === world.head())
      expect(firsts(seen)).toEqual(range(1n, world.head()))
    },
    SERVER_TIMEOUT_MS,
  )

  test(
    'black-holed and frozen: publishing holds a bounded number and goes on, the journal serves',
    async () => {
      const proxy = await startProxy({ port: server.port })
      const gateway = await world.openGateway({ url: proxy.urlOf(server.url), ...WATCHFUL })
      const { seen } = hearing(gateway)
      await until(() => gateway.counts().attached === 1)
      await world.publish(10)
      await until(() => gateway.counts().received === 10)
      proxy.blackHole()
      await world.publish(10)
      await until(() => seen.at(-1) === 20n)
      expect(gateway.counts().received).toBe(10)
      // A heart that does not beat is noticed, without the network's help.
      const { accepted } = proxy.counts()
      await until(() => proxy.counts().accepted > accepted)
      proxy.heal()
      await until(() => gateway.counts().attached === 2)
      await world.publish(10)
      await until(() => gateway.counts().received === 20)
      expect(firsts(seen)).toEqual(range(1n, 30n))
      await gateway.close()
      await proxy.stop()
    },
    SERVER_TIMEOUT_MS,
  )

  test('frozen: what is on its way is bounded and publishing never waits', async () => {
    const event = await world.append(1_000)
    world.shard.publish(event)
    await until(() => world.shard.counts().confirmed === 1)
    server.signal('SIGSTOP')
    for (let index = 0; index < 10_000; index++) world.shard.publish(event)
    expect(world.shard.counts().dropped).toBe(10_000 - 4_096)
    server.signal('SIGCONT')
    await until(() => world.shard.counts().confirmed + world.shard.counts().lost >= 4_097)
    const { confirmed } = world.shard.counts()
    await until(() => {
      world.shard.publish(event)
      return world.shard.counts().confirmed > confirmed
    })
  })
})
