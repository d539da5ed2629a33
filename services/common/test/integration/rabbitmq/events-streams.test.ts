import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals'
import { RECORD_BYTES_MAX } from '../../../src/ports/journal.ts'
import { pause, until } from '../../../src/testkit/contracts/scenario.ts'
import { rabbitMqMissing, startRabbitMq, type RabbitMqServer } from '../../../src/testkit/servers/rabbitmq.ts'
import { describeUnless } from '../../../src/testkit/skip.ts'
import {
  firsts,
  hearing,
  HERE,
  openEventsWorld,
  putForeign,
  range,
  STREAM,
  WITHOUT_HEALING,
  type EventsWorld,
} from './events-support.ts'

const SERVER_TIMEOUT_MS = 400_000

describeUnless(rabbitMqMissing(), 'streams on RabbitMQ', () => {
  let server: RabbitMqServer
  let world: EventsWorld
  beforeAll(async () => void (server = await startRabbitMq()), SERVER_TIMEOUT_MS)
  afterAll(() => server.stop(), SERVER_TIMEOUT_MS)
  beforeEach(async () => void (world = await openEventsWorld(server.url)))
  afterEach(() => world.close())

  test('events come over the stream, sooner than any look into the journal would find them', async () => {
    const gateway = await world.openGateway({ clock: WITHOUT_HEALING })
    const { seen } = hearing(gateway)
    await until(() => gateway.counts().attached === 1)
    await world.publish(5)
    await until(() => seen.length >= 5 && gateway.counts().received === 5 && !world.isJournalRead())
    const reads = world.journalReads()
    for (let index = 0; index < 40; index++) {
      const event = await world.append()
      world.shard.publish(event)
      await until(() => seen.includes(event.sequence))
    }
    expect(world.journalReads()).toBe(reads)
    expect(gateway.counts()).toMatchObject({ received: 45, attached: 1 })
  })

  test('what came between the look into the journal and the attaching is not left to the next healing', async () => {
    for (let between = 0; between < 3;) {
      const gateway = await world.openGateway({ clock: WITHOUT_HEALING })
      const reads = world.journalReads()
      const { seen } = hearing(gateway, world.head() + 1n)
      // The first look into the journal is over; the stream is not attached yet, and nobody publishes this one.
      await until(() => world.journalReads() > reads && !world.isJournalRead())
      const { sequence } = await world.append()
      // A machine that stood still in between has to try again.
      if (gateway.counts().attached > 0) continue
      between += 1
      await until(() => seen.includes(sequence))
    }
  })

  test('many subscriptions of a process share one consumer, which ends with the last', async () => {
    const gateway = await world.openGateway()
    const all = Array.from({ length: 20 }, () => hearing(gateway))
    await until(() => gateway.counts().attached === 1)
    await world.publish(30)
    await until(() => all.every(({ seen }) => seen.at(-1) === 30n))
    await until(() => gateway.counts().received === 30)
    expect(gateway.counts().attached).toBe(1)
    await Promise.all(all.map(({ stop }) => stop()))
    await world.publish(10)
    await until(() => world.shard.counts().confirmed === 40)
    await pause(50)
    expect(gateway.counts().received).toBe(30)
    const again = hearing(gateway, 5n)
    await until(() => again.seen.at(-1) === 40n)
    expect(firsts(again.seen)).toEqual(range(5n, 40n))
  })

  test('a gateway that is started again goes on from the sequence it had', async () => {
    const first = await world.openGateway()
    const before = hearing(first)
    await world.publish(30)
    await until(() => before.seen.at(-1) === 30n)
    await first.close()
    await world.publish(300)
    const second = await world.openGateway()
    const after = hearing(second, before.seen.at(-1)! + 1n)
    await world.publish(100, 1)
    // Once it is attached to the stream, it gets them from there.
    await until(async () => {
      await world.publish(1, 1)
      return second.counts().received > 0
    })
    await until(() => after.seen.at(-1) === world.head())
    expect(firsts(after.seen)).toEqual(range(31n, world.head()))
  })

  test('a slow subscriber holds up nobody, however much is published', async () => {
    const gateway = await world.openGateway()
    let release = (): void => undefined
    const released = new Promise<void>((resolve) => (release = resolve))
    const slow: bigint[] = []
    gateway.subscribe(HERE, 1n, async ({ sequence }) => {
      await released
      slow.push(sequence)
    })
    const fast = hearing(gateway)
    await until(() => gateway.counts().attached === 1)
    await world.publish(3_000)
    await until(() => fast.seen.at(-1) === 3_000n)
    expect(slow).toEqual([])
    await until(() => gateway.counts().received > 2_500)
    expect(slow).toEqual([])
    release()
    await until(() => slow.at(-1) === 3_000n)
    expect(firsts(slow)).toEqual(range(1n, 3_000n))
    expect(firsts(fast.seen)).toEqual(range(1n, 3_000n))
  })

  test('the largest record passes whole', async () => {
    const gateway = await world.openGateway()
    const bodies: Uint8Array[] = []
    gateway.subscribe(HERE, 1n, async ({ body }) => void bodies.push(body))
    await until(() => gateway.counts().attached === 1)
    const event = await world.append(RECORD_BYTES_MAX)
    world.shard.publish(event)
    await until(() => gateway.counts().received === 1)
    await until(() => bodies.length === 1)
    expect(Buffer.compare(bodies[0]!, event.body)).toBe(0)
  })

  test('what others put into a stream is passed over and counted', async () => {
    const gateway = await world.openGateway()
    const { seen } = hearing(gateway)
    await until(() => gateway.counts().attached === 1)
    await putForeign(server.url, `${world.prefix}.${STREAM}`)
    await world.publish(3)
    await until(() => gateway.counts().received === 3)
    expect(gateway.counts().undecodable).toBe(6)
    expect(firsts(seen)).toEqual(range(1n, 3n))
  })

  test("a process's own subscribers hear at once, without the stream", async () => {
    const own = await world.openGateway({ clock: WITHOUT_HEALING })
    const { seen } = hearing(own)
    own.publish(await world.append())
    // While it looks into the journal, what is published waits.
    await until(() => seen.length === 1 && own.counts().attached === 1)
    await until(() => !world.isJournalRead())
    const event = await world.append()
    own.publish(event)
    await Promise.resolve()
    expect(seen).toEqual([1n, 2n])
  })
})
