import type { PartitionNumber } from '../kernel/partition.ts'

/** One journal record as stored. `body` is the kernel's; the journal never looks inside. */
export interface StoredRecord {
  readonly sequence: bigint
  /** SHA-256 of `body`, 32 bytes. */
  readonly hash: Uint8Array
  readonly body: Uint8Array
}

/** What became of an append. */
export type AppendResult = 'appended' | 'taken'

/** Where a sender's confirmed effects to one receiver end. */
export interface EffectCursor {
  readonly receiver: PartitionNumber
  /** Number of the last effect the receiver has journaled. */
  readonly confirmed: bigint
  /** Sequence of the sender's record that holds it: later effects lie in this record or after it. */
  readonly recordSequence: bigint
}

/**
 * Journal: append-only per partition. Sequences start at 1.
 *
 * J1 `append` stores the record at its sequence exactly once: of two writers with the same (partition, sequence) one
 *    gets
 *    `appended`, the other `taken`, whatever their bytes. That uniqueness is the fence.
 * J2 `appended` means durable: after a crash of process or machine the record is there, byte for byte.
 * J3 `append` never leaves a gap: sequence n is refused (`PortError` corrupt) unless n − 1 is there (archived counts)
 *    or n is 1.
 * J4 A thrown `unknown` or `timeout` says nothing: the record may be there. `read` of that sequence tells.
 * J5 `head` and `read` see every record whose append had answered before they were called (linearizable).
 * J6 `readFrom` streams records in order without gaps from a sequence, archived ones included.
 * J7 A record is at most RECORD_BYTES_MAX; a larger one is refused `full` before anything is stored.
 * J8 Partitions do not see one another.
 * J9 `saveCursors` may be lost in a crash, never torn; `loadCursors` gives the last that survived.
 * J10 `removeThrough` deletes nothing that `archivedThrough` does not cover.
 * J11 Calls after `close` are refused `closed`; `close` may be called again.
 * J12 `partitions` lists every partition that has a record.
 */
export interface Journal {
  append(partition: PartitionNumber, record: StoredRecord): Promise<AppendResult>
  head(partition: PartitionNumber): Promise<StoredRecord | null>
  read(partition: PartitionNumber, sequence: bigint): Promise<StoredRecord | null>
  readFrom(partition: PartitionNumber, sequence: bigint): AsyncIterable<StoredRecord>
  loadCursors(partition: PartitionNumber): Promise<readonly EffectCursor[]>
  saveCursors(partition: PartitionNumber, cursors: readonly EffectCursor[]): Promise<void>
  /** Stores an archive segment (opaque, verified by the kernel) that holds the records first … last. */
  archive(partition: PartitionNumber, segment: ArchiveSegment): Promise<void>
  archives(partition: PartitionNumber): Promise<readonly ArchiveSegment[]>
  archivedThrough(partition: PartitionNumber): Promise<bigint>
  removeThrough(partition: PartitionNumber, sequence: bigint): Promise<void>
  partitions(): Promise<readonly PartitionNumber[]>
  close(): Promise<void>
}

/** Compressed records first … last, hash-chained to the segment before. */
export interface ArchiveSegment {
  readonly first: bigint
  readonly last: bigint
  /** SHA-256 over `bytes`, 32 bytes. */
  readonly sha256: Uint8Array
  readonly bytes: Uint8Array
}

/** Largest record body. Bounded well below MongoDB's 16 MB. */
export const RECORD_BYTES_MAX = 8 * 1024 * 1024
