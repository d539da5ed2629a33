import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { stringify } from 'yaml'

/** Pairs of the watched platform and where their prices begin. */
export const WATCHED_PAIRS = { BTC_USDC: '60000', SOL_USDC: '240' } as const
/** One of them. */
export type WatchedPair = keyof typeof WATCHED_PAIRS

/** Its bank. */
export const WATCHED_BANK = 'demo'

const pairOf = (symbol: string, tickerUrl: string): object => {
  const [baseAsset, quoteAsset] = symbol.split('_')
  return {
    apiVersion: 'bourse.dev/v1alpha1',
    kind: 'TradingPair',
    metadata: { name: symbol.toLowerCase().replace('_', '-') },
    spec: {
      symbol,
      type: 'CFD',
      baseAsset,
      quoteAsset,
      tickSize: '0.01',
      lotSize: '0.00001',
      state: 'Open',
      margin: {
        maxLeverage: 100,
        tiers: [
          { notionalFloor: '0', maintenanceRate: '0.004', maxLeverage: 100 },
          { notionalFloor: '250000', maintenanceRate: '0.01', maxLeverage: 50 },
        ],
      },
      fees: { openBps: '5', closeBps: '5', liquidationBps: '50' },
      spreadBps: '2',
      funding: { intervalSeconds: 28_800, rateBps: '1', capBps: '75' },
      // A ticker of ours: feeds fail in drills as those of others do.
      prices: { source: 'poll', url: tickerUrl, symbol, intervalMs: 250, maxAgeSeconds: 5, maxJumpBps: '2000' },
      limits: { maxOpenTrades: 5_000, maxNotional: '1000000', maxNetNotional: '20000000', minMargin: '1' },
      engine: { partitions: 2, shards: 1, capacity: 10_000 },
    },
  }
}

const bankManifest: object = {
  apiVersion: 'bourse.dev/v1alpha1',
  kind: 'Bank',
  metadata: { name: WATCHED_BANK },
  spec: {
    state: 'Active',
    // Where the bank is, the launcher tells.
    callback: { url: 'http://127.0.0.1:1', timeoutMs: 1_000, retries: 2 },
    pairs: [
      {
        symbol: 'AZNUSDT',
        baseAsset: 'USDT',
        quoteAsset: 'AZN',
        spreadBps: '150',
        minAmount: '1',
        maxAmount: '100000',
        tickSize: '0.0001',
        lotSize: '0.01',
      },
    ],
    quotes: { ttlSeconds: 10, slippageBps: '50' },
    limits: {
      requestsPerSecond: 10_000,
      dailyAmount: '100000000',
      dailyAmountPerCustomer: '10000000',
      currency: 'AZN',
    },
  },
}

/** Writes the manifests of the watched platform: two pairs priced by a ticker at `tickerUrl`, and the demo bank. */
export const writeManifests = async (folder: string, tickerUrl: string): Promise<void> => {
  await mkdir(folder, { recursive: true })
  for (const symbol of Object.keys(WATCHED_PAIRS))
    await writeFile(join(folder, `${symbol}.yaml`), stringify(pairOf(symbol, tickerUrl)))
  await writeFile(join(folder, 'bank.yaml'), stringify(bankManifest))
}
