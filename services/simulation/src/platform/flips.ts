import { decodeRecord, OUTSIDE_RECEIVER, type NumberedEffect } from '@bourse/common/kernel/record.ts'
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
  /** Whether a damaged record has effects that were not confirmed: who starts reads it to send them again. */
  isUnsentFlipped(partition: PartitionNumber): Promise<boolean>
  /** Puts the byte back. */
  repair(partition: PartitionNumber): void
  repairAll(): void
}

/** How far before a snapshot is looked for what was not confirmed, records. */
const LOOK_BACK_MAX = 40

interface Flip {
  readonly sequence: bigint
  /** Puts the byte back. */
  readonly undo: () => void
  /** Before the newest snapshot: only who sends its effects again reads it. */
  readonly isOlder: boolean
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
  const repairs = new Map<PartitionNumber, Flip>()

  /** Records through a snapshot whose effects the next owner has to send again, and so reads. */
  const sentAgain = async (partition: PartitionNumber, through: number): Promise<bigint[]> => {
    const cursors = await ground.disks.journal.loadCursors(partition)
    const confirmed = new Map(cursors.map(({ receiver, confirmed: number }) => [receiver, number]))
    const found: bigint[] = []
    for (let sequence = Math.max(1, through - LOOK_BACK_MAX + 1); sequence <= through; sequence++) {
      const record = await ground.disks.journal.read(partition, BigInt(sequence))
      const isUnsent = ({ receiver, number }: NumberedEffect): boolean =>
        receiver !== OUTSIDE_RECEIVER && number > (confirmed.get(receiver) ?? 0n)
      if (record !== null && decodeRecord(record.body).effects.some(isUnsent)) found.push(record.sequence)
    }
    return found
  }
  const flipNeeded = async (partition: PartitionNumber): Promise<void> => {
    if (repairs.has(partition)) return
    const [newest] = await ground.disks.snapshots.list(partition)
    const first = Number(newest?.sequence ?? 0n) + 1
    const last = Number(deps.headOf(partition))
    const older = await sentAgain(partition, first - 1)
    if (repairs.has(partition) || deps.isServed(partition)) return
    const isOlder = older.length > 0 && chance.chance(50)
    if (!isOlder && first > last) return
    const sequence = isOlder ? chance.pick(older) : BigInt(chance.between(first, last))
    const undo = ground.flipRecord(partition, sequence)
    if (undo === null) return
    world.trace.note(`${world.nowMs()} record ${sequence} of ${partitionName(partition)} is damaged`)
    repairs.set(partition, { sequence, undo, isOlder })
  }
  const repair = (partition: PartitionNumber): void => {
    repairs.get(partition)?.undo()
    repairs.delete(partition)
  }
  return {
    flip: (partition) => void flipNeeded(partition),
    isFlipped: (partition) => repairs.has(partition),
    isFlippedAfter: (partition, sequence) => (repairs.get(partition)?.sequence ?? 0n) > sequence,
    isUnsentFlipped: async (partition) => {
      const known = repairs.get(partition)
      if (known?.isOlder !== true) return false
      // What a dead owner wrote of its cursors may have arrived after the damage.
      repair(partition)
      const unsent = await sentAgain(partition, Number(known.sequence))
      return unsent.includes(known.sequence)
    },
    repair,
    repairAll: () => {
      for (const partition of [...repairs.keys()]) repair(partition)
    },
  }
}
