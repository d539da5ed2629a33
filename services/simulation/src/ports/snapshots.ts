import { createHash } from 'node:crypto'
import { partitionName, type PartitionNumber } from '@bourse/common/kernel/partition.ts'
import { PortError } from '@bourse/common/ports/failure.ts'
import type { SnapshotInfo, Snapshots } from '@bourse/common/ports/snapshots.ts'
import type { Faults } from '../faults/faults.ts'
import type { World } from '../world/world.ts'
import { WORLD_EPOCH_MS } from './clock.ts'
import { callLater, type Process } from './process.ts'
import type { Travel } from './travel.ts'

/** The snapshots between the processes and their disk. */
export interface SnapshotService {
  open(process: Process): Snapshots
  /** Flips a byte of a partition's newest snapshot, or loses it; false when there is none. */
  damage(partition: PartitionNumber, how: 'flip' | 'lose'): boolean
  /** The disk as an inspector reads it. */
  readonly bare: Snapshots
}

interface StoredSnapshot {
  readonly info: SnapshotInfo
  bytes: Uint8Array
  isDamaged: boolean
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

/** Makes the snapshots of a world (port Snapshots at each door). A write is whole or not there: it happens at one moment. */
export const createSnapshotService = (deps: {
  readonly world: World
  readonly faults: Faults
  readonly travel: Travel
  readonly isFull: () => boolean
}): SnapshotService => {
  const { world, faults, travel } = deps
  const random = world.chance('snapshots')
  const stored = new Map<PartitionNumber, Map<bigint, StoredSnapshot>>()

  const of = (partition: PartitionNumber): Map<bigint, StoredSnapshot> => {
    const known = stored.get(partition) ?? new Map<bigint, StoredSnapshot>()
    stored.set(partition, known)
    return known
  }
  const list = (partition: PartitionNumber): readonly SnapshotInfo[] =>
    [...of(partition).values()].map(({ info }) => info).sort((a, b) => (a.sequence < b.sequence ? 1 : -1))
  const read = (partition: PartitionNumber, sequence: bigint): Uint8Array | null => {
    const found = of(partition).get(sequence)
    if (found?.isDamaged === true)
      throw new PortError('corrupt', `snapshot ${sequence} of ${partitionName(partition)} does not match its SHA-256`)
    return found === undefined ? null : new Uint8Array(found.bytes)
  }
  const write = (partition: PartitionNumber, sequence: bigint, bytes: Uint8Array): SnapshotInfo => {
    const info = { sequence, bytes: bytes.length, sha256: sha256(bytes), atMs: WORLD_EPOCH_MS + world.nowMs() }
    of(partition).set(sequence, { info, bytes, isDamaged: false })
    world.trace.note(`${partitionName(partition)} snapshot ${sequence}`)
    return info
  }
  const flip = (snapshot: StoredSnapshot): void => {
    if (snapshot.bytes.length > 0) snapshot.bytes[random.below(snapshot.bytes.length)]! ^= 1 << random.below(8)
    snapshot.isDamaged = true
  }

  const open = (process: Process): Snapshots => {
    const what = `${process.name} and its snapshots`
    let isClosed = false

    const call = <Value>(delayMs: number, task: () => Value, failure: PortError | null): Promise<Value> => {
      if (isClosed) return Promise.reject(new PortError('closed', 'snapshots are closed'))
      return callLater(process, world, { delayMs: () => delayMs, what }, task, failure)
    }
    const refusal = (): PortError | null =>
      faults.strikes('snapshot-refused') ? new PortError('unavailable', 'the snapshots refused') : null

    const storeOne: Snapshots['write'] = (partition, sequence, bytes) => {
      const copy = new Uint8Array(bytes)
      const refused = refusal()
      const isUnheard = refused === null && faults.strikes('snapshot-unheard')
      const isDone = refused === null && !(isUnheard && random.chance(50))
      const failure = isUnheard ? new PortError('timeout', 'the snapshots did not answer') : refused
      const store = (): SnapshotInfo => {
        if (deps.isFull()) throw new PortError('unavailable', 'the disk is full')
        const info = write(partition, sequence, copy)
        if (faults.strikes('snapshot-flipped')) flip(of(partition).get(sequence)!)
        if (faults.strikes('snapshot-lost')) of(partition).delete(sequence)
        return info
      }
      const nothing = { sequence, bytes: 0, sha256: '', atMs: 0 }
      return call(travel.write(), () => (isDone ? store() : nothing), failure)
    }

    return {
      write: storeOne,
      list: (partition) => call(travel.read(), () => list(partition), refusal()),
      read: (partition, sequence) => call(travel.read(), () => read(partition, sequence), refusal()),
      remove: (partition, sequence) => {
        const refused = refusal()
        return call(travel.read(), () => (refused === null ? void of(partition).delete(sequence) : undefined), refused)
      },
      close: async () => {
        isClosed = true
      },
    }
  }

  return {
    open,
    damage: (partition, how) => {
      const newest = list(partition)[0]
      if (newest === undefined) return false
      if (how === 'flip') flip(of(partition).get(newest.sequence)!)
      else of(partition).delete(newest.sequence)
      return true
    },
    bare: {
      write: async (partition, sequence, bytes) => write(partition, sequence, new Uint8Array(bytes)),
      list: async (partition) => list(partition),
      read: async (partition, sequence) => read(partition, sequence),
      remove: async (partition, sequence) => void of(partition).delete(sequence),
      close: async () => undefined,
    },
  }
}
