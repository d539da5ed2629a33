import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import { constants, gunzip, gzip, zstdCompress, zstdDecompress } from 'node:zlib'
import type { Machine } from './machine.ts'
import { partitionName, partitionParts, type PartitionNumber } from './partition.ts'
import { emptyState, type PartitionState } from './partition-state.ts'

/** How stored snapshots are compressed. */
export const compressions = ['zstd', 'gzip', 'none'] as const
/** One of them. */
export type Compression = (typeof compressions)[number]

/*
 * Stored snapshot: header (plain), then the compressed body.
 *
 *    0 u32 magic 'BJS1' │ 4 u16 format │ 6 u8 compression │ 7 u8 machine │ 8 u32 schema version │ 12 u32 partition
 *   16 u64 sequence │ 24 i64 now │ 32 hash of the record at sequence (32) │ 64 stateHash (32 ASCII hex)
 *   96 u32 behaviour │ 100 u32 body bytes uncompressed │ 104 SHA-256 of the compressed body (32) │ 136 body
 *
 * Body: u32 marks, each u32 sender · u64 number │ u32 numbers, each u32 receiver · u64 number
 *       │ u32 outside calls, each u64 number · u32 bytes · bytes │ machine snapshot.
 */
const MAGIC = 0x31534a42
const FORMAT = 1
const HEADER_BYTES = 136
/** Largest uncompressed body that restore accepts. */
export const SNAPSHOT_BYTES_MAX = 1024 * 1024 * 1024

/** A snapshot that can't be trusted; the reason names what differs. */
export class SnapshotError extends Error {
  override readonly name = 'SnapshotError'
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
  readonly body: Uint8Array
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

const decodeKernel = (state: PartitionState, body: Uint8Array): number => {
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
  return at
}

/** The hash over the whole state of a partition: the kernel's part and the machine's. */
export const stateHashOf = (state: PartitionState): string => kernelHash(encodeKernel(state), state.machine.stateHash())

/** Copies the state. This is all that stops the partition; compressing and writing happen beside it. */
export const imageOf = (state: PartitionState): SnapshotImage => {
  const kernel = encodeKernel(state)
  const machine = state.machine.snapshot()
  const body = new Uint8Array(kernel.length + machine.length)
  body.set(kernel)
  body.set(machine, kernel.length)
  return {
    partition: state.partition,
    sequence: state.sequence,
    now: state.now,
    behaviour: state.behaviour,
    hash: state.hash,
    schemaVersion: state.machine.schemaVersion,
    stateHash: kernelHash(kernel, state.machine.stateHash()),
    body,
  }
}

const compressors: Record<Compression, (bytes: Uint8Array) => Promise<Uint8Array>> = {
  zstd: (bytes) => promisify(zstdCompress)(bytes, { params: { [constants.ZSTD_c_compressionLevel]: 1 } }),
  gzip: (bytes) => promisify(gzip)(bytes, { level: 1 }),
  none: (bytes) => Promise.resolve(bytes),
}

const decompressors: Record<Compression, (bytes: Uint8Array, max: number) => Promise<Uint8Array>> = {
  zstd: (bytes, max) => promisify(zstdDecompress)(bytes, { maxOutputLength: max }),
  gzip: (bytes, max) => promisify(gunzip)(bytes, { maxOutputLength: max }),
  none: (bytes) => Promise.resolve(bytes),
}

/** Compresses an image into the bytes that are stored. */
export const encodeSnapshot = async (image: SnapshotImage, compression: Compression): Promise<Uint8Array> => {
  const body = await compressors[compression](image.body)
  const out = new Uint8Array(HEADER_BYTES + body.length)
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
  view.setUint32(100, image.body.length, true)
  out.set(createHash('sha256').update(body).digest(), 104)
  out.set(body, HEADER_BYTES)
  return out
}

const fail = (message: string): never => {
  throw new SnapshotError(message)
}

const restoreState = async (
  bytes: Uint8Array,
  expected: { readonly partition: PartitionNumber; readonly sequence: bigint },
  machine: Machine,
): Promise<PartitionState> => {
  if (bytes.length < HEADER_BYTES) fail(`a snapshot of ${bytes.length} bytes is cut short`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (view.getUint32(0, true) !== MAGIC || view.getUint16(4, true) !== FORMAT) fail('not a snapshot of a known format')
  const partition = view.getUint32(12, true)
  const sequence = view.getBigUint64(16, true)
  if (partition !== expected.partition || sequence !== expected.sequence)
    fail(`it is of partition ${partitionName(partition)} at ${sequence}`)
  if (view.getUint32(8, true) > machine.schemaVersion) {
    fail(`schema version ${view.getUint32(8, true)} is newer than this release's ${machine.schemaVersion}`)
  }
  const compression = compressions[view.getUint8(6)] ?? fail('an unknown compression')
  const stored = bytes.subarray(HEADER_BYTES)
  const digest = createHash('sha256').update(stored).digest()
  if (Buffer.compare(digest, bytes.subarray(104, 136)) !== 0) fail('its SHA-256 does not match')
  const bodyBytes = view.getUint32(100, true)
  if (bodyBytes > SNAPSHOT_BYTES_MAX) fail(`a body of ${bodyBytes} bytes`)
  const body = await decompressors[compression](stored, bodyBytes)
  if (body.length !== bodyBytes) fail('its body has another length than recorded')
  const state = emptyState(partition, machine)
  machine.restore(body.subarray(decodeKernel(state, body)))
  state.sequence = sequence
  state.now = view.getBigInt64(24, true)
  state.hash = bytes.slice(32, 64)
  state.behaviour = view.getUint32(96, true)
  const recorded = Buffer.from(bytes.subarray(64, 96)).toString('ascii')
  const restored = stateHashOf(state)
  if (recorded !== restored)
    fail(`state hash ${restored} of ${partitionParts(partition).machine} is not the recorded ${recorded}`)
  return state
}

/**
 * Verifies stored bytes and restores the state they hold into a fresh machine.
 * @throws {SnapshotError} on any doubt: magic, checksum, partition, schema version, a body that can't be read, state hash.
 */
export const restoreSnapshot = async (
  bytes: Uint8Array,
  expected: { readonly partition: PartitionNumber; readonly sequence: bigint },
  machine: Machine,
): Promise<PartitionState> => {
  try {
    return await restoreState(bytes, expected, machine)
  } catch (error) {
    if (error instanceof SnapshotError) throw error
    // Whatever the decompressor, the kernel's part or the machine can't read is one more reason not to trust it.
    throw new SnapshotError(`it can't be read: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    })
  }
}
