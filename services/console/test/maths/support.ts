import fc from 'fast-check'
import { formatAmount } from '@bourse/common/money/amount.ts'
import type { Market } from '@bourse/client/shapes.ts'

/** A market as `/api/v1/markets` shows it. */
export const market = (changes: Partial<Market> = {}): Market => ({
  symbol: 'BTC_USDC',
  baseAsset: 'BTC',
  quoteAsset: 'USDC',
  state: 'Open',
  tickSize: '0.01',
  lotSize: '0.00001',
  margin: {
    maxLeverage: 100,
    tiers: [
      { notionalFloor: '0', maintenanceRate: '0.004', maxLeverage: 100 },
      { notionalFloor: '50000', maintenanceRate: '0.005', maxLeverage: 50 },
    ],
  },
  fees: { openBps: '5', closeBps: '5', liquidationBps: '50' },
  spreadBps: '2',
  funding: { intervalSeconds: 28_800, rateBps: '1', capBps: '75' },
  maxPriceAgeSeconds: 5,
  limits: { maxOpenTrades: 10, maxNotional: '1000000', minMargin: '1' },
  ...changes,
})

/** A decimal string of so many units from … to. */
export const decimalOf = (least: bigint, most: bigint): fc.Arbitrary<string> =>
  fc.bigInt({ min: least, max: most }).map((units) => formatAmount(units))

/** Markets that keep the contract's rules, of very different sizes. */
export const markets: fc.Arbitrary<Market> = fc
  .record({
    tick: fc.constantFrom('0.00000001', '0.0001', '0.01', '0.25', '5'),
    lot: fc.constantFrom('0.00000001', '0.00001', '0.01', '1', '100'),
    rates: fc.uniqueArray(fc.integer({ min: 100_000, max: 900_000 }), { minLength: 1, maxLength: 4 }),
    floors: fc.uniqueArray(fc.integer({ min: 1, max: 2_000_000 }), { minLength: 3, maxLength: 3 }),
    openBps: decimalOf(0n, 20n * 10n ** 8n),
    closeBps: decimalOf(0n, 20n * 10n ** 8n),
    liquidationBps: decimalOf(0n, 200n * 10n ** 8n),
    minMargin: fc.constantFrom('0', '1', '25.5'),
    maxNotional: fc.constantFrom(null, '5000', '1000000'),
  })
  .map(({ tick, lot, rates, floors, minMargin, maxNotional, ...fees }) => {
    const sortedRates = [...rates].sort((a, b) => a - b)
    const sortedFloors = [0, ...[...floors].sort((a, b) => a - b)]
    return market({
      tickSize: tick,
      lotSize: lot,
      fees,
      margin: {
        maxLeverage: 100,
        tiers: sortedRates.map((rate, at) => ({
          notionalFloor: String(sortedFloors[at]),
          maintenanceRate: formatAmount(BigInt(rate)),
          maxLeverage: 100 - 20 * at,
        })),
      },
      limits: { maxOpenTrades: null, maxNotional, minMargin },
    })
  })
