import { createHash } from 'node:crypto'
import { finished } from 'node:stream/promises'
import mongoose, { type mongo } from 'mongoose'
import type { PartitionNumber } from '../../kernel/partition.ts'
import type { Clock } from '../../ports/clock.ts'
import { PortError } from '../../ports/failure.ts'
import type { SnapshotInfo, Snapshots } from '../../ports/snapshots.ts'
import { MAJORITY_MS_MAX, READ_MS_MAX, type MongoConnection } from './connection.ts'
import { isDuplicate } from './failures.ts'

/** Files that no snapshot points at are removed at open when their writing began longer ago than this, ms. */
export const LEFTOVER_AGE_MS = 60 * 60 * 1_000
/** A write that took longer is given up before it counts, so that nobody takes its file for a leftover, ms. */
export const WRITE_MS_MAX = LEFTOVER_AGE_MS / 2
/** Bytes of a file in one document. */
export const FILE_CHUNK_BYTES = 2 * 1024 * 1024
/** How often a read starts again because its file was replaced meanwhile. */
export const READ_ATTEMPTS_MAX = 5
/** Bytes that are hashed or sent in one turn, so that others have theirs. */
const TURN_BYTES = 4 * 1024 * 1024

/** What a snapshot is: it points at the file of its bytes. `_id` is `<partition>/<sequence, 20 digits>`. */
interface PointerDocument {
  readonly _id: string
  readonly partition: number
  readonly sequence: bigint
  readonly file: mongo.ObjectId
  readonly bytes: number
  readonly sha256: string
  readonly atMs: number
}

/** Every file there is or may be, from before its first byte until after its last: what an interruption left is found by it. */
interface FileDocument {
  readonly _id: mongo.ObjectId
  readonly atMs: number
}

const idOf = (partition: PartitionNumber, sequence: bigint): string =>
  `${partition}/${sequence.toString().padStart(20, '0')}`

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

const sha256Of = async (bytes: Uint8Array): Promise<string> => {
  const hash = createHash('sha256')
  for (let at = 0; at < bytes.length; at += TURN_BYTES) {
    if (at > 0) await turn()
    hash.update(bytes.subarray(at, at + TURN_BYTES))
  }
  return hash.digest('hex')
}

const infoOf = ({ sequence, bytes, sha256, atMs }: PointerDocument): SnapshotInfo => ({ sequence, bytes, sha256, atMs })

/** The files in GridFS, each under an id of its own that is never used again. */
const createFiles = ({ database, logger }: MongoConnection, clock: Clock) => {
  const bucket = new mongoose.mongo.GridFSBucket(database, {
    bucketName: 'snapshot_files',
    chunkSizeBytes: FILE_CHUNK_BYTES,
    writeConcern: { w: 'majority', journal: true, wtimeoutMS: MAJORITY_MS_MAX },
  })
  const known: mongo.Collection<FileDocument> = database.collection('snapshot_uploads')

  const remove = async (id: mongo.ObjectId): Promise<void> => {
    // Not through the bucket: an interrupted upload has chunks and no file, which the bucket refuses to delete.
    await database.collection('snapshot_files.files').deleteOne({ _id: id })
    await database.collection('snapshot_files.chunks').deleteMany({ files_id: id })
    await known.deleteOne({ _id: id })
  }
  return {
    remove,
    /** Removes a file that nothing points at any more; what fails here is left to the next opening. */
    discard: async (id: mongo.ObjectId): Promise<void> => {
      try {
        await remove(id)
      } catch (error) {
        logger.warn({ err: error }, 'a replaced snapshot could not be removed; it is when snapshots are opened next')
      }
    },
    upload: async (name: string, bytes: Uint8Array): Promise<mongo.ObjectId> => {
      const id = new mongoose.mongo.ObjectId()
      await known.insertOne({ _id: id, atMs: clock.nowMs() })
      const stream = bucket.openUploadStreamWithId(id, name)
      const ended = finished(stream)
      for (let at = 0; at < bytes.length; at += TURN_BYTES) {
        if (stream.errored !== null) break
        const isFull = !stream.write(bytes.subarray(at, at + TURN_BYTES))
        if (isFull && stream.errored === null) {
          await Promise.race([new Promise((resolve) => stream.once('drain', resolve)), ended])
        }
      }
      stream.end()
      await ended
      return id
    },
    /** The bytes of a file; null when it is not whole. */
    download: async (id: mongo.ObjectId, size: number): Promise<Uint8Array | null> => {
      const bytes = new Uint8Array(size)
      let at = 0
      try {
        for await (const part of bucket.openDownloadStream(id) as AsyncIterable<Uint8Array>) {
          if (at + part.length > size) return null
          bytes.set(part, at)
          at += part.length
        }
      } catch (error) {
        const isMissing =
          error instanceof mongoose.mongo.MongoGridFSChunkError ||
          (error instanceof mongoose.mongo.MongoRuntimeError && /FileNotFound/u.test(error.message))
        if (!isMissing) throw error
        return null
      }
      return at === size ? bytes : null
    },
    /** Files whose writing began before a moment. */
    begunBefore: async (atMs: number): Promise<readonly mongo.ObjectId[]> =>
      (await known.find({ atMs: { $lt: atMs } }).toArray()).map(({ _id }) => _id),
  }
}

