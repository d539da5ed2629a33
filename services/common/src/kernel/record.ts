import { createHash, hash } from 'node:crypto'
import type { StoredRecord } from '../ports/journal.ts'
import { partitionName, type PartitionNumber } from './partition.ts'

/**
 * One journal record: a batch with all that was decided, little endian.
 *
 *    0 u32 magic 'BJR1' │  4 u16 format │  6 u16 behaviour │  8 u32 partition │ 12 u32 faultedCount
 *   16 u64 sequence     │ 24 i64 now    │ 32 previousHash (32 bytes)
 *   64 u32 inputCount   │ 68 u32 effectCount │ 72 u32 inputBytes │ 76 u32 outcomeBytes │ 80 u32 effectBytes │ 84 u32 writer
 *   88 inputs back to back · outcomes back to back (one per input)
 *    · effects, each: u32 receiver (0 = outside) │ u32 bytes │ u64 number │ command bytes
 *    · faulted: u32 index of each input that was refused ENGINE_FAULT
 *
 * `writer` marks the tenure that wrote the record and decides nothing: two writers that journal the same commands in the same
 * millisecond must not take each other's record for their own.
 *
 * The record's hash is SHA-256 over these bytes; with `previousHash` inside, the hashes chain.
 */
export const RECORD_HEADER_BYTES = 88
/** Bytes before an effect's command: receiver, size, number. */
export const EFFECT_HEADER_BYTES = 16
const MAGIC = 0x31524a42
const FORMAT = 1

/** Receiver number of an effect to the outside. */
export const OUTSIDE_RECEIVER = 0

/** An effect as journaled: numbered per receiver (outside calls count as one receiver). */
export interface NumberedEffect {
  readonly receiver: PartitionNumber
  readonly number: bigint
  readonly bytes: Uint8Array
}

/** A decoded record. Byte arrays are views into the body. */
export interface JournalRecord {
  readonly partition: PartitionNumber
  readonly sequence: bigint
  readonly now: bigint
  readonly behaviour: number
  readonly previousHash: Uint8Array
  readonly inputs: readonly Uint8Array[]
  readonly outcomes: readonly Uint8Array[]
  readonly effects: readonly NumberedEffect[]
  readonly faulted: readonly number[]
}

const NONE_FAULTED: readonly number[] = []

/** Hash before the first record: 32 zero bytes. */
export const GENESIS_HASH: Uint8Array = new Uint8Array(32)

/** A record that is not what it claims to be. */
export class RecordError extends Error {
  override readonly name = 'RecordError'
}

const total = (parts: readonly Uint8Array[]): number => parts.reduce((sum, part) => sum + part.length, 0)

/** Copies parts back to back to `at`; what lies side by side already, as a machine's outcomes do, goes in one piece. */
const putParts = (body: Uint8Array, at: number, parts: readonly Uint8Array[]): number => {
  for (let index = 0; index < parts.length;) {
    const { buffer, byteOffset, byteLength } = parts[index]!
    let end = byteOffset + byteLength
    for (index += 1; index < parts.length; index++) {
      const next = parts[index]!
      if (next.byteOffset !== end || next.buffer !== buffer) break
      end += next.byteLength
    }
    body.set(new Uint8Array(buffer, byteOffset, end - byteOffset), at)
    at += end - byteOffset
  }
  return at
}

/** Encodes a record and hashes it; `writer` is the mark of the tenure (u32). */
export const encodeRecord = (record: JournalRecord, writer = 0): StoredRecord => {
  const inputBytes = total(record.inputs)
  const outcomeBytes = total(record.outcomes)
  const effectBytes = record.effects.reduce((sum, effect) => sum + EFFECT_HEADER_BYTES + effect.bytes.length, 0)
  const body = new Uint8Array(RECORD_HEADER_BYTES + inputBytes + outcomeBytes + effectBytes + record.faulted.length * 4)
  const view = new DataView(body.buffer)
  view.setUint32(0, MAGIC, true)
  view.setUint16(4, FORMAT, true)
  view.setUint16(6, record.behaviour, true)
  view.setUint32(8, record.partition, true)
  view.setUint32(12, record.faulted.length, true)
  view.setBigUint64(16, record.sequence, true)
  view.setBigInt64(24, record.now, true)
  body.set(record.previousHash, 32)
  view.setUint32(64, record.inputs.length, true)
  view.setUint32(68, record.effects.length, true)
  view.setUint32(72, inputBytes, true)
  view.setUint32(76, outcomeBytes, true)
  view.setUint32(80, effectBytes, true)
  view.setUint32(84, writer, true)
  let at = RECORD_HEADER_BYTES
  for (const part of record.inputs) at = (body.set(part, at), at + part.length)
  at = putParts(body, at, record.outcomes)
  for (const effect of record.effects) {
    view.setUint32(at, effect.receiver, true)
    view.setUint32(at + 4, effect.bytes.length, true)
    view.setBigUint64(at + 8, effect.number, true)
    body.set(effect.bytes, at + 16)
    at += 16 + effect.bytes.length
  }
  for (const index of record.faulted) at = (view.setUint32(at, index, true), at + 4)
  return { sequence: record.sequence, hash: hashOf(body), body }
}

/**
 * The mark of a tenure that begins at these moments of both clocks: monotonic time differs by process and has parts of a
 * microsecond, so that two writers hardly ever share one.
 */
