import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { WATCHED_PAIRS } from './manifests.ts'
import { clock } from './program.ts'

/**
 * How a source of prices behaves: `well`; `silent` (it answers 503), `hanging` (it takes the question and never answers),
 * `garbage` (every fourth answer is no ticker), `crossed` (every second quote has its bid above its ask), `fallen` (a fifth below
 * where it was, well otherwise).
 */
export type TickerMood = 'well' | 'silent' | 'hanging' | 'garbage' | 'crossed' | 'fallen'

/** A source of prices that markets poll. */
export interface Ticker {
  /** With `{symbol}` in it. */
  readonly url: string
  /** From now on, of all symbols or of one. */
  behave(mood: TickerMood, symbol?: string): void
  stop(): Promise<void>
}

/** Part of the price that is left after a fall. */
const FALLEN = 0.82
/** Swing around the start price, 1/10,000. */
const SWING = 20
const PERIOD_MS = 60_000
/** Half the distance of bid and ask, 1/10,000 of the price. */
const HALF_SPREAD = 1

/** A price that swings slowly, so that trades win and lose. */
const priceAt = (start: number, nowMs: number): number =>
  start * (1 + (SWING / 10_000) * Math.sin((2 * Math.PI * nowMs) / PERIOD_MS))

const tickerOf = (symbol: string, mood: TickerMood, turn: number): object => {
  const nowMs = clock.nowMs()
  const start = Number(WATCHED_PAIRS[symbol as keyof typeof WATCHED_PAIRS])
  const price = priceAt(start, nowMs) * (mood === 'fallen' ? FALLEN : 1)
  const half = (price * HALF_SPREAD) / 10_000
  const way = mood === 'crossed' && turn % 2 === 0 ? -1 : 1
  return { bid: (price - way * half).toFixed(2), ask: (price + way * half).toFixed(2), timestamp: nowMs }
}

const answer = (response: ServerResponse, symbol: string, mood: TickerMood, turn: number): void => {
  if (mood === 'hanging') return
  response.writeHead(mood === 'silent' ? 503 : 200, { 'content-type': 'application/json' })
  if (mood === 'silent') response.end('{}')
  else if (mood === 'garbage' && turn % 4 === 0) response.end('<html>maintenance</html>')
  else response.end(JSON.stringify(tickerOf(symbol, mood, turn)))
}

/** Starts it; all symbols are well. */
export const startTicker = async (): Promise<Ticker> => {
  const moods = new Map<string, TickerMood>()
  // Counted for each symbol: pairs that are asked in turns would share one count so that one of them is never struck.
  const turns = new Map<string, number>()
  const server = createServer((request, response) => {
    const symbol = (request.url ?? '/').slice(1)
    const turn = turns.get(symbol) ?? 0
    if (!Object.hasOwn(WATCHED_PAIRS, symbol)) {
      response.writeHead(404).end()
      return
    }
    turns.set(symbol, turn + 1)
    answer(response, symbol, moods.get(symbol) ?? 'well', turn)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/{symbol}`,
    behave: (mood, symbol) => {
      for (const one of symbol === undefined ? Object.keys(WATCHED_PAIRS) : [symbol]) moods.set(one, mood)
      // Who hangs on a question is let go when all is well again.
      if (mood === 'well') server.closeAllConnections()
    },
    stop: async () => {
      server.closeAllConnections()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}
