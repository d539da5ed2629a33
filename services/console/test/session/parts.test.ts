import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { Candle, Price } from '@bourse/client/shapes.ts'
import { createCandles, withPrice } from '../../src/session/candles.ts'
import { createServerTime } from '../../src/session/clock.ts'
import { createSecret } from '../../src/session/secret.ts'
import { createStore } from '../../src/session/store.ts'
import { createFakeClock, price, refused } from './support.ts'

const bar = (minute: number, open: string, high: string, low: string, close: string): Candle => ({
  openTime: `2026-03-01T12:0${minute}:00.000Z`,
  open,
  high,
  low,
  close,
})
const at = (time: string, bid: string, ask: string): Price => price(1, { time: `2026-03-01T${time}Z`, bid, ask })

describe('bars', () => {
  const bars = [bar(0, '10', '12', '9', '11')]

  test('grow by the mid price: close always, high and low beyond what they were', () => {
    expect(withPrice(bars, at('12:00:30.000', '12.5', '13.5'), '1m')).toEqual([bar(0, '10', '13', '9', '13')])
    expect(withPrice(bars, at('12:00:59.999', '8', '8.00000001'), '1m')).toEqual([bar(0, '10', '12', '8', '8')])
    expect(withPrice(bars, at('12:00:10.000', '10', '10'), '1m')).toEqual([bar(0, '10', '12', '9', '10')])
  })

  test('begin anew at each multiple of their length, and an older price changes none', () => {
    expect(withPrice(bars, at('12:02:00.000', '10', '12'), '1m')).toEqual([...bars, bar(2, '11', '11', '11', '11')])
    expect(withPrice(bars, at('11:59:59.999', '1', '1'), '1m')).toBe(bars)
    expect(withPrice([], at('12:03:59.000', '1', '1'), '5m')).toEqual([bar(0, '1', '1', '1', '1')])
  })

  const begin = () => {
    const reads: { resolve: (bars: readonly Candle[]) => void; reject: (error: unknown) => void }[] = []
    const listeners = new Set<(price: Price) => void>()
    const time = createFakeClock()
    const candles = createCandles({
      clock: time.clock,
      read: () => new Promise((resolve, reject) => reads.push({ resolve, reject })),
      listen: (_, listener) => {
        listeners.add(listener)
        return () => void listeners.delete(listener)
      },
    })
    const tell = (told: Price): void => {
      for (const listener of listeners) listener(told)
    }
    return { candles, reads, listeners, tell, ...time }
  }

  test('are read once for all their readers and followed until the last one goes', async () => {
    const { candles, reads, listeners, tell, settle } = begin()
    const store = candles.bars('BTC_USDC', '1m')
    expect(reads).toHaveLength(0)
    const ends = [store.subscribe(() => undefined), candles.bars('BTC_USDC', '1m').subscribe(() => undefined)]
    expect(reads).toHaveLength(1)
    // A price that came while they were read belongs to them.
    tell(at('12:00:30.000', '14', '14'))
    reads[0]?.resolve(bars)
    await settle()
    expect(store.getSnapshot()).toMatchObject({ status: 'ready', value: [bar(0, '10', '14', '9', '14')] })
    for (const end of ends) end()
    expect(listeners.size).toBe(0)
  })

  test('are read again when one ends, and a late answer to an earlier question changes nothing', async () => {
    const { candles, reads, tell, settle } = begin()
    const store = candles.bars('BTC_USDC', '1m')
    store.subscribe(() => undefined)
    reads[0]?.resolve(bars)
    await settle()
    tell(at('12:01:01.000', '20', '20'))
    candles.refresh()
    expect(reads).toHaveLength(3)
    const truth = [bar(0, '10', '12.5', '9', '12'), bar(1, '20', '20', '20', '20')]
    reads[2]?.resolve(truth)
    await settle()
    reads[1]?.resolve(bars)
    await settle()
    expect(store.getSnapshot().value).toEqual(truth)
  })

  test('that cannot be read again stay, with the reason, and are asked for again soon', async () => {
    const { candles, reads, settle, pass } = begin()
    const store = candles.bars('BTC_USDC', '1m')
    const end = store.subscribe(() => undefined)
    reads[0]?.resolve(bars)
    await settle()
    candles.refresh()
    reads[1]?.reject(refused('UNREACHABLE'))
    await settle()
    expect(store.getSnapshot()).toMatchObject({ status: 'failed', value: bars, failure: { code: 'UNREACHABLE' } })
    await pass(3_000)
    expect(reads).toHaveLength(3)
    reads[2]?.reject(refused('UNREACHABLE'))
    await settle()
    end()
    await pass(120_000)
    expect(reads).toHaveLength(3)
  })
})

describe("the server's clock", () => {
  test('is known within a second from one answer, and the closer the more there are', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -5_000_000, max: 5_000_000 }),
        fc.array(fc.record({ gapMs: fc.nat(3_000), outMs: fc.nat(200), backMs: fc.nat(200) }), {
          minLength: 30,
          maxLength: 40,
        }),
        (offsetMs, answers) => {
          let nowMs = 1_700_000_000_123
          const time = createServerTime({ nowMs: () => nowMs })
          answers.forEach(({ gapMs, outMs, backMs }, index) => {
            nowMs += gapMs
            const startedMs = nowMs
            nowMs += outMs
            const headers = new Headers({ date: new Date(nowMs + offsetMs).toUTCString() })
            nowMs += backMs
            time.observe(headers, startedMs, nowMs)
            if (index === 0) expect(Math.abs(time.nowMs() - nowMs - offsetMs)).toBeLessThanOrEqual(700)
          })
          expect(Math.abs(time.nowMs() - nowMs - offsetMs)).toBeLessThanOrEqual(500)
        },
      ),
    )
  })

  test('that was set is believed again from the next answer, and one without a date says nothing', () => {
    const time = createServerTime({ nowMs: () => 1_000_000 })
    time.observe(new Headers(), 1_000_000, 1_000_000)
    expect(time.nowMs()).toBe(1_000_000)
    for (const dateMs of [2_000_000, 9_000_000]) {
      time.observe(new Headers({ date: new Date(dateMs).toUTCString() }), 1_000_000, 1_000_000)
      expect(Math.abs(time.nowMs() - dateMs)).toBeLessThanOrEqual(500)
    }
  })
})

describe('a store', () => {
  test('tells each of its readers of each change, and nobody of none', () => {
    const store = createStore(1)
    let told = 0
    const listener = (): void => void (told += 1)
    const ends = [store.subscribe(listener), store.subscribe(listener)]
    store.set(2)
    store.set(2)
    expect({ told, value: store.getSnapshot() }).toEqual({ told: 2, value: 2 })
    ends[0]?.()
    store.set(3)
    expect(told).toBe(3)
  })
})

describe('a secret', () => {
  test('is told to a client and shown to nobody', () => {
    const secret = createSecret()
    expect([secret.get(), secret.isSet.getSnapshot()]).toEqual([null, false])
    secret.set('a-key')
    expect([secret.get(), secret.isSet.getSnapshot()]).toEqual(['a-key', true])
    expect(JSON.stringify(secret)).not.toContain('a-key')
    secret.clear()
    expect([secret.get(), secret.isSet.getSnapshot()]).toEqual([null, false])
    secret.set('')
    expect(secret.isSet.getSnapshot()).toBe(false)
  })
})
