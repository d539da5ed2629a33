/** Manifests for trying the parsers and the definitions alike: whole ones, broken ones, and changes that are not allowed. */

/** JSON of a manifest. */
export type Document = Record<string, unknown>

/** A manifest that must be refused. */
export interface BrokenManifest {
  readonly name: string
  readonly kind: 'TradingPair' | 'Bank'
  readonly document: Document
  /** Part of what the parser says, field and words. */
  readonly message: string
  /** Part of what an API server says: for rules the same words, for types and bounds its own. */
  readonly serverMessage: string
}

/** A change of a stored manifest that must be refused, as a merge patch. */
export interface ForbiddenChange {
  readonly name: string
  readonly kind: 'TradingPair'
  readonly document: Document
  readonly patch: Document
  readonly message: string
}

/** Sets the value at a path such as `spec.margin.tiers.0.maxLeverage`; `undefined` removes it. */
export const changed = (document: Document, path: string, value: unknown): Document => {
  const copy = structuredClone(document)
  const keys = path.split('.')
  const last = keys.pop()!
  let place = copy as Record<string, unknown>
  for (const key of keys) place = (place[key] ??= {}) as Record<string, unknown>
  if (value === undefined) delete place[last]
  else place[last] = value
  return copy
}

const withAll = (document: Document, changes: Readonly<Record<string, unknown>>): Document =>
  Object.entries(changes).reduce((next, [path, value]) => changed(next, path, value), document)

/** A pair that says only what it must. */
export const smallPair: Document = {
  apiVersion: 'bourse.dev/v1alpha1',
  kind: 'TradingPair',
  metadata: { name: 'try-usdc' },
  spec: {
    symbol: 'TRY_USDC',
    type: 'CFD',
    baseAsset: 'TRY',
    quoteAsset: 'USDC',
    tickSize: '0.01',
    lotSize: '0.0001',
    margin: {
      maxLeverage: 100,
      tiers: [
        { notionalFloor: '0', maintenanceRate: '0.004', maxLeverage: 100 },
        { notionalFloor: '250000', maintenanceRate: '0.01', maxLeverage: 50 },
        { notionalFloor: '1000000.5', maintenanceRate: '0.02', maxLeverage: 20 },
      ],
    },
    fees: { openBps: '5', closeBps: '5', liquidationBps: '50' },
  },
}

/** A bank that says only what it must. */
export const smallBank: Document = {
  apiVersion: 'bourse.dev/v1alpha1',
  kind: 'Bank',
  metadata: { name: 'try' },
  spec: {
    callback: { url: 'https://bank.example/bourse' },
    pairs: [
      {
        symbol: 'AZNUSDT',
        baseAsset: 'USDT',
        quoteAsset: 'AZN',
        minAmount: '1',
        maxAmount: '100000',
        tickSize: '0.0001',
        lotSize: '0.01',
      },
    ],
  },
}

const manyTiers = Array.from({ length: 16 }, (_, index) => ({
  notionalFloor: String(index * 1_000),
  maintenanceRate: `0.00${10 + index}`,
  maxLeverage: 100 - index,
}))

const manyPairs = Array.from({ length: 64 }, (_, index) => ({
  symbol: `P${index}`,
  baseAsset: 'USDT',
  quoteAsset: 'AZN',
  minAmount: '1',
  maxAmount: '9999999999.99999999',
  tickSize: '0.00000001',
  lotSize: '0.01',
}))

const pair = (name: string, changes: Readonly<Record<string, unknown>>) => ({
  name: `a pair ${name}`,
  kind: 'TradingPair' as const,
  document: withAll(smallPair, changes),
})
const bank = (name: string, changes: Readonly<Record<string, unknown>>) => ({
  name: `a bank ${name}`,
  kind: 'Bank' as const,
  document: withAll(smallBank, changes),
})

