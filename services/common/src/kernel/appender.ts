import { PortError } from '../ports/failure.ts'
import type { Clock } from '../ports/clock.ts'
import type { Journal, StoredRecord } from '../ports/journal.ts'
import type { PartitionNumber } from './partition.ts'

/** How often an append with an unknown end is looked up and tried again before the state is given up. */
export const APPEND_ATTEMPTS_MAX = 6
/** Pause before the second attempt; it doubles. */
export const APPEND_BACKOFF_MS = 20

/** What became of a record: in the journal, lost to another writer, or not known to be either. */
export type AppendVerdict = 'confirmed' | 'deposed' | 'failed'

/**
 * Appends a record and settles every doubt by reading the sequence back: own hash = confirmed, another = deposed,
 * absent = the same bytes again. `failed` means the journal could not be reached; the state must be rebuilt from it.
 */
export const appendRecord = async (
  deps: { readonly journal: Journal; readonly clock: Clock; readonly onRetry: (error: unknown) => void },
  partition: PartitionNumber,
  record: StoredRecord,
): Promise<AppendVerdict> => {
  for (let attempt = 1; attempt <= APPEND_ATTEMPTS_MAX; attempt++) {
    try {
      if ((await deps.journal.append(partition, record)) === 'appended') return 'confirmed'
      return (await settled(deps.journal, partition, record)) ?? 'failed'
    } catch (error) {
      if (!(error instanceof PortError)) throw error
      deps.onRetry(error)
      if (error.kind === 'closed') return 'failed'
    }
    await deps.clock.sleep(APPEND_BACKOFF_MS * 2 ** (attempt - 1))
    try {
      const verdict = await settled(deps.journal, partition, record)
      if (verdict !== null) return verdict
    } catch (error) {
      if (!(error instanceof PortError)) throw error
      deps.onRetry(error)
    }
  }
  return 'failed'
}

const settled = async (
  journal: Journal,
  partition: PartitionNumber,
  record: StoredRecord,
): Promise<'confirmed' | 'deposed' | null> => {
  const there = await journal.read(partition, record.sequence)
  if (there === null) return null
  return Buffer.compare(there.hash, record.hash) === 0 ? 'confirmed' : 'deposed'
}
