import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { stringify } from 'yaml'

/** What a test wants different in a pair. */
export interface PairOptions {
  readonly symbol: string
  readonly state?: 'Open' | 'ReduceOnly' | 'Halted'
  readonly prices: Readonly<Record<string, unknown>>
  readonly limits?: Readonly<Record<string, unknown>>
}

/** What a test wants different in the bank `demo`. */
export interface BankOptions {
  readonly name?: string
  readonly state?: 'Active' | 'Suspended'
  readonly callbackUrl?: string
  readonly timeoutMs?: number
  readonly retries?: number
  readonly requestsPerSecond?: number
  readonly dailyAmountPerCustomer?: string
  readonly ttlSeconds?: number
}

/** Age of a price that is too old where a test says nothing of it, s: older than a machine that stands still makes one. */
const OLD_AGE_SECONDS = 120
/** How long the bank may take for its answer, ms: longer than the machine that it runs on too may stand still. */
const ANSWER_MS_MAX = 20_000

/** The name of a pair's manifest. */
export const nameOf = (symbol: string): string => symbol.toLowerCase().replace('_', '-')

/** The manifest of a pair. */
export const pairManifest = ({ symbol, state = 'Open', prices, limits }: PairOptions): object => {
  const [baseAsset, quoteAsset] = symbol.split('_')
  return {
    apiVersion: 'bourse.dev/v1alpha1',
    kind: 'TradingPair',
    metadata: { name: nameOf(symbol) },
    spec: {
      symbol,
      type: 'CFD',
      baseAsset,
      quoteAsset,
      tickSize: '0.01',
      lotSize: '0.00001',
      state,
      margin: {
        maxLeverage: 100,
        tiers: [
          { notionalFloor: '0', maintenanceRate: '0.004', maxLeverage: 100 },
          { notionalFloor: '250000', maintenanceRate: '0.01', maxLeverage: 50 },
        ],
      },
      fees: { openBps: '5', closeBps: '5', liquidationBps: '50' },
      spreadBps: '2',
      // Once in 30 days: no test meets the moment by chance.
      funding: { intervalSeconds: 2_592_000, rateBps: '1', capBps: '75' },
      prices: { maxAgeSeconds: OLD_AGE_SECONDS, maxJumpBps: '2000', ...prices },
      limits: { maxOpenTrades: 5_000, maxNotional: '1000000', maxNetNotional: '20000000', minMargin: '1', ...limits },
      engine: { partitions: 2, shards: 1, capacity: 10_000 },
    },
  }
}

/** The manifest of a bank. */
export const bankManifest = (options: BankOptions): object => ({
  apiVersion: 'bourse.dev/v1alpha1',
  kind: 'Bank',
  metadata: { name: options.name ?? 'demo' },
  spec: {
    state: options.state ?? 'Active',
    callback: {
      url: options.callbackUrl ?? 'http://127.0.0.1:1',
      timeoutMs: options.timeoutMs ?? ANSWER_MS_MAX,
      retries: options.retries ?? 3,
    },
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
    quotes: { ttlSeconds: options.ttlSeconds ?? 3_600, slippageBps: '50' },
    limits: {
      requestsPerSecond: options.requestsPerSecond ?? 100_000,
      dailyAmount: '100000000',
      dailyAmountPerCustomer: options.dailyAmountPerCustomer ?? '1000000',
      currency: 'AZN',
    },
  },
})

/** A walk around `startPrice`, the same on every start. */
export const walk = (startPrice: string): PairOptions['prices'] => ({ source: 'walk', startPrice, seed: 1 })

/** A ticker that the test serves; asked ten times a second. */
export const poll = (url: string): PairOptions['prices'] => ({ source: 'poll', url, symbol: 'TEST', intervalMs: 100 })

/** Writes the manifests of a test; written over a running platform's they are in force without a restart. */
export const writeManifests = async (
  folder: string,
  pairs: readonly PairOptions[],
  banks: readonly BankOptions[] = [{}],
): Promise<void> => {
  await mkdir(folder, { recursive: true })
  for (const options of pairs)
    await writeFile(join(folder, `${nameOf(options.symbol)}.yaml`), stringify(pairManifest(options)))
  for (const options of banks)
    await writeFile(join(folder, `bank-${options.name ?? 'demo'}.yaml`), stringify(bankManifest(options)))
}
