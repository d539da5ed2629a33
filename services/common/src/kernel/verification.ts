import type { Journal } from '../ports/journal.ts'
import type { Snapshots } from '../ports/snapshots.ts'
import type { MachineFactory } from './machine.ts'
import { partitionName, type PartitionNumber } from './partition.ts'
import { emptyState, replayRecord, type PartitionState } from './partition-state.ts'
import { decodeRecord, OUTSIDE_RECEIVER, verifyRecord, type NumberedEffect } from './record.ts'
import { restoreSnapshot, stateHashOf } from './snapshot-codec.ts'

/** What is wrong with a partition's data: where, and what. */
export interface VerificationFault {
  readonly partition: string
  /** The record or snapshot at fault, null when it is the partition as a whole. */
  readonly sequence: string | null
  readonly what: 'record' | 'snapshot' | 'order' | 'money'
  readonly message: string
}

/** A partition replayed from genesis. `state` is null when a record could not be trusted. */
export interface VerifiedPartition {
  readonly partition: PartitionNumber
  readonly records: number
  readonly snapshots: number
  readonly stateHash: string | null
  readonly state: PartitionState | null
  readonly faults: readonly VerificationFault[]
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/**
 * Replays a partition from genesis, archived records included: every hash, the chain, every outcome and effect; and
 * each
 * kept snapshot against the replayed state at its sequence. Reads only. The first bad record ends it and is named.
 */
export const verifyPartition = async (
  deps: { readonly journal: Journal; readonly snapshots: Snapshots; readonly factory: MachineFactory },
  partition: PartitionNumber,
): Promise<VerifiedPartition> => {
  const name = partitionName(partition)
  const faults: VerificationFault[] = []
  const waiting = new Map((await deps.snapshots.list(partition)).map((info) => [info.sequence, info]))
  const snapshots = waiting.size
  const state = emptyState(partition, deps.factory())
  let records = 0
  let trusted = true

  const checkSnapshot = async (sequence: bigint): Promise<void> => {
    waiting.delete(sequence)
    try {
      const bytes = await deps.snapshots.read(partition, sequence)
      if (bytes === null) throw new Error('it can not be read')
      const restored = await restoreSnapshot(bytes, { partition, sequence }, deps.factory())
      if (stateHashOf(restored) !== stateHashOf(state)) throw new Error('its state is not what the journal gives')
      if (Buffer.compare(restored.hash, state.hash) !== 0)
        throw new Error('it names another record than the journal has')
    } catch (error) {
      faults.push({ partition: name, sequence: String(sequence), what: 'snapshot', message: messageOf(error) })
    }
  }

  try {
    for await (const stored of deps.journal.readFrom(partition, 1n)) {
      const sequence = state.sequence + 1n
      const record = verifyRecord(stored, { partition, sequence, previousHash: state.hash })
      replayRecord(state, record, stored.hash)
      records += 1
      if (waiting.has(sequence)) await checkSnapshot(sequence)
    }
  } catch (error) {
    trusted = false
    faults.push({ partition: name, sequence: String(state.sequence + 1n), what: 'record', message: messageOf(error) })
  }
  for (const sequence of trusted ? waiting.keys() : []) {
    faults.push({
      partition: name,
      sequence: String(sequence),
      what: 'snapshot',
      message: 'it is ahead of the journal',
    })
  }
  return {
    partition,
    records,
    snapshots,
    stateHash: trusted ? stateHashOf(state) : null,
    state: trusted ? state : null,
    faults,
  }
}

/** An effect that its sender has journaled and its receiver has not. */
export interface EffectInFlight extends NumberedEffect {
  readonly sender: PartitionNumber
}

/**
 * Effects still in flight between replayed partitions, and faults where a receiver claims more than its sender sent.
 * A receiver that is not among `states` has applied nothing.
 */
export const effectsInFlight = async (
  journal: Journal,
  states: readonly PartitionState[],
): Promise<{ readonly effects: readonly EffectInFlight[]; readonly faults: readonly VerificationFault[] }> => {
  const byNumber = new Map(states.map((state) => [state.partition, state]))
  const effects: EffectInFlight[] = []
  const faults: VerificationFault[] = []
  for (const state of states) {
    const markAt = (receiver: PartitionNumber): bigint => byNumber.get(receiver)?.marks.get(state.partition) ?? 0n
    const open = new Set<PartitionNumber>()
    for (const [receiver, number] of state.numbers) {
      if (receiver === OUTSIDE_RECEIVER) continue
      if (markAt(receiver) > number) {
        const message = `${partitionName(receiver)} applied effect ${markAt(receiver)} of a sender that sent ${number}`
        faults.push({ partition: partitionName(state.partition), sequence: null, what: 'order', message })
      } else if (markAt(receiver) < number) open.add(receiver)
    }
    if (open.size === 0) continue
    for await (const stored of journal.readFrom(state.partition, 1n)) {
      for (const effect of decodeRecord(stored.body).effects) {
        if (open.has(effect.receiver) && effect.number > markAt(effect.receiver))
          effects.push({ ...effect, sender: state.partition })
      }
    }
  }
  return { effects, faults }
}
