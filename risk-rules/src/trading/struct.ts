/**
 * Fixed binary layouts as data: the fields of a record in their order, each of a type that says its bytes.
 * Everything is little endian,
 * 8-byte fields lie on multiples of 8 (checked when the layout is made), so records can be read as words.
 */

/** What a field may be: integers, 16 opaque bytes, or 8 ASCII bytes padded with zeros (a currency). */
export type FieldType = 'u32' | 'u64' | 'i64' | 'i128' | 'bytes16' | 'text8'

/** Bytes of each field type. */
export const fieldBytes = { u32: 4, u64: 8, i64: 8, i128: 16, bytes16: 16, text8: 8 } as const

/** The TypeScript value of a field type. */
export type FieldValue<Type extends FieldType> = Type extends 'u32'
  ? number
  : Type extends 'bytes16'
    ? Uint8Array
    : Type extends 'text8'
      ? string
      : bigint

/** Field names and their types, in the order they lie. */
export type Fields = Readonly<Record<string, FieldType>>

/** The values of a record. */
export type RecordOf<F extends Fields> = { readonly [Name in keyof F]: FieldValue<F[Name]> }

/** A fixed record: its size, where each field lies, and both directions. */
export interface Layout<F extends Fields> {
  readonly bytes: number
  readonly offsets: { readonly [Name in keyof F]: number }
  /** Writes a record at `at`. Throws a RangeError when a value does not fit its field. */
  readonly write: (view: DataView, at: number, record: RecordOf<F>) => void
  /** Reads the record at `at`; byte fields are copies. */
  readonly read: (view: DataView, at: number) => RecordOf<F>
  /** A record in bytes of its own. */
  readonly encode: (record: RecordOf<F>) => Uint8Array
  /** The record at the start of `bytes`. */
  readonly decode: (bytes: Uint8Array) => RecordOf<F>
}

/** A DataView over exactly these bytes. */
export const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

const inRange = (name: string, value: bigint, low: bigint, high: bigint): bigint => {
  if (value < low || value > high) throw new RangeError(`${name} is ${value}; it must be from ${low} to ${high}`)
  return value
}

const I64_MIN = -(1n << 63n)
const I64_MAX = (1n << 63n) - 1n
const U64_MAX = (1n << 64n) - 1n
const I128_MAX = (1n << 127n) - 1n

const writers: { readonly [T in FieldType]: (view: DataView, at: number, value: FieldValue<T>, name: string) => void } =
  {
    u32: (view, at, value, name) => {
      if (!Number.isInteger(value) || value < 0 || value > 0xffffffff)
        throw new RangeError(`${name} is ${value}, not a u32`)
      view.setUint32(at, value, true)
    },
    u64: (view, at, value, name) => view.setBigUint64(at, inRange(name, value, 0n, U64_MAX), true),
    i64: (view, at, value, name) => view.setBigInt64(at, inRange(name, value, I64_MIN, I64_MAX), true),
    i128: (view, at, value, name) => {
      inRange(name, value, -I128_MAX - 1n, I128_MAX)
      view.setBigUint64(at, BigInt.asUintN(64, value), true)
      view.setBigInt64(at + 8, value >> 64n, true)
    },
    bytes16: (view, at, value, name) => {
      if (value.length !== 16) throw new RangeError(`${name} has ${value.length} bytes, not 16`)
      for (let i = 0; i < 16; i++) view.setUint8(at + i, value[i]!)
    },
    text8: (view, at, value, name) => {
      if (!/^[\x21-\x7e]{0,8}$/.test(value)) throw new RangeError(`${name} '${value}' is not up to 8 ASCII characters`)
      for (let i = 0; i < 8; i++) view.setUint8(at + i, i < value.length ? value.charCodeAt(i) : 0)
    },
  }

const text8At = (view: DataView, at: number): string => {
  let text = ''
  for (let i = 0; i < 8; i++) {
    const code = view.getUint8(at + i)
    if (code !== 0) text += String.fromCharCode(code)
  }
  return text
}

const readers: { readonly [T in FieldType]: (view: DataView, at: number) => FieldValue<T> } = {
  u32: (view, at) => view.getUint32(at, true),
  u64: (view, at) => view.getBigUint64(at, true),
  i64: (view, at) => view.getBigInt64(at, true),
  i128: (view, at) => (view.getBigInt64(at + 8, true) << 64n) | view.getBigUint64(at, true),
  bytes16: (view, at) => new Uint8Array(view.buffer, view.byteOffset + at, 16).slice(),
  text8: text8At,
}

const writeField = <T extends FieldType>(
  type: T,
  view: DataView,
  at: number,
  value: FieldValue<T>,
  name: string,
): void => writers[type](view, at, value, name)

/** Makes a layout. Throws when a field of 8 bytes or more would not lie on a multiple of 8 or the record ends off one. */
export const layoutOf = <const F extends Fields>(fields: F): Layout<F> => {
  const names = Object.keys(fields) as (keyof F & string)[]
  const offsets = {} as { [Name in keyof F]: number }
  let bytes = 0
  for (const name of names) {
    const size = fieldBytes[fields[name]!]
    if (size >= 8 && bytes % 8 !== 0) throw new RangeError(`field ${name} would lie at ${bytes}, not a multiple of 8`)
    offsets[name] = bytes
    bytes += size
  }
  if (bytes % 8 !== 0) throw new RangeError(`a record of ${bytes} bytes does not end on a multiple of 8`)
  const write = (view: DataView, at: number, record: RecordOf<F>): void => {
    for (const name of names) writeField(fields[name]!, view, at + offsets[name], record[name], name)
  }
  const read = (view: DataView, at: number): RecordOf<F> => {
    const record: Record<string, unknown> = {}
    for (const name of names) record[name] = readers[fields[name]!](view, at + offsets[name])
    return record as RecordOf<F>
  }
  const encode = (record: RecordOf<F>): Uint8Array => {
    const target = new Uint8Array(bytes)
    write(viewOf(target), 0, record)
    return target
  }
  return { bytes, offsets, write, read, encode, decode: (source) => read(viewOf(source), 0) }
}

/** The record a layout reads and writes. */
export type RecordIn<L> = L extends Layout<infer F> ? RecordOf<F> : never
