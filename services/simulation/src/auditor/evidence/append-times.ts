import type { PartitionNumber } from '@bourse/common/kernel/partition.ts'
import type { StreamEvent } from '@bourse/common/ports/events.ts'

/** When records reached the disk, in world time (ms). */
export interface AppendTimes {
  /** Null when nobody saw it. */
  of(partition: PartitionNumber, sequence: bigint): number | null
  /** Sequence of the last record of a partition that was on the disk before `ms` began (0: none). */
  headBefore(partition: PartitionNumber, ms: number): bigint
  /** Sequence of the last record that was on the disk when `ms` had ended. */
  headAt(partition: PartitionNumber, ms: number): bigint
}

/** The watcher: told of every record that reaches the disk, at the moment it does. */
export interface AppendWatcher extends AppendTimes {
  onAppended(event: StreamEvent): void
}

/** Makes a watcher on the world's time. */
export const createAppendWatcher = (nowMs: () => number): AppendWatcher => {
  const times = new Map<PartitionNumber, number[]>()
  /** How many of the rising times are below `ms`, or at it. */
  const countUntil = (partition: PartitionNumber, ms: number, isAtCounted: boolean): bigint => {
    const list = times.get(partition) ?? []
    let low = 0
    let high = list.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const at = list[middle] ?? 0
      if (at < ms || (isAtCounted && at === ms)) low = middle + 1
      else high = middle
    }
    return BigInt(low)
  }
  return {
    onAppended: ({ partition, sequence }) => {
      const list = times.get(partition) ?? []
      times.set(partition, list)
      // A record that was torn off the disk again leaves its sequence to the next writer.
      list.length = Math.min(list.length, Number(sequence) - 1)
      list.push(nowMs())
    },
    of: (partition, sequence) => times.get(partition)?.[Number(sequence) - 1] ?? null,
    headBefore: (partition, ms) => countUntil(partition, ms, false),
    headAt: (partition, ms) => countUntil(partition, ms, true),
  }
}
