import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import { constants, gunzip, gzip, zstdCompress, zstdDecompress } from 'node:zlib'
import type { Machine } from './machine.ts'
import { partitionParts, type PartitionNumber } from './partition.ts'
import { emptyState, type PartitionState } from './partition-state.ts'

/** How stored snapshots are compressed. */
export const compressions = ['zstd', 'gzip', 'none'] as const
/** One of them. */
export type Compression = (typeof compressions)[number]

/*
 * Stored snapshot: header (plain), then the frames.
 *
 *    0 u32 magic 'BJS1' │ 4 u16 format │ 6 u8 compression │ 7 u8 machine │ 8 u32 schema version │ 12 u32 partition
 *   16 u64 sequence │ 24 i64 now │ 32 hash of the record at sequence (32) │ 64 stateHash (32 ASCII hex)
 *   96 u32 behaviour │ 100 u32 bytes uncompressed, all frames │ 104 SHA-256 of all that follows the header (32) │ 136 frames
 *
 * Frame: u32 stored bytes │ u32 bytes uncompressed │ the compressed bytes. Frames are compressed by themselves, so that
 * several are at work at a time and none needs memory for the whole.
 *
 * The first frame is the kernel's part: u32 marks, each u32 sender · u64 number │ u32 numbers, each u32 receiver · u64 number
 *       │ u32 outside calls, each u64 number · u32 bytes · bytes. The others are the machine's snapshot, in order.
 */
const MAGIC = 0x31534a42
const FORMAT = 2
const HEADER_BYTES = 136
const FRAME_HEADER_BYTES = 8
/** Bytes of the machine's snapshot in a frame. */
export const FRAME_BYTES = 4 * 1024 * 1024
/** Frames that are compressed or decompressed at a time. */
const FRAMES_AT_ONCE = 4
/** Largest uncompressed body that restore accepts. */
export const SNAPSHOT_BYTES_MAX = 1024 * 1024 * 1024

/** A snapshot that can't be trusted; the reason names what differs. */
export class SnapshotError extends Error {
  override readonly name = 'SnapshotError'
}

const fail = (message: string): never => {
  throw new SnapshotError(message)
}

/** A copy of a partition's state at one record, not yet compressed. */
export interface SnapshotImage {
  readonly partition: PartitionNumber
  readonly sequence: bigint
  readonly now: bigint
  readonly behaviour: number
  readonly hash: Uint8Array
  readonly schemaVersion: number
  readonly stateHash: string
  /** What the kernel adds, and the machine's snapshot. */
  readonly kernel: Uint8Array
  readonly machine: Uint8Array
}

const kernelHash = (kernel: Uint8Array, machineHash: string): string =>
  createHash('sha256').update(kernel).update(machineHash).digest('hex').slice(0, 32)

const sortedPairs = (map: ReadonlyMap<number, bigint>): [number, bigint][] => [...map].sort((a, b) => a[0] - b[0])

const encodeKernel = (state: PartitionState): Uint8Array => {
  const calls = [...state.outsideCalls].sort((a, b) => (a[0] < b[0] ? -1 : 1))
  const bytes = calls.reduce(
    (sum, [, call]) => sum + 12 + call.length,
    12 + (state.marks.size + state.numbers.size) * 12,
  )
  const out = new Uint8Array(bytes)
  const view = new DataView(out.buffer)
  let at = 0
  for (const map of [state.marks, state.numbers]) {
    view.setUint32(at, map.size, true)
    at += 4
    for (const [partition, number] of sortedPairs(map)) {
      view.setUint32(at, partition, true)
      view.setBigUint64(at + 4, number, true)
      at += 12
    }
  }
  view.setUint32(at, calls.length, true)
  at += 4
  for (const [number, call] of calls) {
    view.setBigUint64(at, number, true)
    view.setUint32(at + 8, call.length, true)
    out.set(call, at + 12)
    at += 12 + call.length
  }
  return out
}

const decodeKernel = (state: PartitionState, body: Uint8Array): void => {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength)
  let at = 0
  for (const map of [state.marks, state.numbers]) {
    const count = view.getUint32(at, true)
    at += 4
    for (let index = 0; index < count; index++, at += 12)
      map.set(view.getUint32(at, true), view.getBigUint64(at + 4, true))
  }
  const calls = view.getUint32(at, true)
  at += 4
  for (let index = 0; index < calls; index++) {
    const bytes = view.getUint32(at + 8, true)
    state.outsideCalls.set(view.getBigUint64(at, true), body.slice(at + 12, at + 12 + bytes))
    at += 12 + bytes
  }
  if (at !== body.length) fail("the kernel's part is longer than what it holds")
}

