import { DatabaseSync } from 'node:sqlite'
import type { PartitionNumber } from '../../kernel/partition.ts'
import type { StoredRecord } from '../../ports/journal.ts'
import { readRecords } from './journal-records.ts'
import { createJournalStatements } from './journal-statements.ts'
import { reading } from './sqlite-database.ts'

/** A record as it lies in the journal among those of other partitions. */
export interface PlacedRecord {
  /** Rises with every record that is appended, whatever its partition. */
  readonly place: bigint
  readonly partition: PartitionNumber
  readonly sequence: bigint
  readonly body: Uint8Array
}

/**
 * A journal that another connection (of this process) writes: everything it shows is durable, since a commit is seen by others
 * only once it has been flushed.
 */
export interface JournalReader {
  /** The place of the newest record, 0 when there is none. */
  newestPlace(): bigint
  /** Records behind a place in the order they were appended; ends early after so many bytes. */
  after(place: bigint, recordsMax: number, bytesMax: number): readonly PlacedRecord[]
  /** Records of one partition from a sequence on, archived ones included. */
  readFrom(partition: PartitionNumber, sequence: bigint): AsyncIterable<StoredRecord>
  /** Moves what the log of changes holds into the file, so that who appends has less of that to do. Changes nothing else. */
  checkpoint(): void
  close(): void
}

/** Opens the file of a journal that is open elsewhere in this process. */
export const openJournalReader = (path: string): JournalReader => {
  const database = new DatabaseSync(path)
  // A reader that checkpoints must never make a commit wait for it, nor the other way round.
  database.exec('PRAGMA busy_timeout = 0; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0')
  const statements = createJournalStatements(database)
  const newest = database.prepare('SELECT max(rowid) AS place FROM records')
  const behind = database.prepare(
    'SELECT rowid, partition, sequence, body FROM records WHERE rowid > ? ORDER BY rowid LIMIT ?',
  )
  for (const statement of [newest, behind]) statement.setReadBigInts(true)
  behind.setReturnArrays(true)
  const checkOpen = (): void => {
    if (!database.isOpen) throw new Error('the journal reader is closed')
  }
  return {
    newestPlace: () => reading('journal', () => (newest.get()?.['place'] as bigint | null | undefined) ?? 0n),
    after: (place, recordsMax, bytesMax) =>
      reading('journal', () => {
        const records: PlacedRecord[] = []
        let bytes = 0
        for (const row of behind.iterate(place, recordsMax)) {
          const [at, partition, sequence, body] = row as unknown as [bigint, bigint, bigint, Uint8Array]
          records.push({ place: at, partition: Number(partition), sequence, body })
          bytes += body.length
          if (bytes >= bytesMax) break
        }
        return records
      }),
    readFrom: (partition, sequence) => readRecords(statements, partition, sequence, checkOpen),
    checkpoint: () => {
      // Busy is an answer (a row), no error: another checkpoint runs.
      reading('journal', () => database.prepare('PRAGMA wal_checkpoint(PASSIVE)').all())
    },
    close: () => {
      if (database.isOpen) database.close()
    },
  }
}
