import type { BusMessage } from '../ports/bus.ts'
import type { JournalRecord } from './record.ts'

/** When each stage of a batch ended, monotonic ms. */
export interface BatchTimes {
  /** When its oldest delivery arrived; null for a batch without deliveries. */
  readonly arrivedMs: number | null
  /** When the runner began to take the batch. */
  readonly takenMs: number
  readonly appliedMs: number
  /** When its record was in the journal. */
  readonly appendedMs: number
  /** When its replies and effects were handed out. */
  readonly releasedMs: number
}

/** A record that this runner appended and released. */
export interface RecordedBatch {
  readonly record: JournalRecord
  readonly times: BatchTimes
  /** For each input the message it came by; null for what the runner made itself. */
  readonly messages: readonly (BusMessage | null)[]
}

/**
 * Who looks at a partition's work from outside. It sees what was done and changes nothing; what it throws is logged and
 * dropped.
 */
export interface PartitionObserver {
  recorded(batch: RecordedBatch): void
  /** An effect's receiver has journaled it, so long after the effect's record was released. */
  settled(seconds: number): void
}
