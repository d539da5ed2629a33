import { PortError } from '../../ports/failure.ts'
import type { ViewValue } from '../../ports/views.ts'
import { decodeInteger, encodeInteger, fromTagged, toTagged } from '../view-text.ts'

/** What a field is stored as. */
export type StoredValue = string | number | boolean | null

/** How values of one kind of field stand in a document. */
export interface FieldCodec {
  /** The type of the stored field in a mongoose schema. */
  readonly type: typeof String | typeof Number | typeof Boolean
  /** @throws {PortError} `corrupt` when the value is not of the field's kind. */
  encode(value: ViewValue): StoredValue
  /** A field that is not there is null. */
  decode(stored: unknown): ViewValue
}

const refused = (kind: string, value: ViewValue): PortError =>
  new PortError('corrupt', `a field of kind ${kind} got a ${value === null ? 'null' : typeof value}`)

const nullable = (codec: FieldCodec): FieldCodec => ({
  type: codec.type,
  encode: (value) => (value === null ? null : codec.encode(value)),
  decode: (stored) => (stored === null || stored === undefined ? null : codec.decode(stored)),
})

/** A kind that MongoDB holds as it is. */
const plain = (kind: string, type: FieldCodec['type'], isOf: (value: ViewValue) => value is StoredValue): FieldCodec =>
  nullable({
    type,
    encode: (value) => {
      if (!isOf(value)) throw refused(kind, value)
      return value
    },
    decode: (stored) => stored as StoredValue,
  })

const textCodec = plain('String', String, (value) => typeof value === 'string')
const isFinite = (value: ViewValue): value is number => typeof value === 'number' && Number.isFinite(value)
const numberCodec = plain('Number', Number, isFinite)
const booleanCodec = plain('Boolean', Boolean, (value) => typeof value === 'boolean')

/** As text whose order is the order of the numbers: amounts have up to 67 bits, a Long has 64. */
const integerCodec = nullable({
  type: String,
  encode: (value) => {
    if (typeof value !== 'bigint') throw refused('BigInt', value)
    return encodeInteger(value)
  },
  decode: (stored) => decodeInteger(stored as string),
})

/** As JSON text: a server takes not every key, and none of them integers of any size. */
const nestedCodec = nullable({
  type: String,
  encode: (value) => JSON.stringify(toTagged(value)),
  decode: (stored) => fromTagged(JSON.parse(stored as string)),
})

/** The codec of a mongoose schema type by its `instance` name; whatever is not plain is kept as marked JSON. */
export const fieldCodecOf = (instance: string): FieldCodec => {
  switch (instance) {
    case 'String':
      return textCodec
    case 'Number':
      return numberCodec
    case 'BigInt':
      return integerCodec
    case 'Boolean':
      return booleanCodec
    default:
      return nestedCodec
  }
}