/** The hash over the whole state of a partition: the kernel's part and the machine's. */
export const stateHashOf = (state: PartitionState): string => kernelHash(encodeKernel(state), state.machine.stateHash())

/** Copies the state. This is all that stops the partition; compressing and writing happen beside it. */
export const imageOf = (state: PartitionState): SnapshotImage => {
  const kernel = encodeKernel(state)
  return {
    partition: state.partition,
    sequence: state.sequence,
    now: state.now,
    behaviour: state.behaviour,
    hash: state.hash,
    schemaVersion: state.machine.schemaVersion,
    stateHash: kernelHash(kernel, state.machine.stateHash()),
    kernel,
    machine: state.machine.snapshot(),
  }
}

const compressors: Record<Compression, (bytes: Uint8Array) => Promise<Uint8Array>> = {
  zstd: (bytes) => promisify(zstdCompress)(bytes, { params: { [constants.ZSTD_c_compressionLevel]: 1 } }),
  gzip: (bytes) => promisify(gzip)(bytes, { level: 1 }),
  none: (bytes) => Promise.resolve(bytes),
}

/** The bytes a frame had; `size` says how many, and no more are made. */
const decompressors: Record<Compression, (bytes: Uint8Array, size: number) => Promise<Uint8Array>> = {
  // One chunk for all of the output: nothing has to be put together afterwards.
  zstd: (bytes, size) =>
    promisify(zstdDecompress)(bytes, { maxOutputLength: Math.max(size, 1), chunkSize: chunkFor(size) }),
  gzip: (bytes, size) => promisify(gunzip)(bytes, { maxOutputLength: Math.max(size, 1), chunkSize: chunkFor(size) }),
  none: (bytes) => Promise.resolve(bytes),
}

/** Node's least chunk is 64 bytes; one byte more than needed tells the end from a full chunk. A size that lies costs little. */
const chunkFor = (size: number): number => Math.min(Math.max(64, size + 1), FRAME_BYTES + 1)

/** Runs `task` on each of the items, FRAMES_AT_ONCE at a time; the results are in the items' order. */
const severalAtOnce = async <Item, Result>(
  items: readonly Item[],
  task: (item: Item) => Promise<Result>,
): Promise<Result[]> => {
  const results = new Array<Result>(items.length)
  let next = 0
  const work = async (): Promise<void> => {
    while (next < items.length) {
      const index = next
      next += 1
      results[index] = await task(items[index]!)
    }
  }
  await Promise.all(Array.from({ length: FRAMES_AT_ONCE }, work))
  return results
}

const framesOf = (image: SnapshotImage): Uint8Array[] => {
  const frames = [image.kernel]
  for (let at = 0; at < image.machine.length; at += FRAME_BYTES)
    frames.push(image.machine.subarray(at, at + FRAME_BYTES))
  return frames
}

/** Compresses an image into the bytes that are stored. */
export const encodeSnapshot = async (image: SnapshotImage, compression: Compression): Promise<Uint8Array> => {
  const frames = framesOf(image)
  const compressed = await severalAtOnce(frames, compressors[compression])
  const out = new Uint8Array(compressed.reduce((sum, frame) => sum + FRAME_HEADER_BYTES + frame.length, HEADER_BYTES))
  const view = new DataView(out.buffer)
  view.setUint32(0, MAGIC, true)
  view.setUint16(4, FORMAT, true)
  view.setUint8(6, compressions.indexOf(compression))
  view.setUint8(7, image.partition >>> 24)
  view.setUint32(8, image.schemaVersion, true)
  view.setUint32(12, image.partition, true)
  view.setBigUint64(16, image.sequence, true)
  view.setBigInt64(24, image.now, true)
  out.set(image.hash, 32)
  out.set(Buffer.from(image.stateHash, 'ascii'), 64)
  view.setUint32(96, image.behaviour, true)
  view.setUint32(100, image.kernel.length + image.machine.length, true)
  let at = HEADER_BYTES
  compressed.forEach((frame, index) => {
    view.setUint32(at, frame.length, true)
    view.setUint32(at + 4, frames[index]!.length, true)
    out.set(frame, at + FRAME_HEADER_BYTES)
    at += FRAME_HEADER_BYTES + frame.length
  })
  out.set(createHash('sha256').update(out.subarray(HEADER_BYTES)).digest(), 104)
  return out
}

interface Frame {
  readonly stored: Uint8Array
  readonly size: number
}

