import { PROJECTION } from '@bourse/all-in-one/platform/projections.ts'
import { decodeRecord } from '@bourse/common/kernel/record.ts'
import { PortError } from '@bourse/common/ports/failure.ts'
import type { PartitionNumber } from '@bourse/common/kernel/partition.ts'
import type { Door } from '../ports/ground.ts'

/** What an edge knows of the views. */
export interface Freshness {
  /** The moment up to which the views of a partition are known to be complete, ms. */
  asOfMs(partition: PartitionNumber): number
  /** The same, asked now. */
  askMs(partition: PartitionNumber): Promise<number>
  /** Resolves true once the views hold the record, false when that takes too long. */
  projected(partition: PartitionNumber, sequence: bigint): Promise<boolean>
}

/** Known for longer than this, it is asked for again beside the call that looked. */
const REFRESH_AFTER_MS = 20_000
const LOOK_PAUSE_MS = 100
const PROJECTION_WAIT_MS = 3_000

/**
 * What an edge in another process than the projector can know: that the views' cursor has reached where the journal ended at a
 * moment before, or when the record was made that it has reached. It never says more than it has seen.
 */
export const createRemoteFreshness = (door: Door, partitions: readonly PartitionNumber[]): Freshness => {
  const { clock, journal, views } = door
  const known = new Map<PartitionNumber, { readonly asOfMs: number; readonly monotonicMs: number }>()
  const asking = new Set<PartitionNumber>()

  const look = async (partition: PartitionNumber): Promise<void> => {
    const seen = { asOfMs: clock.nowMs(), monotonicMs: clock.monotonicMs() }
    const head = await journal.head(partition)
    const cursor = await views.cursor(PROJECTION, partition)
    if (cursor >= (head?.sequence ?? 0n)) return void known.set(partition, seen)
    const record = cursor === 0n ? null : await journal.read(partition, cursor)
    if (record !== null) known.set(partition, { ...seen, asOfMs: Number(decodeRecord(record.body).now) })
  }
  const refresh = async (partition: PartitionNumber): Promise<void> => {
    try {
      await look(partition)
    } catch (error) {
      // Not seen: what was known before stays the answer.
      if (!(error instanceof PortError)) throw error
    }
  }
  const asOfMs = (partition: PartitionNumber): number => {
    const last = known.get(partition)
    const ageMs = clock.monotonicMs() - (last?.monotonicMs ?? -Infinity)
    const isBehind = clock.nowMs() - (last?.asOfMs ?? 0) > REFRESH_AFTER_MS
    if (!asking.has(partition) && (ageMs > REFRESH_AFTER_MS || isBehind)) {
      asking.add(partition)
      void refresh(partition).finally(() => asking.delete(partition))
    }
    return last?.asOfMs ?? 0
  }
  for (const partition of partitions) asOfMs(partition)
  return {
    asOfMs,
    askMs: async (partition) => {
      await refresh(partition)
      return known.get(partition)?.asOfMs ?? 0
    },
    projected: async (partition, sequence) => {
      const untilMs = clock.monotonicMs() + PROJECTION_WAIT_MS
      for (;;) {
        try {
          if ((await views.cursor(PROJECTION, partition)) >= sequence) return true
        } catch (error) {
          if (!(error instanceof PortError)) throw error
        }
        if (clock.monotonicMs() >= untilMs) return false
        await clock.sleep(LOOK_PAUSE_MS)
      }
    },
  }
}
