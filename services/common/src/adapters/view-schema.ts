import { PortError } from '../ports/failure.ts'
import { VIEW_PAGE_MAX, type ViewModel } from '../ports/views.ts'

/* What every adapter reads out of a view's mongoose schema, and the bounds of its queries. */

type AnyModel = ViewModel<{ _id: string }>

/** Values one `in` may list. */
export const IN_VALUES_MAX = 1_000
/** Fields of mongoose's own that no view has. */
const OWN_FIELDS = new Set(['__v', 'id'])

/**
 * The fields of a model and the name of mongoose's type of each.
 * @throws {RangeError} on a schema that can't be a view: its `_id` is no String, or a field is nested.
 */
export const fieldsOf = (model: AnyModel): ReadonlyMap<string, string> => {
  const fields = Object.entries(model.schema.paths).filter(([name]) => !OWN_FIELDS.has(name))
  if (model.schema.paths['_id']?.instance !== 'String')
    throw new RangeError(`view ${model.name}: its _id must be a String`)
  const nested = fields.find(([name]) => name.includes('.'))
  if (nested !== undefined) throw new RangeError(`view ${model.name}: ${nested[0]} is nested; fields are top-level`)
  return new Map(fields.map(([name, type]) => [name, type.instance]))
}

/** The indexes the schema declares: on single fields and compound ones, as lists of fields. */
export const indexesOf = (model: AnyModel): readonly (readonly string[])[] =>
  model.schema.indexes().map(([fields]) => Object.keys(fields))

/** @throws {PortError} `corrupt` */
export const checkLimit = (limit: number): void => {
  if (Number.isInteger(limit) && limit >= 1 && limit <= VIEW_PAGE_MAX) return
  throw new PortError('corrupt', `a page of ${limit} documents; 1 to ${VIEW_PAGE_MAX}`)
}

/** @throws {PortError} `corrupt` */
export const checkList = (values: readonly unknown[]): void => {
  if (values.length > IN_VALUES_MAX)
    throw new PortError('corrupt', `a list of ${values.length} values; at most ${IN_VALUES_MAX}`)
}
