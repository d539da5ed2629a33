import type { Journal, StoredRecord } from '../ports/journal.ts'
import { partitionName, type PartitionNumber } from './partition.ts'
import { decodeRecord, RecordError, verifyPlace, type JournalRecord } from './record.ts'

/** Bytes of records that are read ahead of a state, but for the last pack. */
export const READ_AHEAD_BYTES_MAX = 128 * 1024 * 1024
/** Bytes after which a pack of records ends with the piece of memory it lies in. */
const PACK_BYTES = 64 * 1024
const HASH_BYTES = 32

/** A record that continues the ones before it, and its hash. */
export interface VerifiedRecord {
  readonly record: JournalRecord
  readonly hash: Uint8Array
}

/** Reads and verifies the records that follow a place of the journal, before and while they are needed. */
export interface TailReader {
  /**
   * Reads up to the journal's head as it is at the call, or READ_AHEAD_BYTES_MAX; how far never depends on how fast anything
   * is. Never rejects:
   * what it finds wrong is thrown by `batches`, in its place.
   */
  readAhead(): Promise<void>
  /**
   * What was read ahead, then the rest, up to the journal's end as it is when it is reached. Again: what came since.
   * @throws {RecordError} when a record is missing, changed, or does not continue the one before
   */
  batches(): AsyncGenerator<readonly VerifiedRecord[]>
}

/**
 * Verified records one after the other, each behind its hash: bytes that lie together keep a hundred thousand records
 * from being a million objects.
 */
interface Pack {
  readonly bytes: Uint8Array
  /** Where each record's hash begins, and where the last record ends. */
  readonly places: readonly number[]
}

/** Whether each record lies in one piece of memory behind its hash, and behind the record before it. */
const liesPacked = (records: readonly StoredRecord[]): boolean => {
  const buffer = records[0]!.hash.buffer
  let at = records[0]!.hash.byteOffset
  for (const { hash, body } of records) {
    if (hash.buffer !== buffer || body.buffer !== buffer || hash.length !== HASH_BYTES) return false
    if (hash.byteOffset !== at || body.byteOffset !== at + HASH_BYTES) return false
    at += HASH_BYTES + body.length
  }
  return true
}

/** Packs records; those that lie as in a pack already, as a page of a journal may have them, stay where they are. */
const packOf = (records: readonly StoredRecord[], size: number): Pack => {
  const isPacked = liesPacked(records)
  const length = size + records.length * HASH_BYTES
  const { hash: first } = records[0]!
  const bytes = isPacked ? new Uint8Array(first.buffer, first.byteOffset, length) : new Uint8Array(length)
  const places: number[] = []
  let at = 0
  for (const { hash, body } of records) {
    places.push(at)
    if (!isPacked) {
      bytes.set(hash, at)
      bytes.set(body, at + HASH_BYTES)
    }
    at += HASH_BYTES + body.length
  }
  places.push(at)
  return { bytes, places }
}

const unpack = ({ bytes, places }: Pack): VerifiedRecord[] =>
  Array.from({ length: places.length - 1 }, (_, index) => ({
    hash: bytes.subarray(places[index], places[index]! + HASH_BYTES),
    record: decodeRecord(bytes.subarray(places[index]! + HASH_BYTES, places[index + 1])),
  }))

/** Starts behind the record at `sequence`, whose hash is `hash`. */
export const createTailReader = (
  journal: Journal,
  from: { readonly partition: PartitionNumber; readonly sequence: bigint; readonly hash: Uint8Array },
): TailReader => {
  const { partition } = from
  let { sequence, hash } = from
  let bytesRead = 0
  const ahead: Pack[] = []
  /** What reading ahead ended with, for who comes to that place; undefined when nothing is wrong. */
  let failure: { readonly error: unknown } | undefined

  const read = async function* (): AsyncGenerator<Pack> {
    let records: StoredRecord[] = []
    let size = 0
    try {
      for await (const stored of journal.readFrom(partition, sequence + 1n)) {
        const next = sequence + 1n
        if (stored.sequence !== next)
          throw new RecordError(`record ${next} of partition ${partitionName(partition)} is missing`)
        verifyPlace(stored, { partition, sequence: next, previousHash: hash })
        const isOther = records.length > 0 && stored.hash.buffer !== records[0]!.hash.buffer
        if (size >= PACK_BYTES && isOther) {
          const full = packOf(records, size)
          bytesRead += size
          records = []
          size = 0
          yield full
        }
        records.push(stored)
        size += stored.body.length
        sequence = next
        hash = stored.hash
      }
    } catch (error) {
      // Those before a broken one are sound.
      if (records.length > 0) yield packOf(records, size)
      throw error
    }
    if (records.length > 0) yield packOf(records, size)
  }

  return {
    readAhead: async () => {
      try {
        // An owner at work appends as fast as its records are read: the end itself may never be reached.
        const end = (await journal.head(partition))?.sequence ?? 0n
        for await (const pack of read()) {
          ahead.push(pack)
          if (bytesRead >= READ_AHEAD_BYTES_MAX || sequence >= end) break
        }
      } catch (error) {
        failure = { error }
      }
    },
    batches: async function* () {
      for (let pack = ahead.shift(); pack !== undefined; pack = ahead.shift()) yield unpack(pack)
      if (failure !== undefined) {
        const { error } = failure
        // Once: a journal that was away may be there for who reads on; a broken record is found broken again.
        failure = undefined
        throw error
      }
      for await (const pack of read()) yield unpack(pack)
    },
  }
}
