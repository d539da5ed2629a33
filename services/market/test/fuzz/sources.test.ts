import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { formatAmount } from '@bourse/common/money/amount.ts'
import { fuzzed, nearly, readLater, readOnce, textMutationsOf } from '@bourse/common/testkit/fuzz.ts'
import { createNormaliser, PRICE_MAX_UNITS, rejectReasons } from '../../src/normaliser.ts'
import { createBinanceBook } from '../../src/sources/binance-book.ts'
import { readFrame } from '../../src/sources/binance-frames.ts'
import { readTicker } from '../../src/sources/poll.ts'
import { readTape, TapeError } from '../../src/tape/read-tape.ts'
import type { TapeTick } from '../../src/tape/read-tape.ts'
import { readTapeTime } from '../../src/tape/tape-time.ts'

const prices = fc.bigInt({ min: 1n, max: PRICE_MAX_UNITS })
const moments = fc.integer({ min: 0, max: 4_102_444_800_000 })
const ids = fc.nat({ max: Number.MAX_SAFE_INTEGER })

interface TapeRow {
  readonly id: number
  readonly price: bigint
  readonly timeMs: number
}
const rows: fc.Arbitrary<TapeRow[]> = fc
  .array(fc.record({ id: ids, price: prices, timeMs: moments }), { minLength: 1, maxLength: 8 })
  .map((all) => all.toSorted((a, b) => a.timeMs - b.timeMs))
const tapeOf = (all: readonly TapeRow[]): string =>
  [
    'trade_id,price,qty,trade_time_ms',
    ...all.map(({ id, price, timeMs }) => `${id},${formatAmount(price)},1,${timeMs}`),
  ].join('\n')
const barsOf = (all: readonly TapeRow[]): string =>
  [
    'timestamp,open,high,low,close',
    ...all.map(({ price, timeMs }) => [timeMs, ...Array<string>(4).fill(formatAmount(price))].join(',')),
  ].join('\n')

describe('a tape', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'bourse-tape-fuzz-'))
  })
  afterAll(async () => {
    await rm(folder, { recursive: true, force: true })
  })
  const read = async (bytes: Uint8Array | string): Promise<TapeTick[]> => {
    const path = join(folder, 'tape.csv')
    await writeFile(path, bytes)
    return Array.fromAsync(readTape(path))
  }

  test('gives the ticks that were written, plain and compressed', async () => {
    await fc.assert(
      fc.asyncProperty(rows, fc.boolean(), async (all, isPacked) => {
        const ticks = await read(isPacked ? gzipSync(tapeOf(all)) : tapeOf(all))
        expect(ticks.map(({ timeMs, feedBid, feedAsk, last }) => [timeMs, feedBid, feedAsk, last])).toEqual(
          all.map(({ timeMs, price }) => [timeMs, price, price, price]),
        )
      }),
      fuzzed(0.5),
    )
  })

  test('of any other bytes is refused TapeError, or gives sound prices whose time does not go back', async () => {
    const texts = fc.oneof(
      textMutationsOf(rows.map(tapeOf)),
      textMutationsOf(rows.map(barsOf)),
      fc.string({ unit: 'binary' }),
    )
    const packed = nearly(rows.map((all) => new Uint8Array(gzipSync(tapeOf(all)))))
    await fc.assert(
      fc.asyncProperty(fc.oneof(texts, packed), async (bytes) => {
        const ticks = await readLater(() => read(bytes), [TapeError])
        if ('error' in ticks) return
        expect(ticks.value.length).toBeGreaterThan(0)
        ticks.value.forEach(({ timeMs, last }, index) => {
          expect(last > 0n && last <= PRICE_MAX_UNITS && Number.isSafeInteger(timeMs)).toBe(true)
          expect(timeMs).toBeGreaterThanOrEqual(ticks.value[index - 1]?.timeMs ?? timeMs)
        })
      }),
      fuzzed(),
    )
  })

  test('moments are read as they are written in ISO and in epoch ms, and nothing else is one', () => {
    fc.assert(
      fc.property(moments, textMutationsOf(moments.map((timeMs) => new Date(timeMs).toISOString())), (timeMs, text) => {
        expect(readTapeTime(new Date(timeMs).toISOString())).toBe(timeMs)
        if (timeMs >= 100_000_000_000) expect(readTapeTime(String(timeMs))).toBe(timeMs)
        const other = readOnce(() => readTapeTime(text), [])
        if ('value' in other && other.value !== undefined) expect(Number.isSafeInteger(other.value)).toBe(true)
      }),
      fuzzed(),
    )
  })
})