/** Manifests that both must take. */
export const validManifests: readonly { readonly name: string; readonly kind: string; readonly document: Document }[] =
  [
    pair('that says only what it must', {}),
    pair('with 16 tiers', { 'spec.margin.tiers': manyTiers }),
    pair('with one tier', { 'spec.margin.tiers': [manyTiers[0]] }),
    pair('with rate × leverage just below 1', {
      'spec.margin.tiers': [{ notionalFloor: '0.00', maintenanceRate: '0.00999999', maxLeverage: 100 }],
    }),
    pair('with the largest tick', { 'spec.tickSize': '100000000' }),
    pair('with a tick of one unit', { 'spec.tickSize': '0.00000001' }),
    pair('with fees of 100 %', { 'spec.fees': { openBps: '10000', closeBps: '0', liquidationBps: '10000.0' } }),
    pair('with negative funding', { 'spec.funding': { rateBps: '-10000' } }),
    pair('with a tape', { 'spec.prices': { source: 'tape', file: 'tapes/a.csv.gz', speed: '10', atEnd: 'stop' } }),
    pair('with binance', {
      'spec.prices': { source: 'binance', url: 'wss://stream.example:9443/x', symbol: 'TRYUSDC' },
    }),
    pair('with a poller', {
      'spec.prices': { source: 'poll', url: 'https://x.example/t?s={symbol}', intervalMs: 100 },
    }),
    pair('with a walk', { 'spec.prices': { startPrice: '0.5', seed: 4_294_967_295, stepMs: 10, stepBps: '1000' } }),
    pair('with 256 partitions and shards', { 'spec.engine': { partitions: 256, shards: 256 } }),
    pair('with minMargin equal to maxNotional', { 'spec.limits': { minMargin: '10', maxNotional: '10.0' } }),
    bank('that says only what it must', {}),
    bank('with 64 pairs', { 'spec.pairs': manyPairs }),
    bank('with limits and ranges', {
      'spec.limits': { dailyAmount: '10', currency: 'AZN' },
      'spec.allowedCidrs': ['10.0.0.0/8', '2001:db8::/32'],
    }),
    bank('with a callback at an address', { 'spec.callback.url': 'http://127.0.0.1:3002' }),
  ]

const same = (message: string) => ({ message, serverMessage: message.slice(message.indexOf(': ') + 2) })
const decimals = { message: 'must be a decimal', serverMessage: 'should match' }

