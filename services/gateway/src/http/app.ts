import type { Socket } from 'node:net'
import Router from '@koa/router'
import Koa, { type Context, type Middleware } from 'koa'
import { httpStatusOf } from '@bourse/common/errors/http.ts'
import type { RefusalCode } from '@bourse/common/errors/codes.ts'
import type { Clock } from '@bourse/common/ports/clock.ts'
import type { Ids } from '@bourse/common/ports/ids.ts'
import type { Logger } from '@bourse/common/telemetry/logger.ts'
import type { GatewayLimits } from '../config.ts'
import { CONSOLE_ROUTE, type ConsoleDoor } from '../console/serve.ts'
import { ApiError } from './api-error.ts'
import { createBodyReader, readBody } from './body.ts'
import { engineRefusal, envelopeOf, plainRefusal, type Envelope } from './envelope.ts'
import type { Answer, Route, RouteSpec } from './route.ts'
import type { RouteGuard } from './guard.ts'
import { SECURITY_HEADERS } from './security-headers.ts'
import type { HttpTelemetry } from './telemetry.ts'
import type { RequestTracing } from './tracing.ts'
import { createValidators, type RouteValidator } from './validate.ts'

/** Parts of the HTTP application. */
export interface AppOptions {
  readonly routes: readonly Route[]
  /** What browsers ask for besides the routes. */
  readonly consoleDoor: ConsoleDoor
  readonly guard: RouteGuard
  readonly limits: GatewayLimits
  readonly telemetry: HttpTelemetry
  readonly addressOf: (request: Context['req']) => string
  /** Whether a stop has begun; then connections are not kept. */
  readonly draining: () => boolean
  readonly clock: Clock
  readonly ids: Ids
  readonly logger: Logger
  readonly tracing: RequestTracing
}

/** The application and what it knows of its sockets. */
export interface App {
  readonly callback: ReturnType<Koa['callback']>
  /** The envelope of the request a socket is sending, for refusals below HTTP. */
  envelopeOfSocket(socket: object): Envelope
}

interface RequestState {
  requestId: string
  startedMs: number
  route: string
  status: number
}

const REQUEST_ID = /^[A-Za-z0-9._-]{1,64}$/

const stateOf = (context: Context): RequestState => context.state

const NOT_MODIFIED = 304
const JSON_TYPE = 'application/json; charset=utf-8'
const FIXED_HEADERS = Object.entries(SECURITY_HEADERS).flat()

/** Names and values in turn, in which form Node writes them without looking at each again. */
const headerLines = (
  requestId: string,
  status: number,
  bytes: number,
  isDraining: boolean,
  own: Readonly<Record<string, string>> | undefined,
): string[] => {
  const connection = isDraining ? ['connection', 'close'] : []
  if (status === NOT_MODIFIED) {
    // It has no body, and so nothing to say about one.
    return [...Object.entries({ ...SECURITY_HEADERS, 'x-request-id': requestId, ...own }).flat(), ...connection]
  }
  if (own === undefined) {
    return [
      ...FIXED_HEADERS,
      'x-request-id',
      requestId,
      'content-type',
      JSON_TYPE,
      'content-length',
      String(bytes),
      ...connection,
    ]
  }
  const headers = {
    ...SECURITY_HEADERS,
    'x-request-id': requestId,
    'content-type': JSON_TYPE,
    ...own,
    'content-length': String(bytes),
  }
  return [...Object.entries(headers).flat(), ...connection]
}

/** Writes the answer as it is: koa's own way would look at body and headers once more. */
const writeAnswer = (context: Context, { status, body, headers }: Answer, isDraining: boolean): void => {
  const state = stateOf(context)
  state.status = status
  const payload = typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body)
  const bytes = typeof payload === 'string' ? Buffer.byteLength(payload) : payload.length
  context.res.writeHead(status, headerLines(state.requestId, status, bytes, isDraining, headers))
  context.res.end(payload)
}