const SYMBOL = 'BTCUSDC'
const frameOf = (stream: string, data: object): string =>
  JSON.stringify({ stream: `btcusdc@${stream}`, data: { s: SYMBOL, ...data } })
const books = fc.record({ u: ids, b: prices, a: prices }).map(({ u, b, a }) => ({
  text: frameOf('bookTicker', { u, b: formatAmount(b), a: formatAmount(a) }),
  is: { kind: 'bookTicker', updateId: u, bid: b, ask: a },
}))
const trades = fc.record({ t: ids, p: prices, T: moments }).map(({ t, p, T }) => ({
  text: frameOf('trade', { t, p: formatAmount(p), T }),
  is: { kind: 'trade', tradeId: t, price: p, timeMs: T },
}))
const frames = fc.oneof(books, trades)
const strange = fc.oneof(
  textMutationsOf(frames.map(({ text }) => text)),
  fc.string({ unit: 'binary' }),
  fc.json(),
  fc
    .record({ stream: fc.constantFrom('btcusdc@trade', 'btcusdc@bookTicker', 'x'), data: fc.jsonValue() })
    .map((value) => JSON.stringify(value)),
  fc.constant(`${'['.repeat(20_000)}`),
)

describe('frames of an exchange', () => {
  test('are read as they were written', () => {
    fc.assert(
      fc.property(frames, ({ text, is }) => {
        expect(readFrame(text, SYMBOL)).toEqual(is)
      }),
      fuzzed(),
    )
  })

  test('of any other text are garbage or nobody’s business, and no unsound price gets past the filter', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            strange,
            frames.map(({ text }) => text),
          ),
          { minLength: 1, maxLength: 6 },
        ),
        moments,
        (texts, nowMs) => {
          const book = createBinanceBook()
          const normaliser = createNormaliser({ symbol: 'BTC_USDC', maxJumpBps: 200_000_000_000n, maxAgeMs: null })
          for (const text of texts) {
            const read = readOnce(() => readFrame(text, SYMBOL), [])
            if ('error' in read) continue
            const { tick } = book.apply(read.value, nowMs)
            if (tick === undefined) continue
            const accepted = normaliser.accept({
              ...tick,
              exchangeTimeMs: tick.exchangeTimeMs ?? nowMs,
              receiveTimeMs: nowMs,
            })
            if (!accepted.ok) expect(rejectReasons).toContain(accepted.reason)
            else {
              const { feedBid, feedAsk, last } = accepted.quote
              expect(feedBid > 0n && feedBid <= feedAsk && feedAsk <= PRICE_MAX_UNITS && last > 0n).toBe(true)
            }
          }
        },
      ),
      fuzzed(),
    )
  })
})

describe('a polled ticker', () => {
  const tickers = fc.record({ bid: prices, ask: prices, at: moments })
  const textOf = ({ bid, ask, at }: { bid: bigint; ask: bigint; at: number }): string =>
    `{"bidPrice":"${formatAmount(bid)}","askPrice":${formatAmount(ask)},"timestamp":${at}}`

  test('is read as it was written, prices as text and as numbers', () => {
    fc.assert(
      fc.property(tickers, (ticker) => {
        const { feedBid, feedAsk } = readTicker(textOf(ticker))
        expect([feedBid, feedAsk]).toEqual([ticker.bid, ticker.ask])
      }),
      fuzzed(),
    )
  })

  test('of any other text is refused with an error', () => {
    fc.assert(
      fc.property(fc.oneof(textMutationsOf(tickers.map(textOf)), strange), (text) => {
        const read = readOnce(() => readTicker(text), [Error])
        if ('value' in read) expect(typeof read.value.feedBid).toBe('bigint')
      }),
      fuzzed(),
    )
  })
})