export const writerMark = (nowMs: number, monotonicMs: number): number =>
  createHash('sha256').update(`${nowMs}/${monotonicMs}`).digest().readUInt32LE(0)

/** SHA-256 of a record's body. */
export const hashOf = (body: Uint8Array): Uint8Array => hash('sha256', body, 'buffer')

const readSized = (body: Uint8Array, view: DataView, from: number, bytes: number, count: number): Uint8Array[] => {
  const parts: Uint8Array[] = []
  let at = from
  for (let index = 0; index < count; index++) {
    if (at + 8 > from + bytes) throw new RecordError('a part lies outside its section')
    const size = view.getUint32(at, true)
    if (size < 8 || at + size > from + bytes) throw new RecordError('a part has an impossible size')
    parts.push(body.subarray(at, at + size))
    at += size
  }
  if (at !== from + bytes) throw new RecordError('a section is longer than its parts')
  return parts
}

const readEffects = (
  body: Uint8Array,
  view: DataView,
  from: number,
  bytes: number,
  count: number,
): NumberedEffect[] => {
  const effects: NumberedEffect[] = []
  let at = from
  for (let index = 0; index < count; index++) {
    if (at + 16 > from + bytes) throw new RecordError('an effect lies outside its section')
    const size = view.getUint32(at + 4, true)
    if (at + 16 + size > from + bytes) throw new RecordError('an effect has an impossible size')
    effects.push({
      receiver: view.getUint32(at, true),
      number: view.getBigUint64(at + 8, true),
      bytes: body.subarray(at + 16, at + 16 + size),
    })
    at += 16 + size
  }
  if (at !== from + bytes) throw new RecordError('the effects are longer than their parts')
  return effects
}

const headerOf = (body: Uint8Array) => {
  if (body.length < RECORD_HEADER_BYTES) throw new RecordError(`a record of ${body.length} bytes is too short`)
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength)
  if (view.getUint32(0, true) !== MAGIC) throw new RecordError('not a journal record')
  if (view.getUint16(4, true) !== FORMAT) throw new RecordError(`record format ${view.getUint16(4, true)} is unknown`)
  return { view, partition: view.getUint32(8, true), sequence: view.getBigUint64(16, true) }
}

/**
 * Decodes a record's body. Does not check the hash or the chain (see `verifyRecord`).
 * @throws {RecordError} on bytes that are not a record.
 */
export const decodeRecord = (body: Uint8Array): JournalRecord => {
  const { view, partition, sequence } = headerOf(body)
  const faultedCount = view.getUint32(12, true)
  const inputCount = view.getUint32(64, true)
  const inputBytes = view.getUint32(72, true)
  const outcomeBytes = view.getUint32(76, true)
  const effectBytes = view.getUint32(80, true)
  const outcomesAt = RECORD_HEADER_BYTES + inputBytes
  const effectsAt = outcomesAt + outcomeBytes
  const faultedAt = effectsAt + effectBytes
  if (faultedAt + faultedCount * 4 !== body.length) throw new RecordError('the sections do not add up to the record')
  return {
    partition,
    sequence,
    now: view.getBigInt64(24, true),
    behaviour: view.getUint16(6, true),
    previousHash: body.subarray(32, 64),
    inputs: readSized(body, view, RECORD_HEADER_BYTES, inputBytes, inputCount),
    outcomes: readSized(body, view, outcomesAt, outcomeBytes, inputCount),
    effects: readEffects(body, view, effectsAt, effectBytes, view.getUint32(68, true)),
    faulted:
      faultedCount === 0
        ? NONE_FAULTED
        : Array.from({ length: faultedCount }, (_, index) => view.getUint32(faultedAt + index * 4, true)),
  }
}

const equalBytes = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0

/** Where a record must be: its partition and sequence, and the hash of the record before it. */
export interface RecordPlace {
  readonly partition: PartitionNumber
  readonly sequence: bigint
  readonly previousHash: Uint8Array
}

/**
 * Checks that a stored record's bytes are the ones that were written, by its hash.
 * @throws {RecordError}
 */
export const verifyBytes = ({ sequence, hash: written, body }: StoredRecord, partition: PartitionNumber): void => {
  if (equalBytes(hashOf(body), written)) return
  throw new RecordError(`record ${sequence} of partition ${partitionName(partition)}: its bytes do not match its hash`)
}

/**
 * Checks a stored record against its place: own hash, chain, partition, sequence. What is inside is not looked at.
 * @throws {RecordError} naming what differs.
 */
export const verifyPlace = (stored: StoredRecord, expected: RecordPlace): void => {
  const { body } = stored
  const fail = (what: string): never => {
    throw new RecordError(`record ${expected.sequence} of partition ${partitionName(expected.partition)}: ${what}`)
  }
  verifyBytes(stored, expected.partition)
  const { partition, sequence } = headerOf(body)
  if (partition !== expected.partition || sequence !== expected.sequence)
    fail(`it says it is record ${sequence} of partition ${partitionName(partition)}`)
  if (!equalBytes(body.subarray(32, 64), expected.previousHash)) fail('it does not continue the record before it')
}

/**
 * Decodes a stored record and checks it against its place: own hash, chain, partition, sequence.
 * @throws {RecordError} naming what differs.
 */
export const verifyRecord = (stored: StoredRecord, expected: RecordPlace): JournalRecord => {
  verifyPlace(stored, expected)
  return decodeRecord(stored.body)
}
