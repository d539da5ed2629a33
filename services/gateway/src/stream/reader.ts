import type { Duplex } from 'node:stream'
import type { WebSocket } from 'ws'
import type { Clock } from '@bourse/common/ports/clock.ts'
import type { Views } from '@bourse/common/ports/views.ts'
import type { Logger } from '@bourse/common/telemetry/logger.ts'
import type { Session } from '../auth/sessions.ts'
import type { GatewayLimits } from '../config.ts'
import { accountKeyOf } from '../http/identity.ts'
import type { PlatformInspector } from '../platform-inspector.ts'
import { textFrame } from './frame.ts'
import { channelOf, type ClientMessage, type MessageRefusal } from './messages.ts'
import type { PriceHub } from './price-hub.ts'
import type { StreamTelemetry } from './telemetry.ts'
import { createTradeFeed, latestTradeSequence, type TradeFeed } from './trade-feed.ts'

/** One connected reader. */
export interface Reader {
  readonly session: Session | null
  /** A message of the client, as text. */
  receive(text: string): Promise<void>
  /** The periodic look: catches up, judges slowness. */
  check(): Promise<void>
  close(code: number, reason: string): void
  /** Frees everything; called once the socket is gone. */
  dispose(): void
}

/** Parts of a reader. */
export interface ReaderOptions {
  readonly socket: WebSocket
  /** What the WebSocket was opened on. */
  readonly wire: Duplex
  readonly session: Session | null
  readonly limits: GatewayLimits
  readonly hub: PriceHub
  readonly views: Views
  readonly platform: PlatformInspector
  readonly readMessage: (text: string) => ClientMessage | MessageRefusal
  readonly telemetry: StreamTelemetry
  readonly clock: Clock
  readonly logger: Logger
}

/** WebSocket close codes. */
export const closeCodes = { goingAway: 1001, policy: 1008, internal: 1011, tooSlow: 1013 } as const

const isRefusal = (message: ClientMessage | MessageRefusal): message is MessageRefusal => 'errorCode' in message

/** The way out of a socket: bounded; what a slow reader cannot take is conflated (prices) or waits where it is kept (trades). */
const createOutlet = ({ socket, wire, limits, telemetry, clock }: ReaderOptions, onRoom: () => void) => {
  const waiting = new Map<string, Buffer>()
  let slowSinceMs: number | null = null

  const isFull = (): boolean => {
    const full = wire.writableLength > limits.socketBufferBytesMax
    if (!full) slowSinceMs = null
    else slowSinceMs ??= clock.monotonicMs()
    return full
  }
  /** The socket took everything: what waited goes out, then whoever holds more is asked. */
  const drained = (): void => {
    for (const [key, frame] of waiting) {
      if (isFull()) return
      waiting.delete(key)
      write(frame)
    }
    if (!isFull()) onRoom()
  }
  /** Frames go past the WebSocket's own sender, which would head each anew; it holds nothing back without compression. */
  const write = (frame: Buffer): void => {
    if (socket.readyState === socket.OPEN) wire.write(frame)
  }
  wire.on('drain', drained)
  return {
    isFull,
    write,
    /** As when the socket took everything: a bound below the socket's own has no event for it. */
    retry: drained,
    /** The latest frame of a key wins while there is no room. */
    writeLatest: (key: string, frame: Buffer): void => {
      if (!isFull()) {
        waiting.delete(key)
        write(frame)
        return
      }
      if (waiting.has(key)) telemetry.conflated(1)
      waiting.set(key, frame)
    },
    forget: (key: string): void => {
      waiting.delete(key)
    },
    slowForMs: (): number => (isFull() && slowSinceMs !== null ? clock.monotonicMs() - slowSinceMs : 0),
  }
}

/** A token bucket of one socket's messages. */
const createMessageGate = ({ limits, clock }: ReaderOptions): (() => boolean) => {
  const { perSecond, burst } = limits.socketMessages
  let tokens = burst
  let lastMs = clock.monotonicMs()
  return () => {
    const nowMs = clock.monotonicMs()
    tokens = Math.min(burst, tokens + ((nowMs - lastMs) * perSecond) / 1_000)
    lastMs = nowMs
    if (tokens < 1) return false
    tokens -= 1
    return true
  }
}