const brokenPairs: readonly BrokenManifest[] = [
  {
    ...pair('of type SPOT', { 'spec.type': 'SPOT' }),
    ...same('spec.type: SPOT markets are not served by this release; set type to CFD'),
  },
  {
    ...pair('with rules', { 'spec.riskRules': { a: 'b' } }),
    ...same("spec.riskRules: riskRules is reserved for a pair's own rule module; remove it"),
  },
  {
    ...pair('of one asset', { 'spec.quoteAsset': 'TRY' }),
    ...same('spec.quoteAsset: quoteAsset equals baseAsset; name two different assets'),
  },
  {
    ...pair('without a tick', { 'spec.tickSize': '0.0' }),
    ...same('spec.tickSize: tickSize must be above 0; set it to the smallest price step'),
  },
  {
    ...pair('with too large a tick', { 'spec.tickSize': '100000000.1' }),
    ...same('spec.tickSize: tickSize must be at most 100000000; set a smaller price step'),
  },
  {
    ...pair('without a lot', { 'spec.lotSize': '0' }),
    ...same('spec.lotSize: lotSize must be above 0; set it to the smallest quantity step'),
  },
  {
    ...pair('whose first floor is not 0', { 'spec.margin.tiers.0.notionalFloor': '1' }),
    ...same('spec.margin.tiers[0].notionalFloor: the first tier must start at notional 0'),
  },
  {
    ...pair('whose floors do not rise', { 'spec.margin.tiers.2.notionalFloor': '250000.0' }),
    ...same('spec.margin.tiers[2].notionalFloor: notionalFloor must rise from tier to tier'),
  },
  {
    ...pair('whose rates do not rise', { 'spec.margin.tiers.1.maintenanceRate': '0.0040' }),
    ...same('spec.margin.tiers[1].maintenanceRate: maintenanceRate must rise from tier to tier'),
  },
  {
    ...pair('whose leverage does not fall', {
      'spec.margin.tiers.2.maxLeverage': 50,
      'spec.margin.tiers.2.maintenanceRate': '0.015',
    }),
    ...same('spec.margin.tiers[2].maxLeverage: maxLeverage must fall from tier to tier'),
  },
  {
    ...pair('with rate × leverage of 1', {
      'spec.margin.tiers.0.maintenanceRate': '0.01',
      'spec.margin.tiers.1.maintenanceRate': '0.011',
    }),
    ...same('spec.margin.tiers[0].maintenanceRate: maintenanceRate × maxLeverage must be below 1 in each tier'),
  },
  {
    ...pair('with the largest rate', { 'spec.margin.tiers.2.maintenanceRate': '9999999999' }),
    ...same('spec.margin.tiers[2].maintenanceRate: maintenanceRate × maxLeverage must be below 1 in each tier'),
  },
  {
    ...pair('with a rate of 0', { 'spec.margin.tiers.0.maintenanceRate': '0' }),
    ...same('spec.margin.tiers[0].maintenanceRate: maintenanceRate must be above 0'),
  },
  {
    ...pair('with a fee above 100 %', { 'spec.fees.closeBps': '10000.00000001' }),
    ...same('spec.fees.closeBps: a fee must be at most 10000 bps (100 %); lower it'),
  },
  {
    ...pair('with a spread above 100 %', { 'spec.spreadBps': '10001' }),
    ...same('spec.spreadBps: spreadBps must be at most 10000 (100 %); lower it'),
  },
  {
    ...pair('with funding below −100 %', { 'spec.funding': { rateBps: '-10001' } }),
    ...same('spec.funding.rateBps: rateBps and capBps must be at most 10000 (100 %) either way'),
  },
  {
    ...pair('with a cap above 100 %', { 'spec.funding': { capBps: '10001' } }),
    ...same('spec.funding.capBps: rateBps and capBps must be at most 10000 (100 %) either way'),
  },
  {
    ...pair('that believes no move', { 'spec.prices': { maxJumpBps: '0' } }),
    ...same('spec.prices.maxJumpBps: maxJumpBps must be above 0'),
  },
  {
    ...pair('with a field of another source', { 'spec.prices': { source: 'walk', url: 'https://x.example' } }),
    ...same('spec.prices.url: this field belongs to another price source; remove it or change spec.prices.source'),
  },
  {
    ...pair('with a walk in a poller', { 'spec.prices': { source: 'poll', seed: 1 } }),
    ...same('spec.prices.seed: this field belongs to another price source'),
  },
  {
    ...pair('with a tape without a file', { 'spec.prices': { source: 'tape' } }),
    ...same('spec.prices.file: a tape needs a file; name the CSV or CSV.gz to play'),
  },
  {
    ...pair('with a tape that stands', { 'spec.prices': { source: 'tape', file: 'a.csv', speed: '0' } }),
    ...same('spec.prices.speed: speed must be above 0'),
  },
  {
    ...pair('that starts at 0', { 'spec.prices': { startPrice: '0' } }),
    ...same('spec.prices.startPrice: startPrice must be above 0'),
  },
  {
    ...pair('with too long a step', { 'spec.prices': { stepBps: '1000.1' } }),
    ...same('spec.prices.stepBps: stepBps must be above 0 and at most 1000'),
  },
  {
    ...pair('with an http stream', { 'spec.prices': { source: 'binance', url: 'https://stream.example' } }),
    ...same('spec.prices.url: a binance source needs a ws or wss URL'),
  },
  {
    ...pair('with a stream that has a password', {
      'spec.prices': { source: 'binance', url: 'wss://a:b@stream.example' },
    }),
    ...same('spec.prices.url: a binance source needs a ws or wss URL'),
  },
  {
    ...pair('with an ftp poller', { 'spec.prices': { source: 'poll', url: 'ftp://x.example' } }),
    ...same('spec.prices.url: a poll source needs an http or https URL'),
  },
  {
    ...pair('with 3 partitions', { 'spec.engine': { partitions: 3 } }),
    ...same('spec.engine.partitions: partitions must be a power of two from 1 to 256'),
  },
  {
    ...pair('with 512 partitions', { 'spec.engine': { partitions: 512 } }),
    ...same('spec.engine.partitions: partitions must be a power of two from 1 to 256'),
  },
  {
    ...pair('with more shards than partitions', { 'spec.engine': { shards: 5 } }),
    ...same('spec.engine.shards: shards must be at most partitions'),
  },
  {
    ...pair('with minMargin above maxNotional', { 'spec.limits': { minMargin: '11', maxNotional: '10' } }),
    ...same('spec.limits.minMargin: minMargin must be at most maxNotional'),
  },
  {
    ...pair('without a symbol', { 'spec.symbol': undefined }),
    message: 'spec.symbol: is missing; add it',
    serverMessage: 'spec.symbol: Required value',
  },
  {
    ...pair('with a number for a decimal', { 'spec.tickSize': 0.01 }),
    message: 'spec.tickSize: must be text; put the value in quotes',
    serverMessage: 'must be of type string',
  },
  { ...pair('with 9 decimals', { 'spec.lotSize': '0.000000001' }), ...decimals },
  { ...pair('with a sign', { 'spec.spreadBps': '-1' }), ...decimals },
  { ...pair('with an exponent', { 'spec.spreadBps': '1e3' }), ...decimals },
  {
    ...pair('without tiers', { 'spec.margin.tiers': [] }),
    message: 'spec.margin.tiers: must have at least 1',
    serverMessage: 'should have at least 1 items',
  },
  {
    ...pair('with 17 tiers', { 'spec.margin.tiers': [...manyTiers, manyTiers[0]] }),
    message: 'spec.margin.tiers: must have at most 16',
    serverMessage: 'must have at most 16 items',
  },
  {
    ...pair('in an unknown state', { 'spec.state': 'Closed' }),
    message: 'spec.state: must be one of Open, ReduceOnly, Halted',
    serverMessage: 'Unsupported value: "Closed"',
  },
  {
    ...pair('with a misspelt field', { 'spec.leverage': 5 }),
    message: 'spec.leverage: is not a field of this resource',
    serverMessage: 'unknown field "spec.leverage"',
  },
  {
    ...pair('with no shard', { 'spec.engine': { shards: 0 } }),
    message: 'spec.engine.shards: must be at least 1',
    serverMessage: 'greater than or equal to 1',
  },
  {
    ...pair('with too long a name', { 'metadata.name': 'n'.repeat(41) }),
    message: 'metadata.name',
    serverMessage: 'metadata.name',
  },
]

