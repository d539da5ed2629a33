import type { Units } from '@bourse/common/money/amount.ts'
import { divFloor } from '@bourse/common/money/rounding.ts'
import type { FeedQuote } from '@bourse/common/ports/prices.ts'

/** Lengths of bars, and what they are in milliseconds. */
export const candleIntervalsMs = {
  '1m': 60_000,
  '5m': 300_000,
  '15m': 900_000,
  '1h': 3_600_000,
  '4h': 14_400_000,
  '1d': 86_400_000,
} as const
/** One of the lengths. */
export type CandleInterval = keyof typeof candleIntervalsMs

/** A bar of mid prices, units of 1e-8. It begins at a multiple of its length since the epoch (UTC). */
export interface Candle {
  readonly openTimeMs: number
  readonly open: Units
  readonly high: Units
  readonly low: Units
  readonly close: Units
}

/** The bars of one symbol. */
export interface Candles {
  add(quote: FeedQuote): void
  /** Oldest first, at most `limit`; the last one is still growing. */
  read(interval: CandleInterval, limit: number): readonly Candle[]
}

/** Bars kept per length. */
export const CANDLES_MAX = 1_500

const grown = (bar: Candle, price: Units): Candle => ({
  ...bar,
  high: price > bar.high ? price : bar.high,
  low: price < bar.low ? price : bar.low,
  close: price,
})

/** The bars of one length: the finished ones oldest first, dropped in blocks so that dropping stays cheap. */
const createBars = (lengthMs: number) => {
  let bars: Candle[] = []
  return {
    add: (timeMs: number, price: Units): void => {
      const openTimeMs = Math.floor(timeMs / lengthMs) * lengthMs
      const last = bars.at(-1)
      if (last !== undefined && openTimeMs < last.openTimeMs) return
      if (last !== undefined && openTimeMs === last.openTimeMs) bars[bars.length - 1] = grown(last, price)
      else bars.push({ openTimeMs, open: price, high: price, low: price, close: price })
      if (bars.length >= CANDLES_MAX * 2) bars = bars.slice(-CANDLES_MAX)
    },
    read: (limit: number): readonly Candle[] => {
      const count = Math.min(Math.max(Math.trunc(limit), 0), CANDLES_MAX)
      return count === 0 ? [] : bars.slice(-count)
    },
  }
}

/**
 * Bars of one symbol from its quotes, by the mid price (rounded down to a unit) and the exchange's time. A bar
 * in which no quote came is left out; a quote older than the newest bar changes none. The newest 1,500 of each
 * length are kept, in memory only.
 */
export const createCandles = (): Candles => {
  const names = Object.keys(candleIntervalsMs) as CandleInterval[]
  const byInterval = new Map(names.map((name) => [name, createBars(candleIntervalsMs[name])]))
  return {
    add: ({ feedBid, feedAsk, exchangeTimeMs }) => {
      const mid = divFloor(feedBid + feedAsk, 2n)
      for (const bars of byInterval.values()) bars.add(exchangeTimeMs, mid)
    },
    read: (interval, limit) => byInterval.get(interval)?.read(limit) ?? [],
  }
}