const readFrames = (bytes: Uint8Array, view: DataView): Frame[] => {
  const frames: Frame[] = []
  let total = 0
  for (let at = HEADER_BYTES; at < bytes.length;) {
    if (at + FRAME_HEADER_BYTES > bytes.length) fail('a frame is cut short')
    const [stored, size] = [view.getUint32(at, true), view.getUint32(at + 4, true)]
    at += FRAME_HEADER_BYTES
    if (at + stored > bytes.length) fail('a frame is cut short')
    frames.push({ stored: bytes.subarray(at, at + stored), size })
    at += stored
    total += size
  }
  if (total > SNAPSHOT_BYTES_MAX) fail(`a body of ${total} bytes`)
  if (frames.length === 0 || total !== view.getUint32(100, true)) fail('its body has another length than recorded')
  return frames
}

const joined = (pieces: readonly Uint8Array[]): Uint8Array => {
  if (pieces.length === 1) return pieces[0]!
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0))
  let at = 0
  for (const piece of pieces) at = (whole.set(piece, at), at + piece.length)
  return whole
}

const asSnapshotError = (error: unknown): SnapshotError => {
  if (error instanceof SnapshotError) return error
  // Whatever the decompressor, the kernel's part or the machine can't read is one more reason not to trust it.
  return new SnapshotError(`it can't be read: ${error instanceof Error ? error.message : String(error)}`, {
    cause: error,
  })
}

/** A stored snapshot whose bytes are those that were written. */
export interface OpenedSnapshot {
  /** Hash of the record at the snapshot's sequence, as the snapshot has it. */
  readonly hash: Uint8Array
  /**
   * Restores the state into a fresh machine. While frames are decompressed beside it, the caller may do other things.
   * @throws {SnapshotError} when the state is not the one that was stored
   */
  restore(machine: Machine): Promise<PartitionState>
}

/**
 * Verifies stored bytes.
 * @throws {SnapshotError} on any doubt: magic, checksum, partition, schema version.
 */
export const openSnapshot = (
  bytes: Uint8Array,
  expected: { readonly partition: PartitionNumber; readonly sequence: bigint },
  schemaVersion: number,
): OpenedSnapshot => {
  if (bytes.length < HEADER_BYTES) fail(`a snapshot of ${bytes.length} bytes is cut short`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (view.getUint32(0, true) !== MAGIC || view.getUint16(4, true) !== FORMAT) fail('not a snapshot of a known format')
  const partition = view.getUint32(12, true)
  const sequence = view.getBigUint64(16, true)
  if (partition !== expected.partition || sequence !== expected.sequence)
    fail(`it is of partition ${partition.toString(16)} (hex) at ${sequence}`)
  if (view.getUint32(8, true) > schemaVersion) {
    fail(`schema version ${view.getUint32(8, true)} is newer than this release's ${schemaVersion}`)
  }
  const compression = compressions[view.getUint8(6)] ?? fail('an unknown compression')
  const digest = createHash('sha256').update(bytes.subarray(HEADER_BYTES)).digest()
  if (Buffer.compare(digest, bytes.subarray(104, 136)) !== 0) fail('its SHA-256 does not match')
  const hash = bytes.slice(32, 64)
  const frames = readFrames(bytes, view)
  const restoreTrusted = async (machine: Machine): Promise<PartitionState> => {
    const [kernel, ...pieces] = await severalAtOnce(frames, async ({ stored, size }) => {
      const frame = await decompressors[compression](stored, size)
      return frame.length === size ? frame : fail('a frame has another length than recorded')
    })
    const state = emptyState(partition, machine)
    decodeKernel(state, kernel!)
    if (machine.restorePieces === undefined) machine.restore(joined(pieces))
    else machine.restorePieces(pieces)
    state.sequence = sequence
    state.now = view.getBigInt64(24, true)
    state.hash = hash
    state.behaviour = view.getUint32(96, true)
    const recorded = Buffer.from(bytes.subarray(64, 96)).toString('ascii')
    const restored = stateHashOf(state)
    if (recorded !== restored)
      fail(`state hash ${restored} of ${partitionParts(partition).machine} is not the recorded ${recorded}`)
    return state
  }
  const restore = async (machine: Machine): Promise<PartitionState> => {
    try {
      return await restoreTrusted(machine)
    } catch (error) {
      throw asSnapshotError(error)
    }
  }
  return { hash, restore }
}

/**
 * Verifies stored bytes and restores the state they hold into a fresh machine.
 * @throws {SnapshotError} on any doubt: magic, checksum, partition, schema version, a body that can't be read, state hash.
 */
export const restoreSnapshot = async (
  bytes: Uint8Array,
  expected: { readonly partition: PartitionNumber; readonly sequence: bigint },
  machine: Machine,
): Promise<PartitionState> => openSnapshot(bytes, expected, machine.schemaVersion).restore(machine)
