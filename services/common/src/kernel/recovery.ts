import type { Journal } from '../ports/journal.ts'
import type { Snapshots } from '../ports/snapshots.ts'
import type { MachineFactory } from './machine.ts'
import { partitionName, type PartitionNumber } from './partition.ts'
import { emptyState, replayRecord, type PartitionState } from './partition-state.ts'
import { GENESIS_HASH, RecordError } from './record.ts'
import { openSnapshot } from './snapshot-codec.ts'
import { createTailReader, type TailReader } from './tail-reader.ts'

/** What recovery found on its way; said aloud at start. */
export interface RecoveryReport {
  readonly partition: PartitionNumber
  /** Sequence of the snapshot used, 0 for genesis. */
  readonly snapshotSequence: bigint
  /** Snapshots that were passed over, with the reason. */
  readonly doubted: readonly { readonly sequence: bigint; readonly reason: string }[]
  readonly replayed: number
  readonly sequence: bigint
}

interface RecoveryDeps {
  readonly journal: Journal
  readonly snapshots: Snapshots
  readonly factory: MachineFactory
}

const hashAt = async (journal: Journal, partition: PartitionNumber, sequence: bigint): Promise<Uint8Array | null> => {
  if (sequence === 0n) return GENESIS_HASH
  const record = await journal.read(partition, sequence)
  return record === null ? null : record.hash
}

const lostTail = (partition: PartitionNumber, snapshot: bigint, head: bigint): string =>
  `the journal of partition ${partitionName(partition)} ends at ${head}, before its snapshot of ${snapshot}: ` +
  'it has lost records; restore a backup'

/** A state to go on from, and the reader that has begun to read what follows it. */
interface Trusted {
  readonly state: PartitionState
  readonly tail: TailReader
}

const restored = async (deps: RecoveryDeps, partition: PartitionNumber, sequence: bigint): Promise<Trusted> => {
  const bytes = await deps.snapshots.read(partition, sequence)
  if (bytes === null) throw new Error('it is gone')
  const machine = deps.factory()
  const snapshot = openSnapshot(bytes, { partition, sequence }, machine.schemaVersion)
  const tail = createTailReader(deps.journal, { partition, sequence, hash: snapshot.hash })
  // The journal is read and verified while the snapshot is decompressed beside it.
  const [result] = await Promise.allSettled([snapshot.restore(machine), tail.readAhead()])
  if (result.status === 'rejected') throw result.reason
  const state = result.value
  // A snapshot is taken of journaled state only, so a journal that ends before a sound one has lost records. The head is
  // read after the snapshot: another writer may still be at work.
  const head = await deps.journal.head(partition)
  if (sequence > (head?.sequence ?? 0n)) throw new RecordError(lostTail(partition, sequence, head?.sequence ?? 0n))
  const hash = await hashAt(deps.journal, partition, sequence)
  if (hash !== null && Buffer.compare(hash, state.hash) !== 0) throw new Error('it does not belong to this journal')
  return { state, tail }
}

const newestTrusted = async (
  deps: RecoveryDeps,
  partition: PartitionNumber,
  doubted: { sequence: bigint; reason: string }[],
): Promise<Trusted> => {
  for (const info of await deps.snapshots.list(partition)) {
    try {
      return await restored(deps, partition, info.sequence)
    } catch (error) {
      if (error instanceof RecordError) throw error
      doubted.push({ sequence: info.sequence, reason: error instanceof Error ? error.message : String(error) })
    }
  }
  const state = emptyState(partition, deps.factory())
  return { state, tail: createTailReader(deps.journal, { partition, sequence: 0n, hash: GENESIS_HASH }) }
}

/**
 * Rebuilds a partition: the newest snapshot that verifies, then the journal's tail, each record checked against its
 * hash, the chain, and its own outcomes. Never guesses: a broken or missing record stops it.
 * @throws {RecordError} when the journal does not continue the snapshot.
 */
export const recoverPartition = async (
  deps: RecoveryDeps,
  partition: PartitionNumber,
): Promise<{ state: PartitionState; report: RecoveryReport }> => {
  const doubted: { sequence: bigint; reason: string }[] = []
  const { state, tail } = await newestTrusted(deps, partition, doubted)
  const snapshotSequence = state.sequence
  let replayed = 0
  let seen = 0n
  for (;;) {
    for await (const records of tail.batches()) {
      for (const { record, hash } of records) replayRecord(state, record, hash)
      replayed += records.length
    }
    // Records that were there before they were read for, and could not be read, are lost.
    if (state.sequence < seen)
      throw new RecordError(`records after ${state.sequence} of partition ${partitionName(partition)} are missing`)
    const head = await deps.journal.head(partition)
    // Another writer may have appended meanwhile, also after an empty tail was read: that is read too.
    if (head === null || head.sequence <= state.sequence) break
    seen = head.sequence
  }
  state.behaviour = state.machine.behaviourVersion
  return { state, report: { partition, snapshotSequence, doubted, replayed, sequence: state.sequence } }
}
