import { describe, expect, test } from '@jest/globals'
import { describeUnless } from '@bourse/common/testkit/skip.ts'
import { randomTrades } from '@bourse/all-in-one/replay/random-trades.ts'
import { countsByReason, csvOf } from '@bourse/all-in-one/replay/rows.ts'
import { loadTape } from '@bourse/all-in-one/replay/tape.ts'
import { bars, manifest, root, run, sharedData, specOf, specOfText, tapeOfText } from './support.ts'
import { join } from 'node:path'

describe('Random trades', () => {
  test('They follow from the seed, and another seed gives others.', async () => {
    const spec = await specOfText(manifest())
    const tape = await tapeOfText(bars, spec)
    expect(randomTrades(tape, spec, 50, 7)).toEqual(randomTrades(tape, spec, 50, 7))
    expect(randomTrades(tape, spec, 50, 7)).not.toEqual(randomTrades(tape, spec, 50, 8))
  })

  test('They lie over the whole tape in order of time, go both ways, and are spread over accounts.', async () => {
    const spec = await specOfText(manifest())
    const tape = await tapeOfText(bars, spec)
    const trades = randomTrades(tape, spec, 400, 1)
    const moments = trades.map(({ openAtMs }) => openAtMs)
    expect(moments).toEqual([...moments].sort((left, right) => left - right))
    expect(Math.min(...moments)).toBeGreaterThanOrEqual(tape.timesMs[0]!)
    expect(Math.max(...moments)).toBeLessThanOrEqual(tape.timesMs[tape.count - 1]!)
    expect(new Set(trades.map(({ direction }) => direction))).toEqual(new Set(['LONG', 'SHORT']))
    expect(new Set(trades.map(({ account }) => Buffer.from(account).toString('hex'))).size).toBe(20)
    expect(new Set(trades.map(({ leverage }) => leverage)).size).toBeGreaterThan(40)
  })
})

const TAPES = [
  ['trades/btcusdt_spot_2024-08-08_09.csv.gz', 'btc-usdc', 19_904],
  ['trades/ethusdt_spot_2024-08-08_09.csv.gz', 'eth-usdc', 14_515],
  ['candles/btc-perp-20211231-20220201_1m.csv.gz', 'btc-usdc', 180_124],
] as const

for (const [name, pair, ticks] of TAPES) {
  const { path, missing } = sharedData(name)
  describeUnless(missing, `The tape ${name}`, () => {
    test('Three hundred random trades meet no difference, and their money is right to the last unit.', async () => {
      const spec = await specOf(join(root, `crds/samples/${pair}.yaml`))
      const tape = await loadTape(path, { symbol: spec.symbol, maxJumpBps: spec.prices.maxJumpBps })
      const result = run({ spec, tape, trades: randomTrades(tape, spec, 300, 1) })
      expect(result).toMatchObject({ difference: null, ticksPlayed: ticks, partitions: 4 })
      expect(result.money?.statements.filter(({ ok }) => !ok)).toEqual([])
      const counts = countsByReason(result.rows)
      expect(counts.get('STOP_LOSS')).toBeGreaterThan(20)
      expect(counts.get('TAKE_PROFIT')).toBeGreaterThan(20)
      // The trade tapes move by half a percent: less than the highest leverage can lose.
      if (name.startsWith('candles')) expect(counts.get('LIQUIDATION')).toBeGreaterThan(50)
    }, 60_000)
  })
}

const { path, missing } = sharedData('trades/ethusdt_spot_2024-08-08_09.csv.gz')
describeUnless(missing, 'What the reference is not asked', () => {
  test('It would have answered the same: asking it at every tick gives the same rows and the same state.', async () => {
    const spec = await specOf(join(root, 'crds/samples/eth-usdc.yaml'))
    const tape = await loadTape(path, { symbol: spec.symbol, maxJumpBps: spec.prices.maxJumpBps })
    const trades = randomTrades(tape, spec, 200, 5)
    const [quiet, plain] = [run({ spec, tape, trades }), run({ spec, tape, trades, askEvery: 1 })]
    expect(plain.referenceAsked).toBeGreaterThanOrEqual(4 * tape.count)
    expect(quiet.referenceAsked).toBeLessThan(plain.referenceAsked / 2)
    expect(quiet.stateHash).toBe(plain.stateHash)
    expect(csvOf(quiet.rows)).toBe(csvOf(plain.rows))
  }, 60_000)
})
