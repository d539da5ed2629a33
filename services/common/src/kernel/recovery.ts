import type { Journal } from '../ports/journal.ts'
import type { SnapshotInfo, Snapshots } from '../ports/snapshots.ts'
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
  /** The snapshot used; null for genesis. */
  readonly snapshot: SnapshotInfo | null
  /** Snapshots that were passed over, with the reason. */
  readonly doubted: readonly { readonly sequence: bigint; readonly reason: string }[]
  readonly replayed: number
  readonly sequence: bigint
}

/** What a state is rebuilt from. */
export interface RecoveryDeps {
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
  readonly snapshot: SnapshotInfo | null
  readonly tail: TailReader
}

const restored = async (deps: RecoveryDeps, partition: PartitionNumber, info: SnapshotInfo): Promise<Trusted> => {
  const { sequence } = info
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
  return { state, snapshot: info, tail }
}

const newestTrusted = async (
  deps: RecoveryDeps,
  partition: PartitionNumber,
  doubted: { sequence: bigint; reason: string }[],
): Promise<Trusted> => {
  for (const info of await deps.snapshots.list(partition)) {
    try {
      return await restored(deps, partition, info)
    } catch (error) {
      if (error instanceof RecordError) throw error
      doubted.push({ sequence: info.sequence, reason: error instanceof Error ? error.message : String(error) })
    }
  }
  const state = emptyState(partition, deps.factory())
  return {
    state,
    snapshot: null,
    tail: createTailReader(deps.journal, { partition, sequence: 0n, hash: GENESIS_HASH }),
  }
}

/** A state to serve from, and what was found on the way to it. */
export interface Recovered {
  readonly state: PartitionState
  readonly report: RecoveryReport
}

/** A partition's state on its way through the journal, which may grow all the while. */
export interface Recovery {
  readonly state: PartitionState
  report(): RecoveryReport
  /**
   * Replays what follows, up to the journal's head as it is at the call.
   * @throws {RecordError} when a record is broken, or does not continue the one before
   */
  readOn(): Promise<void>
  /**
   * Replays up to the journal's head, which is read after everything else: the state is to be served from.
   * @throws {RecordError} as `readOn`, when records that were there can not be read, and when a newer release has served
   */
  finish(): Promise<Recovered>
}

/** Begins at the newest snapshot that verifies, or before the first record. */
export const openRecovery = async (deps: RecoveryDeps, partition: PartitionNumber): Promise<Recovery> => {
  const doubted: { sequence: bigint; reason: string }[] = []
  const { state, snapshot, tail } = await newestTrusted(deps, partition, doubted)
  const snapshotSequence = state.sequence
  let replayed = 0
  const report = (): RecoveryReport => ({
    partition,
    snapshotSequence,
    snapshot,
    doubted,
    replayed,
    sequence: state.sequence,
  })

  /** An owner at work appends as fast as its records are read: only a place that is there already is ever reached. */
  const readThrough = async (through: bigint): Promise<void> => {
    if (through <= state.sequence) return
    for await (const records of tail.batches()) {
      for (const { record, hash } of records) replayRecord(state, record, hash)
      replayed += records.length
      if (state.sequence >= through) return
    }
    // Records that were there before they were read for, and could not be read, are lost.
    throw new RecordError(`records after ${state.sequence} of partition ${partitionName(partition)} are missing`)
  }

  const headSequence = async (): Promise<bigint> => (await deps.journal.head(partition))?.sequence ?? 0n
  const readOn = async (): Promise<void> => readThrough(await headSequence())

  const finish = async (): Promise<Recovered> => {
    // Another writer may have appended meanwhile: that is read too.
    for (let head = await headSequence(); head > state.sequence; head = await headSequence()) await readThrough(head)
    const { behaviourVersion } = state.machine
    if (state.behaviour > behaviourVersion)
      throw new RecordError(
        `partition ${partitionName(partition)} was served under behaviour ${state.behaviour}, and this release knows ` +
          `${behaviourVersion}: run the release that served it, or a newer one`,
      )
    state.behaviour = behaviourVersion
    return { state, report: report() }
  }

  return { state, report, readOn, finish }
}

/**
 * Rebuilds a partition: the newest snapshot that verifies, then the journal's tail, each record checked against its
 * hash, the chain, and its own outcomes. Never guesses: a broken or missing record stops it.
 * @throws {RecordError} when the journal does not continue the snapshot.
 */
export const recoverPartition = async (deps: RecoveryDeps, partition: PartitionNumber): Promise<Recovered> =>
  (await openRecovery(deps, partition)).finish()
