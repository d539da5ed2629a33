import { describe, expect, test } from '@jest/globals'
import { CANDLES_MAX, candleIntervalsMs, createCandles } from '../src/client/candles.ts'
import { whole } from './helpers.ts'

const DAY = 86_400_000
const quote = (timeMs: number, bid: bigint, ask = bid) => ({
  symbol: 'X',
  feedBid: bid,
  feedAsk: ask,
  last: 1n,
  exchangeTimeMs: timeMs,
  receiveTimeMs: timeMs,
  sequence: 1,
})

describe('candles', () => {
  test('are open, high, low and close of the mid price, rounded down to a unit', () => {
    const candles = createCandles()
    candles.add(quote(DAY + 1, 10n, 13n))
    candles.add(quote(DAY + 2, 20n, 21n))
    candles.add(quote(DAY + 59_999, 4n, 5n))
    expect(candles.read('1m', 10)).toEqual([{ openTimeMs: DAY, open: 11n, high: 20n, low: 4n, close: 4n }])
  })

  test('begin at multiples of their length, at every length', () => {
    const candles = createCandles()
    const timeMs = 20_000 * DAY + 5 * 3_600_000 + 17 * 60_000 + 33_000
    candles.add(quote(timeMs, whole(1)))
    for (const interval of Object.keys(candleIntervalsMs) as (keyof typeof candleIntervalsMs)[]) {
      const length = candleIntervalsMs[interval]
      expect(candles.read(interval, 1)[0]?.openTimeMs).toBe(timeMs - (timeMs % length))
    }
  })

  test('a quote at the very end of a bar opens the next; a bar without quotes is left out', () => {
    const candles = createCandles()
    for (const minute of [0, 1, 3]) candles.add(quote(DAY + minute * 60_000, whole(minute + 1)))
    expect(candles.read('1m', 10).map(({ openTimeMs }) => (openTimeMs - DAY) / 60_000)).toEqual([0, 1, 3])
  })

  test('are not changed by a quote older than the newest bar', () => {
    const candles = createCandles()
    candles.add(quote(DAY + 60_000, whole(5)))
    candles.add(quote(DAY + 59_999, whole(9)))
    expect(candles.read('1m', 10)).toHaveLength(1)
    expect(candles.read('1m', 10)[0]?.high).toBe(whole(5))
  })

  test('are kept up to their bound, the newest', () => {
    const candles = createCandles()
    for (let minute = 0; minute < CANDLES_MAX * 2 + 10; minute += 1) candles.add(quote(minute * 60_000, whole(1)))
    const bars = candles.read('1m', 1_000_000)
    expect(bars).toHaveLength(CANDLES_MAX)
    expect(bars.at(-1)?.openTimeMs).toBe((CANDLES_MAX * 2 + 9) * 60_000)
    expect(candles.read('1m', 2).map(({ openTimeMs }) => openTimeMs / 60_000)).toEqual([
      CANDLES_MAX * 2 + 8,
      CANDLES_MAX * 2 + 9,
    ])
    expect(candles.read('1m', 0)).toEqual([])
  })
})
