import type { PartitionNumber } from '../kernel/partition.ts'

/** An event: one journal record of a partition. */
export interface StreamEvent {
  readonly partition: PartitionNumber
  readonly sequence: bigint
  readonly body: Uint8Array
}

/** A running subscription. */
export interface Subscription {
  stop(): Promise<void>
}

/**
 * Events: each partition's records as a stream, for views and feeds.
 *
 * E1 A subscriber from sequence n gets n, n + 1, … in order, each at least once, none left out: what the stream lost is
 *    read from the journal.
 * E2 The handler is awaited: one event at a time per subscription; a failing handler gets the same event again after a
 *    pause.
 * E3 `publish` may lose an event (it is advice); a subscriber still gets it with the next one or within
 *    `HEAL_INTERVAL_MS`.
 * E4 A slow subscriber delays nobody else and no publisher; it holds a bounded number of events in memory.
 * E5 After `stop` resolves the handler is not called again.
 * E6 Publishing the same event twice is harmless.
 */
export interface Events {
  publish(event: StreamEvent): void
  subscribe(
    partition: PartitionNumber,
    fromSequence: bigint,
    handler: (event: StreamEvent) => Promise<void>,
  ): Subscription
  close(): Promise<void>
}

/** Longest time after which a subscriber looks into the journal for what the stream did not bring. */
export const HEAL_INTERVAL_MS = 1_000
