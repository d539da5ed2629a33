import { PortError } from '@bourse/common/ports/failure.ts'
import {
  VIEW_PAGE_MAX,
  type ViewFilter,
  type ViewModel,
  type ViewQuery,
  type ViewValue,
  type ViewWrite,
} from '@bourse/common/ports/views.ts'

/** Any view's model. */
export type AnyModel = ViewModel<{ _id: string }>
type Document = Record<string, ViewValue>
type FieldKind = 'string' | 'number' | 'bigint' | 'boolean' | 'mixed'

/** The documents of one model in memory. */
export interface ViewTable {
  /** @throws {PortError} `corrupt` when the model does not name a field of the write, or its kind is another. */
  check(write: ViewWrite): void
  write(write: ViewWrite): void
  get(id: string): Document | null
  /** @throws {PortError} `corrupt` on a page too large, a field without an index or a value of another kind. */
  find(query: ViewQuery): readonly Document[]
  clear(): void
}

/** What a model says of its fields, read from its mongoose schema once. */
export interface ViewShape {
  readonly name: string
  readonly kinds: ReadonlyMap<string, FieldKind>
  readonly indexed: ReadonlySet<string>
  /** Every field, null. */
  readonly empty: Document
}

const kindOfInstance: Readonly<Record<string, FieldKind>> = {
  String: 'string',
  Number: 'number',
  BigInt: 'bigint',
  Boolean: 'boolean',
}
/** Fields of mongoose's own that no view has. */
const OWN_FIELDS = new Set(['__v', 'id'])

/** Reads a model's shape. */
export const shapeOf = (model: AnyModel): ViewShape => {
  const fields = Object.entries(model.schema.paths).filter(([name]) => !OWN_FIELDS.has(name))
  const kinds = new Map(fields.map(([name, type]) => [name, kindOfInstance[type.instance] ?? 'mixed'] as const))
  const indexed = new Set(['_id', ...model.schema.indexes().flatMap(([names]) => Object.keys(names))])
  return { name: model.name, kinds, indexed, empty: Object.fromEntries([...kinds.keys()].map((name) => [name, null])) }
}

const corrupt = (message: string): PortError => new PortError('corrupt', message)

/** Nested values are copied whole; all others are values already. */
const copyOf = (value: ViewValue): ViewValue => {
  if (value === null || typeof value !== 'object') return value
  if (isList(value)) return value.map(copyOf)
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, copyOf(part)]))
}
const isList = (value: ViewValue): value is readonly ViewValue[] => Array.isArray(value)

/** Values of one kind in their order, null first. Text goes by its UTF-16 units: keys and sort values are ASCII. */
const compare = (a: ViewValue, b: ViewValue): number => {
  if (a === b) return 0
  if (a === null) return -1
  if (b === null) return 1
  return a < b ? -1 : 1
}

type Condition = (document: Document) => boolean

