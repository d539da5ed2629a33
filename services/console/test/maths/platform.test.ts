import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { formatAmount, parseAmount } from '@bourse/common/money/amount.ts'
import { createSeededRandom } from '@bourse/common/testkit/seeded-random.ts'
import { loadTradingModule } from '@bourse/risk-rules/trading/module.ts'
import { createBourseClient, type BourseClient } from '@bourse/client/client.ts'
import { BourseRefusal } from '@bourse/client/refusal.ts'
import type { ClosedTrade, Market, Price } from '@bourse/client/shapes.ts'
import { createBourse, type Bourse } from '../../../all-in-one/test/support/bourse.ts'
import { until } from '../../../all-in-one/test/support/calls.ts'
import { signUp } from '../../../all-in-one/test/support/clients.ts'
import { LIMIT_MS } from '../../../all-in-one/test/support/limits.ts'
import { poll } from '../../../all-in-one/test/support/manifests.ts'
import { startTicker, type Ticker } from '../../../all-in-one/test/support/ticker.ts'
import { createRiskPreview, type OpenPreview, type PreviewOrder } from '../../src/maths/preview.ts'

const START = '60000'

describe('previews against the running platform', () => {
  const preview = createRiskPreview(loadTradingModule())
  let ticker: Ticker
  let bourse: Bourse
  let client: BourseClient
  let market: Market

  beforeAll(async () => {
    ticker = await startTicker(START)
    bourse = await createBourse({
      pairs: [{ symbol: 'BTC_USDC', prices: poll(ticker.url) }],
      env: { BOURSE_DEMO_BALANCE: '1000000' },
    })
    await bourse.start()
    const { cookie } = await signUp(bourse.url, 'previewer')
    client = createBourseClient({
      baseUrl: bourse.url,
      fetch: (request) => {
        request.headers.set('cookie', cookie)
        return fetch(request)
      },
    })
    market = (await client.GET('/api/v1/markets')).data.markets[0]!
    await priceAt(START)
  }, LIMIT_MS)
  afterAll(async () => {
    await bourse.remove()
    await ticker.stop()
  }, LIMIT_MS)

  /** Sets the price and waits until the platform has it. */
  const priceAt = async (price: string): Promise<Price> => {
    ticker.set(price)
    return until(
      async () => (await client.GET('/api/v1/prices')).data.prices[0]!,
      (now) => now !== undefined && parseAmount(now.last) === parseAmount(price),
    )
  }
  const closedTrade = async (tradeId: string): Promise<ClosedTrade> =>
    (await until(
      async () => {
        const { data } = await client.GET('/api/v1/trades', { params: { query: { status: 'closed' } } })
        return data.trades.find((trade) => trade.tradeId === tradeId)
      },
      (trade) => trade !== undefined,
    )) as ClosedTrade

  const accepted = (answer: OpenPreview) => {
    if (!answer.ok) throw new Error(answer.code)
    return answer
  }

  test(
    'say what opening answers, to the unit, and refuse with its code: 40 orders of all kinds',
    async () => {
      const random = createSeededRandom(4)
      const outcomes = new Set<string>()
      for (let round = 0; round < 40; round++) {
        const price = await priceAt(round < 20 ? START : '59871.37')
        const long = random.chance(50)
        const away = (bps: number, up: boolean): string =>
          formatAmount(
            ((parseAmount(price.bid) * BigInt(10_000 + (up ? bps : -bps))) / 10_000n / 1_000_000n) * 1_000_000n,
          )
        const order: PreviewOrder = {
          direction: long ? 'LONG' : 'SHORT',
          margin: formatAmount(BigInt(random.between(50_000_000, 2_000_000_000)) * (random.chance(20) ? 300n : 1n)),
          leverage: random.between(1, 105),
          stopLossPrice: random.chance(50) ? away(random.between(1, 300), !long === random.chance(90)) : null,
          takeProfitPrice: random.chance(50) ? away(random.between(1, 900), long) : null,
        }
        const expected = preview.open(market, order, price)
        const answer = await client.engine.createTrade({ asset: market.symbol, ...order }).catch((error: unknown) => {
          if (error instanceof BourseRefusal) return error.code
          throw error
        })
        outcomes.add(typeof answer === 'string' ? answer : 'OK')
        if (typeof answer === 'string')
          expect({ order, expected }).toEqual({ order, expected: { ok: false, code: answer } })
        else {
          const { quantity, entryPrice, liquidationPrice } = answer
          expect({ order, expected }).toMatchObject({
            order,
            expected: { ok: true, quantity, entryPrice, liquidationPrice },
          })
        }
      }
      expect([...outcomes].sort()).toEqual(['INVALID_STOP_LOSS', 'LEVERAGE_TOO_HIGH', 'OK'])
    },
    LIMIT_MS,
  )

  test.each<['atStop' | 'atTarget' | 'atLiquidation', PreviewOrder]>([
    ['atStop', { direction: 'LONG', margin: '123.45', leverage: 7, stopLossPrice: '59000', takeProfitPrice: '70000' }],
    ['atTarget', { direction: 'SHORT', margin: '99.99', leverage: 33, stopLossPrice: null, takeProfitPrice: '59000' }],
    ['atLiquidation', { direction: 'LONG', margin: '250', leverage: 60, stopLossPrice: null, takeProfitPrice: null }],
  ])(
    'say what a trade comes to %s, to the unit',
    async (moment, order) => {
      const price = await priceAt(START)
      const expected = accepted(preview.open(market, order, price))[moment]!
      const { tradeId } = await client.engine.createTrade({ asset: market.symbol, ...order })
      // The feed is found at which the closing side of the market is exactly that price.
      const exit = parseAmount(expected.exitPrice)
      const half = 20_000n
      const factor = order.direction === 'LONG' ? half - BigInt(market.spreadBps) : half + BigInt(market.spreadBps)
      await priceAt(
        formatAmount(((exit * half) / factor / 100_000n) * 100_000n + (order.direction === 'LONG' ? 100_000n : 0n)),
      )
      const { exitPrice, pnl, fees, returned, reason, ...trade } = await closedTrade(tradeId)
      expect({ exitPrice, pnl, fees, returned, reason }).toEqual(expected)
      if (moment === 'atLiquidation') {
        const { proof } = preview.explain(market, { exitPrice, pnl, fees, returned, reason, ...trade })
        expect(proof).toMatchObject({ verdict: 'PROVED' })
      }
    },
    LIMIT_MS,
  )

  test(
    'value an open trade as the platform does at the same price',
    async () => {
      const price = await priceAt(START)
      const fresh = await client.engine.createTrade({
        asset: market.symbol,
        direction: 'SHORT',
        margin: '10',
        leverage: 3,
      })
      const { trades } = await client.engine.balance()
      const same = await priceAt(START)
      expect({ bid: same.bid, ask: same.ask }).toEqual({ bid: price.bid, ask: price.ask })
      expect(trades.map(({ tradeId }) => tradeId)).toContain(fresh.tradeId)
      for (const trade of trades) expect(preview.valuation(market, trade, same).pnl).toBe(trade.pnl)
    },
    LIMIT_MS,
  )
})
