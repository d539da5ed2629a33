/**
 * A machine's snapshot: who made it, for what capacities, and the used regions of its memory. Little endian:
 *
 *   0       4          8           12                    16                 …
 *   ├ magic ┼ schema ──┼ machine ──┼ capacities, parts ──┼ capacities … ────┼ bytes of each part … ┼ (pad to 8) parts …
 *     u32     u32        u32         u16, u16              u32 each           u32 each
 *
 * Compression and the checksum are the kernel's.
 */

/** "BRSM". */
const MAGIC = 0x4d535242
const FIXED_BYTES = 16

/** What a snapshot says about itself. */
export interface SnapshotHeader {
  readonly schemaVersion: number
  /** Number of the machine in partition numbers. */
  readonly machine: number
  /** What the machine was made for; a snapshot of other capacities would have another future. */
  readonly capacities: readonly number[]
}

const headerBytes = (capacities: number, parts: number): number => (FIXED_BYTES + 4 * (capacities + parts) + 7) & ~7

/** Packs copies of the parts behind the header. */
export const packSnapshot = (header: SnapshotHeader, parts: readonly Uint8Array[]): Uint8Array => {
  const head = headerBytes(header.capacities.length, parts.length)
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, head))
  const view = new DataView(bytes.buffer)
  view.setUint32(0, MAGIC, true)
  view.setUint32(4, header.schemaVersion, true)
  view.setUint32(8, header.machine, true)
  view.setUint16(12, header.capacities.length, true)
  view.setUint16(14, parts.length, true)
  const words = [...header.capacities, ...parts.map((part) => part.length)]
  words.forEach((word, index) => view.setUint32(FIXED_BYTES + 4 * index, word, true))
  let at = head
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}

/** Bytes one after the other out of pieces. */
export interface PieceReader {
  /** Hands the next `count` bytes to `take`, as views: one or more. @throws {RangeError} when there are fewer */
  read(count: number, take: (bytes: Uint8Array) => void): void
}

/** Reads pieces as if they were put together. */
export const createPieceReader = (pieces: readonly Uint8Array[]): PieceReader => {
  let piece = 0
  let at = 0
  return {
    read: (count, take) => {
      let missing = count
      while (missing > 0) {
        const bytes = pieces[piece]
        if (bytes === undefined) throw new RangeError('the snapshot is cut')
        const taken = Math.min(missing, bytes.length - at)
        if (taken > 0) take(bytes.subarray(at, at + taken))
        missing -= taken
        at += taken
        if (at < bytes.length) continue
        piece += 1
        at = 0
      }
    },
  }
}

const readBytes = (reader: PieceReader, count: number): DataView => {
  const bytes = new Uint8Array(count)
  let at = 0
  reader.read(count, (some) => {
    bytes.set(some, at)
    at += some.length
  })
  return new DataView(bytes.buffer)
}

/**
 * Reads what a snapshot of `bytes` bytes says of itself and answers the sizes of its parts, which `reader` goes on with.
 * @throws {RangeError} when the bytes are no snapshot of this machine, schema and capacities
 */
export const readPartSizes = (expected: SnapshotHeader, reader: PieceReader, bytes: number): number[] => {
  if (bytes < FIXED_BYTES) throw new RangeError(`a snapshot of ${bytes} bytes is none`)
  const fixed = readBytes(reader, FIXED_BYTES)
  const is = (name: string, found: number, wanted: number): void => {
    if (found !== wanted) throw new RangeError(`the snapshot's ${name} is ${found}, not ${wanted}`)
  }
  is('magic', fixed.getUint32(0, true), MAGIC)
  is('schema version', fixed.getUint32(4, true), expected.schemaVersion)
  is('machine', fixed.getUint32(8, true), expected.machine)
  is('number of capacities', fixed.getUint16(12, true), expected.capacities.length)
  const capacities = expected.capacities.length
  const parts = fixed.getUint16(14, true)
  const head = headerBytes(capacities, parts)
  if (bytes < head) throw new RangeError('the snapshot is cut inside its header')
  const words = readBytes(reader, head - FIXED_BYTES)
  expected.capacities.forEach((capacity, index) => {
    is(`capacity ${index}`, words.getUint32(4 * index, true), capacity)
  })
  const sizes = Array.from({ length: parts }, (_, part) => words.getUint32(4 * (capacities + part), true))
  const end = sizes.reduce((at, size, part) => {
    if (at + size > bytes) throw new RangeError(`part ${part} of the snapshot is cut`)
    return at + size
  }, head)
  if (end !== bytes) throw new RangeError(`the snapshot has ${bytes - end} bytes too many`)
  return sizes
}