/** A reader over an open socket. */
export const createReader = (options: ReaderOptions): Reader => {
  const { socket, session, limits, hub, views, platform, telemetry, logger } = options
  const prices = new Map<string, () => void>()
  let trades: TradeFeed | null = null
  let disposed = false
  const mayReceive = createMessageGate(options)
  const outlet = createOutlet(options, () => {
    if (trades !== null) void trades.pump()
  })
  const say = (message: object): void => {
    outlet.write(textFrame(JSON.stringify(message)))
  }
  const refuse = (refusal: MessageRefusal): void => {
    say({ op: 'error', ...refusal })
  }
  const close = (code: number, reason: string): void => {
    if (socket.readyState === socket.OPEN) socket.close(code, reason)
    else socket.terminate()
  }

  const subscribePrices = (asset: string): void => {
    if (prices.has(asset)) return
    // Entered first: the latest price may come while subscribing.
    prices.set(asset, () => undefined)
    prices.set(
      asset,
      hub.subscribe(asset, (frame) => {
        outlet.writeLatest(asset, frame)
      }),
    )
  }
  const subscribeTrades = async (account: string, after: number | undefined): Promise<void> => {
    if (trades !== null && after === undefined) return
    const from = after ?? (await latestTradeSequence(views, account))
    if (disposed) return
    trades?.stop()
    trades = createTradeFeed({
      views,
      platform,
      account,
      after: from,
      send: (message) => {
        outlet.write(textFrame(message))
        return !outlet.isFull()
      },
      onError: (error) => {
        logger.warn({ err: error }, 'trade events could not be read; the next check tries again')
      },
    })
  }

  const refusalFor = (names: readonly string[]): MessageRefusal | null => {
    for (const name of names) {
      const channel = channelOf(name)
      if (channel === null || (channel.kind === 'prices' && !hub.has(channel.asset))) {
        return {
          errorCode: 'VALIDATION_ERROR',
          message: `channel "${name}" is not known; use trades or prices:<ASSET> with an asset of /api/v1/markets`,
        }
      }
      if (channel.kind === 'trades' && session === null)
        return {
          errorCode: 'UNAUTHENTICATED',
          message: 'the channel trades needs a session; sign in and connect again',
        }
    }
    const added = new Set(names.filter((name) => name !== 'trades' && !prices.has(name.slice('prices:'.length))))
    if (prices.size + added.size + 1 > limits.subscriptionsPerSocketMax) {
      return {
        errorCode: 'RATE_LIMITED',
        message: `a socket has at most ${limits.subscriptionsPerSocketMax} channels; unsubscribe some or open another`,
      }
    }
    return null
  }

  const subscribe = async (names: readonly string[], afterTrades: number | undefined): Promise<void> => {
    const refusal = refusalFor(names)
    if (refusal !== null) {
      refuse(refusal)
      return
    }
    const channels = names.flatMap((name) => channelOf(name) ?? [])
    if (session !== null && channels.some(({ kind }) => kind === 'trades'))
      await subscribeTrades(accountKeyOf(session.userId), afterTrades)
    if (disposed) return
    say({ op: 'subscribed', channels: [...new Set(names)] })
    for (const channel of channels) if (channel.kind === 'prices') subscribePrices(channel.asset)
    await trades?.pump()
  }

  const unsubscribe = (names: readonly string[]): void => {
    for (const name of names) {
      const channel = channelOf(name)
      if (channel?.kind === 'trades') {
        trades?.stop()
        trades = null
      } else if (channel?.kind === 'prices') {
        prices.get(channel.asset)?.()
        prices.delete(channel.asset)
        outlet.forget(channel.asset)
      }
    }
    say({ op: 'unsubscribed', channels: names })
  }

  return {
    session,
    receive: async (text) => {
      // What was sent before the closing was heard: to answer it with another one would cut the reason off.
      if (socket.readyState !== socket.OPEN) return
      if (!mayReceive()) {
        close(closeCodes.policy, 'too many messages')
        return
      }
      const message = options.readMessage(text)
      if (isRefusal(message)) refuse(message)
      else if (message.op === 'ping') say({ op: 'pong' })
      else if (message.op === 'unsubscribe') unsubscribe(message.channels)
      else await subscribe(message.channels, message.after?.trades)
    },
    check: async () => {
      if (outlet.slowForMs() > limits.slowReaderTimeoutMs) {
        telemetry.tooSlow()
        close(closeCodes.tooSlow, 'the reader is too slow; connect again and resume after the last sequence')
        return
      }
      outlet.retry()
      await trades?.pump()
    },
    close,
    dispose: () => {
      disposed = true
      trades?.stop()
      for (const stop of prices.values()) stop()
      prices.clear()
    },
  }
}
