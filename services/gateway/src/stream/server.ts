import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { WebSocketServer, type RawData, type WebSocket } from 'ws'
import type { Session, Sessions } from '../auth/sessions.ts'
import type { GatewayDeps } from '../deps.ts'
import { cookieOf } from '../http/cookie.ts'
import type { OriginCheck } from '../http/origin.ts'
import { refuseUpgrade } from '../http/server.ts'
import { createMessageReader } from './messages.ts'
import { createPriceHub } from './price-hub.ts'
import { closeCodes, createReader, type Reader } from './reader.ts'
import { createStreamTelemetry } from './telemetry.ts'

/** Path of the WebSocket. */
export const STREAM_PATH = '/ws'

const PING_INTERVAL_MS = 30_000

/** Parts of the stream server. */
export interface StreamOptions {
  readonly server: Server
  readonly deps: Pick<
    GatewayDeps,
    'config' | 'views' | 'prices' | 'pairs' | 'platform' | 'metrics' | 'clock' | 'ids' | 'logger'
  >
  readonly sessions: Sessions
  readonly originAllowed: OriginCheck
  readonly addressOf: (request: IncomingMessage) => string
  readonly draining: () => boolean
}

/** The running stream server. */
export interface StreamServer {
  /** Takes no more sockets and closes the open ones (1001); resolves when all are gone or the time is over. */
  stop(timeoutMs: number): Promise<void>
}

interface Connection {
  readonly reader: Reader
  readonly socket: WebSocket
  readonly token: string | undefined
  readonly address: string
  lastPingMs: number
  answered: boolean
}

const textOf = (data: RawData): string =>
  (Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data as Buffer)).toString('utf8')

/** WebSockets at `/ws`: sessions, limits, heartbeats, resume; the contract is in the OpenAPI document's description. */
export const createStreamServer = (options: StreamOptions): StreamServer => {
  const { server, deps, sessions, originAllowed, addressOf, draining } = options
  const { views, platform, metrics, clock, ids, logger } = deps
  const { limits } = deps.config
  const telemetry = createStreamTelemetry(metrics)
  const hub = createPriceHub({ prices: deps.prices, pairs: deps.pairs, superseded: telemetry.conflated })
  const readMessage = createMessageReader()
  const connections = new Set<Connection>()
  const upgrader = new WebSocketServer({
    noServer: true,
    maxPayload: limits.socketMessageBytesMax,
    perMessageDeflate: false,
    clientTracking: false,
  })
  const failed = (error: unknown): void => {
    logger.warn({ err: error }, 'a WebSocket failed')
  }

  const attach = (
    socket: WebSocket,
    wire: Duplex,
    session: Session | null,
    token: string | undefined,
    address: string,
  ): void => {
    const reader = createReader({
      socket,
      wire,
      session,
      limits,
      hub,
      views,
      platform,
      readMessage,
      telemetry,
      clock,
      logger,
    })
    const connection: Connection = { reader, socket, token, address, lastPingMs: clock.monotonicMs(), answered: true }
    connections.add(connection)
    countAddress(address, 1)
    telemetry.connected(connections.size)
    // One message after the other: a subscription is answered before the next is read.
    let turn = Promise.resolve()
    socket.on('message', (data) => {
      turn = turn
        .then(() => reader.receive(textOf(data)))
        .catch((error: unknown) => {
          failed(error)
          reader.close(closeCodes.internal, 'something went wrong here; connect again')
        })
    })
    socket.on('pong', () => {
      connection.answered = true
    })
    socket.on('error', (error) => {
      logger.debug({ err: error }, 'a WebSocket broke')
    })
    socket.on('close', () => {
      reader.dispose()
      connections.delete(connection)
      countAddress(address, -1)
      telemetry.connected(connections.size)
    })
  }

  const perAddress = new Map<string, number>()
  const countAddress = (address: string, change: 1 | -1): void => {
    const count = (perAddress.get(address) ?? 0) + change
    if (count === 0) perAddress.delete(address)
    else perAddress.set(address, count)
  }

  const upgrade = async (request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> => {
    const raw = request.socket
    const address = addressOf(request)
    const path = (request.url ?? '').split('?')[0]
    if (path !== STREAM_PATH) {
      telemetry.refused('path')
      refuseUpgrade(raw, ids.uuid(), 'NOT_FOUND', `there is no WebSocket here; connect to ${STREAM_PATH}`)
      return
    }
    if (!originAllowed(request.headers)) {
      telemetry.refused('origin')
      refuseUpgrade(raw, ids.uuid(), 'FORBIDDEN', 'WebSockets of another site are refused')
      return
    }
    const token = cookieOf(request.headers.cookie, sessions.cookieName)
    const session = await sessions.check(token)
    if (
      draining() ||
      connections.size >= limits.socketsMax ||
      (perAddress.get(address) ?? 0) >= limits.socketsPerAddressMax
    ) {
      telemetry.refused(draining() ? 'draining' : 'capacity')
      refuseUpgrade(raw, ids.uuid(), 'UNAVAILABLE', 'no more WebSockets at this moment; try again later')
      return
    }
    upgrader.handleUpgrade(request, socket, head, (opened) => {
      attach(opened, socket, session, session === null ? undefined : token, address)
    })
  }

  const checkSession = async (connection: Connection): Promise<void> => {
    if (connection.reader.session === null || (await sessions.check(connection.token)) !== null) return
    connection.reader.close(closeCodes.policy, 'the session has ended; sign in and connect again')
  }
  const checkOne = async (connection: Connection): Promise<void> => {
    const nowMs = clock.monotonicMs()
    if (nowMs - connection.lastPingMs >= PING_INTERVAL_MS) {
      if (!connection.answered) {
        connection.socket.terminate()
        return
      }
      connection.answered = false
      connection.lastPingMs = nowMs
      connection.socket.ping()
    }
    await checkSession(connection)
    await connection.reader.check()
  }

  const onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    socket.on('error', (error) => {
      logger.debug({ err: error }, 'an upgrade broke')
    })
    upgrade(request, socket, head).catch((error: unknown) => {
      failed(error)
      socket.destroy()
    })
  }
  server.on('upgrade', onUpgrade)
  const ended = sessions.onEnded((userId) => {
    for (const connection of connections) {
      if (connection.reader.session?.userId === userId) checkSession(connection).catch(failed)
    }
  })
  const checks = clock.every(
    limits.socketCheckIntervalMs,
    async () => {
      for (const connection of connections) await checkOne(connection)
    },
    failed,
  )

  return {
    stop: async (timeoutMs) => {
      ended()
      await checks.stop()
      const gone = [...connections].map(
        ({ socket }) =>
          new Promise<void>((resolve) => {
            socket.once('close', () => {
              resolve()
            })
          }),
      )
      for (const { reader } of connections) reader.close(closeCodes.goingAway, 'the gateway is stopping')
      const over = new AbortController()
      await Promise.race([Promise.all(gone), clock.sleep(timeoutMs, over.signal).catch(() => undefined)])
      over.abort()
      for (const { socket } of connections) socket.terminate()
      await Promise.all(gone)
      hub.stop()
      upgrader.close()
    },
  }
}
