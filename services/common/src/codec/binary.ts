/**
 * Checked little-endian writing and reading of fixed layouts. A reader never reads past its bytes; a writer never
 * writes a value that does not fit its field.
 */

/** Bytes that are not what their layout says, or a value that does not fit its field. */
export class BinaryError extends Error {
  override readonly name = 'BinaryError'
}

/** Longest text of a `text` field, in UTF-8 bytes. */
export const TEXT_BYTES_MAX = 65_535

const U64_MAX = (1n << 64n) - 1n
const I64_MAX = (1n << 63n) - 1n
const I128_MAX = (1n << 127n) - 1n

/** Appends fields to a growing buffer. Every method throws BinaryError when the value does not fit. */
export interface BinaryWriter {
  u8(value: number): BinaryWriter
  u16(value: number): BinaryWriter
  u32(value: number): BinaryWriter
  u64(value: bigint): BinaryWriter
  i64(value: bigint): BinaryWriter
  /** Two's complement, low half first. */
  i128(value: bigint): BinaryWriter
  flag(value: boolean): BinaryWriter
  /** The bytes as they are; the reader has to know how many. */
  bytes(value: Uint8Array): BinaryWriter
  /** u16 length in bytes, then UTF-8. */
  text(value: string): BinaryWriter
  /** u32 length, then the bytes. */
  blob(value: Uint8Array): BinaryWriter
  /** u32 count, then each item. */
  list<Item>(items: readonly Item[], write: (item: Item) => void): BinaryWriter
  /** Zero bytes up to a multiple of 8. */
  pad8(): BinaryWriter
  /** A copy of what was written. */
  finish(): Uint8Array
}

/** Reads fields in order. Every method throws BinaryError where the bytes end. */
export interface BinaryReader {
  u8(): number
  u16(): number
  u32(): number
  u64(): bigint
  i64(): bigint
  i128(): bigint
  /** 0 or 1; anything else is refused. */
  flag(): boolean
  /** A copy of the next `count` bytes. */
  bytes(count: number): Uint8Array
  /** Refuses bytes that are not UTF-8. */
  text(): string
  blob(): Uint8Array
  /** Refuses more than `countMax` items. */
  list<Item>(countMax: number, read: () => Item): Item[]
  /** Zero padding up to a multiple of 8 of the whole. */
  pad8(): void
  /** Bytes left. */
  remaining(): number
  /** Demands that nothing but zero padding of less than 8 bytes is left. */
  end(): void
}

const whole = (value: number, max: number): number => {
  if (!Number.isInteger(value) || value < 0 || value > max) throw new BinaryError(`${value} does not fit 0 … ${max}`)
  return value
}

const within = (value: bigint, min: bigint, max: bigint): bigint => {
  if (value < min || value > max) throw new BinaryError(`${value} does not fit its field`)
  return value
}

/** Makes a writer; `capacity` is a first guess of the size in bytes. */
export const createBinaryWriter = (capacity = 256): BinaryWriter => {
  let buffer = new Uint8Array(capacity)
  let view = new DataView(buffer.buffer)
  let at = 0

  const reserve = (count: number): number => {
    if (at + count > buffer.length) {
      const grown = new Uint8Array(Math.max(buffer.length * 2, at + count))
      grown.set(buffer)
      buffer = grown
      view = new DataView(buffer.buffer)
    }
    const start = at
    at += count
    return start
  }

  const writer: BinaryWriter = {
    u8: (value) => {
      const start = reserve(1)
      view.setUint8(start, whole(value, 0xff))
      return writer
    },
    u16: (value) => {
      const start = reserve(2)
      view.setUint16(start, whole(value, 0xffff), true)
      return writer
    },
    u32: (value) => {
      const start = reserve(4)
      view.setUint32(start, whole(value, 0xffffffff), true)
      return writer
    },
    u64: (value) => {
      const start = reserve(8)
      view.setBigUint64(start, within(value, 0n, U64_MAX), true)
      return writer
    },
    i64: (value) => {
      const start = reserve(8)
      view.setBigInt64(start, within(value, -I64_MAX - 1n, I64_MAX), true)
      return writer
    },
    i128: (value) => {
      const start = reserve(16)
      within(value, -I128_MAX - 1n, I128_MAX)
      view.setBigUint64(start, BigInt.asUintN(64, value), true)
      view.setBigInt64(start + 8, value >> 64n, true)
      return writer
    },
    flag: (value) => writer.u8(value ? 1 : 0),
    bytes: (value) => {
      const start = reserve(value.length)
      buffer.set(value, start)
      return writer
    },
    text: (value) => {
      const encoded = Buffer.from(value, 'utf8')
      return writer.u16(whole(encoded.length, TEXT_BYTES_MAX)).bytes(encoded)
    },
    blob: (value) => writer.u32(value.length).bytes(value),
    list: (items, write) => {
      writer.u32(items.length)
      items.forEach(write)
      return writer
    },
    pad8: () => {
      const start = reserve((8 - (at % 8)) % 8)
      buffer.fill(0, start, at)
      return writer
    },
    finish: () => buffer.slice(0, at),
  }
  return writer
}

/** Makes a reader over the bytes. */
export const createBinaryReader = (source: Uint8Array): BinaryReader => {
  const view = new DataView(source.buffer, source.byteOffset, source.byteLength)
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  let at = 0

  const take = (count: number): number => {
    if (count > source.length - at) throw new BinaryError(`${count} bytes wanted, ${source.length - at} left`)
    const start = at
    at += count
    return start
  }
  const zeros = (count: number): void => {
    const start = take(count)
    for (let index = start; index < at; index++)
      if (source[index] !== 0) throw new BinaryError('padding that is not zero')
  }

  const reader: BinaryReader = {
    u8: () => view.getUint8(take(1)),
    u16: () => view.getUint16(take(2), true),
    u32: () => view.getUint32(take(4), true),
    u64: () => view.getBigUint64(take(8), true),
    i64: () => view.getBigInt64(take(8), true),
    i128: () => {
      const start = take(16)
      return (view.getBigInt64(start + 8, true) << 64n) | view.getBigUint64(start, true)
    },
    flag: () => {
      const value = reader.u8()
      if (value > 1) throw new BinaryError(`${value} is not a flag`)
      return value === 1
    },
    bytes: (count) => {
      const start = take(count)
      return source.slice(start, start + count)
    },
    text: () => {
      const count = reader.u16()
      const start = take(count)
      try {
        return decoder.decode(source.subarray(start, start + count))
      } catch (error) {
        throw new BinaryError('a text that is not UTF-8', { cause: error })
      }
    },
    blob: () => reader.bytes(reader.u32()),
    list: (countMax, read) => {
      const count = reader.u32()
      if (count > countMax) throw new BinaryError(`${count} items, at most ${countMax}`)
      return Array.from({ length: count }, read)
    },
    pad8: () => zeros((8 - (at % 8)) % 8),
    remaining: () => source.length - at,
    end: () => {
      if (source.length - at >= 8) throw new BinaryError(`${source.length - at} bytes too many`)
      zeros(source.length - at)
    },
  }
  return reader
}
