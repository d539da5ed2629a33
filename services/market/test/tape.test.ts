import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { describeUnless } from '@bourse/common/testkit/skip.ts'
import { readTape, SINGLE_BAR_MS } from '../src/tape/read-tape.ts'
import type { TapeTick } from '../src/tape/read-tape.ts'
import { readTapeTime } from '../src/tape/tape-time.ts'
import { whole } from './helpers.ts'

const all = async (path: string): Promise<TapeTick[]> => Array.fromAsync(readTape(path))

describe('a moment of a tape', () => {
  test.each([
    ['1640991660', 1_640_991_660_000],
    ['1640991660.25', 1_640_991_660_250],
    ['1640991660123', 1_640_991_660_123],
    ['2021-12-31 23:01:00.000000', 1_640_991_660_000],
    ['2021-12-31T23:01:00.123456Z', 1_640_991_660_123],
    ['2021-12-31T23:01:00+00:00', 1_640_991_660_000],
    ['2022-01-01T03:01:00+0400', 1_640_991_660_000],
    ['2021-12-31 23:01', 1_640_991_660_000],
    ['2022-01-01', 1_640_995_200_000],
    ['2024-02-29', 1_709_164_800_000],
  ])('%s is read', (text, timeMs) => {
    expect(readTapeTime(text)).toBe(timeMs)
  })

  test.each([
    '',
    'yesterday',
    '2022-02-30',
    '2022-13-01',
    '2022-01-01 24:00',
    '2022-01-01 10:60',
    '-5',
    '1e12',
    '1640991660123000',
  ])('%s is none', (text) => {
    expect(readTapeTime(text)).toBeUndefined()
  })
})

