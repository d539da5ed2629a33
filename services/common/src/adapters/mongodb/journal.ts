import type { mongo } from 'mongoose'
import type { PartitionNumber } from '../../kernel/partition.ts'
import { PortError } from '../../ports/failure.ts'
import type { AppendResult, ArchiveSegment, EffectCursor, Journal, StoredRecord } from '../../ports/journal.ts'
import { checkRecord, gapBefore, recordsIn, segmentOutOfPlace } from '../journal-checks.ts'
import { READ_MS_MAX, type MongoConnection } from './connection.ts'
import { isDuplicate } from './failures.ts'
import { createArchiveStore, type ArchiveStore } from './journal-archive.ts'
import { createRecordStore, type RecordStore } from './journal-records.ts'

/** A sender's cursors, whole in one document. */
interface CursorDocument {
  readonly _id: number
  readonly cursors: readonly EffectCursor[]
}

/** Cursors may be lost and must not be torn: the primary's word is enough, and what it says is what is read. */
const createCursorStore = ({ database, run }: MongoConnection) => {
  const cursors: mongo.Collection<CursorDocument> = database.collection('journal_cursors', {
    writeConcern: { w: 1 },
    readConcern: { level: 'local' },
  })
  const save = async (partition: PartitionNumber, list: readonly EffectCursor[]): Promise<void> => {
    const rows = list.map(({ receiver, confirmed, recordSequence }) => ({ receiver, confirmed, recordSequence }))
    await cursors.updateOne({ _id: partition }, { $set: { cursors: rows } }, { upsert: true })
  }
  return {
    load: (partition: PartitionNumber): Promise<readonly EffectCursor[]> =>
      run('read', `cursors of partition ${partition}`, async () => {
        const found = await cursors.findOne({ _id: partition }, { maxTimeMS: READ_MS_MAX })
        return found?.cursors ?? []
      }),
    save: (partition: PartitionNumber, list: readonly EffectCursor[]): Promise<void> =>
      run('write', `cursors of partition ${partition}`, async () => {
        try {
          await save(partition, list)
        } catch (error) {
          // Two made the document at one moment: it is there now.
          if (!isDuplicate(error)) throw error
          await save(partition, list)
        }
      }),
  }
}

/**
 * Appends. What is archived is removed, and then its place is free to the server: a writer that slept through its being
 * archived could take it. So an insert counts only once the archive, read after it, does not reach that place.
 */
const createAppender = (records: RecordStore, archive: ArchiveStore) => {
  /** Sequences known to be in the journal, per partition, archived or not. */
  const known = new Map<PartitionNumber, bigint>()
  const note = (partition: PartitionNumber, sequence: bigint): void => {
    if ((known.get(partition) ?? 0n) < sequence) known.set(partition, sequence)
  }
  const isThere = async (partition: PartitionNumber, sequence: bigint): Promise<boolean> => {
    if (sequence === 0n || (known.get(partition) ?? 0n) >= sequence) return true
    if (!(await records.has(partition, sequence)) && (await archive.through(partition)) < sequence) return false
    note(partition, sequence)
    return true
  }
  /** Whether an insert that succeeded stands, or took a place in the archive. */
  const stands = async (partition: PartitionNumber, sequence: bigint): Promise<boolean> => {
    try {
      if ((await archive.through(partition)) < sequence) return true
      await records.removeOne(partition, sequence)
      return false
    } catch (error) {
      if (!(error instanceof PortError)) throw error
      const message = `record ${sequence} of partition ${partition} was stored, but not whether it counts`
      throw new PortError('unknown', message, { cause: error })
    }
  }
  return async (partition: PartitionNumber, record: StoredRecord): Promise<AppendResult> => {
    checkRecord(record)
    const { sequence } = record
    if (!(await isThere(partition, sequence - 1n))) throw gapBefore(partition, sequence)
    const isInserted = await records.insert(partition, record)
    const isOurs = isInserted && (await stands(partition, sequence))
    note(partition, sequence)
    return isOurs ? 'appended' : 'taken'
  }
}

