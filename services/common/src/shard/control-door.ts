import { createServer, STATUS_CODES, type Server } from 'node:http'
import Router from '@koa/router'
import Koa, { type Middleware } from 'koa'
import type { Logger } from 'pino'
import type { Secret } from '../config/secret.ts'
import { listen, type Listening } from '../platform/listen.ts'
import { CONTROL_TOKEN_LENGTH_MAX, ControlError, controlStatusOf, createTokenCheck } from './control-answers.ts'
import { boundConnections, type ControlConnections } from './control-connections.ts'

/** Fewest characters of the token. */
export const CONTROL_TOKEN_LENGTH_MIN = 32
/** How long a request may take to arrive, ms. */
export const CONTROL_REQUEST_TIMEOUT_MS = 10_000
const HEADER_BYTES_MAX = 8_192

/** Answers what handlers throw: refusals as they are, everything else as a fault whose reason only the log has. */
const answerFailures =
  (logger: Logger): Middleware =>
  async (context, next) => {
    context.set('cache-control', 'no-store')
    context.set('x-content-type-options', 'nosniff')
    try {
      await next()
    } catch (error) {
      const known = error instanceof ControlError
      if (!known)
        logger.error({ err: error, method: context.method, path: context.path }, 'the control interface broke')
      const code = known ? error.code : 'INTERNAL_ERROR'
      context.status = controlStatusOf[code]
      context.body = { code, message: known ? error.message : "it broke here; the process's log says why" }
    }
  }

const authenticated =
  (isToken: (header: string) => boolean, connections: () => ControlConnections): Middleware =>
  async (context, next) => {
    if (!isToken(context.get('authorization'))) {
      context.set('www-authenticate', 'Bearer')
      throw new ControlError('UNAUTHENTICATED', 'send the header authorization: Bearer <the control token>')
    }
    connections().trust(context.req.socket)
    await next()
  }

const withoutToken: Middleware = () => {
  throw new ControlError('NOT_FOUND', 'this process has no control token: set BOURSE_CONTROL_TOKEN and start it again')
}

/** What a request that HTTP's own parser refused gets, and the end of its connection. */
const rawRefusal = (): string => {
  const body = JSON.stringify({
    code: 'INVALID_REQUEST',
    message: 'the request is not proper HTTP/1.1 or came too slowly',
  })
  return (
    `HTTP/1.1 400 ${STATUS_CODES[400]}\r\ncontent-type: application/json; charset=utf-8\r\n` +
    `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`
  )
}

const createControlServer = (app: Koa): Server => {
  const handle = app.callback()
  const server = createServer(
    {
      maxHeaderSize: HEADER_BYTES_MAX,
      requestTimeout: CONTROL_REQUEST_TIMEOUT_MS,
      headersTimeout: CONTROL_REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: CONTROL_REQUEST_TIMEOUT_MS / 4,
    },
    (request, response) => void handle(request, response),
  )
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (error.code === 'ECONNRESET' || !socket.writable) socket.destroy()
    else socket.end(rawRefusal(), () => socket.destroy())
  })
  return server
}

/** What a door needs. */
export interface DoorDeps {
  /** Bearer token of everything under /control; null: there is nothing under it. */
  readonly token: Secret | null
  readonly host: string
  /** 0 = any free port. */
  readonly port: number
  readonly logger: Logger
  /** The page that lists what there is, for who asks for what there is not. */
  readonly page: string
}

/**
 * Opens a process's inner door: what `route` adds, everything under /control for who has the token, bounded in connections,
 * header and time. Errors are `{code, message}`.
 * @throws when the port can't be had, and on a token that is too short or too long
 */
export const openControlDoor = async (deps: DoorDeps, route: (router: Router) => void): Promise<Listening> => {
  const token = deps.token?.reveal()
  if (token !== undefined && token.length < CONTROL_TOKEN_LENGTH_MIN)
    throw new RangeError(`the control token has ${token.length} characters; give ${CONTROL_TOKEN_LENGTH_MIN} or more`)
  if (token !== undefined && token.length > CONTROL_TOKEN_LENGTH_MAX)
    throw new RangeError(`the control token has ${token.length} characters; give ${CONTROL_TOKEN_LENGTH_MAX} or fewer`)
  const router = new Router()
  const guard = token === undefined ? withoutToken : authenticated(createTokenCheck(token), () => connections)
  router.use('/control', guard)
  route(router)
  const app = new Koa()
  app.on('error', (error: unknown) => deps.logger.warn({ err: error }, 'an answer could not be sent'))
  app.use(answerFailures(deps.logger))
  app.use(router.routes())
  app.use((context) => {
    const matched = (context['matched'] ?? []) as readonly { readonly methods: readonly string[] }[]
    const isMethod = matched.some(({ methods }) => methods.length > 0)
    throw new ControlError(
      isMethod ? 'METHOD_NOT_ALLOWED' : 'NOT_FOUND',
      `there is no ${context.method} ${context.path} here; ${deps.page} lists what there is`,
    )
  })
  const server = createControlServer(app)
  const connections = boundConnections(server)
  return listen(server, deps.host, deps.port)
}
