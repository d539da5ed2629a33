import mongoose, { type mongo } from 'mongoose'
import type { PartitionNumber } from '../../kernel/partition.ts'
import type { StoredRecord } from '../../ports/journal.ts'
import { READ_MS_MAX, type MongoConnection } from './connection.ts'
import { isDuplicate } from './failures.ts'

/** Records a page of `readFrom` reads at once, and the bytes after which it ends early. */
export const PAGE_RECORDS_MAX = 256
/** Bytes of a page, but for its last record. A server's answer to one read is at most 16 MB. */
export const PAGE_BYTES_MAX = 4 * 1024 * 1024

/** One record: its sequence is the key, so every server that has a primary key keeps it unique. */
interface RecordDocument {
  readonly _id: bigint
  readonly hash: Uint8Array
  readonly body: Uint8Array
  /** Bytes of the body: pages are measured before they are read. */
  readonly size: number
}

/** The records of all partitions that are not archived, or not yet removed. */
export interface RecordStore {
  /** False when the place is taken. */
  insert(partition: PartitionNumber, record: StoredRecord): Promise<boolean>
  has(partition: PartitionNumber, sequence: bigint): Promise<boolean>
  read(partition: PartitionNumber, sequence: bigint): Promise<StoredRecord | null>
  newest(partition: PartitionNumber): Promise<StoredRecord | null>
  /** Records from `from` on without a gap; none when that one is not there. */
  page(partition: PartitionNumber, from: bigint): Promise<readonly StoredRecord[]>
  /** Whether there is a record beyond a sequence. */
  hasBeyond(partition: PartitionNumber, sequence: bigint): Promise<boolean>
  remove(partition: PartitionNumber, through: bigint): Promise<void>
  removeOne(partition: PartitionNumber, sequence: bigint): Promise<void>
  /** Partitions that have a collection, whether or not anything is in it. */
  partitions(): Promise<readonly PartitionNumber[]>
}

const PREFIX = 'journal_'
const NAME = /^journal_(\d+)$/u

const binary = (bytes: Uint8Array): mongo.Binary => new mongoose.mongo.Binary(bytes)
const recordOf = ({ _id, hash, body }: RecordDocument): StoredRecord => ({ sequence: _id, hash, body })

/** How many of the records make a page: up to a hole or the byte that fills it. */
const countOf = (found: readonly { readonly _id: bigint; readonly size: number }[], from: bigint): number => {
  let bytes = 0
  for (const [index, { _id, size }] of found.entries()) {
    if (_id !== from + BigInt(index)) return index
    bytes += size
    if (bytes >= PAGE_BYTES_MAX) return index + 1
  }
  return found.length
}

/**
 * Records in a collection per partition, `journal_<partition>`: scans stay short, and one partition's never meet another's.
 * Reads of one record are linearizable: a primary that has been replaced without knowing can't answer them.
 */
export const createRecordStore = (connection: MongoConnection): RecordStore => {
  const { database, run } = connection
  const collections = new Map<PartitionNumber, mongo.Collection<RecordDocument>>()
  const of = (partition: PartitionNumber): mongo.Collection<RecordDocument> => {
    const known = collections.get(partition)
    if (known !== undefined) return known
    const made = database.collection<RecordDocument>(`${PREFIX}${partition}`)
    collections.set(partition, made)
    return made
  }
  const newestFirst = { sort: { _id: -1 } } as const
  const strong = { readConcern: { level: 'linearizable' }, maxTimeMS: READ_MS_MAX } as const
  const bounded = { maxTimeMS: READ_MS_MAX } as const

  const insert = async (partition: PartitionNumber, { sequence, hash, body }: StoredRecord): Promise<boolean> => {
    try {
      const document = { _id: sequence, hash: binary(hash), body: binary(body), size: body.length }
      // The driver's type of the stored bytes is its own; read back they are Buffers.
      await of(partition).insertOne(document as unknown as RecordDocument)
      return true
    } catch (error) {
      if (isDuplicate(error)) return false
      throw error
    }
  }

  const page = async (partition: PartitionNumber, from: bigint): Promise<readonly StoredRecord[]> => {
    const lengths = await of(partition)
      .find({ _id: { $gte: from } }, { ...bounded, projection: { size: 1 } })
      .sort({ _id: 1 })
      .limit(PAGE_RECORDS_MAX)
      .toArray()
    const count = countOf(lengths, from)
    if (count === 0) return []
    const found = await of(partition)
      .find({ _id: { $gte: from, $lt: from + BigInt(count) } }, { ...bounded, batchSize: PAGE_RECORDS_MAX })
      .sort({ _id: 1 })
      .toArray()
    // Some may have been archived and removed in between: the first then is missing, and the segments have it.
    return found.slice(0, countOf(found, from)).map(recordOf)
  }

  return {
    insert: (partition, record) =>
      run('write', `record ${record.sequence} of partition ${partition}`, () => insert(partition, record)),
    has: (partition, sequence) =>
      run('read', `record ${sequence} of partition ${partition}`, async () => {
        const found = await of(partition).findOne({ _id: sequence }, { ...strong, projection: { _id: 1 } })
        return found !== null
      }),
    read: (partition, sequence) =>
      run('read', `record ${sequence} of partition ${partition}`, async () => {
        const found = await of(partition).findOne({ _id: sequence }, strong)
        return found === null ? null : recordOf(found)
      }),
    newest: (partition) =>
      run('read', `the head of partition ${partition}`, async () => {
        const found = await of(partition).findOne({}, { ...strong, ...newestFirst })
        return found === null ? null : recordOf(found)
      }),
    page: (partition, from) => run('read', `records of partition ${partition}`, () => page(partition, from)),
    hasBeyond: (partition, sequence) =>
      run('read', `the head of partition ${partition}`, async () => {
        const found = await of(partition).findOne({ _id: { $gt: sequence } }, { ...bounded, projection: { _id: 1 } })
        return found !== null
      }),
    remove: (partition, through) =>
      run('write', `removing records of partition ${partition}`, async () => {
        await of(partition).deleteMany({ _id: { $lte: through } })
      }),
    removeOne: (partition, sequence) =>
      run('write', `removing a record of partition ${partition}`, async () => {
        await of(partition).deleteOne({ _id: sequence })
      }),
    partitions: () =>
      run('read', 'the partitions of the journal', async () => {
        const found = await database.listCollections({}, { nameOnly: true, authorizedCollections: true }).toArray()
        return found.flatMap(({ name }) => NAME.exec(name)?.slice(1).map(Number) ?? [])
      }),
  }
}