/** Reads that prefer the archive: a document at a place that is archived is one that lost (see `createAppender`). */
const createReads = (records: RecordStore, archive: ArchiveStore, checkOpen: () => void) => {
  const readArchived = async (partition: PartitionNumber, sequence: bigint): Promise<StoredRecord | null> => {
    const segment = await archive.holding(partition, sequence)
    if (segment === null) return null
    return (await recordsIn(segment)).find((record) => record.sequence === sequence) ?? null
  }
  const read = async (partition: PartitionNumber, sequence: bigint): Promise<StoredRecord | null> => {
    checkOpen()
    const record = await records.read(partition, sequence)
    if (record !== null && (await archive.through(partition)) < sequence) return record
    return readArchived(partition, sequence)
  }
  const head = async (partition: PartitionNumber): Promise<StoredRecord | null> => {
    checkOpen()
    const newest = await records.newest(partition)
    const through = await archive.through(partition)
    if (newest !== null && newest.sequence > through) return newest
    return through === 0n ? null : readArchived(partition, through)
  }
  const readFrom = async function* (partition: PartitionNumber, from: bigint): AsyncGenerator<StoredRecord> {
    let next = from < 1n ? 1n : from
    for (;;) {
      checkOpen()
      const segment = await archive.holding(partition, next)
      if (segment !== null) {
        for (const record of await recordsIn(segment)) {
          if (record.sequence !== next) continue
          yield record
          next += 1n
        }
        continue
      }
      const page = await records.page(partition, next)
      for (const record of page) yield record
      next += BigInt(page.length)
      if (page.length > 0) continue
      // Archived and removed between the two looks, or missing, or the end.
      const isArchived = (await archive.through(partition)) >= next
      if (isArchived && (await archive.holding(partition, next)) !== null) continue
      if (!isArchived && !(await records.hasBeyond(partition, next))) return
      if (!isArchived && ((await archive.through(partition)) >= next || (await records.has(partition, next)))) continue
      throw new PortError('corrupt', `record ${next} of partition ${partition} is missing`)
    }
  }
  return { read, head, readFrom }
}

/** Records of a journal on MongoDB for who only looks: it makes no index and needs no right to write. */
export const createMongoJournalReader = (connection: MongoConnection): Pick<Journal, 'readFrom'> => {
  const { readFrom } = createReads(createRecordStore(connection), createArchiveStore(connection), () => undefined)
  return { readFrom }
}

/**
 * Journal on MongoDB: a document per record whose key is its sequence, in a collection per partition; confirmed by a majority
 * and its journals before `append` answers. A lost answer is `unknown`, and `read` settles it. Needs nothing of the server but
 * that single documents change as a whole. The connection stays its owner's: `close` only ends this journal.
 * @throws {PortError} `unavailable` when the server can't be reached
 */
export const openMongoJournal = async (connection: MongoConnection): Promise<Journal> => {
  const records = createRecordStore(connection)
  const archive = createArchiveStore(connection)
  const cursors = createCursorStore(connection)
  let isClosed = false
  const checkOpen = (): void => {
    if (isClosed) throw new PortError('closed', 'the journal is closed')
  }
  const append = createAppender(records, archive)
  const { read, head, readFrom } = createReads(records, archive, checkOpen)
  await archive.open()

  const archiveSegment = async (partition: PartitionNumber, segment: ArchiveSegment): Promise<void> => {
    const through = await archive.through(partition)
    if (segment.last <= through && (await archive.hasSame(partition, segment))) return
    const isInPlace =
      segment.first === through + 1n && segment.last >= segment.first && (await records.has(partition, segment.last))
    if (!isInPlace) throw segmentOutOfPlace(segment, through)
    if (await archive.insert(partition, segment)) return
    if (!(await archive.hasSame(partition, segment))) throw segmentOutOfPlace(segment, await archive.through(partition))
  }
  const partitions = async (): Promise<readonly PartitionNumber[]> => {
    const found = new Set(await archive.partitions())
    for (const partition of await records.partitions()) {
      if (!found.has(partition) && (await records.hasBeyond(partition, 0n))) found.add(partition)
    }
    return [...found].sort((a, b) => a - b)
  }
  /** An async function that is refused once the journal is closed. */
  const open = async <Value>(task: () => Promise<Value>): Promise<Value> => {
    checkOpen()
    return task()
  }

  return {
    append: (partition, record) => open(() => append(partition, record)),
    head,
    read,
    readFrom,
    loadCursors: (partition) => open(() => cursors.load(partition)),
    saveCursors: (partition, list) => open(() => cursors.save(partition, list)),
    archive: (partition, segment) => open(() => archiveSegment(partition, segment)),
    archives: (partition) => open(() => archive.all(partition)),
    archivedThrough: (partition) => open(() => archive.through(partition)),
    removeThrough: (partition, sequence) =>
      open(async () => {
        const covered = await archive.through(partition)
        const through = sequence < covered ? sequence : covered
        if (through > 0n) await records.remove(partition, through)
      }),
    partitions: () => open(partitions),
    close: async () => {
      isClosed = true
    },
  }
}