const brokenBanks: readonly BrokenManifest[] = [
  {
    ...bank('with a password in its callback', { 'spec.callback.url': 'https://a:b@bank.example' }),
    ...same('spec.callback.url: the callback must be an http or https URL without user, password, query or fragment'),
  },
  {
    ...bank('with a query in its callback', { 'spec.callback.url': 'https://bank.example/x?y=1' }),
    ...same('spec.callback.url: the callback must be an http or https URL'),
  },
  {
    ...bank('with an ftp callback', { 'spec.callback.url': 'ftp://bank.example' }),
    ...same('spec.callback.url: the callback must be an http or https URL'),
  },
  {
    ...bank('with one asset', { 'spec.pairs.0.quoteAsset': 'USDT' }),
    ...same('spec.pairs[0].quoteAsset: quoteAsset equals baseAsset; name two different assets'),
  },
  {
    ...bank('with a pair twice', { 'spec.pairs': [manyPairs[0], manyPairs[0]] }),
    ...same('spec.pairs[1].symbol: a symbol is listed twice; list each pair once'),
  },
  {
    ...bank('without a tick', { 'spec.pairs.0.tickSize': '0' }),
    ...same('spec.pairs[0].tickSize: tickSize must be above 0'),
  },
  {
    ...bank('without a lot', { 'spec.pairs.0.lotSize': '0' }),
    ...same('spec.pairs[0].lotSize: lotSize must be above 0'),
  },
  {
    ...bank('with amounts the wrong way', { 'spec.pairs.0.minAmount': '100001' }),
    ...same('spec.pairs[0].minAmount: minAmount must be at most maxAmount; swap or correct them'),
  },
  {
    ...bank('with a spread of 100 %', { 'spec.pairs.0.spreadBps': '10000' }),
    ...same('spec.pairs[0].spreadBps: spreadBps must be below 10000 (100 %)'),
  },
  {
    ...bank('with slippage above 100 %', { 'spec.quotes': { slippageBps: '10001' } }),
    ...same('spec.quotes.slippageBps: slippageBps must be at most 10000 (100 %); lower it'),
  },
  {
    ...bank('counting in a foreign currency', { 'spec.limits': { dailyAmount: '1', currency: 'USD' } }),
    ...same('spec.limits.currency: daily amounts are counted in one currency'),
  },
  {
    ...bank('counting two currencies as one', {
      'spec.limits': { dailyAmountPerCustomer: '1' },
      'spec.pairs': [manyPairs[0], { ...manyPairs[1], quoteAsset: 'EUR' }],
    }),
    ...same('spec.limits.currency: daily amounts are counted in one currency'),
  },
  {
    ...bank('with an address for a range', { 'spec.allowedCidrs': ['10.0.0.1'] }),
    ...same('spec.allowedCidrs[0]: an entry is not an address range'),
  },
  {
    ...bank('without pairs', { 'spec.pairs': [] }),
    message: 'spec.pairs: must have at least 1',
    serverMessage: 'should have at least 1 items',
  },
  {
    ...bank('with too many pairs', { 'spec.pairs': [...manyPairs, manyPairs[0]] }),
    message: 'spec.pairs: must have at most 64',
    serverMessage: 'must have at most 64 items',
  },
  {
    ...bank('with too many retries', { 'spec.callback.retries': 11 }),
    message: 'spec.callback.retries: must be at most 10',
    serverMessage: 'less than or equal to 10',
  },
  {
    ...bank('with an unknown policy', { 'spec.deletionPolicy': 'Keep' }),
    message: 'spec.deletionPolicy: must be one of Retain, Delete',
    serverMessage: 'Unsupported value: "Keep"',
  },
]

/** Manifests that both must refuse, each with words that name field and remedy. */
export const brokenManifests: readonly BrokenManifest[] = [...brokenPairs, ...brokenBanks]

const change = (field: string, value: unknown, message: string): ForbiddenChange => {
  const { spec } = changed({ spec: {} }, `spec.${field}`, value)
  return {
    name: `${field} changes`,
    kind: 'TradingPair',
    document: withAll(smallPair, { 'metadata.name': 'change-usdc' }),
    patch: { spec },
    message,
  }
}
const anew = (field: string): string => `${field} cannot be changed; create another TradingPair instead`

/** Changes of `smallPair` (named `change-usdc`) that both must refuse. */
export const forbiddenChanges: readonly ForbiddenChange[] = [
  change('symbol', 'ABC_USDC', anew('symbol')),
  change('type', 'SPOT', anew('type')),
  change('baseAsset', 'ABC', anew('baseAsset')),
  change('quoteAsset', 'EUR', anew('quoteAsset')),
  change('tickSize', '0.1', anew('tickSize')),
  change('lotSize', '0.1', anew('lotSize')),
  change('engine.partitions', 8, 'partitions cannot be changed; move them between shards with engine.shards instead'),
]
