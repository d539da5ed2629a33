import type { Socket } from 'node:net'
import Router from '@koa/router'
import Koa, { type Context, type Middleware } from 'koa'
import { httpStatusOf } from '@bourse/common/errors/http.ts'
import type { RefusalCode } from '@bourse/common/errors/codes.ts'
import type { Clock } from '@bourse/common/ports/clock.ts'
import type { Ids } from '@bourse/common/ports/ids.ts'
import type { Logger } from '@bourse/common/telemetry/logger.ts'
import type { GatewayLimits } from '../config.ts'
import { ApiError } from './api-error.ts'
import { createBodyReader, readBody } from './body.ts'
import { engineRefusal, envelopeOf, plainRefusal, type Envelope } from './envelope.ts'
import type { Answer, Route, RouteSpec } from './route.ts'
import type { RouteGuard } from './guard.ts'
import { SECURITY_HEADERS } from './security-headers.ts'
import type { HttpTelemetry } from './telemetry.ts'
import { createValidators, type RouteValidator } from './validate.ts'

/** Parts of the HTTP application. */
export interface AppOptions {
  readonly routes: readonly Route[]
  readonly guard: RouteGuard
  readonly limits: GatewayLimits
  readonly telemetry: HttpTelemetry
  readonly addressOf: (request: Context['req']) => string
  /** Whether a stop has begun; then connections are not kept. */
  readonly draining: () => boolean
  readonly clock: Clock
  readonly ids: Ids
  readonly logger: Logger
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
}

const REQUEST_ID = /^[A-Za-z0-9._-]{1,64}$/

const stateOf = (context: Context): RequestState => context.state

const writeAnswer = (context: Context, { status, body, headers }: Answer): void => {
  context.status = status
  for (const [name, value] of Object.entries(headers ?? {})) context.set(name, value)
  context.body = typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body)
  if (headers?.['content-type'] === undefined) context.type = 'application/json'
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

const frame =
  ({ ids, logger, telemetry, clock, draining }: AppOptions): Middleware =>
  async (context, next) => {
    const given = context.get('x-request-id')
    const state: RequestState = {
      requestId: REQUEST_ID.test(given) ? given : ids.uuid(),
      startedMs: clock.monotonicMs(),
      route: 'unmatched',
    }
    Object.assign(context.state, state)
    context.set(SECURITY_HEADERS)
    context.set('x-request-id', state.requestId)
    try {
      await next()
    } catch (error) {
      if (context.req.socket.destroyed) {
        context.respond = false
      } else {
        writeRefusal(context, refusalOf(context, error, logger), { ids, clock, telemetry })
      }
    }
    // Judged at the end: a stop that began meanwhile must not wait for an idle connection.
    if (draining()) context.set('connection', 'close')
    const seconds = (clock.monotonicMs() - state.startedMs) / 1_000
    telemetry.answered(stateOf(context).route, context.method, context.status, seconds)
    logger.debug(
      {
        requestId: state.requestId,
        method: context.method,
        route: stateOf(context).route,
        status: context.status,
        latencyMs: seconds * 1_000,
      },
      'answered',
    )
  }

const writeRefusal = (
  context: Context,
  error: ApiError,
  { ids, clock, telemetry }: Pick<AppOptions, 'ids' | 'clock' | 'telemetry'>,
): void => {
  telemetry.refused(error.code)
  if (error.retryAfterSeconds !== undefined) context.set('retry-after', String(error.retryAfterSeconds))
  else if (error.code === 'UNAVAILABLE') context.set('retry-after', '1')
  const latencyMs = Math.round(clock.monotonicMs() - stateOf(context).startedMs)
  const body =
    envelopeOf(context.path) === 'engine'
      ? engineRefusal({ orderId: ids.uuid(), latencyMs }, error.code, error.message)
      : plainRefusal(error.code, error.message)
  writeAnswer(context, { status: httpStatusOf[error.code satisfies RefusalCode], body })
}

const boundInFlight = ({ limits, telemetry }: AppOptions): Middleware => {
  let running = 0
  return async (_context, next) => {
    if (running >= limits.requestsInFlightMax)
      throw new ApiError('UNAVAILABLE', 'too many requests are under way; try again in 1 s', 1)
    running += 1
    telemetry.inFlight(running)
    try {
      await next()
    } finally {
      running -= 1
      telemetry.inFlight(running)
    }
  }
}

const namedHeaders = (context: Context, spec: RouteSpec): Record<string, unknown> => {
  const names = Object.keys(spec.headers?.properties ?? {})
  return Object.fromEntries(
    names.flatMap((name) => (context.headers[name] === undefined ? [] : [[name, context.headers[name]]])),
  )
}

const serve = (options: AppOptions, route: Route, validator: RouteValidator, reader: Middleware): Middleware => {
  const { guard, limits, addressOf } = options
  const { spec } = route
  return async (context) => {
    stateOf(context).route = spec.path
    const address = addressOf(context.req)
    const principal = await guard(spec.security, spec, context, address)
    const params = validator.params({ ...(context['params'] as Record<string, string>) })
    const query = validator.query({ ...context.query })
    const headers = validator.headers(namedHeaders(context, spec))
    const body = spec.body === undefined ? null : await readBody(context, reader, limits.bodyBytesMax)
    if (body !== null) validator.body(body.value)
    writeAnswer(
      context,
      await route.handle(
        {
          method: spec.method,
          path: context.path,
          params,
          query,
          headers,
          body,
          address,
          receivedAtMs: stateOf(context).startedMs,
          header: (name) => context.get(name),
        },
        principal,
      ),
    )
  }
}

const routerPath = (path: string): string => path.replaceAll(/\{(\w+)\}/g, ':$1')

const unmatched =
  (router: Router): Middleware =>
  (context) => {
    const others = router.match(context.path, context.method).path.flatMap((layer) => layer.methods)
    if (others.length === 0)
      throw new ApiError(
        'NOT_FOUND',
        `there is nothing at ${context.path.slice(0, 100)}; see /openapi.json for the routes`,
      )
    context.set('allow', [...new Set(others)].join(', '))
    throw new ApiError(
      'METHOD_NOT_ALLOWED',
      `${context.method} is not possible here; use ${[...new Set(others)].join(' or ')}`,
    )
  }

/** Builds the application: request ids, headers, limits, routes, one envelope for every refusal. */
export const createApp = (options: AppOptions): App => {
  const validatorOf = createValidators()
  const reader = createBodyReader(options.limits.bodyBytesMax)
  // Paths are told apart by case, as the envelopes are.
  const router = new Router({ sensitive: true })
  for (const route of options.routes) {
    router.register(
      routerPath(route.spec.path),
      [route.spec.method],
      serve(options, route, validatorOf(route.spec), reader) as never,
    )
  }
  const sockets = new WeakMap<object, Envelope>()
  const app = new Koa()
  app.use(frame(options))
  app.use((context, next) => {
    sockets.set(context.req.socket satisfies Socket, envelopeOf(context.path))
    return next()
  })
  app.use(boundInFlight(options))
  app.use(router.routes() as unknown as Middleware)
  app.use(unmatched(router as never))
  app.on('error', (error: unknown) => {
    options.logger.warn({ err: error }, 'an answer could not be sent')
  })
  return { callback: app.callback(), envelopeOfSocket: (socket) => sockets.get(socket) ?? 'plain' }
}
