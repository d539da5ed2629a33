import { setTimeout as delay } from 'node:timers/promises'
import { everyRunBelow } from '../../goals.ts'
import type { Group, Sample } from '../../row.ts'
import { withFolder } from '../fsync/folder.ts'
import { mongoText, mongoUnavailable, withMongo } from './mongodb.ts'
import { brokerUnavailable, withBroker } from './support/broker.ts'
import { paced } from './support/pace.ts'
import { askCommand, openBenchBus, startProducer } from './support/producer.ts'
import { startShards, type Shards } from './support/shards.ts'

const PER_SECOND = 1_000
const MOVES = 4
/** Before the first move and after each: what belongs to it has long come. */
const QUIET_MS = 1_000
/** The load goes on until the moves are over, and no longer than this. */
const LOAD_MS_MAX = 120_000

/** One shard among those of a process. */
interface Place {
  readonly shards: Shards
  readonly index: number
}

/** The longest time between two answers of which the later one came after `fromMs`, and the earlier one before `untilMs`. */
export const longestGap = (answersMs: readonly number[], fromMs: number, untilMs: number): number => {
  let longest = 0
  for (let index = 1; index < answersMs.length; index++) {
    const [earlier, later] = [answersMs[index - 1]!, answersMs[index]!]
    if (later > fromMs && earlier < untilMs) longest = Math.max(longest, later - earlier)
  }
  return longest
}

/** Moves the partition; the moments between which its pause lies. */
const move = async (from: Place, to: Place): Promise<{ readonly fromMs: number; readonly untilMs: number }> => {
  const fromMs = performance.now()
  await to.shards.prepare(to.index)
  await from.shards.release(from.index)
  await to.shards.acquire(to.index)
  await delay(QUIET_MS)
  return { fromMs, untilMs: performance.now() }
}

/** Moves the partition to and fro under load; the longest gap that belongs to one of the moves, ms. */
const measurePause = async (brokerUrl: string, places: readonly [Place, Place]): Promise<Sample> => {
  const [first] = places
  await first.shards.acquire(first.index)
  const bus = await openBenchBus(brokerUrl, 'packed')
  const { mix } = await startProducer(brokerUrl, bus)
  await first.shards.snapshot(first.index)
  const answersMs: number[] = []
  const moved = new AbortController()
  const load = paced(PER_SECOND, LOAD_MS_MAX, (answered) => askCommand(bus, mix.next(), answered), {
    onAnswer: (atMs) => answersMs.push(atMs),
    ended: moved.signal,
  })
  const moving = async (): Promise<number> => {
    await delay(QUIET_MS)
    const pauses: number[] = []
    for (let turn = 0; turn < MOVES; turn++) {
      const { fromMs, untilMs } = await move(places[turn % 2]!, places[(turn + 1) % 2]!)
      pauses.push(longestGap(answersMs, fromMs, untilMs))
    }
    moved.abort()
    return Math.max(...pauses)
  }
  const [value] = await Promise.all([moving(), load])
  await bus.close()
  return { value, peers: {} }
}

const onSqlite = (): Promise<Sample> =>
  withFolder((folder) =>
    withBroker(async (brokerUrl) => {
      const shards = await startShards({
        ...{ brokerUrl, packing: 'packed', folder, shards: 2, journal: 'sqlite', room: 'service' },
      })
      const sample = await measurePause(brokerUrl, [
        { shards, index: 0 },
        { shards, index: 1 },
      ])
      await shards.stop()
      return sample
    }),
  )

const onMongo = (): Promise<Sample> =>
  withFolder((folder) =>
    withBroker((brokerUrl) =>
      withMongo(async (mongodb) => {
        const start = (): Promise<Shards> =>
          startShards({ ...{ brokerUrl, packing: 'packed', folder, shards: 1, journal: { mongodb }, room: 'service' } })
        const [one, other] = await Promise.all([start(), start()])
        const sample = await measurePause(brokerUrl, [
          { shards: one, index: 0 },
          { shards: other, index: 0 },
        ])
        await one.stop()
        await other.stop()
        return sample
      }),
    ),
  )

const OF =
  `The longest time without an answer, at ${PER_SECOND} commands a second through RabbitMQ (opens and closes in turn), while a ` +
  `partition with 100,000 open trades moves ${MOVES} times between two shards: prepare, release, acquire`

/** A partition that moves under load. */
export const movePause: Group = {
  name: 'broker/move-pause',
  rows: [
    {
      name: 'broker/move-pause',
      what:
        `${OF}. Both shards share a process, since a SQLite journal has one owner: that preparing takes the thread of the one ` +
        'that serves is in it.',
      unit: 'ms',
      kind: 'core + broker',
      goal: everyRunBelow(250, 'ms'),
    },
  ],
  unavailable: brokerUnavailable,
  measure: async () => ({ 'broker/move-pause': await onSqlite() }),
}

/** The same between two processes. */
export const movePauseMongodb: Group = {
  name: 'broker/move-pause-mongodb',
  rows: [
    {
      name: 'broker/move-pause-mongodb',
      what: `${OF}. Each shard is a process; the journal is on ${mongoText}.`,
      unit: 'ms',
      kind: 'core + broker',
      goal: everyRunBelow(250, 'ms'),
    },
  ],
  unavailable: mongoUnavailable,
  measure: async () => ({ 'broker/move-pause-mongodb': await onMongo() }),
}
