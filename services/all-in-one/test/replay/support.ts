/** What the tests of the replay share: a small market, its tape, and a place for files. */
import { existsSync } from 'node:fs'
import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createSystemClock } from '@bourse/common/adapters/system/clock.ts'
import { loadManifests } from '@bourse/common/resources/load.ts'
import type { TradingPairSpec } from '@bourse/common/resources/trading-pair.ts'
import type { RequestedTrade } from '@bourse/all-in-one/replay/requested-trade.ts'
import { realEngines } from '@bourse/all-in-one/replay/partitions.ts'
import type { EngineFactories } from '@bourse/all-in-one/replay/partitions.ts'
import { runReplay } from '@bourse/all-in-one/replay/run.ts'
import type { ReplayDeps, ReplayResult } from '@bourse/all-in-one/replay/run.ts'
import { loadTape } from '@bourse/all-in-one/replay/tape.ts'
import type { ReplayTape } from '@bourse/all-in-one/replay/tape.ts'
import { parseTrades } from '@bourse/all-in-one/replay/trade-file.ts'

export const root = fileURLToPath(new URL('../../../../', import.meta.url))
export const engines = realEngines()

/** The path of a file of the shared data, and why its test cannot run (undefined when it can). */
export const sharedData = (name: string): { readonly path: string; readonly missing: string | undefined } => {
  const path = join(root, '../shared/data', name)
  return { path, missing: existsSync(path) ? undefined : `../shared/data/${name} is missing` }
}

/** Round numbers: no spread, ten bps of fees, an hourly funding of ten bps, liquidation at half a percent. */
export const manifest = ({
  partitions = 1,
  limits = 'maxOpenTrades: 200, maxNotional: "1000000", minMargin: "1"',
} = {}): string => `
apiVersion: bourse.dev/v1alpha1
kind: TradingPair
metadata: { name: abc-usdc }
spec:
  symbol: ABC_USDC
  type: CFD
  baseAsset: ABC
  quoteAsset: USDC
  tickSize: "0.01"
  lotSize: "0.001"
  margin: { maxLeverage: 50, tiers: [{ notionalFloor: "0", maintenanceRate: "0.005", maxLeverage: 50 }] }
  fees: { openBps: "10", closeBps: "10", liquidationBps: "50" }
  funding: { intervalSeconds: 3600, rateBps: "10", capBps: "75" }
  prices: { source: walk, startPrice: "100", maxAgeSeconds: 5, maxJumpBps: "2000" }
  limits: { ${limits} }
  engine: { partitions: ${partitions} }
`

/**
 * Ticks, at 0, 15, 30 and 45 s: 100 ×4 | 100 95.5 110 105 | 105 112 104 104.8 | 104 104 90 91 | 91 89.5 92
 * 92.
 */
export const bars = `timestamp,open,high,low,close,volume
2024-01-01 00:57:00,100,100,100,100,1
2024-01-01 00:58:00,100,110,95.5,105,1
2024-01-01 00:59:00,105,112,104,104.8,1
2024-01-01 01:00:00,104,104,90,91,1
2024-01-01 01:01:00,91,92,89.5,92,1
`

export const TRADE_HEADER = 'id,openAt,direction,margin,leverage,stopLoss,takeProfit'

export const fileOf = async (name: string, text: string): Promise<string> => {
  const path = join(await mkdtemp(join(tmpdir(), 'bourse-replay-')), name)
  await writeFile(path, text)
  return path
}

export const specOf = async (path: string): Promise<TradingPairSpec> => {
  const loaded = await loadManifests(path)
  if (!loaded.ok) throw new Error(loaded.faults.map(({ field, message }) => `${field}: ${message}`).join('; '))
  return loaded.manifests.pairs[0]!.spec
}

export const specOfText = async (text: string): Promise<TradingPairSpec> => specOf(await fileOf('pair.yaml', text))

export const tapeOfText = async (text: string, spec: TradingPairSpec): Promise<ReplayTape> =>
  loadTape(await fileOf('tape.csv', text), { symbol: spec.symbol, maxJumpBps: spec.prices.maxJumpBps })

export const tradesOf = (...rows: readonly string[]): RequestedTrade[] =>
  parseTrades([TRADE_HEADER, ...rows].join('\n'))

export type Run = Omit<ReplayDeps, 'clock' | 'engines'> & { readonly engines?: EngineFactories }

export const run = (deps: Run): ReplayResult => runReplay({ clock: createSystemClock(), engines, ...deps })
