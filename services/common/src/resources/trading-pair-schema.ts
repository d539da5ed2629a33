import { assetSchema, decimalSchema, manifestSchema, signedDecimalSchema, strictObject, wholeSchema } from './faults.ts'

/** Most tiers a table may have: as many as the engine holds. */
export const TIERS_MAX = 16
/** Most a leverage may be. */
export const LEVERAGE_MAX = 1_000
/** Most open trades a partition may be made for. */
export const CAPACITY_MAX = 1_048_576

const DAY_SECONDS = 86_400
const text = (maxLength: number) => ({ type: 'string', minLength: 1, maxLength }) as const

const marginSchema = strictObject(['maxLeverage', 'tiers'], {
  maxLeverage: wholeSchema(1, LEVERAGE_MAX),
  tiers: {
    type: 'array',
    minItems: 1,
    maxItems: TIERS_MAX,
    items: strictObject(['notionalFloor', 'maintenanceRate', 'maxLeverage'], {
      notionalFloor: decimalSchema,
      maintenanceRate: decimalSchema,
      maxLeverage: wholeSchema(1, LEVERAGE_MAX),
    }),
  },
})

const pricesSchema = strictObject([], {
  source: { type: 'string', enum: ['walk', 'tape', 'binance', 'poll'] },
  maxAgeSeconds: wholeSchema(1, DAY_SECONDS),
  maxJumpBps: decimalSchema,
  startPrice: decimalSchema,
  seed: wholeSchema(0, 0xffff_ffff),
  stepMs: wholeSchema(10, DAY_SECONDS * 1_000),
  stepBps: decimalSchema,
  file: text(1_024),
  speed: decimalSchema,
  atEnd: { type: 'string', enum: ['loop', 'stop'] },
  url: text(2_048),
  symbol: { type: 'string', pattern: '^[A-Za-z0-9_-]{1,32}$' },
  intervalMs: wholeSchema(100, DAY_SECONDS * 1_000),
})

/** The JSON schema of a `TradingPair` manifest: types, required fields and bounds of every list and number. */
export const tradingPairSchema = manifestSchema(
  'TradingPair',
  strictObject(['symbol', 'type', 'baseAsset', 'quoteAsset', 'tickSize', 'lotSize', 'margin', 'fees'], {
    symbol: { type: 'string', pattern: '^[A-Z0-9]{1,8}_[A-Z0-9]{1,8}$' },
    type: { type: 'string', enum: ['CFD', 'SPOT'] },
    baseAsset: assetSchema,
    quoteAsset: assetSchema,
    tickSize: decimalSchema,
    lotSize: decimalSchema,
    state: { type: 'string', enum: ['Open', 'ReduceOnly', 'Halted'] },
    margin: marginSchema,
    fees: strictObject(['openBps', 'closeBps', 'liquidationBps'], {
      openBps: decimalSchema,
      closeBps: decimalSchema,
      liquidationBps: decimalSchema,
    }),
    spreadBps: decimalSchema,
    funding: strictObject([], {
      intervalSeconds: wholeSchema(1, 30 * DAY_SECONDS),
      rateBps: signedDecimalSchema,
      capBps: decimalSchema,
    }),
    prices: pricesSchema,
    limits: strictObject([], {
      maxOpenTrades: wholeSchema(1, CAPACITY_MAX),
      maxNotional: decimalSchema,
      maxNetNotional: decimalSchema,
      minMargin: decimalSchema,
    }),
    engine: strictObject([], {
      partitions: { type: 'integer' },
      shards: wholeSchema(1, 256),
      capacity: wholeSchema(1, CAPACITY_MAX),
    }),
    snapshots: strictObject([], {
      intervalSeconds: wholeSchema(1, DAY_SECONDS),
      keep: wholeSchema(1, 1_000),
      compression: { type: 'string', enum: ['zstd', 'gzip', 'none'] },
    }),
    riskRules: {},
  }),
)
