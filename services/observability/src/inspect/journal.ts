import type { PartitionNumber } from '@bourse/common/kernel/partition.ts'
import { decodeRecord } from '@bourse/common/kernel/record.ts'
import type { Clock } from '@bourse/common/ports/clock.ts'
import { shownRecord, type ShownRecord } from './record.ts'
import type { InspectSource } from './source.ts'

/** How often a followed journal is looked at, ms. */
export const FOLLOW_INTERVAL_MS = 500
/** Records shown where the asker names no limit. */
export const RECORDS_SHOWN = 100

/** Which records of a partition. */
export interface JournalRange {
  readonly from: bigint
  /** Null: to the end. */
  readonly to: bigint | null
  /** Null: all of them. */
  readonly limit: number | null
  /** Goes on with what is appended, until `signal`. */
  readonly follow: boolean
}

/** The records of a range in their order, decoded; those that are appended meanwhile too, when followed. */
export const journalRecords = async function* (
  source: InspectSource,
  partition: PartitionNumber,
  range: JournalRange,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): AsyncGenerator<ShownRecord> {
  let next = range.from
  let left = range.limit ?? Infinity
  while (!signal.aborted) {
    for await (const stored of source.readFrom(partition, next)) {
      if (left <= 0 || (range.to !== null && stored.sequence > range.to)) return
      yield shownRecord(source.topology, decodeRecord(stored.body))
      next = stored.sequence + 1n
      left -= 1
      if (signal.aborted) return
    }
    if (!range.follow || left <= 0) return
    await clock.sleep(FOLLOW_INTERVAL_MS, signal).catch(() => undefined)
  }
}
