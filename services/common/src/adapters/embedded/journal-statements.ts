import type { DatabaseSync, SQLOutputValue } from 'node:sqlite'
import type { PartitionNumber } from '../../kernel/partition.ts'
import { PortError } from '../../ports/failure.ts'
import type { ArchiveSegment, EffectCursor, StoredRecord } from '../../ports/journal.ts'

/** Tables of the journal. The unique key (partition, sequence) is the fence. */
export const JOURNAL_TABLES = `
  CREATE TABLE IF NOT EXISTS records (
    partition INTEGER NOT NULL, sequence INTEGER NOT NULL, hash BLOB NOT NULL, body BLOB NOT NULL,
    UNIQUE (partition, sequence)
  ) STRICT;
  CREATE TABLE IF NOT EXISTS segments (
    partition INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, sha256 BLOB NOT NULL, bytes BLOB NOT NULL,
    UNIQUE (partition, last)
  ) STRICT;
  CREATE TABLE IF NOT EXISTS cursors (
    partition INTEGER NOT NULL, receiver INTEGER NOT NULL, confirmed INTEGER NOT NULL, recordSequence INTEGER NOT NULL,
    PRIMARY KEY (partition, receiver)
  ) STRICT, WITHOUT ROWID;
`

/** The journal's statements, prepared once. Writes belong inside a group commit. */
export interface JournalStatements {
  /** False when the place is taken. */
  insert(partition: PartitionNumber, record: StoredRecord): boolean
  record(partition: PartitionNumber, sequence: bigint): StoredRecord | null
  /** Records from a sequence on; ends early after so many bytes, but has at least one when there is one. */
  page(partition: PartitionNumber, from: bigint, recordsMax: number, bytesMax: number): readonly StoredRecord[]
  heads(): Map<PartitionNumber, bigint>
  cursors(partition: PartitionNumber): readonly EffectCursor[]
  saveCursors(partition: PartitionNumber, cursors: readonly EffectCursor[]): void
  insertSegment(partition: PartitionNumber, segment: ArchiveSegment): void
  hasSegment(partition: PartitionNumber, segment: ArchiveSegment): boolean
  segmentHolding(partition: PartitionNumber, sequence: bigint): ArchiveSegment | null
  segments(partition: PartitionNumber): readonly ArchiveSegment[]
  archivedThrough(partition: PartitionNumber): bigint
  removeThrough(partition: PartitionNumber, sequence: bigint): void
}

type Row = Record<string, SQLOutputValue>

// The tables are STRICT: a column holds what its type says.
const recordOf = (row: Row): StoredRecord => ({
  sequence: row['sequence'] as bigint,
  hash: row['hash'] as Uint8Array,
  body: row['body'] as Uint8Array,
})
const segmentOf = (row: Row): ArchiveSegment => ({
  first: row['first'] as bigint,
  last: row['last'] as bigint,
  sha256: row['sha256'] as Uint8Array,
  bytes: row['bytes'] as Uint8Array,
})
const cursorOf = (row: Row): EffectCursor => ({
  receiver: Number(row['receiver']),
  confirmed: row['confirmed'] as bigint,
  recordSequence: row['recordSequence'] as bigint,
})

/** A record of a page before its bytes are there. */
type PageRow = readonly [offset: number, hashBytes: number, bodyBytes: number]

/** How many of the rows make a page: up to a hole (what follows it is not in order) or the byte that fills it. */
const countOf = (rows: readonly PageRow[], bytesMax: number): number => {
  let bytes = 0
  for (const [index, [offset, , bodyBytes]] of rows.entries()) {
    if (offset !== rows[0]![0] + index) return index
    bytes += bodyBytes
    if (bytes >= bytesMax) return index + 1
  }
  return rows.length
}

/**
 * Reads pages in two queries: where the records are and how long, then all their bytes in one value, of which they are
 * views. A value for each hash and body, outside the heap each, took twice as long in a long replay.
 */
