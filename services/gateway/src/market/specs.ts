import { decimal, list, moment, object, optionalDecimal, parameters } from '../http/schemas.ts'
import { routeSpec, type Schema } from '../http/route.ts'

/** Lengths of bars, and what they are in milliseconds. */
export const candleIntervalsMs = {
  '1m': 60_000,
  '5m': 300_000,
  '15m': 900_000,
  '1h': 3_600_000,
  '4h': 14_400_000,
  '1d': 86_400_000,
} as const
/** One of the lengths. */
export type CandleInterval = keyof typeof candleIntervalsMs

const symbol: Schema = { type: 'string' }
const whole: Schema = { type: 'integer' }

const market = object(
  {
    symbol,
    baseAsset: { type: 'string' },
    quoteAsset: { type: 'string' },
    state: { type: 'string', enum: ['Open', 'ReduceOnly', 'Halted'] },
    tickSize: decimal,
    lotSize: decimal,
    margin: object({
      maxLeverage: whole,
      tiers: list(object({ notionalFloor: decimal, maintenanceRate: decimal, maxLeverage: whole })),
    }),
    fees: object({ openBps: decimal, closeBps: decimal, liquidationBps: decimal }),
    spreadBps: decimal,
    funding: object({ intervalSeconds: whole, rateBps: decimal, capBps: decimal }),
    maxPriceAgeSeconds: { type: 'number' },
    limits: object({ maxOpenTrades: { type: ['integer', 'null'] }, maxNotional: optionalDecimal, minMargin: decimal }),
  },
  [],
  'Market',
)

/** A price as `/api/v1/prices` and the `prices:<ASSET>` channel carry it. */
export const priceSchema: Schema = object(
  {
    asset: symbol,
    bid: { ...decimal, description: 'Longs close and shorts open here: spread included.' },
    ask: { ...decimal, description: 'Longs open and shorts close here: spread included.' },
    last: decimal,
    time: moment,
    sequence: { type: 'integer', description: 'Rises with every quote of the asset, the same at every gateway.' },
  },
  [],
  'Price',
)

const candle = object({ openTime: moment, open: decimal, high: decimal, low: decimal, close: decimal }, [], 'Candle')

/** Markets, prices, bars: open to everybody. */
export const marketSpecs = {
  markets: routeSpec<'none'>({
    operationId: 'listMarkets',
    method: 'GET',
    path: '/api/v1/markets',
    tag: 'Reading',
    security: 'none',
    summary: 'The pairs: tick, lot, leverage tiers, fees, state',
    answers: { 200: { description: 'All pairs', schema: object({ markets: list(market) }) } },
    refusals: [],
  }),
  prices: routeSpec<'none'>({
    operationId: 'listPrices',
    method: 'GET',
    path: '/api/v1/prices',
    tag: 'Reading',
    security: 'none',
    summary: 'The latest prices',
    description: 'An asset without a price yet is left out.',
    answers: { 200: { description: 'One price of each asset', schema: object({ prices: list(priceSchema) }) } },
    refusals: [],
  }),
  candles: routeSpec<'none'>({
    operationId: 'listCandles',
    method: 'GET',
    path: '/api/v1/candles',
    tag: 'Reading',
    security: 'none',
    summary: 'Bars of an asset, oldest first; the last one is still growing',
    query: parameters(
      {
        asset: { type: 'string', maxLength: 40 },
        interval: { type: 'string', enum: Object.keys(candleIntervalsMs), default: '1m' },
        limit: { type: 'integer', minimum: 1, maximum: 1_000, default: 200 },
      },
      ['asset'],
    ),
    answers: {
      200: {
        description: 'Bars',
        schema: object({ asset: symbol, interval: { type: 'string' }, candles: list(candle) }),
      },
    },
    refusals: [],
  }),
} as const
