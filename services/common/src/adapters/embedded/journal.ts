import type { PartitionNumber } from '../../kernel/partition.ts'
import { PortError } from '../../ports/failure.ts'
import type { AppendResult, ArchiveSegment, Journal, StoredRecord } from '../../ports/journal.ts'
import { checkRecord, gapBefore, recordsIn, segmentOutOfPlace } from '../journal-checks.ts'
import { createGroupCommit } from './group-commit.ts'
import { readRecords } from './journal-records.ts'
import { createJournalStatements, JOURNAL_TABLES, type JournalStatements } from './journal-statements.ts'
import { openOwnedDatabase, reading, type OpenReport } from './sqlite-database.ts'

/** The journal on SQLite, and what opening it found. */
export interface SqliteJournal extends Journal {
  readonly opened: OpenReport
}

/**
 * Pages of the log of changes after which a commit moves them into the file. A reader of the journal that does it beside
 * (`checkpoint`) leaves little for that commit; without one it is as much work as ever, seldomer.
 */
const CHECKPOINT_PAGES = 4_096

/** The state of the file that writers check against: it is ours alone, so memory is as good as a query. */
const createHeads = (statements: JournalStatements) => {
  let heads = new Map<PartitionNumber, bigint>()
  /** The newest record of each partition that was appended since the file was opened: strong reads ask for it. */
  const newest = new Map<PartitionNumber, StoredRecord>()
  const reload = (): void => {
    heads = statements.heads()
    newest.clear()
  }
  reload()
  return {
    reload,
    of: (partition: PartitionNumber): bigint => heads.get(partition) ?? 0n,
    newest: (partition: PartitionNumber): StoredRecord | undefined => newest.get(partition),
    raise: (partition: PartitionNumber, record: StoredRecord): void => {
      heads.set(partition, record.sequence)
      newest.set(partition, record)
    },
    partitions: (): readonly PartitionNumber[] => [...heads.keys()].sort((a, b) => a - b),
  }
}

/**
 * Journal on SQLite: WAL, flushed at every commit, one blob per record. Appends of all partitions made in one turn of the
 * event loop share a transaction, and the loser of a race does not disturb the others. Opened by one process at a time;
 * after an unclean end the file's pages are checked before anything is served.
 * @throws {PortError} `unavailable` when another process has the file, `corrupt` when it is damaged.
 */
export const openSqliteJournal = (options: { readonly path: string }): SqliteJournal => {
  const owned = openOwnedDatabase(options.path, 'full', (made) => made.exec(JOURNAL_TABLES))
  const { database } = owned
  database.exec(`PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}`)
  const statements = createJournalStatements(database)
  const heads = createHeads(statements)
  const commits = createGroupCommit(database, 'journal', heads.reload)
  let isClosed = false
  const checkOpen = (): void => {
    if (isClosed) throw new PortError('closed', 'the journal is closed')
  }
  const read = <Value>(task: () => Value): Value => {
    checkOpen()
    return reading('journal', task)
  }

  const appendNow = (partition: PartitionNumber, record: StoredRecord): AppendResult => {
    const head = heads.of(partition)
    if (record.sequence <= head) return 'taken'
    if (record.sequence !== head + 1n) throw gapBefore(partition, record.sequence)
    if (!statements.insert(partition, record)) return 'taken'
    heads.raise(partition, record)
    return 'appended'
  }

  const archiveNow = (partition: PartitionNumber, segment: ArchiveSegment): void => {
    const through = statements.archivedThrough(partition)
    if (segment.last <= through && statements.hasSegment(partition, segment)) return
    const isInPlace =
      segment.first === through + 1n && segment.last >= segment.first && segment.last <= heads.of(partition)
    if (!isInPlace) throw segmentOutOfPlace(segment, through)
    statements.insertSegment(partition, segment)
  }

  const readOne = async (partition: PartitionNumber, sequence: bigint): Promise<StoredRecord | null> => {
    const record = read(() => statements.record(partition, sequence))
    if (record !== null) return record
    const segment = read(() => statements.segmentHolding(partition, sequence))
    if (segment === null) return null
    return (await recordsIn(segment)).find((archived) => archived.sequence === sequence) ?? null
  }

  return {
    opened: owned.report,
    append: async (partition, record) => {
      checkOpen()
      checkRecord(record)
      return commits.run(() => appendNow(partition, record), record.body.length)
    },
    head: async (partition) => {
      checkOpen()
      // What waits for its commit is in memory's heads only inside the transaction, so this is what has answered.
      const sequence = heads.of(partition)
      return sequence === 0n ? null : (heads.newest(partition) ?? readOne(partition, sequence))
    },
    read: readOne,
    readFrom: (partition, sequence) => readRecords(statements, partition, sequence, checkOpen),
    loadCursors: async (partition) => read(() => statements.cursors(partition)),
    saveCursors: async (partition, cursors) => {
      checkOpen()
      await commits.run(() => statements.saveCursors(partition, cursors))
    },
    archive: async (partition, segment) => {
      checkOpen()
      await commits.run(() => archiveNow(partition, segment), segment.bytes.length)
    },
    archives: async (partition) => read(() => statements.segments(partition)),
    archivedThrough: async (partition) => read(() => statements.archivedThrough(partition)),
    removeThrough: async (partition, sequence) => {
      checkOpen()
      await commits.run(() => {
        const covered = statements.archivedThrough(partition)
        statements.removeThrough(partition, sequence < covered ? sequence : covered)
      })
    },
    partitions: async () => read(() => heads.partitions()),
    close: async () => {
      if (isClosed) return
      isClosed = true
      await commits.close()
      owned.close()
    },
  }
}
