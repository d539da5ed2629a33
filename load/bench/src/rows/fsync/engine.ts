import { join } from 'node:path'
import pino from 'pino'
import { createEmbeddedEvents } from '@bourse/common/adapters/embedded/events.ts'
import { openSqliteJournal } from '@bourse/common/adapters/embedded/journal.ts'
import { openFileSnapshots } from '@bourse/common/adapters/embedded/snapshots.ts'
import { createSystemClock } from '@bourse/common/adapters/system/clock.ts'
import type { MachineHost } from '@bourse/common/kernel/host.ts'
import type { PartitionNumber } from '@bourse/common/kernel/partition.ts'
import { createRunner } from '@bourse/common/kernel/runner.ts'
import type { Bus, BusMessage, Delivery } from '@bourse/common/ports/bus.ts'
import type { Events } from '@bourse/common/ports/events.ts'

/** One partition as production runs it, fed by hand in place of a bus. */
export interface Engine<Observation> {
  /**
   * Delivers the commands in one turn as a bus would, and resolves once every outcome was released, in their order: each is
   * then on the disk. Effects are confirmed by their receivers at once.
   */
  order(commands: readonly Uint8Array[]): Promise<readonly Uint8Array[]>
  observe(observation: Observation): void
  /** Records so far and the bytes of their bodies. */
  written(): { readonly records: number; readonly bytes: number }
  close(): Promise<void>
}

const NOTHING = new Uint8Array(0)
const SNAPSHOTS_OFF = { intervalMs: 3_600_000, keep: 1, compression: 'zstd' } as const

const refuse = (what: string): never => {
  throw new Error(`the partition would not take a command: ${what}`)
}

const acknowledge = (): void => undefined
const requeue = (): never => refuse('requeued')
const noReply = (): never => refuse('answered a confirmation')

const deliveryOf = (message: BusMessage, reply: Delivery['reply']): Delivery => ({
  message,
  attempt: 1,
  acknowledge,
  requeue,
  deadLetter: refuse,
  reply,
})

/** The other end of the partition's bus: hands deliveries over, and remembers what effects are to be confirmed. */
const createDoor = () => {
  let take: (delivery: Delivery) => void = () => refuse('nobody consumes')
  const unconfirmed = new Map<PartitionNumber, bigint>()
  const bus: Bus = {
    send: async (partition, message) => {
      if (message.type === 'effect') unconfirmed.set(partition, message.sequence ?? 0n)
    },
    request: () => Promise.reject(new Error('nobody asks')),
    consume: async (_partition, handler) => {
      take = handler
      return { stop: async () => undefined }
    },
    deadLetters: async () => [],
    deadLetterCount: async () => 0,
    resend: async () => false,
    close: async () => undefined,
  }
  return {
    bus,
    take: (delivery: Delivery): void => take(delivery),
    /** As receivers do: each confirms the last it has, whereupon the sender brings the next windowful. */
    confirmAll: (): void => {
      while (unconfirmed.size > 0) {
        const last = [...unconfirmed]
        unconfirmed.clear()
        for (const [sender, sequence] of last)
          take(deliveryOf({ type: 'confirmation', sender, sequence, body: NOTHING }, noReply))
      }
    },
  }
}

/** Counts what is published on its way to the real stream. */
const counted = (events: Events) => {
  const written = { records: 0, bytes: 0 }
  const publish: Events['publish'] = (event) => {
    written.records += 1
    written.bytes += event.body.length
    events.publish(event)
  }
  return { written, events: { ...events, publish } }
}

/**
 * Starts a partition on the kernel's runner with the SQLite journal in `folder`: intake, inbox, batch, machine, record with
 * its hash, append flushed to the disk, effects to the (empty) bus, event stream, replies.
 */
export const startEngine = async <Observation>(options: {
  readonly folder: string
  readonly partition: PartitionNumber
  readonly host: MachineHost<Observation>
}): Promise<Engine<Observation>> => {
  const { folder, partition, host } = options
  const clock = createSystemClock()
  const journal = openSqliteJournal({ path: join(folder, 'journal.sqlite') })
  const snapshots = await openFileSnapshots({ folder: join(folder, 'snapshots'), clock })
  const { written, events } = counted(createEmbeddedEvents({ journal, clock }))
  const door = createDoor()
  const logger = pino({ level: 'error' }, pino.destination(2))
  const runner = createRunner<Observation>({
    ...{ partition, host, bus: door.bus, journal, snapshots, events, clock, logger },
    snapshotPolicy: SNAPSHOTS_OFF,
  })
  await runner.start()
  return {
    order: async (commands) => {
      const outcomes = await new Promise<readonly Uint8Array[]>((resolve) => {
        const replies: Uint8Array[] = []
        const reply: Delivery['reply'] = ({ status, body }) => {
          if (status !== 'ok') refuse(status)
          // The kernel replies in the order of the record, which is the order of delivery.
          if (replies.push(body) === commands.length) resolve(replies)
        }
        for (const body of commands) door.take(deliveryOf({ type: 'command', body }, reply))
      })
      door.confirmAll()
      return outcomes
    },
    observe: (observation) => runner.observe(observation),
    written: () => ({ ...written }),
    close: async () => {
      await runner.stop({ snapshot: false })
      await events.close()
      await snapshots.close()
      await journal.close()
    },
  }
}
