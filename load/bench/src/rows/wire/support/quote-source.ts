import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { performance } from 'node:perf_hooks'
import { WebSocketServer, type WebSocket } from 'ws'

/** An exchange's price stream that the measured platform follows, quoting as fast as it is told. */
export interface QuoteSource {
  readonly url: string
  /** Resolves once the platform follows the stream. */
  followed(): Promise<void>
  /** Sends one quote now. */
  quote(): void
  /** Quotes evenly for a time; resolves with the quotes sent. */
  quoteFor(durationMs: number, perSecond: number): Promise<number>
  /** Quotes sent so far. */
  sent(): number
  /** When a quote (the first is 0) was sent, by this process's monotonic clock, ms. */
  sentAtMs(index: number): number
  stop(): void
}

const SYMBOL = 'BTCUSDT'
const QUOTES_MAX = 1_000_000

/** Two prices in turn: the next quote differs from the last, and no tick ever triggers or is refused as a jump. */
const PRICES = ['"b":"60000.00","a":"60000.02"', '"b":"60000.01","a":"60000.03"'] as const

/** Starts the source; its pair's `prices` are `{ source: binance, url, symbol: BTCUSDT }`. */
export const startQuoteSource = async (): Promise<QuoteSource> => {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false })
  await once(server, 'listening')
  const sentAt = new Float64Array(QUOTES_MAX)
  let sent = 0
  let socket: WebSocket | null = null
  const connected = new Promise<void>((resolve) => {
    server.once('connection', (opened) => {
      socket = opened
      resolve()
    })
  })
  const quote = (): void => {
    sentAt[sent] = performance.now()
    sent += 1
    const prices = PRICES[sent % 2]!
    socket?.send(`{"stream":"btcusdt@bookTicker","data":{"u":${sent},"s":"${SYMBOL}",${prices},"B":"1","A":"1"}}`)
  }
  return {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
    followed: () => connected,
    quote,
    quoteFor: (durationMs, perSecond) =>
      new Promise((resolve) => {
        const startMs = performance.now()
        const before = sent
        const tick = (): void => {
          const passedMs = performance.now() - startMs
          const due = Math.floor((Math.min(passedMs, durationMs) * perSecond) / 1_000)
          while (sent - before < due) quote()
          if (passedMs < durationMs) setTimeout(tick, 1)
          else resolve(sent - before)
        }
        tick()
      }),
    sent: () => sent,
    sentAtMs: (index) => sentAt[index] ?? Number.NaN,
    stop: () => {
      socket?.terminate()
      server.close()
    },
  }
}
