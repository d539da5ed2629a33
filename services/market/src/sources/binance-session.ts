import { WebSocket } from 'ws'
import type { RawData } from 'ws'
import type { Clock } from '@bourse/common/ports/clock.ts'

/** Why a session is over: `lost` by the other side or an error, `silent` given up, `stopped` by us. */
export type SessionEnd = 'lost' | 'silent' | 'stopped'

/** The patience of a session, ms. */
export interface SessionTimeouts {
  /** To connect. */
  readonly connectMs: number
  /** Without any sign of life (message, ping, pong): a ping is sent after half of it. */
  readonly lifeMs: number
  /** Without a message. */
  readonly messageMs: number
}

/** One connection. */
export interface Session {
  /** Resolves true with the first message, false when it ended before one. */
  readonly live: Promise<boolean>
  readonly ended: Promise<SessionEnd>
  stop(): Promise<void>
}

/** Largest message that is read; a stream of ours has messages of 200 bytes. */
const MESSAGE_BYTES_MAX = 1_048_576

const textOf = (data: RawData): string => {
  if (Array.isArray(data)) return Buffer.concat(data).toString('utf8')
  return Buffer.isBuffer(data) ? data.toString('utf8') : Buffer.from(data).toString('utf8')
}

/**
 * Opens a WebSocket, hands over its messages, answers pings (with their payload, as Binance asks), gives up on
 * silence.
 */
export const openSession = (
  url: string,
  timeouts: SessionTimeouts,
  { clock, onMessage }: { readonly clock: Clock; readonly onMessage: (text: string) => void },
): Session => {
  const socket = new WebSocket(url, {
    maxPayload: MESSAGE_BYTES_MAX,
    handshakeTimeout: timeouts.connectMs,
    perMessageDeflate: false,
    followRedirects: false,
  })
  const live = Promise.withResolvers<boolean>()
  const ended = Promise.withResolvers<SessionEnd>()
  let end: SessionEnd = 'lost'
  let lifeMs = clock.monotonicMs()
  let messageMs = lifeMs
  const markLife = (): void => {
    lifeMs = clock.monotonicMs()
  }
  const close = (reason: SessionEnd): void => {
    end = reason
    socket.terminate()
  }
  const watch = clock.every(
    timeouts.lifeMs / 4,
    () => {
      if (socket.readyState !== WebSocket.OPEN) return
      const nowMs = clock.monotonicMs()
      if (nowMs - lifeMs > timeouts.lifeMs || nowMs - messageMs > timeouts.messageMs) close('silent')
      else if (nowMs - lifeMs > timeouts.lifeMs / 2) socket.ping()
    },
    () => {
      close('lost')
    },
  )

  socket.on('open', () => {
    markLife()
    messageMs = lifeMs
  })
  socket.on('ping', markLife)
  socket.on('pong', markLife)
  socket.on('message', (data) => {
    markLife()
    messageMs = lifeMs
    live.resolve(true)
    onMessage(textOf(data))
  })
  // Always followed by `close`, which is where the session ends.
  socket.on('error', () => {
    live.resolve(false)
  })
  socket.on('close', () => {
    live.resolve(false)
    void watch.stop().then(() => {
      ended.resolve(end)
    })
  })
  return {
    live: live.promise,
    ended: ended.promise,
    stop: async () => {
      close('stopped')
      await ended.promise
    },
  }
}
