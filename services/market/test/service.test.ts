import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { loadManifests } from '@bourse/common/resources/load.ts'
import type { PriceSource } from '@bourse/common/resources/price-source.ts'
import type { TradingPair } from '@bourse/common/resources/trading-pair.ts'
import { createManualClock } from '@bourse/common/testkit/manual-clock.ts'
import { createSeededRandom } from '@bourse/common/testkit/seeded-random.ts'
import { createMetrics } from '@bourse/common/telemetry/metrics.ts'
import { startMarket } from '../src/service.ts'
import { recordingPrices, silent, whole } from './helpers.ts'

const START_MS = 1_700_000_000_000

const samples = async (): Promise<readonly TradingPair[]> => {
  const loaded = await loadManifests(join(import.meta.dirname, '../../../crds/samples'))
  if (!loaded.ok) throw new Error('the samples have faults')
  return loaded.manifests.pairs
}

const withSource = (pair: TradingPair, source: PriceSource): TradingPair => ({
  ...pair,
  spec: { ...pair.spec, prices: { ...pair.spec.prices, source } },
})

const start = async (pairs: readonly TradingPair[], pollAssets: readonly string[] | null = null) => {
  const clock = createManualClock(START_MS)
  const prices = recordingPrices()
  const metrics = createMetrics()
  const market = await startMarket({
    pairs,
    prices,
    clock,
    metrics,
    random: createSeededRandom(1),
    logger: silent,
    pollIntervalMs: 1_000,
    pollAssets,
  })
  return { clock, prices, metrics, market }
}

describe('the market', () => {
  test('has a price of every pair as soon as it started, with rising sequences, and bars from them', async () => {
    const { clock, prices, market } = await start(await samples())
    expect(prices.quotes.map(({ symbol }) => symbol)).toEqual(['BTC_USDC', 'ETH_USDC', 'SOL_USDC'])
    await clock.advance(120_000)
    const sequences = prices.quotes.filter(({ symbol }) => symbol === 'BTC_USDC').map(({ sequence }) => sequence)
    expect(sequences).toEqual(sequences.map((_, index) => START_MS + index))
    expect(market.candles('BTC_USDC', '1m', 10)).toHaveLength(3)
    expect(market.candles('NO_SUCH', '1m', 10)).toEqual([])
    expect(market.counters()['SOL_USDC']?.quotes).toBeGreaterThan(400)
    await market.stop()
  })

  test('shows a feed that went silent as stale, and counts into the metrics', async () => {
    const [btc] = await samples()
    const tape = withSource(btc!, { source: 'tape', file: '/nowhere', speed: whole(1), atEnd: 'stop' })
    const { clock, market, metrics } = await start([btc!, { ...tape, spec: { ...tape.spec, symbol: 'X_USDC' } }])
    const states = () => market.health().map(({ symbol, state }) => `${symbol} ${state}`)
    expect(states()).toEqual(['BTC_USDC live', 'X_USDC waiting'])
    await clock.advance(1_000)
    expect((await metrics.expose()).text).toContain('bourse_market_quotes_total{symbol="BTC_USDC"} 5')
    clock.jump(6_000)
    expect(states()).toEqual(['BTC_USDC stale', 'X_USDC waiting'])
    await market.stop()
  })

  test('follows the manifests: a changed source starts anew with its bars and rising sequence, others run on', async () => {
    const pairs = await samples()
    const { clock, prices, market } = await start(pairs)
    await clock.advance(1_000)
    const btc = pairs[0]!
    const moved = withSource(btc, {
      source: 'walk',
      startPrice: whole(70_000),
      seed: 1,
      stepMs: 250,
      stepBps: 200_000_000n,
    })
    const before = prices.latest('BTC_USDC')!
    await market.update([moved, pairs[1]!])
    const after = prices.latest('BTC_USDC')!
    expect(after.sequence).toBeGreaterThan(before.sequence)
    expect(after.feedBid - before.feedBid).toBeGreaterThan(whole(100))
    expect(market.counters()).toMatchObject({ BTC_USDC: { quotes: 1 }, ETH_USDC: { quotes: 5 } })
    expect(market.counters()['SOL_USDC']).toBeUndefined()
    expect(market.candles('BTC_USDC', '1m', 5)[0]?.high).toBe(after.feedBid + 500_000n)
    await market.update([{ ...moved, spec: { ...moved.spec, state: 'Halted' } }, pairs[1]!])
    expect(market.counters()).toMatchObject({ BTC_USDC: { quotes: 1 } })
    await market.stop()
    const count = prices.quotes.length
    await clock.advance(5_000)
    expect(prices.quotes).toHaveLength(count)
  })

  test('does not ask a poll source that POLLER_ASSETS does not name', async () => {
    const [btc] = await samples()
    const polled = withSource(btc!, { source: 'poll', url: 'http://127.0.0.1:1/', symbol: 'X', intervalMs: null })
    const { clock, market } = await start([polled], ['ETH_USDC'])
    await clock.advance(10_000)
    expect(market.counters()['BTC_USDC']?.faults.failed).toBe(0)
    await market.stop()
  })
})