const refusalOf = (context: Context, error: unknown, logger: Logger): ApiError => {
  if (error instanceof ApiError) return error
  const status = (error as { readonly status?: unknown } | null)?.status
  if (status === 400 || status === 415)
    return new ApiError('VALIDATION_ERROR', 'the request could not be read; send it whole, as JSON')
  logger.error(
    { err: error, requestId: stateOf(context).requestId, method: context.method, path: context.path },
    'a request failed',
  )
  return new ApiError(
    'INTERNAL_ERROR',
    `something went wrong here; name the request id ${stateOf(context).requestId} when you ask about it`,
  )
}

/** The answer of a refusal in the envelope of its path. */
const refusalAnswer = (context: Context, error: ApiError, { ids, clock, telemetry }: AppOptions): Answer => {
  telemetry.refused(error.code)
  const retryAfterSeconds = error.retryAfterSeconds ?? (error.code === 'UNAVAILABLE' ? 1 : undefined)
  const headers = {
    ...error.headers,
    ...(retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) }),
  }
  const latencyMs = Math.round(clock.monotonicMs() - stateOf(context).startedMs)
  const body =
    envelopeOf(context.path) === 'engine'
      ? engineRefusal({ orderId: ids.uuid(), latencyMs }, error.code, error.message)
      : plainRefusal(error.code, error.message)
  return { status: httpStatusOf[error.code satisfies RefusalCode], body, headers }
}

/** What every request goes through: its id, the bound on those under way, one place that writes answers and refusals. */
const frame = (options: AppOptions, answerOf: (context: Context) => Promise<Answer>): Middleware => {
  const { ids, logger, telemetry, clock, draining, limits } = options
  let running = 0
  telemetry.inFlight(() => running)
  const bounded = async (context: Context): Promise<Answer> => {
    if (running >= limits.requestsInFlightMax)
      throw new ApiError('UNAVAILABLE', 'too many requests are under way; try again in 1 s', 1)
    running += 1
    try {
      return await answerOf(context)
    } finally {
      running -= 1
    }
  }
  const answered = async (context: Context): Promise<RequestState> => {
    const given = context.req.headers['x-request-id']
    const state: RequestState = {
      requestId: typeof given === 'string' && REQUEST_ID.test(given) ? given : ids.uuid(),
      startedMs: clock.monotonicMs(),
      route: 'unmatched',
      status: 0,
    }
    context.state = state
    context.respond = false
    try {
      const answer = await bounded(context)
      // Judged at the end: a stop that began meanwhile must not wait for an idle connection.
      writeAnswer(context, answer, draining())
    } catch (error) {
      if (!context.req.socket.destroyed)
        writeAnswer(context, refusalAnswer(context, refusalOf(context, error, logger), options), draining())
    }
    const seconds = (clock.monotonicMs() - state.startedMs) / 1_000
    telemetry.answered(state.route, context.req.method ?? '', state.status, seconds)
    if (logger.isLevelEnabled('debug')) {
      const { requestId, route, status } = state
      logger.debug({ requestId, method: context.method, route, status, latencyMs: seconds * 1_000 }, 'answered')
    }
    return state
  }
  return (context) => options.tracing.answer(context.req, () => answered(context))
}

const namedHeaders = (context: Context, names: readonly string[]): Record<string, unknown> => {
  const found: Record<string, unknown> = {}
  for (const name of names) {
    const value = context.req.headers[name]
    if (value !== undefined) found[name] = value
  }
  return found
}

type Serve = (context: Context, params: Readonly<Record<string, string>>) => Promise<Answer>

