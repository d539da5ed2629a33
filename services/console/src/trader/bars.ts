/** Bars for the chart, for the table beside it, and in words. */
import type { Candle, CandleInterval } from '@bourse/client/shapes.ts'
import { distanceBps } from './levels.ts'

/** Lengths of bars to choose from, with their names. */
export const intervals: readonly { readonly value: CandleInterval; readonly label: string; readonly words: string }[] =
  [
    { value: '1m', label: '1m', words: '1 minute' },
    { value: '5m', label: '5m', words: '5 minutes' },
    { value: '15m', label: '15m', words: '15 minutes' },
    { value: '1h', label: '1h', words: '1 hour' },
    { value: '4h', label: '4h', words: '4 hours' },
    { value: '1d', label: '1d', words: '1 day' },
  ]

/** A bar as the chart draws it. Its floats are places on the screen, nothing is computed or sent from them. */
export interface DrawnBar {
  /** Seconds since the epoch, UTC. */
  readonly time: number
  readonly open: number
  readonly high: number
  readonly low: number
  readonly close: number
}

/** A price as a place on the screen: the only use of a float. */
export const placeOf = (price: string): number => Number(price)

/** A bar for the chart. */
export const drawnBar = ({ openTime, open, high, low, close }: Candle): DrawnBar => ({
  time: Math.floor(Date.parse(openTime) / 1_000),
  open: placeOf(open),
  high: placeOf(high),
  low: placeOf(low),
  close: placeOf(close),
})

/** What changed between two states of the bars: only the last one grew or one came after it, or everything is drawn anew. */
export type BarsChange =
  { readonly kind: 'none' } | { readonly kind: 'tail'; readonly bars: readonly Candle[] } | { readonly kind: 'all' }

const isSame = (a: Candle, b: Candle): boolean =>
  a.openTime === b.openTime && a.open === b.open && a.high === b.high && a.low === b.low && a.close === b.close

/**
 * How to bring a chart from `before` to `after`. A chart takes new values for its last bar and bars behind it; anything
 * else is drawn from the start.
 */
export const barsChange = (before: readonly Candle[], after: readonly Candle[]): BarsChange => {
  if (before === after) return { kind: 'none' }
  const last = before.at(-1)
  if (last === undefined || after.length === 0)
    return after.length === before.length ? { kind: 'none' } : { kind: 'all' }
  const at = after.findLastIndex(({ openTime }) => openTime === last.openTime)
  // All before the last must be what is drawn: judged by its neighbour and its number, since bars of the past stay.
  const neighbour = before.at(-2)
  const neighbourNow = after[at - 1]
  const isContinued =
    at >= 0 && (neighbour === undefined || (neighbourNow !== undefined && isSame(neighbour, neighbourNow)))
  if (!isContinued) return { kind: 'all' }
  const bars = after.slice(at)
  return bars.length === 1 && isSame(bars[0]!, last) ? { kind: 'none' } : { kind: 'tail', bars }
}

/** Change within the day's bar, from its open to its latest price, in basis points; null while there is none. */
export const dayChangeBps = (bar: Pick<Candle, 'open' | 'close'> | undefined): number | null =>
  bar === undefined ? null : distanceBps(bar.close, bar.open)
