import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { describeUnless } from '@bourse/common/testkit/skip.ts'
import { createChance } from '@bourse/all-in-one/replay/chance.ts'
import { randomTrades } from '@bourse/all-in-one/replay/random-trades.ts'
import { countsByReason, csvOf } from '@bourse/all-in-one/replay/rows.ts'
import { loadTape } from '@bourse/all-in-one/replay/tape.ts'
import { LIMIT_MS } from '../support/limits.ts'
import { bars, manifest, root, run, sharedData, specOf, specOfText, tapeOfText } from './support.ts'

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
    test(
      'Three hundred random trades meet no difference, and their money is right to the last unit.',
      async () => {
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
      },
      LIMIT_MS,
    )
  })
}

/**
 * A walk of a day in steps of ten seconds that rises and falls by up to half a percent a step, and stands
 * still now and then.
 */
const walk = (): string => {
  const chance = createChance(3)
  let cents = 10_000
  const rows = Array.from({ length: 8_640 }, (_, step) => {
    if (chance.percent(80)) cents = Math.max(2_000, cents + chance.between(-50, 50))
    return `${step},${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, '0')},1,${1_704_067_200_000 + step * 10_000}`
  })
  return ['trade_id,price,qty,trade_time_ms', ...rows].join('\n')
}

describe('What the reference is not asked', () => {
  test(
    'It would have answered the same: asking it at every tick gives the same rows and the same state.',
    async () => {
      const spec = await specOfText(manifest({ partitions: 2 }))
      const tape = await tapeOfText(walk(), spec)
      const trades = randomTrades(tape, spec, 400, 5)
      const quiet = run({ spec, tape, trades })
      const plain = run({ spec, tape, trades, askEvery: 1 })
      expect([quiet.difference, plain.difference]).toEqual([null, null])
      expect(countsByReason(quiet.rows).get('LIQUIDATION')).toBeGreaterThan(50)
      expect(plain.referenceAsked).toBeGreaterThanOrEqual(2 * tape.count)
      expect(quiet.referenceAsked).toBeLessThan(plain.referenceAsked / 3)
      expect(quiet.stateHash).toBe(plain.stateHash)
      expect(csvOf(quiet.rows)).toBe(csvOf(plain.rows))
    },
    LIMIT_MS,
  )
})