type Files = ReturnType<typeof createFiles>

/** Writes a file, then points at it with one change of one document, then removes the file that was pointed at before. */
const createWrite =
  (files: Files, pointers: mongo.Collection<PointerDocument>, clock: Clock) =>
  async (partition: PartitionNumber, sequence: bigint, bytes: Uint8Array): Promise<SnapshotInfo> => {
    const beganMs = clock.monotonicMs()
    const _id = idOf(partition, sequence)
    const info = { sequence, bytes: bytes.length, sha256: await sha256Of(bytes), atMs: clock.nowMs() }
    const file = await files.upload(_id, bytes)
    if (clock.monotonicMs() - beganMs > WRITE_MS_MAX) {
      await files.remove(file)
      throw new PortError('timeout', `snapshot ${_id} took longer than ${WRITE_MS_MAX} ms to write`)
    }
    const point = () =>
      pointers.findOneAndUpdate(
        { _id },
        { $set: { partition, file, ...info } },
        { upsert: true, returnDocument: 'before' },
      )
    let before: PointerDocument | null
    try {
      before = await point()
    } catch (error) {
      // Two made the pointer at one moment: it is there now.
      if (!isDuplicate(error)) throw error
      before = await point()
    }
    if (before !== null) await files.discard(before.file)
    return info
  }

const createRead =
  (files: Files, pointers: mongo.Collection<PointerDocument>) =>
  async (partition: PartitionNumber, sequence: bigint): Promise<Uint8Array | null> => {
    const _id = idOf(partition, sequence)
    let seen: mongo.ObjectId | undefined
    for (let attempt = 1; attempt <= READ_ATTEMPTS_MAX; attempt++) {
      const pointer = await pointers.findOne({ _id }, { maxTimeMS: READ_MS_MAX })
      if (pointer === null) return null
      // The same file again: it was not replaced while it was read, it is damaged.
      if (seen !== undefined && pointer.file.equals(seen)) break
      seen = pointer.file
      const bytes = await files.download(pointer.file, pointer.bytes)
      if (bytes !== null && (await sha256Of(bytes)) === pointer.sha256) return bytes
    }
    throw new PortError('corrupt', `snapshot ${_id}: its bytes are not whole or do not match its SHA-256`)
  }

/**
 * Snapshots in GridFS. Opening removes files that nothing points at and nobody can still be writing (LEFTOVER_AGE_MS); any
 * number of processes may have them open. The connection stays its owner's.
 * @throws {PortError} `unavailable` when the server can't be reached
 */
export const openMongoSnapshots = async (
  connection: MongoConnection,
  options: { readonly clock: Clock },
): Promise<Snapshots> => {
  const { run, database, logger } = connection
  const { clock } = options
  const files = createFiles(connection, clock)
  const pointers: mongo.Collection<PointerDocument> = database.collection('snapshots')
  const write = createWrite(files, pointers, clock)
  const read = createRead(files, pointers)
  let isClosed = false
  const attempt = async <Value>(intent: 'read' | 'write', what: string, task: () => Promise<Value>): Promise<Value> => {
    if (isClosed) throw new PortError('closed', 'snapshots are closed')
    return run(intent, what, task)
  }

  await attempt('write', 'leftovers of snapshots', async () => {
    await pointers.createIndex({ partition: 1, sequence: 1 })
    const begun = await files.begunBefore(clock.nowMs() - LEFTOVER_AGE_MS)
    if (begun.length === 0) return
    const pointedAt = await pointers.find({}, { projection: { file: 1 } }).toArray()
    const kept = new Set(pointedAt.map(({ file }) => file.toHexString()))
    const leftovers = begun.filter((id) => !kept.has(id.toHexString()))
    for (const id of leftovers) await files.remove(id)
    if (leftovers.length > 0) logger.info({ count: leftovers.length }, 'removed what interrupted snapshots left behind')
  })

  return {
    write: (partition, sequence, bytes) =>
      attempt('write', `snapshot ${sequence} of partition ${partition}`, () => write(partition, sequence, bytes)),
    list: (partition) =>
      attempt('read', `snapshots of partition ${partition}`, async () => {
        const found = await pointers.find({ partition }, { maxTimeMS: READ_MS_MAX }).sort({ sequence: -1 }).toArray()
        return found.map(infoOf)
      }),
    read: (partition, sequence) =>
      attempt('read', `snapshot ${sequence} of partition ${partition}`, () => read(partition, sequence)),
    remove: (partition, sequence) =>
      attempt('write', `removing snapshot ${sequence} of partition ${partition}`, async () => {
        const pointer = await pointers.findOne({ _id: idOf(partition, sequence) })
        if (pointer === null) return
        await pointers.deleteOne({ _id: pointer._id, file: pointer.file })
        await files.discard(pointer.file)
      }),
    close: async () => {
      isClosed = true
    },
  }
}
