import mongoose, { type mongo } from 'mongoose'
import type { PartitionNumber } from '../../kernel/partition.ts'
import { PortError } from '../../ports/failure.ts'
import type { ArchiveSegment } from '../../ports/journal.ts'
import { READ_MS_MAX, type MongoConnection } from './connection.ts'
import { isDuplicate } from './failures.ts'

/** Bytes of a segment in one document, well below the 16 MB that one may have. */
export const SEGMENT_CHUNK_BYTES = 8 * 1024 * 1024

/** A segment without its bytes. `_id` is `<partition>/<first>`: of two archivers that go on at one place, one wins. */
interface SegmentDocument {
  readonly _id: string
  readonly partition: number
  readonly first: bigint
  readonly last: bigint
  readonly sha256: Uint8Array
  readonly size: number
  /** Who wrote its chunks. */
  readonly attempt: string
}

/** A piece of a segment's bytes. `_id` is `<attempt>/<index>`. */
interface ChunkDocument {
  readonly _id: string
  readonly attempt: string
  readonly segment: string
  readonly bytes: Uint8Array
}

/** The archive segments of all partitions. */
export interface ArchiveStore {
  /** Makes the index. */
  open(): Promise<void>
  /** False when another segment that begins there is stored. */
  insert(partition: PartitionNumber, segment: ArchiveSegment): Promise<boolean>
  hasSame(partition: PartitionNumber, segment: ArchiveSegment): Promise<boolean>
  /** Last sequence that is archived, 0 for none. */
  through(partition: PartitionNumber): Promise<bigint>
  holding(partition: PartitionNumber, sequence: bigint): Promise<ArchiveSegment | null>
  all(partition: PartitionNumber): Promise<readonly ArchiveSegment[]>
  partitions(): Promise<readonly PartitionNumber[]>
}

const binary = (bytes: Uint8Array): mongo.Binary => new mongoose.mongo.Binary(bytes)

const idOf = (partition: PartitionNumber, first: bigint): string => `${partition}/${first.toString().padStart(20, '0')}`

/** Segments as documents, their bytes in chunks beside them: the chunks first, so that a segment that is there is whole. */
export const createArchiveStore = (connection: MongoConnection): ArchiveStore => {
  const { database, run, logger } = connection
  const segments = database.collection<SegmentDocument>('journal_segments')
  const chunks = database.collection<ChunkDocument>('journal_segment_chunks')
  const bounded = { maxTimeMS: READ_MS_MAX } as const

  const bytesOf = async ({ _id, attempt, size }: SegmentDocument): Promise<Uint8Array> => {
    const count = Math.ceil(size / SEGMENT_CHUNK_BYTES)
    const parts: Uint8Array[] = []
    for (let index = 0; index < count; index++) {
      const chunk = await chunks.findOne({ _id: `${attempt}/${index}` }, bounded)
      if (chunk === null) throw new PortError('corrupt', `archive segment ${_id} lacks its chunk ${index}`)
      parts.push(chunk.bytes)
    }
    const bytes = Uint8Array.from(Buffer.concat(parts))
    if (bytes.length !== size) throw new PortError('corrupt', `archive segment ${_id} has another length than it says`)
    return bytes
  }
  const segmentOf = async (found: SegmentDocument): Promise<ArchiveSegment> => {
    const { first, last, sha256 } = found
    return { first, last, sha256, bytes: await bytesOf(found) }
  }

  /** Removes what attempts that lost or were interrupted left at a place. The segment is stored: failing here undoes nothing. */
  const clearOthers = async (segment: string, ours: string | undefined): Promise<void> => {
    try {
      const winner = ours ?? (await segments.findOne({ _id: segment }, bounded))?.attempt
      if (winner !== undefined) await chunks.deleteMany({ segment, attempt: { $ne: winner } })
    } catch (error) {
      logger.warn({ err: error, segment }, 'chunks of interrupted archiving could not be removed; they only take space')
    }
  }

  const insert = async (partition: PartitionNumber, segment: ArchiveSegment): Promise<boolean> => {
    const _id = idOf(partition, segment.first)
    const attempt = new mongoose.mongo.ObjectId().toHexString()
    const { first, last, sha256, bytes } = segment
    for (let at = 0; at < bytes.length; at += SEGMENT_CHUNK_BYTES) {
      const part = binary(bytes.subarray(at, at + SEGMENT_CHUNK_BYTES))
      const chunk = { _id: `${attempt}/${at / SEGMENT_CHUNK_BYTES}`, attempt, segment: _id, bytes: part }
      await chunks.insertOne(chunk as unknown as ChunkDocument)
    }
    const document = { _id, partition, first, last, sha256: binary(sha256), size: bytes.length, attempt }
    let isOurs = true
    try {
      await segments.insertOne(document as unknown as SegmentDocument)
    } catch (error) {
      if (!isDuplicate(error)) throw error
      isOurs = false
    }
    await clearOthers(_id, isOurs ? attempt : undefined)
    return isOurs
  }

  return {
    open: () =>
      run('write', 'the indexes of the archive', async () => {
        await segments.createIndex({ partition: 1, last: 1 })
        await segments.createIndex({ first: 1 })
        await chunks.createIndex({ segment: 1 })
      }),
    insert: (partition, segment) => run('write', `archive of partition ${partition}`, () => insert(partition, segment)),
    hasSame: (partition, { first, last, sha256 }) =>
      run('read', `archive of partition ${partition}`, async () => {
        const found = await segments.findOne({ _id: idOf(partition, first) }, bounded)
        return found !== null && found.last === last && Buffer.compare(found.sha256, sha256) === 0
      }),
    through: (partition) =>
      run('read', `archive of partition ${partition}`, async () => {
        const found = await segments.findOne({ partition }, { ...bounded, sort: { last: -1 }, projection: { last: 1 } })
        return found?.last ?? 0n
      }),
    holding: (partition, sequence) =>
      run('read', `archive of partition ${partition}`, async () => {
        const found = await segments.findOne({ partition, last: { $gte: sequence } }, { ...bounded, sort: { last: 1 } })
        return found === null || found.first > sequence ? null : segmentOf(found)
      }),
    all: (partition) =>
      run('read', `archive of partition ${partition}`, async () => {
        const found = await segments.find({ partition }, bounded).sort({ last: 1 }).toArray()
        const all: ArchiveSegment[] = []
        for (const one of found) all.push(await segmentOf(one))
        return all
      }),
    partitions: () =>
      run('read', 'the partitions of the archive', async () => {
        // Every partition's archive begins with its first record.
        const found = await segments.find({ first: 1n }, { ...bounded, projection: { partition: 1 } }).toArray()
        return found.map(({ partition }) => partition)
      }),
  }
}
