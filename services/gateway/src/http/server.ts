import type { Duplex } from 'node:stream'
import { createServer, STATUS_CODES, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { httpStatusOf } from '@bourse/common/errors/http.ts'
import type { RefusalCode } from '@bourse/common/errors/codes.ts'
import type { Ids } from '@bourse/common/ports/ids.ts'
import type { GatewayLimits } from '../config.ts'
import { engineRefusal, plainRefusal, type Envelope } from './envelope.ts'
import { SECURITY_HEADER_LINES } from './security-headers.ts'

const KEEP_ALIVE_TIMEOUT_MS = 65_000
const HEADERS_MAX = 100
/** How often Node looks for requests that are late; also the precision of their 408. */
const LATE_CHECKS_PER_TIMEOUT = 4

/** Parts of the server. */
export interface ServerOptions {
  readonly limits: GatewayLimits
  readonly ids: Ids
  readonly handle: (request: IncomingMessage, response: ServerResponse) => unknown
  readonly envelopeOfSocket: (socket: object) => Envelope
  readonly refused: (code: RefusalCode) => void
}

/** A refusal as bytes, for what is refused below the application: the headers of every other answer, then the end. */
const rawAnswer = (code: RefusalCode, requestId: string, refusal: object): string => {
  const body = JSON.stringify(refusal)
  const status = httpStatusOf[code]
  return (
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${SECURITY_HEADER_LINES}x-request-id: ${requestId}\r\n` +
    `content-type: application/json; charset=utf-8\r\ncontent-length: ${Buffer.byteLength(body)}\r\n` +
    `connection: close\r\n\r\n${body}`
  )
}

/** What a request that HTTP's own parser refused gets: the envelope of every other refusal, then the connection ends. */
const rawRefusal = (
  { ids, refused }: ServerOptions,
  envelope: Envelope,
  error: NodeJS.ErrnoException,
  timeoutMs: number,
): string => {
  const late = error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
  const code: RefusalCode = late ? 'REQUEST_TIMEOUT' : 'VALIDATION_ERROR'
  const message = late
    ? `the request did not arrive within ${timeoutMs} ms; send it faster`
    : 'the request is not proper HTTP/1.1 or its headers are too large'
  refused(code)
  const refusal =
    envelope === 'engine'
      ? engineRefusal({ orderId: ids.uuid(), latencyMs: late ? timeoutMs : 0 }, code, message)
      : plainRefusal(code, message)
  return rawAnswer(code, ids.uuid(), refusal)
}

/** Refuses what never gets to the application, and ends its connection. */
const refuseBelow = (options: ServerOptions, socket: Duplex, error: NodeJS.ErrnoException): void => {
  socket.end(rawRefusal(options, options.envelopeOfSocket(socket), error, options.limits.requestTimeoutMs), () => {
    socket.destroy()
  })
}

/** A path, or a whole address that can be read: HTTP's own parser lets `http://a[b/` pass. */
const isTarget = (target: string): boolean => target.startsWith('/') || target === '*' || URL.canParse(target)

/** An HTTP server with every bound set; it does not listen yet. */
export const createHttpServer = (options: ServerOptions): Server => {
  const { limits, handle } = options
  const server = createServer(
    {
      maxHeaderSize: limits.headerBytesMax,
      requestTimeout: limits.requestTimeoutMs,
      headersTimeout: limits.requestTimeoutMs,
      keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
      connectionsCheckingInterval: Math.max(25, Math.floor(limits.requestTimeoutMs / LATE_CHECKS_PER_TIMEOUT)),
      noDelay: true,
    },
    (request, response) => {
      if (isTarget(request.url ?? '')) handle(request, response)
      else refuseBelow(options, request.socket, new Error('its target is no address'))
    },
  )
  server.maxHeadersCount = HEADERS_MAX
  server.maxConnections = limits.connectionsMax
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (error.code === 'ECONNRESET' || !socket.writable) {
      socket.destroy()
      return
    }
    refuseBelow(options, socket, error)
  })
  return server
}

/** Listens; answers the port. Rejects when it cannot be had. */
export const listen = (server: Server, host: string, port: number): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve((server.address() as AddressInfo).port)
    })
  })

/** `http://host:port`, IPv6 in brackets. */
export const urlOf = (host: string, port: number): string => `http://${host.includes(':') ? `[${host}]` : host}:${port}`

/** Refuses an upgrade with the code's status and ends the socket. */
export const refuseUpgrade = (socket: Socket, requestId: string, code: RefusalCode, message: string): void => {
  socket.end(rawAnswer(code, requestId, plainRefusal(code, message)))
}