describe('a tape', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'bourse-tape-'))
  })
  afterEach(async () => {
    await rm(folder, { recursive: true, force: true })
  })
  const file = async (text: string | Buffer, name = 'tape.csv'): Promise<string> => {
    const path = join(folder, name)
    await writeFile(path, text)
    return path
  }
  const prices = (ticks: readonly TapeTick[]) => ticks.map(({ timeMs, last }) => [timeMs, Number(last / whole(1))])

  test('of trades gives one tick per row; bid, ask and last are its price, exactly', async () => {
    const path = await file(
      'trade_id,price,qty,trade_time_ms,is_buyer_maker\n' +
        '1,61837.63000001,0.02,1000,true\n2,61837.64,1,1000,false\n',
    )
    expect(await all(path)).toEqual([
      { timeMs: 1_000, feedBid: 6_183_763_000_001n, feedAsk: 6_183_763_000_001n, last: 6_183_763_000_001n },
      { timeMs: 1_000, feedBid: 6_183_764_000_000n, feedAsk: 6_183_764_000_000n, last: 6_183_764_000_000n },
    ])
  })

  test('of bars gives four ticks a bar: low first when it closes at or above its opening, else high first', async () => {
    const path = await file(
      'Date,Open,High,Low,Close,Volume\n' + '1970-01-01 00:00:00,10,14,9,10,1\n1970-01-01 00:01:00,10,12,8,9,1\n',
    )
    expect(prices(await all(path))).toEqual([
      [0, 10],
      [15_000, 9],
      [30_000, 14],
      [45_000, 10],
      [60_000, 10],
      [75_000, 12],
      [90_000, 8],
      [105_000, 9],
    ])
  })

  test('of bars lets a bar last until the next row, the last as long as the one before; quarters round down', async () => {
    const path = await file('TIMESTAMP,open,HIGH,low,close\n1000000,1,1,1,1\n1000030,2,2,2,2\n1000033,3,3,3,3\n')
    const times = (await all(path)).map(({ timeMs }) => timeMs - 1_000_000_000)
    expect(times).toEqual([0, 7_500, 15_000, 22_500, 30_000, 30_750, 31_500, 32_250, 33_000, 33_750, 34_500, 35_250])
    const odd = await file('timestamp,open,high,low,close\n200000000000,1,1,1,1\n200000000003,2,2,2,2\n')
    expect((await all(odd)).slice(0, 4).map(({ timeMs }) => timeMs - 200_000_000_000)).toEqual([0, 0, 1, 2])
  })

  test('of a single bar lasts a minute', async () => {
    const ticks = await all(await file('date,open,high,low,close\n0,1,1,1,1\n'))
    expect(ticks.map(({ timeMs }) => timeMs)).toEqual([
      0,
      SINGLE_BAR_MS / 4,
      SINGLE_BAR_MS / 2,
      (SINGLE_BAR_MS * 3) / 4,
    ])
  })

  test('may be compressed, have a byte order mark, other line ends, further columns, and any order of them', async () => {
    const text = '\uFEFFlow,high,note,timestamp,close,open\r\n1,4,"a,b",100,2,3\r\n\r\n'
    expect(prices(await all(await file(gzipSync(text), 'tape')))).toEqual([
      [100_000, 3],
      [115_000, 4],
      [130_000, 1],
      [145_000, 2],
    ])
  })

  test.each([
    ['a strange header', 'time,price\n1,2\n', /line 1: the header 'time,price' is not that of a tape/],
    [
      'a price that is none',
      'timestamp,open,high,low,close\n1,1,1,1,1\n2,1,x,1,1\n',
      /line 3: high: 'x' is not a decimal/,
    ],
    ['a price of zero', 'timestamp,open,high,low,close\n1,1,1,0,1\n', /line 2: low is 0; a price is above 0/],
    ['a negative price', 'trade_id,price,qty,trade_time_ms\n1,-1,1,1\n', /line 2: price is -1/],
    ['an empty field', 'timestamp,open,high,low,close\n1,1,,1,1\n', /line 2: high is empty/],
    ['a row too short', 'timestamp,open,high,low,close\n1,1,1,1,1\n2,1,1\n', /on line 3/],
    ['a time that is none', 'date,open,high,low,close\nnoon,1,1,1,1\n', /line 2: date 'noon' is not ISO/],
    ['a time that stands still', 'date,open,high,low,close\n1,1,1,1,1\n1,1,1,1,1\n', /line 3: the time does not rise/],
    ['trades that go back', 'trade_id,price,qty,trade_time_ms\n1,1,1,5\n2,1,1,4\n', /line 3: the time goes back/],
    [
      'trades with ISO times',
      'trade_id,price,qty,trade_time_ms\n1,1,1,2022-01-01\n',
      /line 2: trade_time_ms '2022-01-01' is not epoch ms/,
    ],
    ['a low above the high', 'date,open,high,low,close\n1,1,1,2,1\n', /line 2: low is above high/],
    ['nothing', '', /the tape is empty/],
    ['a header alone', 'date,open,high,low,close\n', /a header but no rows/],
  ])('with %s is an error that names the line', async (_, text, message) => {
    await expect(all(await file(text))).rejects.toThrow(message)
  })

  test('that is cut or missing is an error', async () => {
    const zipped = gzipSync(Array.from({ length: 5_000 }, (_, row) => `${row},1,1,1,${row}`).join('\n'))
    await expect(all(await file(zipped.subarray(0, zipped.length - 50)))).rejects.toThrow()
    await expect(all(join(folder, 'none.csv'))).rejects.toThrow(/ENOENT/)
  })

  test('may be left before its end', async () => {
    const rows = Array.from({ length: 20_000 }, (_, row) => `${row},1,1,1,1`).join('\n')
    for await (const tick of readTape(await file(`timestamp,open,high,low,close\n${rows}`))) {
      if (tick.timeMs > 100_000) break
    }
  })
})

const data = join(import.meta.dirname, '../../../../shared/data')
describeUnless(existsSync(join(data, 'candles')) ? undefined : 'no ../shared/data', 'the recorded tapes', () => {
  test.each([
    ['trades/btcusdt_spot_2024-08-08_09.csv.gz', 19_904],
    ['trades/ethusdt_spot_2024-08-08_09.csv.gz', 14_515],
    ['candles/BTCUSDT_1m.csv.gz', 4_000],
    ['candles/SOLUSDT_1m.csv.gz', 4_000],
    ['candles/btc-perp-20211231-20220201_1m.csv.gz', 180_124],
  ])('%s has %i ticks in order of time', async (name, count) => {
    let ticks = 0
    let lastMs = 0
    for await (const { timeMs } of readTape(join(data, name))) {
      if (timeMs < lastMs) throw new Error(`tick ${ticks} goes back`)
      lastMs = timeMs
      ticks += 1
    }
    expect(ticks).toBe(count)
  })
})
