import { createHash } from 'node:crypto'
import { Schema } from 'mongoose'
import { PortError } from '../../ports/failure.ts'
import type { ViewFilter, ViewModel, ViewQuery, ViewValue, ViewWrite } from '../../ports/views.ts'
import { checkLimit, checkList, fieldsOf, indexesOf } from '../view-schema.ts'
import { fieldCodecOf, type FieldCodec, type StoredValue } from './view-values.ts'

/** Who wrote a document last: the projection and partition whose record it was … */
export const WRITER_FIELD = '_writer'
/** … and that record's sequence. */
export const RECORD_FIELD = '_record'

/** Fields to store, encoded. */
export type StoredFields = Readonly<Record<string, StoredValue>>

/** All that one record does to one document: what it sets, and what it sets only if the document is new. */
export interface DocumentWrite {
  readonly id: string
  readonly set: StoredFields
  readonly setOnInsert: StoredFields
}

/** A condition of MongoDB's query language over stored fields. */
export type Condition = Readonly<Record<string, unknown>>

/** A query over stored documents. */
export interface StoredQuery {
  readonly conditions: readonly Condition[]
  readonly sort: Readonly<Record<string, 1 | -1>>
  readonly limit: number
}

/** A model as a collection. */
export interface CollectionMapping {
  readonly collection: string
  /** As stored: integers and nested values are text, and every document says which record wrote it. */
  readonly schema: Schema
  readonly indexes: readonly Readonly<Record<string, 1>>[]
  /** @throws {PortError} `corrupt` on a field that the schema does not name or a value of another kind */
  encode(write: ViewWrite): DocumentWrite
  /** @throws {PortError} `corrupt` on a field without an index, a value of another kind, or a page that is too large */
  find(query: ViewQuery): StoredQuery
  documentOf(stored: Readonly<Record<string, unknown>>): Record<string, ViewValue>
}

type AnyModel = ViewModel<{ _id: string }>

const operators = { gt: '$gt', gte: '$gte', lt: '$lt', lte: '$lte' } as const

/** Eight hex digits that change when what they are made of does. */
export const fingerprintOf = (value: unknown): string =>
  createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 8)

const storedSchema = (collection: string, fields: ReadonlyMap<string, FieldCodec>): Schema => {
  const definition = Object.fromEntries([...fields].map(([name, { type }]) => [name, { type }]))
  return new Schema(
    { ...definition, [WRITER_FIELD]: { type: String }, [RECORD_FIELD]: { type: BigInt } },
    { collection, strict: 'throw', strictQuery: 'throw', versionKey: false, id: false, minimize: false },
  )
}

/** Makes conditions of filters, checking every field against the schema and its indexes. */
const createConditions = (name: string, fields: ReadonlyMap<string, FieldCodec>, indexed: ReadonlySet<string>) => {
  const codecOf = (field: string): FieldCodec => {
    const codec = fields.get(field)
    if (codec === undefined) throw new PortError('corrupt', `view ${name} has no field ${field}`)
    if (!indexed.has(field)) throw new PortError('corrupt', `view ${name}: ${field} has no index to filter or sort by`)
    return codec
  }
  const conditionsOf = (field: string, wanted: ViewFilter[string]): readonly Condition[] => {
    const codec = codecOf(field)
    if (wanted === undefined || wanted === null) return [{ [field]: { $eq: null } }]
    if (typeof wanted !== 'object') return [{ [field]: { $eq: codec.encode(wanted) } }]
    const { in: among, ...ranges } = wanted
    const conditions: Condition[] = []
    if (among !== undefined) {
      checkList(among)
      conditions.push({ [field]: { $in: among.map((value) => codec.encode(value)) } })
    }
    for (const [operator, limit] of Object.entries(ranges)) {
      const sign = operators[operator as keyof typeof operators] as string | undefined
      if (sign === undefined) throw new PortError('corrupt', `view ${name}: no filter is called ${operator}`)
      if (limit !== undefined) conditions.push({ [field]: { [sign]: codec.encode(limit) } })
    }
    return conditions
  }
  return { codecOf, conditionsOf }
}

/**
 * Derives a collection from a model's mongoose schema. Its name ends in a fingerprint of its shape: another version of the
 * platform with another shape has a collection of its own, and neither harms the other's.
 * @throws {RangeError} on a schema that can't be a view: its `_id` is no String, or a field is nested.
 */
export const mapModel = (model: AnyModel): CollectionMapping => {
  const instances = fieldsOf(model)
  const declared = indexesOf(model)
  const fields = new Map([...instances].map(([name, instance]) => [name, fieldCodecOf(instance)]))
  const { codecOf, conditionsOf } = createConditions(model.name, fields, new Set(['_id', ...declared.flat()]))
  const collection = `view_${model.name}_${fingerprintOf([[...instances].sort(), declared])}`

  const encode = (write: ViewWrite): DocumentWrite => {
    const entries = Object.entries(write.fields).map(([field, value]): [string, StoredValue] => {
      const codec = fields.get(field)
      if (codec === undefined || field === '_id')
        throw new PortError('corrupt', `view ${model.name}: ${field} can't be written`)
      return [field, codec.encode(value)]
    })
    const stored = Object.fromEntries(entries)
    return write.kind === 'merge'
      ? { id: write.id, set: stored, setOnInsert: {} }
      : { id: write.id, set: {}, setOnInsert: stored }
  }

  const find = (query: ViewQuery): StoredQuery => {
    checkLimit(query.limit)
    const { sortBy, after } = query
    const codec = codecOf(sortBy)
    const [sign, order] = query.direction === 'ascending' ? (['$gt', 1] as const) : (['$lt', -1] as const)
    const conditions = Object.entries(query.filter).flatMap(([field, wanted]) => conditionsOf(field, wanted))
    if (after !== undefined) {
      const value = codec.encode(after.sortValue)
      // The first bounds the scan of an index, the second is exact among those with the same value.
      conditions.push({ [sortBy]: { [`${sign}e`]: value } })
      conditions.push({ $or: [{ [sortBy]: { [sign]: value } }, { _id: { [sign]: after.id } }] })
    }
    return { conditions, sort: { [sortBy]: order, _id: order }, limit: query.limit }
  }

  return {
    collection,
    schema: storedSchema(collection, fields),
    indexes: declared.map((names) =>
      Object.fromEntries([...names.filter((name) => name !== '_id'), '_id'].map((name) => [name, 1 as const])),
    ),
    encode,
    find,
    documentOf: (stored) =>
      Object.fromEntries([...fields].map(([field, codec]) => [field, codec.decode(stored[field])])),
  }
}

/** Joins what a record does to each document, in the order it does it: one write per document. */
export const joinWrites = (writes: readonly DocumentWrite[]): readonly DocumentWrite[] => {
  const joined = new Map<string, DocumentWrite>()
  for (const { id, set, setOnInsert } of writes) {
    const before = joined.get(id)
    if (before === undefined) joined.set(id, { id, set, setOnInsert })
    // What was merged or inserted before makes the document; an insert after it does nothing.
    else joined.set(id, { id, set: { ...before.set, ...set }, setOnInsert: before.setOnInsert })
  }
  return [...joined.values()].map(({ id, set, setOnInsert }) => ({
    id,
    set,
    // A field can't be set in both ways at once.
    setOnInsert: Object.fromEntries(Object.entries(setOnInsert).filter(([field]) => !(field in set))),
  }))
}
