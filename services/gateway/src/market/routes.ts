import { formatAmount, type Units } from '@bourse/common/money/amount.ts'
import type { MarketState, TradingPairSpec } from '@bourse/common/resources/trading-pair.ts'
import type { GatewayDeps } from '../deps.ts'
import { momentOf } from '../engine/trade-fields.ts'
import { answer, route, type Route } from '../http/route.ts'
import { tradedAsset } from './assets.ts'
import { priceFields } from './price-fields.ts'
import { candleIntervalsMs, marketSpecs, type CandleInterval } from './specs.ts'

const optional = (units: Units | null): string | null => (units === null ? null : formatAmount(units))

const marketFields = (pair: TradingPairSpec, state: MarketState) => {
  const { margin, fees, funding, prices, limits } = pair
  return {
    symbol: pair.symbol,
    baseAsset: pair.baseAsset,
    quoteAsset: pair.quoteAsset,
    state,
    tickSize: formatAmount(pair.tickSize),
    lotSize: formatAmount(pair.lotSize),
    margin: {
      maxLeverage: margin.maxLeverage,
      tiers: margin.tiers.map(({ notionalFloor, maintenanceRate, maxLeverage }) => ({
        notionalFloor: formatAmount(notionalFloor),
        maintenanceRate: formatAmount(maintenanceRate),
        maxLeverage,
      })),
    },
    fees: {
      openBps: formatAmount(fees.openBps),
      closeBps: formatAmount(fees.closeBps),
      liquidationBps: formatAmount(fees.liquidationBps),
    },
    spreadBps: formatAmount(pair.spreadBps),
    funding: {
      intervalSeconds: funding.intervalSeconds,
      rateBps: formatAmount(funding.rateBps),
      capBps: formatAmount(funding.capBps),
    },
    maxPriceAgeSeconds: prices.maxAgeSeconds,
    limits: {
      maxOpenTrades: limits.maxOpenTrades,
      maxNotional: optional(limits.maxNotional),
      minMargin: formatAmount(limits.minMargin),
    },
  }
}

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
  const stateOf = async (pair: TradingPairSpec): Promise<MarketState> => {
    const state = await trading.marketState(pair.symbol)
    return state.ok ? state.value.state : pair.state
  }
  return [
    route({
      spec: marketSpecs.markets,
      handle: async () =>
        answer({ markets: await Promise.all(pairs().map(async (pair) => marketFields(pair, await stateOf(pair)))) }),
    }),
    route({
      spec: marketSpecs.prices,
      handle: () =>
        answer({
          prices: pairs().flatMap((pair) => {
            const quote = prices.latest(pair.symbol)
            return quote === null ? [] : [priceFields(pair, quote)]
          }),
        }),
    }),
    route({
      spec: marketSpecs.candles,
      handle: ({ query }) => {
        const asset = tradedAsset(pairs(), String(query['asset']))
        const interval = checkedInterval(query['interval'])
        return answer({
          asset,
          interval,
          candles: candles(asset, interval, Number(query['limit'])).map(({ openTimeMs, open, high, low, close }) => ({
            openTime: momentOf(openTimeMs),
            open: formatAmount(open),
            high: formatAmount(high),
            low: formatAmount(low),
            close: formatAmount(close),
          })),
        })
      },
    }),
  ]
}
