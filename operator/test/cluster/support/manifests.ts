import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { inRoot } from '../../../../services/common/tooling/paths.mjs'

/** A manifest as it is applied. */
export interface Manifest {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string; readonly annotations?: Readonly<Record<string, string>> }
  readonly spec: Readonly<Record<string, unknown>>
}

/** The sample that users start from, with some fields of its spec replaced. */
const sample = (file: string, name: string, spec: Readonly<Record<string, unknown>>): Manifest => {
  const {
    apiVersion,
    kind,
    spec: own,
  } = parse(readFileSync(inRoot('crds', 'samples', `${file}.yaml`), 'utf8')) as Manifest
  return { apiVersion, kind, metadata: { name }, spec: { ...own, ...spec } }
}

/** What a scenario wants different in a pair. */
export interface PairOptions {
  readonly symbol: string
  readonly partitions?: number
  readonly shards?: number
  readonly snapshots?: Readonly<Record<string, unknown>>
  readonly spec?: Readonly<Record<string, unknown>>
}

/** The name of a pair's manifest. */
export const pairName = (symbol: string): string => symbol.toLowerCase().replace('_', '-')

/** A pair with prices of its own making. */
export const pairManifest = ({
  symbol,
  partitions = 4,
  shards = 1,
  snapshots = {},
  spec = {},
}: PairOptions): Manifest => {
  const [baseAsset, quoteAsset] = symbol.split('_')
  const prices = {
    source: 'walk',
    startPrice: symbol === 'BTC_USDC' ? '60000' : '240',
    maxAgeSeconds: 5,
    maxJumpBps: '2000',
  }
  return sample('btc-usdc', pairName(symbol), {
    symbol,
    baseAsset,
    quoteAsset,
    lotSize: '0.00001',
    prices,
    engine: { partitions, shards, capacity: 10_000 },
    snapshots: { intervalSeconds: 15, keep: 10, compression: 'zstd', ...snapshots },
    ...spec,
  })
}

/** A bank that nothing limits, with the simulated bank of the installation behind it. */
export const bankManifest = (
  name: string,
  callbackUrl: string,
  spec: Readonly<Record<string, unknown>> = {},
): Manifest =>
  sample('bank-demo', name, {
    displayName: name,
    callback: { url: callbackUrl, timeoutMs: 2_000, retries: 3 },
    limits: {
      requestsPerSecond: 10_000,
      dailyAmount: '100000000',
      dailyAmountPerCustomer: '10000000',
      currency: 'AZN',
    },
    ...spec,
  })