const createPages = (database: DatabaseSync): JournalStatements['page'] => {
  const rows = database.prepare(
    `SELECT sequence - ?2, length(hash), length(body) FROM records WHERE partition = ?1 AND sequence >= ?2
     ORDER BY sequence LIMIT ?3`,
  )
  // Bytes of blobs are joined as they are; only their type has to be said again.
  const joined = database.prepare(
    `SELECT CAST(group_concat(hash || body, '') AS BLOB) FROM
       (SELECT hash, body FROM records WHERE partition = ? AND sequence BETWEEN ? AND ? ORDER BY sequence)`,
  )
  for (const statement of [rows, joined]) statement.setReturnArrays(true)
  return (partition, from, recordsMax, bytesMax) => {
    const found = rows.all(partition, from, recordsMax) as unknown as readonly PageRow[]
    if (found.length === 0) return []
    const page = found.slice(0, countOf(found, bytesMax))
    const first = from + BigInt(page[0]![0])
    const [bytes] = joined.get(partition, first, first + BigInt(page.length - 1)) as unknown as [Uint8Array]
    let at = 0
    const records = page.map(([, hashBytes, bodyBytes], index): StoredRecord => {
      const bodyAt = at + hashBytes
      const hash = bytes.subarray(at, bodyAt)
      at = bodyAt + bodyBytes
      return { sequence: first + BigInt(index), hash, body: bytes.subarray(bodyAt, at) }
    })
    if (at !== bytes.length) throw new PortError('corrupt', `records from ${first} on have other lengths than they say`)
    return records
  }
}

const createRecordStatements = (
  database: DatabaseSync,
): Pick<JournalStatements, 'insert' | 'record' | 'page' | 'heads' | 'removeThrough'> => {
  const insert = database.prepare('INSERT INTO records VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING')
  const one = database.prepare('SELECT sequence, hash, body FROM records WHERE partition = ? AND sequence = ?')
  const heads = database.prepare(
    `SELECT partition, max(head) AS head FROM (
       SELECT partition, max(sequence) AS head FROM records GROUP BY partition
       UNION ALL SELECT partition, max(last) FROM segments GROUP BY partition) GROUP BY partition`,
  )
  const remove = database.prepare('DELETE FROM records WHERE partition = ? AND sequence <= ?')
  for (const statement of [one, heads]) statement.setReadBigInts(true)
  return {
    insert: (partition, { sequence, hash, body }) => Number(insert.run(partition, sequence, hash, body).changes) === 1,
    record: (partition, sequence) => {
      const row = one.get(partition, sequence)
      return row === undefined ? null : recordOf(row)
    },
    page: createPages(database),
    heads: () => new Map(heads.all().map((row) => [Number(row['partition']), row['head'] as bigint])),
    removeThrough: (partition, sequence) => void remove.run(partition, sequence),
  }
}

/** Prepares the journal's statements on a database that has its tables. */
export const createJournalStatements = (database: DatabaseSync): JournalStatements => {
  const cursors = database.prepare(
    'SELECT receiver, confirmed, recordSequence FROM cursors WHERE partition = ? ORDER BY receiver',
  )
  const dropCursors = database.prepare('DELETE FROM cursors WHERE partition = ?')
  const addCursor = database.prepare('INSERT INTO cursors VALUES (?, ?, ?, ?)')
  const addSegment = database.prepare('INSERT INTO segments VALUES (?, ?, ?, ?, ?)')
  const sameSegment = database.prepare(
    'SELECT 1 FROM segments WHERE partition = ? AND first = ? AND last = ? AND sha256 = ?',
  )
  const holding = database.prepare(
    'SELECT first, last, sha256, bytes FROM segments WHERE partition = ? AND last >= ? AND first <= ? ORDER BY last LIMIT 1',
  )
  const segments = database.prepare('SELECT first, last, sha256, bytes FROM segments WHERE partition = ? ORDER BY last')
  const through = database.prepare('SELECT max(last) AS last FROM segments WHERE partition = ?')
  for (const statement of [cursors, holding, segments, through]) statement.setReadBigInts(true)
  return {
    ...createRecordStatements(database),
    cursors: (partition) => cursors.all(partition).map(cursorOf),
    saveCursors: (partition, list) => {
      dropCursors.run(partition)
      for (const cursor of list) addCursor.run(partition, cursor.receiver, cursor.confirmed, cursor.recordSequence)
    },
    insertSegment: (partition, { first, last, sha256, bytes }) =>
      void addSegment.run(partition, first, last, sha256, bytes),
    hasSegment: (partition, { first, last, sha256 }) => sameSegment.get(partition, first, last, sha256) !== undefined,
    segmentHolding: (partition, sequence) => {
      const row = holding.get(partition, sequence, sequence)
      return row === undefined ? null : segmentOf(row)
    },
    segments: (partition) => segments.all(partition).map(segmentOf),
    archivedThrough: (partition) => (through.get(partition)?.['last'] as bigint | null | undefined) ?? 0n,
  }
}
