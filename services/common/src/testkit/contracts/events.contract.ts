import { expect } from '@jest/globals'
import { partitionNumber } from '../../kernel/partition.ts'
import { HEAL_INTERVAL_MS, type Events, type StreamEvent } from '../../ports/events.ts'
import { withEventFaults } from '../faults/ports.ts'
import { describeContract, expectFailure, pause, until, type Define, type Opened, type Subject } from './scenario.ts'

/** Streams for the suite, with the journal behind them. */
export interface EventsHarness extends Opened<Events> {
  /** Appends the next record to the partition's journal and gives it as the event to publish. */
  append(partition: number): Promise<StreamEvent>
}

const HERE = partitionNumber('ledger', 0)
const THERE = partitionNumber('ledger', 1)
/** How long after its record an unpublished event may come, with some room for its reading. */
const HEALED_MS = HEAL_INTERVAL_MS + 500
const STEP_MS = 10

const range = (first: number, last: number): bigint[] =>
  Array.from({ length: last - first + 1 }, (_, index) => BigInt(first + index))
const noting =
  (seen: bigint[]) =>
  async ({ sequence }: StreamEvent): Promise<void> =>
    void seen.push(sequence)
/** The order in which sequences came first: repeats are allowed (at least once). */
const firsts = (seen: readonly bigint[]): bigint[] => [...new Set(seen)]

type World = Parameters<Parameters<Define<Events, EventsHarness>>[1]>[0]

const appendAndPublish = async ({ port, harness }: World, count: number, partition = HERE): Promise<StreamEvent[]> => {
  const events: StreamEvent[] = []
  for (let index = 0; index < count; index++) {
    const event = await harness.append(partition)
    port.publish(event)
    events.push(event)
  }
  return events
}

const ordering = (define: Define<Events, EventsHarness>): void => {
  define(
    'E1 a subscriber gets every event from its sequence on, in order, those from before it came included',
    async (world) => {
      const { port } = world
      await appendAndPublish(world, 20)
      const [all, late]: [bigint[], bigint[]] = [[], []]
      port.subscribe(HERE, 1n, noting(all))
      port.subscribe(HERE, 15n, noting(late))
      await appendAndPublish(world, 20)
      await until(() => all.at(-1) === 40n && late.at(-1) === 40n)
      expect(firsts(all)).toEqual(range(1, 40))
      expect(firsts(late)).toEqual(range(15, 40))
    },
  )

  define('E1 events carry their record byte for byte, and other partitions are not heard', async (world) => {
    const bodies: string[] = []
    world.port.subscribe(HERE, 1n, async ({ body }) => void bodies.push(Buffer.from(body).toString('hex')))
    const events = await appendAndPublish(world, 5)
    await appendAndPublish(world, 5, THERE)
    const wanted = events.map(({ body }) => Buffer.from(body).toString('hex'))
    await until(() => new Set(bodies).size === 5)
    expect([...new Set(bodies)]).toEqual(wanted)
  })

  define('E3 an event that was never published comes with the next one', async (world) => {
    const seen: bigint[] = []
    world.port.subscribe(HERE, 1n, noting(seen))
    await appendAndPublish(world, 1)
    await until(() => seen.includes(1n))
    await world.harness.append(HERE)
    await appendAndPublish(world, 1)
    await until(() => seen.includes(3n))
    expect(firsts(seen)).toEqual(range(1, 3))
  })

  define('E3 an event that was never published comes within HEAL_INTERVAL_MS', async ({ port, harness }) => {
    const seen: bigint[] = []
    port.subscribe(HERE, 1n, noting(seen))
    await pause(20)
    await harness.append(HERE)
    // In steps, of which a machine that stands still takes one only.
    let waitedMs = 0
    await until(async () => {
      await pause(STEP_MS)
      waitedMs += STEP_MS
      return seen.includes(1n)
    })
    expect(waitedMs).toBeLessThan(HEALED_MS)
  })

  define('E6 an event that is published twice, or late, does no harm', async (world) => {
    const seen: bigint[] = []
    world.port.subscribe(HERE, 1n, noting(seen))
    const events = await appendAndPublish(world, 5)
    await until(() => seen.includes(5n))
    for (const event of [...events].reverse()) world.port.publish(event)
    await appendAndPublish(world, 1)
    await until(() => seen.includes(6n))
    expect(firsts(seen)).toEqual(range(1, 6))
  })
}

const handling = (define: Define<Events, EventsHarness>): void => {
  define('E2 one event at a time per subscription', async (world) => {
    let inside = 0
    let most = 0
    const seen: bigint[] = []
    world.port.subscribe(HERE, 1n, async ({ sequence }) => {
      inside += 1
      most = Math.max(most, inside)
      await pause(1)
      inside -= 1
      seen.push(sequence)
    })
    await appendAndPublish(world, 15)
    await until(() => seen.includes(15n))
    expect(most).toBe(1)
  })

  define('E2 a failing handler gets the same event again, and none is passed over', async (world) => {
    const attempts: bigint[] = []
    const done: bigint[] = []
    world.port.subscribe(HERE, 1n, async ({ sequence }) => {
      attempts.push(sequence)
      if (sequence === 2n && attempts.filter((attempt) => attempt === 2n).length < 3) throw new Error('not yet')
      done.push(sequence)
    })
    await appendAndPublish(world, 4)
    await until(() => done.includes(4n))
    expect(firsts(done)).toEqual(range(1, 4))
    expect(attempts.filter((attempt) => attempt === 2n).length).toBeGreaterThanOrEqual(3)
  })

  define(
    'E4 a slow subscriber delays neither the others nor the publisher, and still gets everything',
    async (world) => {
      const [slow, fast]: [bigint[], bigint[]] = [[], []]
      let release = (): void => undefined
      const released = new Promise<void>((resolve) => (release = resolve))
      world.port.subscribe(HERE, 1n, async ({ sequence }) => {
        await released
        slow.push(sequence)
      })
      world.port.subscribe(HERE, 1n, noting(fast))
      await appendAndPublish(world, 400)
      await until(() => fast.includes(400n))
      expect(slow).toEqual([])
      release()
      await until(() => slow.includes(400n))
      expect(firsts(slow)).toEqual(range(1, 400))
    },
  )

  define('E5 after stop the handler is not called again', async (world) => {
    const seen: bigint[] = []
    const subscription = world.port.subscribe(HERE, 1n, async ({ sequence }) => {
      await pause(1)
      seen.push(sequence)
    })
    await appendAndPublish(world, 10)
    await subscription.stop()
    const count = seen.length
    await appendAndPublish(world, 5)
    await pause(30)
    expect(seen).toHaveLength(count)
  })

  define('E5 close stops every subscription; subscribing after it is refused closed', async (world) => {
    const seen: bigint[] = []
    world.port.subscribe(HERE, 1n, noting(seen))
    await world.harness.port.close()
    const count = seen.length
    await appendAndPublish(world, 3)
    await pause(20)
    expect(seen).toHaveLength(count)
    await expectFailure('closed', async () => world.port.subscribe(HERE, 1n, noting(seen)))
  })
}

/** The Events contract. */
export const eventsContract = (subject: Subject<EventsHarness>): void =>
  describeContract(subject, withEventFaults, (define) => {
    ordering(define)
    handling(define)
  })