/** Makes an empty table. Indexes for equality are made when a filter first asks for them, and kept from then on. */
export const createViewTable = ({ name, kinds, indexed, empty }: ViewShape): ViewTable => {
  const documents = new Map<string, Document>()
  const byValue = new Map<string, Map<ViewValue, Map<string, Document>>>()

  const checkValue = (field: string, value: ViewValue): void => {
    const kind = kinds.get(field)
    if (kind === undefined) throw corrupt(`view ${name} has no field ${field}`)
    if (value === null || kind === 'mixed') return
    if (typeof value !== kind || (kind === 'number' && !Number.isFinite(value)))
      throw corrupt(`view ${name}: ${field} of kind ${kind} got a ${typeof value}`)
  }
  const checkIndex = (field: string): void => {
    if (!kinds.has(field)) throw corrupt(`view ${name} has no field ${field}`)
    if (!indexed.has(field)) throw corrupt(`view ${name}: ${field} has no index to filter or sort by`)
  }

  const addTo = (index: Map<ViewValue, Map<string, Document>>, value: ViewValue, document: Document): void => {
    const known = index.get(value)
    if (known === undefined) index.set(value, new Map([[document['_id'] as string, document]]))
    else known.set(document['_id'] as string, document)
  }
  const indexOf = (field: string): Map<ViewValue, Map<string, Document>> => {
    const known = byValue.get(field)
    if (known !== undefined) return known
    const made = new Map<ViewValue, Map<string, Document>>()
    for (const document of documents.values()) addTo(made, document[field] ?? null, document)
    byValue.set(field, made)
    return made
  }

  const conditionsOf = (field: string, wanted: Exclude<ViewFilter[string], undefined>): readonly Condition[] => {
    if (wanted === null || typeof wanted !== 'object') {
      checkValue(field, wanted)
      return [(document) => document[field] === wanted]
    }
    const { in: among, ...ranges } = wanted
    const conditions: Condition[] = []
    if (among !== undefined) {
      if (among.length > VIEW_PAGE_MAX) throw corrupt(`a list of ${among.length} values; at most ${VIEW_PAGE_MAX}`)
      for (const value of among) checkValue(field, value)
      const values = new Set<ViewValue>(among)
      conditions.push((document) => values.has(document[field] ?? null))
    }
    for (const [operator, limit] of Object.entries(ranges)) {
      if (limit === undefined) continue
      checkValue(field, limit)
      conditions.push(rangeOf(operator, field, limit))
    }
    return conditions
  }
  const rangeOf = (operator: string, field: string, limit: ViewValue): Condition => {
    const holds = rangeOperators[operator]
    if (holds === undefined) throw corrupt(`view ${name}: no filter is called ${operator}`)
    return (document) => document[field] !== null && holds(compare(document[field] ?? null, limit))
  }

  /** The fewest documents that an index can narrow the filter to. */
  const candidatesOf = (filter: ViewFilter): Iterable<Document> => {
    let fewest: ReadonlyMap<string, Document> = documents
    for (const [field, wanted] of Object.entries(filter)) {
      if (wanted === undefined || (wanted !== null && typeof wanted === 'object')) continue
      const found: ReadonlyMap<string, Document> =
        field === '_id'
          ? only(documents.get(wanted as string))
          : (indexOf(field).get(wanted) ?? new Map<string, Document>())
      if (found.size < fewest.size) fewest = found
    }
    return fewest.values()
  }
  const only = (document: Document | undefined): ReadonlyMap<string, Document> =>
    document === undefined ? new Map() : new Map([[document['_id'] as string, document]])

  const find = (query: ViewQuery): readonly Document[] => {
    const { filter, sortBy, after, limit } = query
    if (!Number.isInteger(limit) || limit < 1 || limit > VIEW_PAGE_MAX)
      throw corrupt(`a page of ${limit} documents; 1 to ${VIEW_PAGE_MAX}`)
    checkIndex(sortBy)
    const sign = query.direction === 'ascending' ? 1 : -1
    const conditions: Condition[] = []
    for (const [field, wanted] of Object.entries(filter)) {
      checkIndex(field)
      conditions.push(...conditionsOf(field, wanted ?? null))
    }
    if (after !== undefined) {
      checkValue(sortBy, after.sortValue)
      conditions.push((document) => {
        const order = compare(document[sortBy] ?? null, after.sortValue) || compare(document['_id'] ?? null, after.id)
        return document[sortBy] !== null && order * sign > 0
      })
    }
    const found: Document[] = []
    for (const document of candidatesOf(filter)) if (conditions.every((holds) => holds(document))) found.push(document)
    found.sort(
      (a, b) => sign * (compare(a[sortBy] ?? null, b[sortBy] ?? null) || compare(a['_id'] ?? null, b['_id'] ?? null)),
    )
    return found.slice(0, limit).map(copied)
  }

  const hasMixed = [...kinds.values()].includes('mixed')
  const copied = (document: Document): Document => (hasMixed ? (copyOf(document) as Document) : { ...document })

  const put = ({ kind, id, fields }: ViewWrite): void => {
    const known = documents.get(id)
    if (known !== undefined && kind === 'insert') return
    const document = known ?? { ...empty, _id: id }
    if (known === undefined) documents.set(id, document)
    for (const [field, index] of byValue) {
      if (known !== undefined && field in fields) index.get(known[field] ?? null)?.delete(id)
    }
    for (const field in fields) document[field] = copyOf(fields[field] ?? null)
    for (const [field, index] of byValue) {
      if (known === undefined || field in fields) addTo(index, document[field] ?? null, document)
    }
  }

  return {
    check: ({ fields }) => {
      for (const field in fields) {
        if (field === '_id') throw corrupt(`view ${name}: _id can't be written`)
        checkValue(field, fields[field] ?? null)
      }
    },
    write: put,
    get: (id) => {
      const document = documents.get(id)
      return document === undefined ? null : copied(document)
    },
    find,
    clear: () => {
      documents.clear()
      byValue.clear()
    },
  }
}

const rangeOperators: Readonly<Record<string, (order: number) => boolean>> = {
  gt: (order) => order > 0,
  gte: (order) => order >= 0,
  lt: (order) => order < 0,
  lte: (order) => order <= 0,
}
