import type { ViewFilter, ViewModel, ViewQuery, Views } from '@bourse/common/ports/views.ts'

type Fields = Record<string, unknown>

const holds = (fields: Fields, filter: ViewFilter): boolean =>
  Object.entries(filter).every(([name, wanted]) => {
    const value = fields[name] as string
    if (typeof wanted !== 'object' || wanted === null) return value === wanted
    const { gt, gte, lt, lte } = wanted as Record<string, string | undefined>
    return (
      (gt === undefined || value > gt) &&
      (gte === undefined || value >= gte) &&
      (lt === undefined || value < lt) &&
      (lte === undefined || value <= lte)
    )
  })

/** Views that live in memory: enough of the port for tests of one projection. */
export const createMemoryViews = (): Views => {
  const collections = new Map<string, Map<string, Fields>>()
  const cursors = new Map<string, bigint>()
  const of = (model: ViewModel<{ _id: string }>): Map<string, Fields> => {
    const found = collections.get(model.name) ?? new Map<string, Fields>()
    collections.set(model.name, found)
    return found
  }
  const find = (model: ViewModel<{ _id: string }>, query: ViewQuery): Fields[] => {
    const sign = query.direction === 'ascending' ? 1 : -1
    const keyOf = (fields: Fields): string => fields[query.sortBy] as string
    const compare = (a: readonly [string, string], b: readonly [string, string]): number =>
      sign * (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : a[1] < b[1] ? -1 : a[1] > b[1] ? 1 : 0)
    const { after } = query
    return [...of(model).values()]
      .filter((fields) => holds(fields, query.filter))
      .sort((a, b) => compare([keyOf(a), a['_id'] as string], [keyOf(b), b['_id'] as string]))
      .filter(
        (fields) =>
          after === undefined ||
          compare([keyOf(fields), fields['_id'] as string], [after.sortValue as string, after.id]) > 0,
      )
      .slice(0, query.limit)
  }
  return {
    project: async (projection, partition, sequence, writes) => {
      for (const { kind, model, id, fields } of writes) {
        const named = Object.keys(model.schema.paths)
        for (const name of Object.keys(fields))
          if (!named.includes(name)) throw new Error(`${model.name} has no field ${name}`)
        const known = of(model).get(id)
        if (kind === 'insert' && known !== undefined) continue
        of(model).set(id, { ...known, ...fields, _id: id })
      }
      cursors.set(`${projection}/${partition}`, sequence)
    },
    cursor: async (projection, partition) => cursors.get(`${projection}/${partition}`) ?? 0n,
    get: async <Document extends { _id: string }>(model: ViewModel<Document>, id: string) =>
      (of(model).get(id) ?? null) as Document | null,
    find: async <Document extends { _id: string }>(model: ViewModel<Document>, query: ViewQuery) =>
      find(model, query) as unknown as readonly Document[],
    clear: async () => {
      collections.clear()
    },
    close: async () => undefined,
  }
}
