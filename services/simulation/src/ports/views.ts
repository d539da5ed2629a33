import { PortError } from '@bourse/common/ports/failure.ts'
import type { ViewModel, ViewQuery, Views, ViewWrite } from '@bourse/common/ports/views.ts'
import type { Faults } from '../faults/faults.ts'
import type { World } from '../world/world.ts'
import { callLater, type Process } from './process.ts'
import type { Travel } from './travel.ts'
import { createViewTable, shapeOf, type AnyModel, type ViewTable } from './view-table.ts'

/** The views between the processes and their store. */
export interface ViewService {
  open(process: Process): Views
  /** The store as an inspector reads it. */
  readonly bare: Views
}

/** The documents and cursors of all projections: everything happens at once. */
const createViewStore = (models: readonly AnyModel[]) => {
  const tables = new Map(models.map((model) => [model.name, createViewTable(shapeOf(model))]))
  const cursors = new Map<string, Map<number, bigint>>()

  const tableOf = (model: AnyModel): ViewTable => {
    const table = tables.get(model.name)
    if (table === undefined) throw new PortError('corrupt', `no view is called ${model.name}`)
    return table
  }
  const cursor = (projection: string, partition: number): bigint => cursors.get(projection)?.get(partition) ?? 0n

  return {
    tableOf,
    cursor,
    check: (writes: readonly ViewWrite[]): void => {
      for (const write of writes) tableOf(write.model).check(write)
    },
    /** Applies the first `count` writes; the cursor moves only after all of them. */
    project: (projection: string, partition: number, sequence: bigint, writes: readonly ViewWrite[], count: number) => {
      // What was projected before is not written again: an older record must not undo what a newer one said.
      if (sequence <= cursor(projection, partition)) return
      for (let index = 0; index < count; index++) tableOf(writes[index]!.model).write(writes[index]!)
      if (count < writes.length) return
      const known = cursors.get(projection) ?? new Map<number, bigint>()
      cursors.set(projection, known.set(partition, sequence))
    },
    clear: (projection: string, cleared: readonly AnyModel[]): void => {
      for (const table of cleared.map(tableOf)) table.clear()
      cursors.delete(projection)
    },
  }
}

/** Makes views (port Views) on a store of their own, without delays: to rebuild into and to compare with. */
export const createBareViews = (models: readonly AnyModel[]): Views => portOf(createViewStore(models))

const portOf = (store: ReturnType<typeof createViewStore>): Views => ({
  project: async (projection, partition, sequence, writes) => {
    store.check(writes)
    store.project(projection, partition, sequence, writes, writes.length)
  },
  cursor: async (projection, partition) => store.cursor(projection, partition),
  // A document has the fields of its model's schema, which is what its type says.
  get: async <Document extends { _id: string }>(model: ViewModel<Document>, id: string) =>
    store.tableOf(model).get(id) as Document | null,
  find: async <Document extends { _id: string }>(model: ViewModel<Document>, query: ViewQuery) =>
    store.tableOf(model).find(query) as unknown as readonly Document[],
  clear: async (projection, models) => store.clear(projection, models),
  close: async () => undefined,
})

/** Makes the views of a world (port Views at each door). A projection that goes unheard may be done in part: never its cursor. */
export const createViewService = (deps: {
  readonly world: World
  readonly faults: Faults
  readonly travel: Travel
  readonly models: readonly AnyModel[]
}): ViewService => {
  const { world, faults, travel } = deps
  const random = world.chance('views')
  const store = createViewStore(deps.models)

  const open = (process: Process): Views => {
    const what = `${process.name} and the views`
    let isClosed = false

    const call = <Value>(task: () => Value, failure: PortError | null = null): Promise<Value> => {
      if (isClosed) return Promise.reject(new PortError('closed', 'the views are closed'))
      return callLater(process, world, { delayMs: travel.read, what }, task, failure)
    }
    const ask = <Value>(task: () => Value): Promise<Value> => {
      const isRefused = faults.strikes('view-refused')
      return call(task, isRefused ? new PortError('unavailable', 'the views refused') : null)
    }

    const project: Views['project'] = (projection, partition, sequence, writes) => {
      const isRefused = faults.strikes('view-refused')
      const isUnheard = !isRefused && faults.strikes('view-unheard')
      // As far as it came: not at all, in part, or whole.
      const count = isRefused ? 0 : isUnheard ? random.between(0, writes.length) : writes.length
      const isDone = !isRefused && (count > 0 || writes.length === 0)
      const failure = isRefused
        ? new PortError('unavailable', 'the views refused')
        : isUnheard
          ? new PortError('unknown', 'the views did not answer')
          : null
      return call(() => {
        store.check(writes)
        if (isDone) store.project(projection, partition, sequence, writes, count)
      }, failure)
    }

    return {
      project,
      cursor: (projection, partition) => ask(() => store.cursor(projection, partition)),
      get: <Document extends { _id: string }>(model: ViewModel<Document>, id: string) =>
        ask(() => store.tableOf(model).get(id) as Document | null),
      find: <Document extends { _id: string }>(model: ViewModel<Document>, query: ViewQuery) =>
        ask(() => store.tableOf(model).find(query) as unknown as readonly Document[]),
      clear: (projection, models) => call(() => store.clear(projection, models)),
      close: async () => {
        isClosed = true
      },
    }
  }

  return { open, bare: portOf(store) }
}
