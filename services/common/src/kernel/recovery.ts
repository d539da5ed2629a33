import type { Journal } from '../ports/journal.ts'
import type { Snapshots } from '../ports/snapshots.ts'
import type { MachineFactory } from './machine.ts'
import { partitionName, type PartitionNumber } from './partition.ts'
import { emptyState, replayRecord, type PartitionState } from './partition-state.ts'
import { GENESIS_HASH, RecordError, verifyRecord } from './record.ts'
import { restoreSnapshot } from './snapshot-codec.ts'

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

const newestTrusted = async (
  deps: RecoveryDeps,
  partition: PartitionNumber,
  doubted: { sequence: bigint; reason: string }[],
): Promise<PartitionState> => {
  for (const info of await deps.snapshots.list(partition)) {
    try {
      const bytes = await deps.snapshots.read(partition, info.sequence)
      if (bytes === null) throw new Error('it is gone')
      const state = await restoreSnapshot(bytes, { partition, sequence: info.sequence }, deps.factory())
      // A snapshot is taken of journaled state only, so a journal that ends before a sound one has lost records. The head is
      // read after the snapshot: another writer may still be at work.
      const head = await deps.journal.head(partition)
      if (info.sequence > (head?.sequence ?? 0n))
        throw new RecordError(lostTail(partition, info.sequence, head?.sequence ?? 0n))
      const hash = await hashAt(deps.journal, partition, info.sequence)
      if (hash !== null && Buffer.compare(hash, state.hash) !== 0) throw new Error('it does not belong to this journal')
      return state
    } catch (error) {
      if (error instanceof RecordError) throw error
      doubted.push({ sequence: info.sequence, reason: error instanceof Error ? error.message : String(error) })
    }
  }
  return emptyState(partition, deps.factory())
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
  const state = await newestTrusted(deps, partition, doubted)
  const snapshotSequence = state.sequence
  let replayed = 0
  for (;;) {
    const before = state.sequence
    for await (const stored of deps.journal.readFrom(partition, state.sequence + 1n)) {
      const sequence = state.sequence + 1n
      if (stored.sequence !== sequence)
        throw new RecordError(`record ${sequence} of partition ${partitionName(partition)} is missing`)
      const record = verifyRecord(stored, { partition, sequence, previousHash: state.hash })
      replayRecord(state, record, stored.hash)
      replayed += 1
    }
    const head = await deps.journal.head(partition)
    if (head === null || head.sequence <= state.sequence) break
    // Another writer may have appended meanwhile; records that can't be read although they are there are lost.
    if (state.sequence === before)
      throw new RecordError(`records after ${state.sequence} of partition ${partitionName(partition)} are missing`)
  }
  state.behaviour = state.machine.behaviourVersion
  return { state, report: { partition, snapshotSequence, doubted, replayed, sequence: state.sequence } }
}
