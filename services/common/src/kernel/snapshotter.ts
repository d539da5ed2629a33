import type { Clock } from '../ports/clock.ts'
import type { SnapshotInfo, Snapshots } from '../ports/snapshots.ts'
import { createHash } from 'node:crypto'
import { encodeSnapshot, type Compression, type SnapshotImage } from './snapshot-codec.ts'
import type { PartitionNumber } from './partition.ts'

/** When and how a partition's snapshots are made. */
export interface SnapshotPolicy {
  readonly intervalMs: number
  /** Newest kept. */
  readonly keep: number
  readonly compression: Compression
}

/** Makes snapshots beside the running partition and rotates them. */
export interface Snapshotter {
  /** Whether one is due: the interval has passed and something was appended since the last. */
  due(sequence: bigint): boolean
  /**
   * Compresses, writes, reads back and rotates. At most one runs; a failure is counted and the next interval tries
   * again.
   */
  store(image: SnapshotImage): Promise<SnapshotInfo | null>
  /** Resolves when none is being written. */
  idle(): Promise<void>
  readonly counts: { stored: number; failed: number }
  readonly last: SnapshotInfo | null
}

/** Makes a snapshotter; `lastSequence` is that of the snapshot the state came from. */
export const createSnapshotter = (deps: {
  readonly partition: PartitionNumber
  readonly snapshots: Snapshots
  readonly clock: Clock
  readonly policy: SnapshotPolicy
  readonly lastSequence: bigint
  readonly onFailure: (error: unknown) => void
}): Snapshotter => {
  const { partition, snapshots, policy } = deps
  const counts = { stored: 0, failed: 0 }
  let last: SnapshotInfo | null = null
  let lastSequence = deps.lastSequence
  let lastAtMs = deps.clock.monotonicMs()
  let running: Promise<unknown> = Promise.resolve()
  let busy = false

  const rotate = async (): Promise<void> => {
    const all = await snapshots.list(partition)
    for (const old of all.slice(Math.max(1, policy.keep))) await snapshots.remove(partition, old.sequence)
  }

  const write = async (image: SnapshotImage): Promise<SnapshotInfo | null> => {
    try {
      const bytes = await encodeSnapshot(image, policy.compression)
      const info = await snapshots.write(partition, image.sequence, bytes)
      const stored = await snapshots.read(partition, image.sequence)
      const sha256 = stored === null ? 'nothing' : createHash('sha256').update(stored).digest('hex')
      if (sha256 !== createHash('sha256').update(bytes).digest('hex'))
        throw new Error(`the snapshot read back is ${sha256}`)
      // Only a snapshot that was read back whole may push older ones out.
      await rotate()
      counts.stored += 1
      last = info
      lastSequence = image.sequence
      return info
    } catch (error) {
      counts.failed += 1
      deps.onFailure(error)
      return null
    } finally {
      busy = false
    }
  }

  return {
    counts,
    get last() {
      return last
    },
    due: (sequence) => !busy && sequence > lastSequence && deps.clock.monotonicMs() - lastAtMs >= policy.intervalMs,
    store: (image) => {
      lastAtMs = deps.clock.monotonicMs()
      if (busy || image.sequence <= lastSequence) return Promise.resolve(last)
      busy = true
      const writing = write(image)
      running = writing
      return writing
    },
    idle: async () => {
      await running
    },
  }
}
