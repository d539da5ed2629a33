import { formatAmount } from '@bourse/common/money/amount.ts'
import type { GatewayDeps, PairSpec } from '../deps.ts'
import { momentOf } from '../engine/trade-fields.ts'
import { invalid } from '../http/api-error.ts'
import { answer, route, type Route } from '../http/route.ts'
import { priceFields } from './price-fields.ts'
import { candleIntervalsMs, marketSpecs, type CandleInterval } from './specs.ts'

const marketFields = (pair: PairSpec, state: PairSpec['state']) => ({
  symbol: pair.symbol,
  baseAsset: pair.baseAsset,
  quoteAsset: pair.quoteAsset,
  state,
  tickSize: pair.tickSize,
  lotSize: pair.lotSize,
  margin: {
    maxLeverage: pair.margin.maxLeverage,
    tiers: pair.margin.tiers.map(({ notionalFloor, maintenanceRate, maxLeverage }) =>
      ({ notionalFloor, maintenanceRate, maxLeverage })),
  },
  fees: { openBps: pair.fees.openBps, closeBps: pair.fees.closeBps, liquidationBps: pair.fees.liquidationBps },
  spreadBps: pair.spreadBps,
  funding: { intervalSeconds: pair.funding.intervalSeconds, rateBps: pair.funding.rateBps, capBps: pair.funding.capBps },
  maxPriceAgeSeconds: pair.prices.maxAgeSeconds,
  limits: {
    maxOpenTrades: pair.limits?.maxOpenTrades ?? null,
    maxNotional: pair.limits?.maxNotional ?? null,
    minMargin: pair.limits?.minMargin ?? null,
  },
})

/** What the public reads need. */
export type MarketDeps = Pick<GatewayDeps, 'pairs' | 'prices' | 'candles' | 'trading'>

const checkedInterval = (value: unknown): CandleInterval => {
  const interval = (Object.keys(candleIntervalsMs) as CandleInterval[]).find((known) => known === value)
  if (interval === undefined) throw new Error(`interval ${String(value)} passed the schema`)
  return interval
}

/** Markets, prices and candles. */
export const marketRoutes = ({ pairs, prices, candles, trading }: MarketDeps): readonly Route[] => {
  /** The state the partitions have (an administrator may have halted the market); the manifest's while they cannot say. */
  const stateOf = async (pair: PairSpec): Promise<PairSpec['state']> => {
    const state = await trading.marketState(pair.symbol)
    return state.ok ? state.value.state : pair.state
  }
  return [
    route({
      spec: marketSpecs.markets,
      handle: async () => answer({ markets: await Promise.all(pairs().map(async (pair) =>
        marketFields(pair, await stateOf(pair)))) }),
    }),
    route({
      spec: marketSpecs.prices,
      handle: () => answer({
        prices: pairs().flatMap((pair) => {
          const quote = prices.latest(pair.symbol)
          return quote === null ? [] : [priceFields(pair, quote)]
        }),
      }),
    }),
    route({
      spec: marketSpecs.candles,
      handle: ({ query }) => {
        const symbols = pairs().map(({ symbol }) => symbol)
        const asset = String(query['asset'])
        if (!symbols.includes(asset)) throw invalid(`asset "${asset}" is not traded here; use one of ${symbols.join(', ')}`)
        const interval = checkedInterval(query['interval'])
        return answer({
          asset, interval,
          candles: candles(asset, interval, Number(query['limit'])).map(({ openTimeMs, open, high, low, close }) => ({
            openTime: momentOf(openTimeMs), open: formatAmount(open), high: formatAmount(high), low: formatAmount(low),
              close: formatAmount(close),
          })),
        })
      },
    }),
  ]
}
