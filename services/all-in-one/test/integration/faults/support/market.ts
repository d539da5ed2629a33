import {
  createMachineFactories,
  loadMachineModules,
  type MachineCapacities,
} from '@bourse/all-in-one/platform/machines.ts'
import { partitionParts, type MachineName, type PartitionNumber } from '@bourse/common/kernel/partition.ts'
import { allPartitions, type MarketPlace, type Topology } from '@bourse/common/platform/topology.ts'
import { parseTradingPair, type TradingPairSpec } from '@bourse/common/resources/trading-pair.ts'
import { createTradingFactory } from '@bourse/trading/host/machine.ts'

/** The market of these tests. */
export const SYMBOL = 'BTC_USDC'
/** Its money. */
export const CURRENCY = 'USDC'
/** Where its price begins, units of 1e-8. */
export const FIRST_PRICE = 60_000n * 100_000_000n

const MARKET: MarketPlace = { symbol: SYMBOL, market: 1, partitions: 2 }

/** Two partitions of the ledger, two of one market, no bank. */
export const topology: Topology = {
  ledgerPartitions: 2,
  bridgePartitions: 0,
  markets: new Map([[SYMBOL, MARKET]]),
}

/** The market's place. */
export const market = MARKET

/** Every partition there is. */
export const partitions: readonly PartitionNumber[] = allPartitions(topology)

/** The partitions of one machine. */
export const partitionsOf = (machine: MachineName): PartitionNumber[] =>
  partitions.filter((partition) => partitionParts(partition).machine === machine)

/** Small machines: restored quickly, and large enough for a test's load. */
const CAPACITIES: MachineCapacities = {
  ledger: { accountsMax: 1_024, holdsMax: 8_192, idsMax: 65_536 },
  trading: { tradesMax: 8_192, idsMax: 65_536 },
}

/** The machines of these tests: the real ones. */
export const createFactories = () => {
  const modules = loadMachineModules()
  return {
    tradingFactory: createTradingFactory(modules.trading, CAPACITIES.trading),
    factoryOf: createMachineFactories(topology, modules, CAPACITIES).factoryOf,
  }
}

/** The market's spec; trading refuses a price that is older than `maxAgeSeconds`. */
export const specOf = (maxAgeSeconds: number): TradingPairSpec => {
  const parsed = parseTradingPair({
    apiVersion: 'bourse.dev/v1alpha1',
    kind: 'TradingPair',
    metadata: { name: 'btc-usdc' },
    spec: {
      symbol: SYMBOL,
      type: 'CFD',
      baseAsset: 'BTC',
      quoteAsset: CURRENCY,
      tickSize: '0.01',
      lotSize: '0.00001',
      state: 'Open',
      margin: { maxLeverage: 100, tiers: [{ notionalFloor: '0', maintenanceRate: '0.004', maxLeverage: 100 }] },
      fees: { openBps: '5', closeBps: '5', liquidationBps: '50' },
      spreadBps: '2',
      funding: { intervalSeconds: 28_800, rateBps: '1', capBps: '75' },
      prices: { maxAgeSeconds, maxJumpBps: '2000' },
      limits: { maxOpenTrades: 5_000, maxNotional: '1000000', maxNetNotional: '20000000', minMargin: '1' },
      engine: { partitions: MARKET.partitions, shards: 1, capacity: 8_000 },
    },
  })
  if (!parsed.ok) throw new Error(parsed.faults.map(({ field, message }) => `${field}: ${message}`).join('\n'))
  return parsed.value.spec
}
