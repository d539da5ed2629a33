import { partitionName, type PartitionNumber } from '@bourse/common/kernel/partition.ts'
import type { Faults } from '../faults/faults.ts'
import type { Ground } from '../ports/ground.ts'
import type { World } from '../world/world.ts'

/** Records that are damaged at present. */
export interface Flips {
  /** Flips a byte of a record that the partition needs when it starts. Only while nobody serves it. */
  flip(partition: PartitionNumber): void
  isFlipped(partition: PartitionNumber): boolean
  /** Whether a record after this one is damaged: a start from a snapshot of it reads that record. */
  isFlippedAfter(partition: PartitionNumber, sequence: bigint): boolean
  /** Puts the byte back. */
  repair(partition: PartitionNumber): void
  repairAll(): void
}

/** Makes the list; `isServed` says whether a process has the partition. */
export const createFlips = (deps: {
  readonly world: World
  readonly ground: Ground
  readonly faults: Faults
  readonly headOf: (partition: PartitionNumber) => bigint
  readonly isServed: (partition: PartitionNumber) => boolean
}): Flips => {
  const { world, ground } = deps
  const chance = world.chance('flips')
  const repairs = new Map<PartitionNumber, { readonly sequence: bigint; readonly undo: () => void }>()

  const flipNeeded = async (partition: PartitionNumber): Promise<void> => {
    const [newest] = await ground.disks.snapshots.list(partition)
    const first = Number(newest?.sequence ?? 0n) + 1
    const last = Number(deps.headOf(partition))
    if (first > last || repairs.has(partition) || deps.isServed(partition)) return
    const sequence = BigInt(chance.between(first, last))
    const undo = ground.flipRecord(partition, sequence)
    if (undo === null) return
    world.trace.note(`${world.nowMs()} record ${sequence} of ${partitionName(partition)} is damaged`)
    repairs.set(partition, { sequence, undo })
  }
  const repair = (partition: PartitionNumber): void => {
    repairs.get(partition)?.undo()
    repairs.delete(partition)
  }
  return {
    flip: (partition) => void flipNeeded(partition),
    isFlipped: (partition) => repairs.has(partition),
    isFlippedAfter: (partition, sequence) => (repairs.get(partition)?.sequence ?? 0n) > sequence,
    repair,
    repairAll: () => {
      for (const partition of [...repairs.keys()]) repair(partition)
    },
  }
}
