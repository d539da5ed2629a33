import { createHash } from 'node:crypto'
import type { SQLInputValue, SQLOutputValue } from 'node:sqlite'
import { PortError } from '../../ports/failure.ts'
import type { ViewFilter, ViewModel, ViewQuery, ViewValue, ViewWrite } from '../../ports/views.ts'
import { checkLimit, checkList, fieldsOf, indexesOf } from '../view-schema.ts'
import { columnCodecOf, type ColumnCodec } from './view-values.ts'

/** A statement and what to bind. */
export interface BoundStatement {
  readonly sql: string
  readonly values: readonly SQLInputValue[]
}

/** A model as a table: a column per field, an index per indexed field, each with `_id` behind it so that pages are total. */
export interface TableMapping {
  readonly name: string
  readonly createSql: readonly string[]
  readonly dropSql: string
  readonly clearSql: string
  /** Changes when the table does. */
  readonly fingerprint: string
  write(write: ViewWrite): BoundStatement
  get(id: string): BoundStatement
  find(query: ViewQuery): BoundStatement
  documentOf(row: Record<string, SQLOutputValue>): Record<string, ViewValue>
}

type AnyModel = ViewModel<{ _id: string }>

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`

const columnsOf = (model: AnyModel): ReadonlyMap<string, ColumnCodec> =>
  new Map([...fieldsOf(model)].map(([name, instance]) => [name, columnCodecOf(instance)]))

const operators = { gt: '>', gte: '>=', lt: '<', lte: '<=' } as const

/** Makes the SQL of filters, checking every field against the columns and indexes. */
const createConditions = (name: string, columns: ReadonlyMap<string, ColumnCodec>, indexed: ReadonlySet<string>) => {
  const codecOf = (field: string): ColumnCodec => {
    const codec = columns.get(field)
    if (codec === undefined) throw new PortError('corrupt', `view ${name} has no field ${field}`)
    if (!indexed.has(field)) throw new PortError('corrupt', `view ${name}: ${field} has no index to filter or sort by`)
    return codec
  }

  const conditionsOf = (field: string, wanted: ViewFilter[string]): readonly BoundStatement[] => {
    const codec = codecOf(field)
    const column = quoted(field)
    if (wanted === undefined || wanted === null) return [{ sql: `${column} IS NULL`, values: [] }]
    if (typeof wanted !== 'object') return [{ sql: `${column} = ?`, values: [codec.encode(wanted)] }]
    const { in: among, ...ranges } = wanted
    const conditions: BoundStatement[] = []
    if (among !== undefined) {
      checkList(among)
      const places = among.map(() => '?').join(', ')
      conditions.push({ sql: `${column} IN (${places})`, values: among.map((value) => codec.encode(value)) })
    }
    for (const [operator, limit] of Object.entries(ranges)) {
      const sign = operators[operator as keyof typeof operators] as string | undefined
      if (sign === undefined) throw new PortError('corrupt', `view ${name}: no filter is called ${operator}`)
      if (limit !== undefined) conditions.push({ sql: `${column} ${sign} ?`, values: [codec.encode(limit)] })
    }
    return conditions
  }
  return { codecOf, conditionsOf }
}

/** Shapes of writes (fields in their order) whose text is kept, of one table. */
const WRITE_SHAPES_MAX = 100

const writeSql = (table: string, kind: ViewWrite['kind'], fields: readonly string[]): string => {
  const names = fields.map(quoted)
  const insert = `INSERT INTO ${table} (${['"_id"', ...names].join(', ')}) VALUES (${['?', ...names.map(() => '?')].join(', ')})`
  const updates = names.map((column) => `${column} = excluded.${column}`).join(', ')
  const conflict = kind === 'merge' && updates !== '' ? `DO UPDATE SET ${updates}` : 'DO NOTHING'
  return `${insert} ON CONFLICT ("_id") ${conflict}`
}

/** Makes the statements of writes; the text of each shape is made once. */
const createWriteStatements = (table: string, columns: ReadonlyMap<string, ColumnCodec>) => {
  const texts = new Map<string, string>()
  const textOf = (kind: ViewWrite['kind'], fields: readonly string[]): string => {
    const shape = `${kind} ${fields.join()}`
    const known = texts.get(shape)
    if (known !== undefined) return known
    const sql = writeSql(table, kind, fields)
    if (texts.size >= WRITE_SHAPES_MAX) texts.clear()
    texts.set(shape, sql)
    return sql
  }
  return (write: ViewWrite): BoundStatement => {
    const fields = Object.keys(write.fields)
    const values: SQLInputValue[] = [write.id]
    for (const field of fields) {
      const codec = columns.get(field)
      if (codec === undefined || field === '_id')
        throw new PortError('corrupt', `view ${write.model.name}: ${field} can't be written`)
      values.push(codec.encode(write.fields[field]!))
    }
    return { sql: textOf(write.kind, fields), values }
  }
}

