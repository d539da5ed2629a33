import type { SQLInputValue, SQLOutputValue } from 'node:sqlite'
import { PortError } from '../../ports/failure.ts'
import type { ViewValue } from '../../ports/views.ts'
import { decodeInteger, encodeInteger, fromTagged, toTagged } from '../view-text.ts'

/** How values of one kind of field stand in a column. */
export interface ColumnCodec {
  readonly sqlType: 'TEXT' | 'REAL' | 'INTEGER'
  /** @throws {PortError} `corrupt` when the value is not of the field's kind. */
  encode(value: ViewValue): SQLInputValue
  decode(stored: SQLOutputValue): ViewValue
}

const refused = (kind: string, value: ViewValue): PortError =>
  new PortError('corrupt', `a field of kind ${kind} got a ${value === null ? 'null' : typeof value}`)

const nullable = (codec: ColumnCodec): ColumnCodec => ({
  sqlType: codec.sqlType,
  encode: (value) => (value === null ? null : codec.encode(value)),
  decode: (stored) => (stored === null ? null : codec.decode(stored)),
})

const textCodec: ColumnCodec = {
  sqlType: 'TEXT',
  encode: (value) => {
    if (typeof value !== 'string') throw refused('String', value)
    return value
  },
  decode: (stored) => stored as string,
}

const numberCodec: ColumnCodec = {
  sqlType: 'REAL',
  encode: (value) => {
    if (typeof value !== 'number' || !Number.isFinite(value)) throw refused('Number', value)
    return value
  },
  decode: (stored) => stored as number,
}

const integerCodec: ColumnCodec = {
  sqlType: 'TEXT',
  encode: (value) => {
    if (typeof value !== 'bigint') throw refused('BigInt', value)
    return encodeInteger(value)
  },
  decode: (stored) => decodeInteger(stored as string),
}

const booleanCodec: ColumnCodec = {
  sqlType: 'INTEGER',
  encode: (value) => {
    if (typeof value !== 'boolean') throw refused('Boolean', value)
    return value ? 1 : 0
  },
  decode: (stored) => stored === 1,
}

const nestedCodec: ColumnCodec = {
  sqlType: 'TEXT',
  encode: (value) => JSON.stringify(toTagged(value)),
  decode: (stored) => fromTagged(JSON.parse(stored as string)),
}

/** The codec of a mongoose schema type by its `instance` name; whatever is not plain is kept as marked JSON. */
export const columnCodecOf = (instance: string): ColumnCodec => {
  switch (instance) {
    case 'String':
      return nullable(textCodec)
    case 'Number':
      return nullable(numberCodec)
    case 'BigInt':
      return nullable(integerCodec)
    case 'Boolean':
      return nullable(booleanCodec)
    default:
      return nullable(nestedCodec)
  }
}
