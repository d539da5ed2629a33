import { hash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from 'amqplib'
import { openSqliteJournal } from '../../../src/adapters/embedded/journal.ts'
import { openRabbitEvents, type RabbitEvents, type RabbitEventsOptions } from '../../../src/adapters/rabbitmq/events.ts'
import { partitionNumber } from '../../../src/kernel/partition.ts'
import type { Clock } from '../../../src/ports/clock.ts'
import { HEAL_INTERVAL_MS, type StreamEvent } from '../../../src/ports/events.ts'
import type { Journal } from '../../../src/ports/journal.ts'
import { pause } from '../../../src/testkit/contracts/scenario.ts'
import { clock, logger, PATIENT } from './bus-support.ts'

/** The partition the tests write. */
export const HERE = partitionNumber('ledger', 0)
/** The stream of it, behind the prefix. */
export const STREAM = 'events.ledger/0'

/** A shard that appends and publishes, and what a test needs to look at it. */
export interface EventsWorld {
  readonly prefix: string
  readonly journal: Journal
  readonly shard: RabbitEvents
  /** Another process on the same streams. */
  openGateway(options?: Partial<RabbitEventsOptions>): Promise<RabbitEvents>
  append(bytes?: number): Promise<StreamEvent>
  /** Appends and publishes so many, one after the other, with a pause between. */
  publish(count: number, pauseMs?: number): Promise<void>
  /** The last sequence appended. */
  head(): bigint
  /** How often subscribers have begun to read the journal. */
  journalReads(): number
  /** Whether one is reading it. */
  isJournalRead(): boolean
  close(): Promise<void>
}

let worlds = 0

/** A clock by which nobody looks into the journal every now and then: what is missed once is missed for good. */
export const WITHOUT_HEALING: Clock = {
  ...clock,
  every: (intervalMs, task, onError) =>
    intervalMs === HEAL_INTERVAL_MS / 2 ? { stop: () => Promise.resolve() } : clock.every(intervalMs, task, onError),
}

/** Opens a world on a server. */
export const openEventsWorld = async (
  url: string,
  options: Partial<RabbitEventsOptions> = {},
): Promise<EventsWorld> => {
  const folder = mkdtempSync(join(tmpdir(), 'events-'))
  const sqlite = openSqliteJournal({ path: join(folder, 'journal.db') })
  const prefix = `test${(worlds += 1)}`
  let [journalReads, readers] = [0, 0]
  const journal: Journal = {
    ...sqlite,
    readFrom: async function* (partition, sequence) {
      journalReads += 1
      readers += 1
      try {
        yield* sqlite.readFrom(partition, sequence)
      } finally {
        readers -= 1
      }
    },
  }
  const settings = { url, journal, clock, logger, prefix, ...PATIENT }
  const opened: RabbitEvents[] = []
  const open = async (different: Partial<RabbitEventsOptions> = {}): Promise<RabbitEvents> => {
    const events = await openRabbitEvents({ ...settings, ...different })
    opened.push(events)
    return events
  }
  const shard = await open(options)
  let head = 0n
  const append = async (bytes = 100): Promise<StreamEvent> => {
    const sequence = head + 1n
    const body = new Uint8Array(bytes).fill(Number(sequence % 251n))
    await journal.append(HERE, { sequence, body, hash: hash('sha256', body, 'buffer') })
    head = sequence
    return { partition: HERE, sequence, body }
  }
  return {
    prefix,
    journal,
    shard,
    openGateway: open,
    append,
    publish: async (count, pauseMs = 0) => {
      for (let index = 0; index < count; index++) {
        shard.publish(await append())
        if (pauseMs > 0) await pause(pauseMs)
      }
    },
    head: () => head,
    journalReads: () => journalReads,
    isJournalRead: () => readers > 0,
    close: async () => {
      await Promise.all(opened.map((events) => events.close()))
      await journal.close()
      rmSync(folder, { recursive: true })
    },
  }
}

/** Sequences a subscription brought, in the order they came. */
export const hearing = (events: RabbitEvents, fromSequence = 1n): { seen: bigint[]; stop(): Promise<void> } => {
  const seen: bigint[] = []
  const { stop } = events.subscribe(HERE, fromSequence, async ({ sequence }) => void seen.push(sequence))
  return { seen, stop }
}

/** The sequences first … last. */
export const range = (first: bigint, last: bigint): bigint[] =>
  Array.from({ length: Number(last - first) + 1 }, (_, index) => first + BigInt(index))

/** The order in which sequences came first. */
export const firsts = (seen: readonly bigint[]): bigint[] => [...new Set(seen)]

/** Deletes a stream, as an operator may. */
export const deleteStream = async (url: string, name: string): Promise<void> => {
  const model = await connect(url)
  const channel = await model.createChannel()
  await channel.deleteQueue(name)
  await model.close()
}

/** Whether there is such a stream. */
export const streamExists = async (url: string, name: string): Promise<boolean> => {
  const model = await connect(url)
  const channel = await model.createChannel()
  channel.on('error', () => undefined)
  const isThere = await channel.checkQueue(name).then(
    () => true,
    () => false,
  )
  await model.close()
  return isThere
}

/** Puts a message that is no event into a stream. */
export const putForeign = async (url: string, name: string): Promise<void> => {
  const model = await connect(url)
  const channel = await model.createConfirmChannel()
  for (const messageId of ['nonsense', '0', '-1', '99999999999999999999']) {
    channel.sendToQueue(name, Buffer.from('?'), { type: 'bourse.event.1', messageId })
  }
  channel.sendToQueue(name, Buffer.from('?'))
  channel.sendToQueue(name, Buffer.from('?'), { type: 'of another kind', messageId: '1' })
  await channel.waitForConfirms()
  await model.close()
}
