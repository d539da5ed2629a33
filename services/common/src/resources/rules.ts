/**
 * Every rule of a manifest that a JSON schema cannot say, as data: the field it belongs to and the words a
 * person reads, which name the remedy. The embedded profile refuses with these words; custom resource
 * definitions take them from here too.
 */

/** Kinds of manifest. */
export type ResourceKind = 'TradingPair' | 'Bank'

/** One rule: its kind, the field it names, and its message with the remedy. */
export interface ResourceRule {
  readonly kind: ResourceKind
  readonly field: string
  readonly message: string
}

const pair = (field: string, message: string): ResourceRule => ({ kind: 'TradingPair', field, message })
const bank = (field: string, message: string): ResourceRule => ({ kind: 'Bank', field, message })

/** The rules of a `TradingPair`. */
export const tradingPairRules = {
  spotLater: pair('spec.type', 'SPOT markets are not served by this release; set type to CFD'),
  riskRulesReserved: pair('spec.riskRules', "riskRules is reserved for a pair's own rule module; remove it"),
  assetsDiffer: pair('spec.quoteAsset', 'quoteAsset equals baseAsset; name two different assets'),
  tickPositive: pair('spec.tickSize', 'tickSize must be above 0; set it to the smallest price step, such as "0.01"'),
  tickMax: pair('spec.tickSize', 'tickSize must be at most 100000000; set a smaller price step'),
  lotPositive: pair('spec.lotSize', 'lotSize must be above 0; set it to the smallest quantity step, such as "0.00001"'),
  firstFloorZero: pair('spec.margin.tiers', 'the first tier must start at notional 0; set its notionalFloor to "0"'),
  floorsRise: pair(
    'spec.margin.tiers',
    'notionalFloor must rise from tier to tier; order the tiers by notionalFloor and drop equal ones',
  ),
  ratesRise: pair('spec.margin.tiers', 'maintenanceRate must rise from tier to tier; raise the rate of the later tier'),
  leverageFalls: pair(
    'spec.margin.tiers',
    'maxLeverage must fall from tier to tier; lower the maxLeverage of the later tier',
  ),
  rateTimesLeverage: pair(
    'spec.margin.tiers',
    'maintenanceRate × maxLeverage must be below 1 in each tier, or a trade could be liquidated as it opens; lower one of them',
  ),
  ratePositive: pair('spec.margin.tiers', 'maintenanceRate must be above 0; set it to a fraction such as "0.004"'),
  feeMax: pair('spec.fees', 'a fee must be at most 10000 bps (100 %); lower it'),
  spreadMax: pair('spec.spreadBps', 'spreadBps must be at most 10000 (100 %); lower it'),
  fundingMax: pair('spec.funding', 'rateBps and capBps must be at most 10000 (100 %) either way; lower them'),
  jumpPositive: pair(
    'spec.prices.maxJumpBps',
    'maxJumpBps must be above 0; set it to the largest believable move, such as "2000"',
  ),
  sourceField: pair(
    'spec.prices',
    'this field belongs to another price source; remove it or change spec.prices.source',
  ),
  tapeFile: pair('spec.prices.file', 'a tape needs a file; name the CSV or CSV.gz to play'),
  speedPositive: pair('spec.prices.speed', 'speed must be above 0; 1 is the speed of the recording'),
  startPricePositive: pair('spec.prices.startPrice', 'startPrice must be above 0; set it near the market price'),
  stepMax: pair(
    'spec.prices.stepBps',
    'stepBps must be above 0 and at most 1000; set it to the largest move of one step, such as "2"',
  ),
  streamUrl: pair(
    'spec.prices.url',
    'a binance source needs a ws or wss URL; write it like "wss://stream.binance.com:9443"',
  ),
  pollUrl: pair(
    'spec.prices.url',
    'a poll source needs an http or https URL; {symbol} in it is replaced by the symbol',
  ),
  partitionsPower: pair(
    'spec.engine.partitions',
    'partitions must be a power of two from 1 to 256; use 1, 2, 4, 8, 16, 32, 64, 128 or 256',
  ),
  shardsMax: pair(
    'spec.engine.shards',
    'shards must be at most partitions; a shard without a partition does nothing, so lower shards',
  ),
  minMarginMax: pair(
    'spec.limits.minMargin',
    'minMargin must be at most maxNotional, or no trade could be opened; lower it',
  ),
  symbolUnique: pair('spec.symbol', 'another TradingPair has this symbol; give each market its own symbol'),
} as const satisfies Record<string, ResourceRule>

/** The fields of a `TradingPair` that never change, with what to do instead. */
export const immutableRules = {
  symbol: pair('spec.symbol', 'symbol cannot be changed; create another TradingPair instead'),
  type: pair('spec.type', 'type cannot be changed; create another TradingPair instead'),
  baseAsset: pair('spec.baseAsset', 'baseAsset cannot be changed; create another TradingPair instead'),
  quoteAsset: pair('spec.quoteAsset', 'quoteAsset cannot be changed; create another TradingPair instead'),
  tickSize: pair('spec.tickSize', 'tickSize cannot be changed; create another TradingPair instead'),
  lotSize: pair('spec.lotSize', 'lotSize cannot be changed; create another TradingPair instead'),
  partitions: pair(
    'spec.engine.partitions',
    'partitions cannot be changed; move them between shards with engine.shards instead',
  ),
} as const satisfies Record<string, ResourceRule>

/** The rules of a `Bank`. */
export const bankRules = {
  callbackUrl: bank(
    'spec.callback.url',
    'the callback must be an http or https URL without user, password, query or fragment',
  ),
  assetsDiffer: bank('spec.pairs', 'quoteAsset equals baseAsset; name two different assets'),
  symbolUnique: bank('spec.pairs', 'a symbol is listed twice; list each pair once'),
  tickPositive: bank('spec.pairs', 'tickSize must be above 0; set it to the smallest price step, such as "0.0001"'),
  lotPositive: bank('spec.pairs', 'lotSize must be above 0; set it to the smallest quantity step, such as "0.01"'),
  amountsOrder: bank('spec.pairs', 'minAmount must be at most maxAmount; swap or correct them'),
  spreadMax: bank('spec.pairs', 'spreadBps must be below 10000 (100 %), or a sell would pay nothing; lower it'),
  slippageMax: bank('spec.quotes.slippageBps', 'slippageBps must be at most 10000 (100 %); lower it'),
  limitCurrency: bank(
    'spec.limits.currency',
    'daily amounts are counted in one currency, the quoteAsset of every pair; ' +
      'set limits.currency to it or give the other pairs a Bank of their own',
  ),
  cidr: bank('spec.allowedCidrs', 'an entry is not an address range; write it like "10.0.0.0/8" or "2001:db8::/32"'),
} as const satisfies Record<string, ResourceRule>

/** The rules of a set of manifests. */
export const setRules = {
  nameUnique: 'another manifest of this kind has the same name; give each its own metadata.name',
  kindKnown: 'kind must be TradingPair or Bank; remove the document from this folder or correct its kind',
  pairsMax: 'there are more TradingPairs than the 255 a platform can number; remove some',
  banksMax: 'there are more than 1000 Banks; remove some',
} as const
