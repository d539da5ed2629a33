import type { Journal, StoredRecord } from '../ports/journal.ts'
import { encodeSegment } from './archive-codec.ts'
import type { PartitionNumber } from './partition.ts'

/** Records in one archive segment at most. */
export const SEGMENT_RECORDS_MAX = 4_096
/** Bytes of records in one segment at most, before compression. */
export const SEGMENT_BYTES_MAX = 4 * 1024 * 1024

/**
 * Moves records through `through` into archive segments, oldest first, and removes each record only after the segment
 * that holds it is stored. `through` must lie before everything that still reads the journal: the oldest kept snapshot,
 * unconfirmed effects, views and streams. Interrupted anywhere, it goes on where it stopped.
 * @returns records archived.
 */
export const archiveRecords = async (
  journal: Journal,
  partition: PartitionNumber,
  through: bigint,
): Promise<number> => {
  let archived = 0
  let records: StoredRecord[] = []
  let bytes = 0
  let previous = (await journal.archives(partition)).at(-1) ?? null
  const close = async (): Promise<void> => {
    const last = records.at(-1)
    if (last === undefined) return
    const segment = await encodeSegment(records, previous)
    await journal.archive(partition, segment)
    previous = segment
    await journal.removeThrough(partition, last.sequence)
    archived += records.length
    records = []
    bytes = 0
  }
  // What an interrupted run archived but did not remove.
  await journal.removeThrough(partition, await journal.archivedThrough(partition))
  for await (const record of journal.readFrom(partition, (await journal.archivedThrough(partition)) + 1n)) {
    if (record.sequence > through) break
    records.push(record)
    bytes += record.body.length
    if (records.length >= SEGMENT_RECORDS_MAX || bytes >= SEGMENT_BYTES_MAX) await close()
  }
  await close()
  return archived
}
