/**
 * The HTTP service that both simulators are: the calls they play, under the faults they are told to make,
 * logged; the control interface (control.ts); and `GET /livez`.
 *
 * Refusals are `{code, message}`: `INVALID_REQUEST` 400, `MALFORMED_JSON` 400, `BODY_TOO_LARGE` 413,
 * `NOT_FOUND` 404. A call that breaks its schema is refused and logged and uses up no fault.
 */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import Router from '@koa/router'
import { Ajv } from 'ajv'
import Koa, { type Context, type Middleware } from 'koa'
import type { Logger } from 'pino'
import type { Clock } from '../ports/clock.ts'
import { playCall, refusal, type CallResult, type SimulatedCall } from './call.ts'
import { createCallLog, type CallLog } from './callLog.ts'
import { routeControl, type ControlField, type ControlView } from './control.ts'
import { createRuleList, type RuleList } from './controlState.ts'
import type { Fault } from './faults.ts'
import { closed, cut, readInput, send, type Input } from './http.ts'
import type { SimulatorStore } from './store.ts'

const HEADERS_TIMEOUT_MS = 10_000
const REQUEST_TIMEOUT_MS = 30_000
/** Longer than any caller keeps a connection that nothing goes through: else a call could meet its end, and be lost. */
const KEEP_ALIVE_TIMEOUT_MS = 65_000
const HEADER_BYTES_MAX = 8_192

/** Parts of a simulator. `calls` are the service's own; `fields` and `views` extend the control interface. */
export interface SimulatorOptions {
  readonly host: string
  /** 0 = any free port. */
  readonly port: number
  readonly store: SimulatorStore
  readonly clock: Clock
  readonly logger: Logger
  readonly calls: readonly SimulatedCall[]
  readonly fields: Readonly<Record<string, ControlField>>
  readonly views: readonly ControlView[]
}

/** A simulator that listens. */
export interface Simulator {
  /** `http://host:port` */
  readonly url: string
  readonly port: number
  /** Stops listening, cuts what hangs, waits for the work under way and closes the disk. Repeatable. */
  stop(): Promise<void>
}

interface CallPlayer {
  readonly ajv: Ajv
  readonly store: SimulatorStore
  readonly clock: Clock
  readonly log: CallLog
  readonly faults: RuleList<Fault>
  readonly stopping: AbortSignal
}

const play = (player: CallPlayer, call: SimulatedCall, input: Input, context: Context): CallResult => {
  const { clock, log, faults } = player
  const nowMs = clock.nowMs()
  const result: CallResult = input.ok
    ? playCall(
        faults.take((fault) => fault.on === call.on),
        (refused) =>
          call.work(input.value as never, {
            nowMs,
            refused,
            bytes: input.bytes,
            header: (name) => context.get(name),
          }),
      )
    : { answers: [input.refused], delivery: { kind: 'now' } }
  for (const made of result.answers) {
    const { method, path } = call
    log.append({ atMs: nowMs, method, path, body: input.logged, answer: made?.text ?? 'null' })
  }
  return result
}

const deliver = async (player: CallPlayer, context: Context, result: CallResult): Promise<void> => {
  const { answers, delivery } = result
  const first = answers[0] ?? null
  if (first === null || delivery.kind === 'never') {
    await closed(context)
    context.respond = false
    return
  }
  if (delivery.kind === 'cut') {
    cut(context)
    return
  }
  if (delivery.kind === 'later') {
    const left = new AbortController()
    context.res.once('close', () => {
      left.abort()
    })
    await player.clock.sleep(delivery.ms, AbortSignal.any([left.signal, player.stopping]))
  }
  send(context, first)
}

const serveCall = (player: CallPlayer, call: SimulatedCall): Middleware => {
  const validate = player.ajv.compile(call.schema)
  return async (context) => {
    const input = await readInput(player.ajv, validate, context, call.method === 'POST' ? 'body' : 'query')
    await deliver(player, context, await player.store.run(() => play(player, call, input, context)))
  }
}

/** Answers what a handler throws: nobody when the client has left, else 500 with the reason in the log. */
const catchFailures =
  (logger: Logger, underWay: Set<Promise<unknown>>): Middleware =>
  async (context, next) => {
    const served: Promise<unknown> = next()
    underWay.add(served)
    try {
      await served
    } catch (error) {
      if (context.req.socket.destroyed) {
        context.respond = false
        return
      }
      logger.error({ err: error, method: context.method, path: context.path }, 'simulated call failed')
      send(context, refusal(500, 'INTERNAL', 'the simulator failed; its log says why'))
    } finally {
      underWay.delete(served)
    }
  }

const listen = (server: Server, host: string, port: number): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve((server.address() as AddressInfo).port)
    })
  })

const start = async (options: SimulatorOptions): Promise<Simulator> => {
  const { host, store, clock, logger, calls, fields, views } = options
  const stopping = new AbortController()
  const underWay = new Set<Promise<unknown>>()
  const ajv = new Ajv({ strict: true, strictRequired: false })
  const log = createCallLog(store.database)
  const faults = createRuleList<Fault>(store.database, 'faults')
  const player: CallPlayer = { ajv, store, clock, log, faults, stopping: stopping.signal }

  const router = new Router()
  routeControl({ router, ajv, store, log, faults, callNames: calls.map((call) => call.on), fields, views })
  for (const call of calls) router.register(call.path, [call.method], serveCall(player, call))

  const app = new Koa()
  app.use(catchFailures(logger, underWay))
  app.use(router.routes())
  app.use((context) => {
    send(context, refusal(404, 'NOT_FOUND', `there is no ${context.method} ${context.path} here`))
  })
  app.on('error', (error: unknown) => {
    logger.warn({ err: error }, 'an answer could not be sent')
  })

  const handle = app.callback()
  const server = createServer({ maxHeaderSize: HEADER_BYTES_MAX }, (request, response) => {
    void handle(request, response)
  })
  server.headersTimeout = HEADERS_TIMEOUT_MS
  server.requestTimeout = REQUEST_TIMEOUT_MS
  server.keepAliveTimeout = KEEP_ALIVE_TIMEOUT_MS
  const port = await listen(server, host, options.port)

  const stopNow = async (): Promise<void> => {
    const ended = new Promise<void>((resolve) => {
      server.close(() => {
        resolve()
      })
    })
    stopping.abort()
    server.closeAllConnections()
    await ended
    await Promise.allSettled(underWay)
    store.close()
  }
  let stopped: Promise<void> | undefined
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${port}`,
    port,
    stop: () => (stopped ??= stopNow()),
  }
}

/**
 * Starts a simulator; rejects (and closes `store`) when the port cannot be had. Owns `store` from then on.
 */
export const startSimulator = async (options: SimulatorOptions): Promise<Simulator> => {
  try {
    return await start(options)
  } catch (error) {
    options.store.close()
    throw error
  }
}
