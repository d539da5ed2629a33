import { DatabaseSync } from 'node:sqlite'
import { decodeSegment } from '../../kernel/archive-codec.ts'
import type { PartitionNumber } from '../../kernel/partition.ts'
import { PortError } from '../../ports/failure.ts'
import {
  RECORD_BYTES_MAX, type AppendResult, type ArchiveSegment, type EffectCursor, type Journal, type StoredRecord,
} from '../../ports/journal.ts'
import { openDatabase, portFailure } from './sqlite.ts'

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS records (
    partition INTEGER NOT NULL, sequence INTEGER NOT NULL, hash BLOB NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (partition, sequence)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS segments (
    partition INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, sha256 BLOB NOT NULL, bytes BLOB NOT NULL,
    PRIMARY KEY (partition, first)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS cursors (
    partition INTEGER NOT NULL, receiver INTEGER NOT NULL, confirmed INTEGER NOT NULL, recordSequence INTEGER NOT NULL,
    PRIMARY KEY (partition, receiver)) WITHOUT ROWID;`

/** Records read at a time by `readFrom`. */
const PAGE_RECORDS = 256

interface Row {
  readonly sequence: bigint
  readonly hash: Uint8Array
  readonly body: Uint8Array
}

interface Waiting {
  readonly partition: PartitionNumber
  readonly record: StoredRecord
  readonly resolve: (result: AppendResult) => void
  readonly reject: (error: unknown) => void
}

const recordOf = (row: Row): StoredRecord => ({ sequence: row.sequence, hash: row.hash, body: row.body })

/**
 * The journal in one SQLite file (WAL, synchronous FULL). Appends of all partitions that are asked for in the same turn of the event
 * loop share one transaction and one fsync; each has its own verdict, so that one loser does not undo the others.
 */
export const openSqliteJournal = (options: { readonly path: string }): Journal => {
  const database = openDatabase({ path: options.path, synchronous: 'FULL', schema: SCHEMA })
  const insert = database.prepare('INSERT INTO records (partition, sequence, hash, body) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING')
  const select = database.prepare('SELECT sequence, hash, body FROM records WHERE partition = ? AND sequence = ?')
  const selectHead = database.prepare('SELECT sequence, hash, body FROM records WHERE partition = ? ORDER BY sequence DESC LIMIT 1')
  const selectHas = database.prepare('SELECT 1 FROM records WHERE partition = ? AND sequence = ?')
  const selectPage = database.prepare(
    'SELECT sequence, hash, body FROM records WHERE partition = ? AND sequence >= ? ORDER BY sequence LIMIT ?')
  const selectSegments = database.prepare('SELECT first, last, sha256, bytes FROM segments WHERE partition = ? ORDER BY first')
  const selectArchived = database.prepare('SELECT max(last) AS last FROM segments WHERE partition = ?')
  const heads = new Map<PartitionNumber, bigint>()
  let waiting: Waiting[] = []
  let scheduled = false
  let closed = false

  const guard = <Value>(work: () => Value): Value => {
    if (closed) throw new PortError('closed', 'the journal is closed')
    try {
      return work()
    } catch (error) {
      throw portFailure(error, 'the journal')
    }
  }

  const archivedThrough = (partition: PartitionNumber): bigint =>
    (selectArchived.get(partition) as { last: bigint | null } | undefined)?.last ?? 0n

  const continues = (partition: PartitionNumber, sequence: bigint): boolean =>
    sequence === 1n || heads.get(partition) === sequence - 1n || selectHas.get(partition, sequence - 1n) !== undefined ||
    archivedThrough(partition) >= sequence - 1n

  const store = ({ partition, record }: Waiting): AppendResult => {
    if (!continues(partition, record.sequence)) {
      throw new PortError('corrupt', `record ${record.sequence} of partition ${partition} would leave a gap`)
    }
    if (archivedThrough(partition) >= record.sequence) return 'taken'
    const appended = insert.run(partition, record.sequence, record.hash, record.body).changes === 1n
    if (appended) heads.set(partition, record.sequence)
    return appended ? 'appended' : 'taken'
  }

  const flush = (): void => {
    scheduled = false
    const batch = waiting
    waiting = []
    const settle: (() => void)[] = []
    try {
      database.exec('BEGIN IMMEDIATE')
      for (const one of batch) {
        try {
          const result = store(one)
          settle.push(() => one.resolve(result))
        } catch (error) {
          if (!(error instanceof PortError)) throw error
          settle.push(() => one.reject(error))
        }
      }
      database.exec('COMMIT')
    } catch (error) {
      heads.clear()
      rollBack(database)
      for (const one of batch) one.reject(portFailure(error, 'the journal'))
      return
    }
    for (const answer of settle) answer()
  }

  const append = (partition: PartitionNumber, record: StoredRecord): Promise<AppendResult> =>
    new Promise((resolve, reject) => {
      if (closed) {
        reject(new PortError('closed', 'the journal is closed'))
        return
      }
      if (record.body.length > RECORD_BYTES_MAX) {
        reject(new PortError('full', `a record of ${record.body.length} bytes; at most ${RECORD_BYTES_MAX}`))
        return
      }
      waiting.push({ partition, record, resolve, reject })
      if (scheduled) return
      scheduled = true
      setImmediate(flush)
    })

  const segments = (partition: PartitionNumber): ArchiveSegment[] =>
    selectSegments.all(partition) as unknown as ArchiveSegment[]

  async function* readFrom(partition: PartitionNumber, sequence: bigint): AsyncGenerator<StoredRecord> {
    let next = sequence < 1n ? 1n : sequence
    const archived = guard(() => segments(partition))
    for (const [index, segment] of archived.entries()) {
      if (segment.last < next) continue
      for (const record of await decodeSegment(segment, archived[index - 1] ?? null)) {
        if (record.sequence !== next) continue
        yield record
        next += 1n
      }
    }
    for (;;) {
      const page = guard(() => selectPage.all(partition, next, PAGE_RECORDS) as unknown as Row[])
      for (const row of page) {
        yield recordOf(row)
        next = row.sequence + 1n
      }
      if (page.length < PAGE_RECORDS) return
    }
  }

  const fromArchive = async (partition: PartitionNumber, sequence: bigint): Promise<StoredRecord | null> => {
    const all = guard(() => segments(partition))
    const index = all.findIndex((segment) => segment.first <= sequence && sequence <= segment.last)
    const segment = all[index]
    if (segment === undefined) return null
    const records = await decodeSegment(segment, all[index - 1] ?? null)
    return records.find((record) => record.sequence === sequence) ?? null
  }

  return {
    append,
    head: async (partition) => {
      const row = guard(() => selectHead.get(partition) as Row | undefined)
      if (row !== undefined) return recordOf(row)
      const last = guard(() => archivedThrough(partition))
      return last === 0n ? null : fromArchive(partition, last)
    },
    read: async (partition, sequence) => {
      const row = guard(() => select.get(partition, sequence) as Row | undefined)
      return row === undefined ? fromArchive(partition, sequence) : recordOf(row)
    },
    readFrom,
    loadCursors: async (partition) =>
      guard(() => database.prepare('SELECT receiver, confirmed, recordSequence FROM cursors WHERE partition = ?').all(partition)
        .map((row) => ({ receiver: Number(row['receiver']), confirmed: row['confirmed'], recordSequence: row['recordSequence'] }) as EffectCursor)),
    saveCursors: async (partition, cursors) =>
      guard(() => {
        if (cursors.length === 0) return
        const statement = database.prepare(
          `INSERT INTO cursors (partition, receiver, confirmed, recordSequence) VALUES (?, ?, ?, ?) ON CONFLICT (partition, receiver)
           DO UPDATE SET confirmed = excluded.confirmed, recordSequence = excluded.recordSequence`)
        inTransaction(database, () => {
          for (const cursor of cursors) statement.run(partition, cursor.receiver, cursor.confirmed, cursor.recordSequence)
        })
      }),
    archive: async (partition, segment) =>
      guard(() => {
        database.prepare('INSERT INTO segments (partition, first, last, sha256, bytes) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING')
          .run(partition, segment.first, segment.last, segment.sha256, segment.bytes)
      }),
    archives: async (partition) => guard(() => segments(partition)),
    archivedThrough: async (partition) => guard(() => archivedThrough(partition)),
    removeThrough: async (partition, sequence) =>
      guard(() => {
        const covered = archivedThrough(partition)
        const last = sequence < covered ? sequence : covered
        database.prepare('DELETE FROM records WHERE partition = ? AND sequence <= ?').run(partition, last)
      }),
    partitions: async () =>
      guard(() => database.prepare('SELECT partition FROM records UNION SELECT partition FROM segments ORDER BY 1').all()
        .map((row) => Number(row['partition']))),
    close: async () => {
      if (closed) return
      if (waiting.length > 0) flush()
      closed = true
      database.close()
    },
  }
}

const rollBack = (database: DatabaseSync): void => {
  if (database.isTransaction) database.exec('ROLLBACK')
}

const inTransaction = (database: DatabaseSync, work: () => void): void => {
  database.exec('BEGIN IMMEDIATE')
  try {
    work()
    database.exec('COMMIT')
  } catch (error) {
    rollBack(database)
    throw error
  }
}