const serve = (options: AppOptions, route: Route, validator: RouteValidator, readText: Middleware): Serve => {
  const { guard, limits, addressOf } = options
  const { spec } = route
  const headerNames = Object.keys(spec.headers?.properties ?? {})
  return async (context, rawParams) => {
    const state = stateOf(context)
    state.route = spec.path
    const address = addressOf(context.req)
    const principal = await guard(spec.security, spec, context, address)
    const params = validator.params({ ...rawParams })
    const query = validator.query(context.req.url?.includes('?') === true ? { ...context.query } : {})
    const headers = validator.headers(namedHeaders(context, headerNames))
    const body = spec.body === undefined ? null : await readBody(context, readText, limits.bodyBytesMax)
    if (body !== null) validator.body(body.value)
    const request = {
      method: spec.method,
      path: context.path,
      params,
      query,
      headers,
      body,
      address,
      receivedAtMs: state.startedMs,
      header: (name: string) => context.get(name),
    }
    return route.handle(request, principal)
  }
}

const routerPath = (path: string): string => path.replaceAll(/\{(\w+)\}/g, ':$1')

const unmatched =
  (router: Router) =>
  (context: Context): never => {
    const others = router.match(context.path, context.method).path.flatMap((layer) => layer.methods)
    if (others.length === 0)
      throw new ApiError(
        'NOT_FOUND',
        `there is nothing at ${context.path.slice(0, 100)}; see /openapi.json for the routes`,
      )
    const allowed = [...new Set(others)]
    throw new ApiError(
      'METHOD_NOT_ALLOWED',
      `${context.method} is not possible here; use ${allowed.join(' or ')}`,
      undefined,
      { allow: allowed.join(', ') },
    )
  }

const NO_PARAMETERS = {}

/** The routes without parameters, by method and path as they stand in the request line. */
const createExactRoutes = (routes: readonly { readonly spec: RouteSpec; readonly serve: Serve }[]) => {
  const exact = new Map(
    routes
      .filter(({ spec }) => !spec.path.includes('{'))
      .map((one) => [`${one.spec.method} ${one.spec.path}`, one.serve]),
  )
  return ({ method, url = '' }: Context['req']): Serve | undefined => {
    const end = url.indexOf('?')
    return exact.get(`${method} ${end === -1 ? url : url.slice(0, end)}`)
  }
}

/** Builds the application: request ids, headers, limits, routes, one envelope for every refusal. */
export const createApp = (options: AppOptions): App => {
  const validatorOf = createValidators()
  const readText = createBodyReader(options.limits.bodyBytesMax)
  const served = options.routes.map((route) => ({
    spec: route.spec,
    serve: serve(options, route, validatorOf(route.spec), readText),
  }))
  const exactRoute = createExactRoutes(served)
  // Paths are told apart by case, as the envelopes are.
  const router = new Router({ sensitive: true })
  const answers = new WeakMap<Context, Answer>()
  for (const { spec, serve: answer } of served) {
    router.register(routerPath(spec.path), [spec.method], (async (context: Context) => {
      answers.set(context, await answer(context, context['params'] as Record<string, string>))
    }) as never)
  }
  const routes = router.routes() as unknown as Middleware
  const refuseUnmatched = unmatched(router as never)
  /** Every path but the plain ones: with parameters, in another spelling, of another method, or of no route. */
  const routed = async (context: Context): Promise<Answer> => {
    await routes(context, async () => refuseUnmatched(context))
    return answers.get(context) ?? refuseUnmatched(context)
  }

  const page = (context: Context): Promise<Answer> => {
    stateOf(context).route = CONSOLE_ROUTE
    return options.consoleDoor.answer(context.req, context.path)
  }

  const sockets = new WeakMap<object, Envelope>()
  const app = new Koa()
  app.use(
    frame(options, (context) => {
      sockets.set(context.req.socket satisfies Socket, envelopeOf(context.path))
      const exact = exactRoute(context.req)
      if (exact !== undefined) return exact(context, NO_PARAMETERS)
      return options.consoleDoor.has(context.path) ? page(context) : routed(context)
    }),
  )
  app.on('error', (error: unknown) => {
    options.logger.warn({ err: error }, 'an answer could not be sent')
  })
  return { callback: app.callback(), envelopeOfSocket: (socket) => sockets.get(socket) ?? 'plain' }
}
