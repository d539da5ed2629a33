import type { PartitionNumber } from '../kernel/partition.ts'
import { PortError } from '../ports/failure.ts'
import type { Clock, Repeating } from '../ports/clock.ts'

/** How often the machines are asked what lies in their states, ms. */
export const STATE_METRICS_INTERVAL_MS = 5_000

/** A partition that is served in this process. */
export interface AskedPartition {
  readonly partition: PartitionNumber
  /** Its name as people say it. */
  readonly title: string
  query(question: Uint8Array): Promise<Uint8Array>
}

/** Shows what lies in a machine's state. */
export interface StateShow {
  show(partition: AskedPartition): Promise<void>
  /** The partition with this title is not served here any more. */
  forget(title: string): void
}

/**
 * Shows what lies in the states of the partitions served here: one after the other, each asked between two of its records, never
 * over the bus. `showOf` gives null for a partition of whose state nothing is shown.
 */
export const startStateMetrics = (deps: {
  readonly served: () => Iterable<AskedPartition>
  readonly showOf: (partition: PartitionNumber) => StateShow | null
  readonly clock: Clock
  readonly onError: (error: unknown) => void
}): Repeating => {
  const { served, showOf, clock, onError } = deps
  let shown = new Map<string, StateShow>()

  const collect = async (): Promise<void> => {
    const now = new Map<string, StateShow>()
    for (const one of served()) {
      const show = showOf(one.partition)
      if (show === null) continue
      try {
        await show.show(one)
        now.set(one.title, show)
      } catch (error) {
        // It stopped serving meanwhile: what it showed is not true any more.
        if (!(error instanceof PortError)) onError(error)
      }
    }
    for (const [title, show] of shown) if (!now.has(title)) show.forget(title)
    shown = now
  }
  return clock.every(STATE_METRICS_INTERVAL_MS, collect, onError)
}
