import type { Bus } from '../ports/bus.ts'
import type { Events } from '../ports/events.ts'
import type { Batch } from './batch.ts'
import type { BatchTrace } from './batch-trace.ts'
import type { EffectSender } from './effect-sender.ts'
import type { OutsideCaller } from './outside-caller.ts'
import type { PartitionNumber } from './partition.ts'
import type { PartitionState } from './partition-state.ts'
import type { Reads } from './reads.ts'
import type { JournalRecord } from './record.ts'

const NOTHING = new Uint8Array(0)

/** Through whom what a record decided leaves, as they are at the moment. */
export interface ReleaseWays {
  readonly sender: EffectSender
  readonly outside: OutsideCaller | null
  readonly reads: Reads
}

/** A record that is in the journal, and what it came of. */
export interface Appended<Observation> {
  readonly record: JournalRecord
  readonly batch: Batch<Observation>
  /** The record's bytes. */
  readonly body: Uint8Array
  readonly trace: BatchTrace | null
}

/** Hands out what was decided, once it is in the journal: nothing may leave before. */
export interface Release<Observation> {
  /** Tells senders that their effects through these numbers are journaled. */
  confirm(confirmations: ReadonlyMap<PartitionNumber, bigint>): void
  /** Replies, confirmations, effects, outside calls, the stream and the reads that waited. */
  record(appended: Appended<Observation>, served: PartitionState, ways: ReleaseWays): void
}

/** Makes a partition's release. */
export const createRelease = <Observation>(deps: {
  readonly partition: PartitionNumber
  readonly bus: Bus
  readonly events: Events
  readonly counts: { confirmationsLost: number; records: number; commands: number; engineFaults: number }
}): Release<Observation> => {
  const { partition, bus, events, counts } = deps

  const confirm = (confirmations: ReadonlyMap<PartitionNumber, bigint>): void => {
    for (const [receiver, sequence] of confirmations) {
      bus.send(receiver, { type: 'confirmation', sender: partition, sequence, body: NOTHING }).catch(() => {
        // A lost confirmation makes the sender send again, which is confirmed again.
        counts.confirmationsLost += 1
      })
    }
  }

  const reply = (batch: Batch<Observation>, record: JournalRecord): void => {
    const confirmations = new Map(batch.repeats)
    batch.sources.forEach((source, index) => {
      if (source === null || source.kind !== 'delivery') return
      const { delivery } = source
      if (delivery.message.type === 'effect')
        confirmations.set(delivery.message.sender ?? 0, delivery.message.sequence ?? 0n)
      else delivery.reply({ status: 'ok', sequence: record.sequence, body: record.outcomes[index]! })
      delivery.acknowledge()
    })
    confirm(confirmations)
  }

  return {
    confirm,
    record: ({ record, batch, body, trace }, served, { sender, outside, reads }) => {
      reply(batch, record)
      sender.release(record.sequence, record.effects, trace?.contextOf)
      outside?.release(record.effects, trace?.contextOf)
      events.publish({ partition, sequence: record.sequence, body })
      reads.wake(batch.part.applied, served)
      counts.records += 1
      counts.commands += record.inputs.length
      counts.engineFaults += record.faulted.length
    },
  }
}
