import type { PartitionNumber } from '../kernel/partition.ts'

/** A stored snapshot, without its bytes. */
export interface SnapshotInfo {
  readonly sequence: bigint
  readonly bytes: number
  /** SHA-256 over the stored bytes, 64 hex characters, as recorded when it was written. */
  readonly sha256: string
  readonly atMs: number
}

/**
 * Snapshots: whole files of bytes by (partition, sequence).
 *
 * S1 `write` is atomic: after a crash at any moment the snapshot is whole or not there, and older ones are untouched.
 * S2 `list` gives the newest first, never one half written; one that was damaged later is listed, and `read` refuses it.
 * S3 `read` gives the bytes as written, or null when there is none; bytes whose SHA-256 differs from the recorded one
 *    are refused `corrupt`.
 * S4 `remove` of one that is not there is no error.
 * S5 Writing the same sequence again replaces it.
 * S6 Partitions do not see one another.
 * S7 Leftovers of interrupted writes are cleared at open.
 */
export interface Snapshots {
  write(partition: PartitionNumber, sequence: bigint, bytes: Uint8Array): Promise<SnapshotInfo>
  list(partition: PartitionNumber): Promise<readonly SnapshotInfo[]>
  read(partition: PartitionNumber, sequence: bigint): Promise<Uint8Array | null>
  remove(partition: PartitionNumber, sequence: bigint): Promise<void>
  close(): Promise<void>
}
