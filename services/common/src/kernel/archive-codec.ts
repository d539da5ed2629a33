import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import { constants, zstdCompress, zstdDecompress } from 'node:zlib'
import type { ArchiveSegment, StoredRecord } from '../ports/journal.ts'

/**
 * An archive segment: records first … last of one partition, compressed and chained. Little endian:
 *
 *    0 u32 magic 'BJA1' │ 4 u32 record count │ 8 u64 first │ 16 u64 last │ 24 u64 content bytes
 *   32 SHA-256 of the segment before (32 zero bytes for the first one)
 *   64 zstd(content); content: each record as u32 body bytes │ hash (32 bytes) │ body
 *
 * `sha256` of the segment is over all of these bytes; with the one before inside, segments chain.
 */
export const SEGMENT_HEADER_BYTES = 64
const MAGIC = 0x31414a42
const RECORD_PREFIX_BYTES = 36
const HASH_BYTES = 32
/** Largest content that is unpacked: no forged header makes us take more memory. */
export const SEGMENT_CONTENT_BYTES_MAX = 64 * 1024 * 1024

const compress = promisify(zstdCompress)
const decompress = promisify(zstdDecompress)

/** A segment that is not what it claims to be. */
export class SegmentError extends Error {
  override readonly name = 'SegmentError'
}

const sha256 = (bytes: Uint8Array): Uint8Array => Uint8Array.from(createHash('sha256').update(bytes).digest())
const isEqual = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0
const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/**
 * Packs consecutive records into a segment that continues `previous` (null for the first). Compression runs off the
 * main thread.
 * @throws {RangeError} when there is no record, a sequence is missing, or the content is too large: bugs of the caller.
 */
export const encodeSegment = async (
  records: readonly StoredRecord[],
  previous: Pick<ArchiveSegment, 'sha256' | 'last'> | null,
): Promise<ArchiveSegment> => {
  const first = records[0]?.sequence
  if (first === undefined) throw new RangeError('a segment without records')
  if (first !== (previous === null ? 1n : previous.last + 1n))
    throw new RangeError(`segment from ${first} does not continue`)
  const size = records.reduce((sum, record) => sum + RECORD_PREFIX_BYTES + record.body.length, 0)
  if (size > SEGMENT_CONTENT_BYTES_MAX)
    throw new RangeError(`a segment of ${size} bytes; at most ${SEGMENT_CONTENT_BYTES_MAX}`)
  const content = new Uint8Array(size)
  const view = viewOf(content)
  let at = 0
  records.forEach((record, index) => {
    if (record.sequence !== first + BigInt(index)) throw new RangeError(`record ${record.sequence} is out of its place`)
    view.setUint32(at, record.body.length, true)
    content.set(record.hash, at + 4)
    content.set(record.body, at + RECORD_PREFIX_BYTES)
    at += RECORD_PREFIX_BYTES + record.body.length
  })
  const packed = await compress(content, { params: { [constants.ZSTD_c_compressionLevel]: 3 } })
  const bytes = new Uint8Array(SEGMENT_HEADER_BYTES + packed.length)
  const header = viewOf(bytes)
  const last = first + BigInt(records.length - 1)
  header.setUint32(0, MAGIC, true)
  header.setUint32(4, records.length, true)
  header.setBigUint64(8, first, true)
  header.setBigUint64(16, last, true)
  header.setBigUint64(24, BigInt(size), true)
  if (previous !== null) bytes.set(previous.sha256, HASH_BYTES)
  bytes.set(packed, SEGMENT_HEADER_BYTES)
  return { first, last, sha256: sha256(bytes), bytes }
}

/** SHA-256 of the segment before, as this one says; 32 zero bytes for the first. A view into its bytes. */
export const previousHashOf = (segment: ArchiveSegment): Uint8Array =>
  segment.bytes.subarray(HASH_BYTES, SEGMENT_HEADER_BYTES)

const checkHeader = (segment: ArchiveSegment): { readonly count: number; readonly size: number } => {
  const { bytes } = segment
  const name = `archive segment ${segment.first}…${segment.last}`
  if (!isEqual(sha256(bytes), segment.sha256)) throw new SegmentError(`${name}: its bytes do not match its hash`)
  if (bytes.length < SEGMENT_HEADER_BYTES || viewOf(bytes).getUint32(0, true) !== MAGIC)
    throw new SegmentError(`${name}: not a segment`)
  const view = viewOf(bytes)
  const count = view.getUint32(4, true)
  const size = view.getBigUint64(24, true)
  const isInPlace = view.getBigUint64(8, true) === segment.first && view.getBigUint64(16, true) === segment.last
  if (!isInPlace || segment.last - segment.first + 1n !== BigInt(count))
    throw new SegmentError(`${name}: it holds other records`)
  if (size > BigInt(SEGMENT_CONTENT_BYTES_MAX)) throw new SegmentError(`${name}: its content is too large`)
  return { count, size: Number(size) }
}

const unpack = async (segment: ArchiveSegment, size: number): Promise<Uint8Array> => {
  try {
    return await decompress(segment.bytes.subarray(SEGMENT_HEADER_BYTES), { maxOutputLength: Math.max(size, 1) })
  } catch (error) {
    // Only a forged hash lets this happen; what can't be unpacked is no segment, whoever wrote it.
    const reason = error instanceof Error ? error.message : String(error)
    const message = `archive segment ${segment.first}…${segment.last}: its content can't be unpacked: ${reason}`
    throw new SegmentError(message, { cause: error })
  }
}

/**
 * Unpacks a segment after checking its hash, place and lengths. The records' own hashes and chain are the kernel's to
 * check.
 * @throws {SegmentError} naming what is wrong.
 */
export const decodeSegment = async (segment: ArchiveSegment): Promise<readonly StoredRecord[]> => {
  const { count, size } = checkHeader(segment)
  const content = await unpack(segment, size)
  if (content.length !== size)
    throw new SegmentError(`archive segment ${segment.first}…${segment.last}: its content is cut short`)
  const view = viewOf(content)
  const records: StoredRecord[] = []
  let at = 0
  for (let index = 0; index < count; index++) {
    const bodyAt = at + RECORD_PREFIX_BYTES
    const length = bodyAt <= size ? view.getUint32(at, true) : Infinity
    if (bodyAt + length > size)
      throw new SegmentError(`archive segment ${segment.first}…${segment.last}: a record is cut short`)
    const hash = Uint8Array.from(content.subarray(at + 4, bodyAt))
    records.push({
      sequence: segment.first + BigInt(index),
      hash,
      body: Uint8Array.from(content.subarray(bodyAt, bodyAt + length)),
    })
    at = bodyAt + length
  }
  if (at !== size)
    throw new SegmentError(`archive segment ${segment.first}…${segment.last}: it is longer than its records`)
  return records
}

/**
 * Checks that segments follow one another without gap from record 1 and that each names the hash of the one before.
 * @throws {SegmentError} naming the first that does not.
 */
export const verifySegmentChain = (segments: readonly ArchiveSegment[]): void => {
  let next = 1n
  let hash: Uint8Array = new Uint8Array(HASH_BYTES)
  for (const segment of segments) {
    checkHeader(segment)
    if (segment.first !== next)
      throw new SegmentError(`archive segment ${segment.first}…${segment.last}: ${next} should come next`)
    if (!isEqual(previousHashOf(segment), hash))
      throw new SegmentError(`archive segment ${segment.first}…${segment.last}: broken chain`)
    next = segment.last + 1n
    hash = segment.sha256
  }
}
