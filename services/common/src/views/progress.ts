import type { PartitionNumber } from '../kernel/partition.ts'
import type { Clock } from '../ports/clock.ts'

/** How far the views of each partition are. */
export interface Progress {
  note(partition: PartitionNumber, sequence: bigint, atMs: number): void
  /** Sequence the views of this partition have reached. */
  through(partition: PartitionNumber): bigint
  /** `now` of the last projected record, ms. */
  atMs(partition: PartitionNumber): number
  /** Resolves true once the views hold everything through `sequence`, false when that takes longer than `timeoutMs`. */
  waitFor(partition: PartitionNumber, sequence: bigint, timeoutMs: number): Promise<boolean>
}

/** Makes a progress that nothing has been noted in. */
export const createProgress = (clock: Clock): Progress => {
  const reached = new Map<PartitionNumber, { readonly sequence: bigint; readonly atMs: number }>()
  const waiters = new Set<{ partition: PartitionNumber; sequence: bigint; resolve: () => void }>()
  const through = (partition: PartitionNumber): bigint => reached.get(partition)?.sequence ?? 0n
  return {
    note: (partition, sequence, atMs) => {
      reached.set(partition, { sequence, atMs })
      for (const waiter of waiters) {
        if (waiter.partition === partition && waiter.sequence <= sequence) waiter.resolve()
      }
    },
    through,
    atMs: (partition) => reached.get(partition)?.atMs ?? 0,
    waitFor: async (partition, sequence, timeoutMs) => {
      if (through(partition) >= sequence) return true
      const cancel = new AbortController()
      let waiter: { partition: PartitionNumber; sequence: bigint; resolve: () => void } | undefined
      const arrival = new Promise<boolean>((resolve) => {
        waiter = { partition, sequence, resolve: () => resolve(true) }
        waiters.add(waiter)
      })
      const timeout = clock.sleep(timeoutMs, cancel.signal).then(
        () => false,
        () => false,
      )
      const inTime = await Promise.race([arrival, timeout])
      if (waiter !== undefined) waiters.delete(waiter)
      cancel.abort()
      return inTime
    },
  }
}
