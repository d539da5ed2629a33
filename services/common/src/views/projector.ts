import type { Logger } from 'pino'
import { decodeRecord, type JournalRecord } from '../kernel/record.ts'
import type { PartitionNumber } from '../kernel/partition.ts'
import type { Clock } from '../ports/clock.ts'
import type { Events, Subscription } from '../ports/events.ts'
import type { Views, ViewWrite } from '../ports/views.ts'
import { createProgress } from './progress.ts'

/**
 * Folds one record into view writes. Pure but for what it read from the views before; the same record gives the same
 * writes.
 */
export type Fold = (record: JournalRecord) => Promise<readonly ViewWrite[]> | readonly ViewWrite[]

/** Keeps the views of some partitions up to date. */
export interface Projector {
  /** Sequence the views of this partition have reached. */
  projectedThrough(partition: PartitionNumber): bigint
  /** `now` of the last projected record, ms. */
  projectedAtMs(partition: PartitionNumber): number
  /** Resolves true once the views hold everything through `sequence`, false when that takes longer than `timeoutMs`. */
  waitFor(partition: PartitionNumber, sequence: bigint, timeoutMs: number): Promise<boolean>
  /** Called after each projected record, in order per partition. */
  onProjected(listener: (record: JournalRecord, writes: readonly ViewWrite[]) => void): void
  stop(): Promise<void>
}

/** Starts projecting: subscribes each partition from its cursor and applies `fold` in order. */
export const startProjector = async (deps: {
  readonly projection: string
  readonly partitions: readonly PartitionNumber[]
  readonly foldOf: (partition: PartitionNumber) => Fold
  readonly events: Events
  readonly views: Views
  readonly clock: Clock
  readonly logger: Logger
}): Promise<Projector> => {
  const progress = createProgress(deps.clock)
  const listeners: ((record: JournalRecord, writes: readonly ViewWrite[]) => void)[] = []
  const subscriptions: Subscription[] = []

  for (const partition of deps.partitions) {
    const cursor = await deps.views.cursor(deps.projection, partition)
    progress.note(partition, cursor, 0)
    const fold = deps.foldOf(partition)
    subscriptions.push(
      deps.events.subscribe(partition, cursor + 1n, async (event) => {
        if (event.sequence <= progress.through(partition)) return
        const record = decodeRecord(event.body)
        const writes = await fold(record)
        await deps.views.project(deps.projection, partition, event.sequence, writes)
        progress.note(partition, event.sequence, Number(record.now))
        for (const listener of listeners) listener(record, writes)
      }),
    )
  }

  return {
    projectedThrough: progress.through,
    projectedAtMs: progress.atMs,
    waitFor: progress.waitFor,
    onProjected: (listener) => void listeners.push(listener),
    stop: async () => {
      for (const subscription of subscriptions) await subscription.stop()
    },
  }
}
