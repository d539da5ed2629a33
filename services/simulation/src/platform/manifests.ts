import { parseBank, type Bank } from '@bourse/common/resources/bank.ts'
import type { Parsed } from '@bourse/common/resources/faults.ts'
import { parseTradingPair, type TradingPair } from '@bourse/common/resources/trading-pair.ts'
import type { SeededRandom } from '@bourse/common/testkit/seeded-random.ts'

/** Address of a bank's back end in the simulated network. */
export const bankHost = (bank: string): string => `${bank}.bank`
/** Address of the exchange. */
export const EXCHANGE_HOST = 'exchange.outside'

/** Symbols of the markets, in the order in which they are drawn. */
const SYMBOLS = ['BTC_USDC', 'ETH_USDC'] as const
/** Names of the banks, in the order in which they are drawn. */
const BANKS = ['north', 'south'] as const

/** Where the price of each exchange symbol starts, units of 1e-8. */
export const exchangePrices: ReadonlyMap<string, bigint> = new Map([
  ['AZNUSDT', 170_500_000n],
  ['AZNBTC', 11_234_567_000_000n],
])

const must = <Value>(parsed: Parsed<Value>, what: string): Value => {
  if (parsed.ok) return parsed.value
  const faults = parsed.faults.map(({ field, message }) => `${field}: ${message}`)
  throw new Error(`the manifest drawn for ${what} breaks its rules:\n${faults.join('\n')}`)
}

const tables = [
  [{ notionalFloor: '0', maintenanceRate: '0.004', maxLeverage: 100 }],
  [
    { notionalFloor: '0', maintenanceRate: '0.004', maxLeverage: 100 },
    { notionalFloor: '2500', maintenanceRate: '0.01', maxLeverage: 50 },
    { notionalFloor: '100000', maintenanceRate: '0.025', maxLeverage: 20 },
  ],
  [
    { notionalFloor: '0', maintenanceRate: '0.05', maxLeverage: 10 },
    { notionalFloor: '777.77777777', maintenanceRate: '0.1234', maxLeverage: 5 },
  ],
  [{ notionalFloor: '0', maintenanceRate: '0.00099999', maxLeverage: 1_000 }],
] as const

/** Draws the limits that are given at all. */
const drawLimits = (chance: SeededRandom): object => ({
  ...(chance.chance(30) ? { maxOpenTrades: chance.pick([2, 10, 100]) } : {}),
  ...(chance.chance(30) ? { maxNotional: chance.pick(['1000', '50000', '1000000']) } : {}),
  ...(chance.chance(30) ? { maxNetNotional: chance.pick(['5000', '100000', '20000000']) } : {}),
  ...(chance.chance(50) ? { minMargin: chance.pick(['0.01', '1', '10']) } : {}),
})

const drawPair = (symbol: string, chance: SeededRandom): TradingPair => {
  const [baseAsset = '', quoteAsset = ''] = symbol.split('_')
  const tiers = chance.pick(tables)
  const bps = (): string => chance.pick(['0', '5', '7.5', '0.12345678', '100'])
  return must(
    parseTradingPair({
      apiVersion: 'bourse.dev/v1alpha1',
      kind: 'TradingPair',
      metadata: { name: symbol.toLowerCase().replace('_', '-') },
      spec: {
        symbol,
        type: 'CFD',
        baseAsset,
        quoteAsset,
        tickSize: chance.pick(['0.01', '0.1', '0.5', '0.00000001']),
        lotSize: chance.pick(['0.00001', '0.001', '0.00000001']),
        state: 'Open',
        margin: { maxLeverage: tiers[0].maxLeverage, tiers: [...tiers] },
        fees: { openBps: bps(), closeBps: bps(), liquidationBps: chance.pick(['0', '50', '200']) },
        spreadBps: chance.pick(['0', '2', '12.5']),
        funding: {
          intervalSeconds: chance.pick([60, 600, 3_600, 28_800]),
          rateBps: chance.pick(['0', '1', '-2.5', '75', '-300']),
          capBps: chance.pick(['75', '10']),
        },
        prices: { maxAgeSeconds: chance.pick([5, 30, 120]), maxJumpBps: chance.pick(['300', '2000', '10000']) },
        limits: drawLimits(chance),
        engine: { partitions: chance.pick([1, 1, 2]), shards: 1, capacity: chance.pick([8, 64, 256]) },
        snapshots: { intervalSeconds: chance.pick([1, 4, 15, 60]), keep: chance.between(1, 4), compression: 'none' },
      },
    }),
    symbol,
  )
}

const bankPairs = [
  {
    symbol: 'AZNUSDT',
    baseAsset: 'USDT',
    quoteAsset: 'AZN',
    minAmount: '1',
    maxAmount: '100000',
    tickSize: '0.0001',
    lotSize: '0.01',
  },
  {
    symbol: 'AZNBTC',
    baseAsset: 'BTC',
    quoteAsset: 'AZN',
    minAmount: '10',
    maxAmount: '1000000',
    tickSize: '0.01',
    lotSize: '0.00000001',
  },
] as const

const drawBank = (name: string, chance: SeededRandom): Bank =>
  must(
    parseBank({
      apiVersion: 'bourse.dev/v1alpha1',
      kind: 'Bank',
      metadata: { name },
      spec: {
        state: 'Active',
        callback: {
          url: `http://${bankHost(name)}`,
          timeoutMs: chance.pick([500, 2_000, 5_000]),
          retries: chance.between(0, 3),
        },
        pairs: bankPairs
          .slice(0, chance.between(1, bankPairs.length))
          .map((pair) => ({ ...pair, spreadBps: chance.pick(['0', '150', '33.3', '1000']) })),
        quotes: { ttlSeconds: chance.pick([1, 10, 60]), slippageBps: chance.pick(['0', '50', '500']) },
        limits: {
          requestsPerSecond: 100_000,
          ...(chance.chance(30) ? { dailyAmount: chance.pick(['5000', '100000']) } : {}),
          ...(chance.chance(30) ? { dailyAmountPerCustomer: chance.pick(['1000', '20000']) } : {}),
          currency: 'AZN',
        },
      },
    }),
    name,
  )

/** Draws the pairs and banks of a seed, within what manifests may say. */
export const drawManifests = (
  chance: SeededRandom,
): { readonly pairs: readonly TradingPair[]; readonly banks: readonly Bank[] } => ({
  pairs: SYMBOLS.slice(0, chance.between(1, SYMBOLS.length)).map((symbol) => drawPair(symbol, chance)),
  banks: BANKS.slice(0, chance.between(1, BANKS.length)).map((name) => drawBank(name, chance)),
})
