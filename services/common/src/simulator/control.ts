/**
 * The control interface:
 *
 * - `PUT /control` `{faults?, …}`: all or nothing; a field left out changes nothing; 400 when it breaks the
 *   schema
 * - `GET /control`: what is in force
 * - `GET /control/log?after=&limit=`: the calls received; `body` of a GET is its query, of a body that is no
 *   JSON null; `answer` is null where a `hang` made none; a `twice` is two entries
 */
import type Router from '@koa/router'
import type { Ajv } from 'ajv'
import { answer, refusal, type Answer } from './call.ts'
import { LOG_ENTRIES_MAX, type CallLog } from './callLog.ts'
import type { RuleList } from './controlState.ts'
import { faultsSchema, type Fault } from './faults.ts'
import { readInput, send } from './http.ts'
import type { SimulatorStore } from './store.ts'

/** A field of `PUT /control` beside `faults`. */
export interface ControlField {
  readonly schema: object
  /** Why a value that fits the schema cannot be taken; undefined when it can. Changes nothing. */
  refuse?(value: never): string | undefined
  /** Takes the value. Inside a transaction of the store. */
  apply(value: never): void
  /** What `GET /control` shows of it. */
  show(): unknown
}

/** A read-only page of the control interface. */
export interface ControlView {
  /** Path with `:parameters`. */
  readonly path: string
  /** JSON schema of parameters and query together, all strings. */
  readonly schema: object
  read(input: never): Answer
}

const COUNT_TEXT_SCHEMA = { type: 'string', pattern: '^[0-9]{1,15}$' } as const

/** JSON schema of the paging parameters `after` and `limit`. */
export const PAGE_SCHEMA = { after: COUNT_TEXT_SCHEMA, limit: COUNT_TEXT_SCHEMA } as const

/** Paging parameters as they arrive. */
export interface PageQuery {
  readonly after?: string
  readonly limit?: string
}

/** Reads paging parameters: `after` defaults to 0, `limit` to its maximum, 100,000. */
export const pageOf = (query: PageQuery): { readonly after: number; readonly limit: number } => ({
  after: Number(query.after ?? '0'),
  limit: Math.min(Number(query.limit ?? LOG_ENTRIES_MAX), LOG_ENTRIES_MAX),
})

const NOTHING_SCHEMA = { type: 'object', additionalProperties: false } as const

/** What the control interface is made of. `callNames` are the possible `faults[].on`. */
export interface ControlOptions {
  readonly router: Router
  readonly ajv: Ajv
  readonly store: SimulatorStore
  readonly log: CallLog
  readonly faults: RuleList<Fault>
  readonly callNames: readonly string[]
  readonly fields: Readonly<Record<string, ControlField>>
  readonly views: readonly ControlView[]
}

/** Puts the control interface, its views and `/livez` on the router. */
export const routeControl = (options: ControlOptions): void => {
  const { router, ajv, store, log, faults, callNames, fields, views } = options
  const allFields: Readonly<Record<string, ControlField>> = {
    ...fields,
    faults: {
      schema: faultsSchema(callNames),
      apply: (rules: readonly Fault[]) => {
        faults.replace(rules)
      },
      show: () => faults.list(),
    },
  }

  const show = (): Answer =>
    answer(200, Object.fromEntries(Object.entries(allFields).map(([name, field]) => [name, field.show()])))

  const take = (told: Readonly<Record<string, unknown>>): Answer => {
    const named = Object.entries(allFields).filter(([name]) => Object.hasOwn(told, name))
    for (const [name, field] of named) {
      const reason = field.refuse?.(told[name] as never)
      if (reason !== undefined) return refusal(400, 'INVALID_REQUEST', `body/${name} ${reason}`)
    }
    for (const [name, field] of named) field.apply(told[name] as never)
    return show()
  }

  const validateControl = ajv.compile({
    type: 'object',
    additionalProperties: false,
    properties: Object.fromEntries(Object.entries(allFields).map(([name, field]) => [name, field.schema])),
  })
  router.put('/control', async (context) => {
    const input = await readInput(ajv, validateControl, context, 'body')
    send(context, input.ok ? await store.run(() => take(input.value as Record<string, unknown>)) : input.refused)
  })

  const logView: ControlView = {
    path: '/control/log',
    schema: { type: 'object', additionalProperties: false, properties: PAGE_SCHEMA },
    read: (query: PageQuery) => {
      const { after, limit } = pageOf(query)
      return { status: 200, text: log.read(after, limit) }
    },
  }
  const controlView: ControlView = { path: '/control', schema: NOTHING_SCHEMA, read: show }
  const live = answer(200, { status: 'live' })
  const liveView: ControlView = { path: '/livez', schema: NOTHING_SCHEMA, read: () => live }
  for (const view of [logView, controlView, liveView, ...views]) {
    const validate = ajv.compile(view.schema)
    router.get(view.path, async (context) => {
      const input = await readInput(ajv, validate, context, 'query')
      send(context, input.ok ? await store.run(() => view.read(input.value as never)) : input.refused)
    })
  }
}
