import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import { constants, zstdCompress, zstdDecompress } from 'node:zlib'
import type { ArchiveSegment, StoredRecord } from '../ports/journal.ts'

/*
 * Archive segment: header (plain), then the compressed records.
 *
 *   0 u32 magic 'BJA1' │ 4 u32 records │ 8 u64 first │ 16 u64 last │ 24 u32 bytes uncompressed │ 28 u32 zero
 *  32 SHA-256 of the segment before (zeros for the first) │ 64 compressed: for each record u32 bytes · hash (32) · body
 */
const MAGIC = 0x31414a42
const HEADER_BYTES = 64
const RECORD_HEAD_BYTES = 36
/** Largest uncompressed segment that is read. */
export const SEGMENT_UNCOMPRESSED_BYTES_MAX = 64 * 1024 * 1024

/** A segment that is not what it claims to be. */
export class ArchiveError extends Error {
  override readonly name = 'ArchiveError'
}

const sha256 = (bytes: Uint8Array): Uint8Array => new Uint8Array(createHash('sha256').update(bytes).digest())

/** Packs consecutive records into a segment that continues `previous`. */
export const encodeSegment = async (
  records: readonly StoredRecord[],
  previous: ArchiveSegment | null,
): Promise<ArchiveSegment> => {
  const first = records[0]
  const last = records.at(-1)
  if (first === undefined || last === undefined) throw new RangeError('a segment holds at least one record')
  const plain = new Uint8Array(records.reduce((sum, record) => sum + RECORD_HEAD_BYTES + record.body.length, 0))
  const plainView = new DataView(plain.buffer)
  let at = 0
  for (const record of records) {
    plainView.setUint32(at, record.body.length, true)
    plain.set(record.hash, at + 4)
    plain.set(record.body, at + RECORD_HEAD_BYTES)
    at += RECORD_HEAD_BYTES + record.body.length
  }
  const packed = await promisify(zstdCompress)(plain, { params: { [constants.ZSTD_c_compressionLevel]: 3 } })
  const bytes = new Uint8Array(HEADER_BYTES + packed.length)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, MAGIC, true)
  view.setUint32(4, records.length, true)
  view.setBigUint64(8, first.sequence, true)
  view.setBigUint64(16, last.sequence, true)
  view.setUint32(24, plain.length, true)
  if (previous !== null) bytes.set(previous.sha256, 32)
  bytes.set(packed, HEADER_BYTES)
  return { first: first.sequence, last: last.sequence, sha256: sha256(bytes), bytes }
}

/**
 * Unpacks a segment after checking its SHA-256, its header and (when given) that it continues `previous`.
 * @throws {ArchiveError}
 */
export const decodeSegment = async (segment: ArchiveSegment, previous?: ArchiveSegment | null): Promise<StoredRecord[]> => {
  const { bytes } = segment
  const at = `archive segment ${segment.first}–${segment.last}`
  if (Buffer.compare(sha256(bytes), segment.sha256) !== 0) throw new ArchiveError(`${at}: its bytes do not match its SHA-256`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length < HEADER_BYTES || view.getUint32(0, true) !== MAGIC) throw new ArchiveError(`${at}: not a segment`)
  const first = view.getBigUint64(8, true)
  if (first !== segment.first || view.getBigUint64(16, true) !== segment.last) throw new ArchiveError(`${at}: it says it is another`)
  if (previous !== undefined) {
    const expected = previous === null ? new Uint8Array(32) : previous.sha256
    if (Buffer.compare(expected, bytes.subarray(32, 64)) !== 0) throw new ArchiveError(`${at}: it does not continue the one before`)
  }
  const plainBytes = view.getUint32(24, true)
  if (plainBytes > SEGMENT_UNCOMPRESSED_BYTES_MAX) throw new ArchiveError(`${at}: ${plainBytes} bytes uncompressed`)
  const plain = await promisify(zstdDecompress)(bytes.subarray(HEADER_BYTES), { maxOutputLength: plainBytes })
  return recordsOf(plain, view.getUint32(4, true), first, at)
}

const recordsOf = (plain: Uint8Array, count: number, first: bigint, at: string): StoredRecord[] => {
  const view = new DataView(plain.buffer, plain.byteOffset, plain.byteLength)
  const records: StoredRecord[] = []
  let offset = 0
  for (let index = 0; index < count; index++) {
    if (offset + RECORD_HEAD_BYTES > plain.length) throw new ArchiveError(`${at}: record ${index} lies outside`)
    const bytes = view.getUint32(offset, true)
    const body = plain.slice(offset + RECORD_HEAD_BYTES, offset + RECORD_HEAD_BYTES + bytes)
    if (body.length !== bytes) throw new ArchiveError(`${at}: record ${index} is cut short`)
    records.push({ sequence: first + BigInt(index), hash: plain.slice(offset + 4, offset + RECORD_HEAD_BYTES), body })
    offset += RECORD_HEAD_BYTES + bytes
  }
  return records
}
