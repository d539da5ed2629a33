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

/**
 * The parts of a snapshot, as views.
 * @throws {RangeError} when the bytes are no snapshot of this machine, schema and capacities
 */
export const unpackSnapshot = (expected: SnapshotHeader, bytes: Uint8Array): Uint8Array[] => {
  if (bytes.length < FIXED_BYTES) throw new RangeError(`a snapshot of ${bytes.length} bytes is none`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const is = (name: string, found: number, wanted: number): void => {
    if (found !== wanted) throw new RangeError(`the snapshot's ${name} is ${found}, not ${wanted}`)
  }
  is('magic', view.getUint32(0, true), MAGIC)
  is('schema version', view.getUint32(4, true), expected.schemaVersion)
  is('machine', view.getUint32(8, true), expected.machine)
  is('number of capacities', view.getUint16(12, true), expected.capacities.length)
  const capacities = expected.capacities.length
  const parts = view.getUint16(14, true)
  const head = headerBytes(capacities, parts)
  if (bytes.length < head) throw new RangeError('the snapshot is cut inside its header')
  expected.capacities.forEach((capacity, index) => {
    is(`capacity ${index}`, view.getUint32(FIXED_BYTES + 4 * index, true), capacity)
  })
  let at = head
  const found: Uint8Array[] = []
  for (let part = 0; part < parts; part++) {
    const size = view.getUint32(FIXED_BYTES + 4 * (capacities + part), true)
    if (at + size > bytes.length) throw new RangeError(`part ${part} of the snapshot is cut`)
    found.push(bytes.subarray(at, at + size))
    at += size
  }
  if (at !== bytes.length) throw new RangeError(`the snapshot has ${bytes.length - at} bytes too many`)
  return found
}