/**
 * Derives a table from a model's mongoose schema. Integers are sortable text of any length (see view-values.ts), numbers REAL,
 * booleans 0 and 1, text as it is, everything else marked JSON.
 * @throws {RangeError} on a schema that can't be a view: its `_id` is no String, or a field is nested.
 */
export const mapModel = (model: AnyModel): TableMapping => {
  const columns = columnsOf(model)
  const indexes = indexesOf(model)
  const indexed = new Set(['_id', ...indexes.flat()])
  const table = quoted(`view_${model.name}`)
  const names = [...columns.keys()].map(quoted).join(', ')
  const definitions = [...columns].map(([field, { sqlType }]) => {
    const constraint = field === '_id' ? ' PRIMARY KEY NOT NULL' : ''
    return `${quoted(field)} ${sqlType}${constraint}`
  })
  const createSql = [
    `CREATE TABLE IF NOT EXISTS ${table} (${definitions.join(', ')}) STRICT`,
    ...indexes.map((fields) => {
      const columnList = [...fields.filter((field) => field !== '_id'), '_id'].map(quoted).join(', ')
      return `CREATE INDEX IF NOT EXISTS ${quoted(`view_${model.name}_${fields.join('_')}`)} ON ${table} (${columnList})`
    }),
  ]
  const { codecOf, conditionsOf } = createConditions(model.name, columns, indexed)

  const find = (query: ViewQuery): BoundStatement => {
    checkLimit(query.limit)
    const sort = quoted(query.sortBy)
    const sortCodec = codecOf(query.sortBy)
    const [sign, order] = query.direction === 'ascending' ? ['>', 'ASC'] : ['<', 'DESC']
    const conditions = Object.entries(query.filter).flatMap(([field, wanted]) => conditionsOf(field, wanted))
    if (query.after !== undefined) {
      const { sortValue, id } = query.after
      conditions.push({ sql: `(${sort}, "_id") ${sign} (?, ?)`, values: [sortCodec.encode(sortValue), id] })
    }
    const where = conditions.length === 0 ? '' : ` WHERE ${conditions.map(({ sql }) => sql).join(' AND ')}`
    return {
      sql: `SELECT ${names} FROM ${table}${where} ORDER BY ${sort} ${order}, "_id" ${order} LIMIT ?`,
      values: [...conditions.flatMap(({ values }) => values), query.limit],
    }
  }

  return {
    name: model.name,
    createSql,
    dropSql: `DROP TABLE IF EXISTS ${table}`,
    clearSql: `DELETE FROM ${table}`,
    fingerprint: createHash('sha256').update(createSql.join('\n')).digest('hex'),
    write: createWriteStatements(table, columns),
    get: (id) => ({ sql: `SELECT ${names} FROM ${table} WHERE "_id" = ?`, values: [id] }),
    find,
    documentOf: (row) =>
      Object.fromEntries([...columns].map(([field, codec]) => [field, codec.decode(row[field] ?? null)])),
  }
}
