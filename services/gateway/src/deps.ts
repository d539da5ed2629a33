import type { BridgeClient } from '@bourse/bridge/client/types.ts'
import type { Clock } from '@bourse/common/ports/clock.ts'
import type { Directory } from '@bourse/common/ports/directory.ts'
import type { Ids } from '@bourse/common/ports/ids.ts'
import type { Prices } from '@bourse/common/ports/prices.ts'
import type { Random } from '@bourse/common/ports/random.ts'
import type { RateLimits } from '@bourse/common/ports/rate-limits.ts'
import type { Views } from '@bourse/common/ports/views.ts'
import type { Logger } from '@bourse/common/telemetry/logger.ts'
import type { Metrics } from '@bourse/common/telemetry/metrics.ts'
import type { LedgerClient } from '@bourse/ledger/client/types.ts'
import type { TradingClient } from '@bourse/trading/client/types.ts'
import type { GatewayConfig } from './config.ts'
import type { CandleSource, PlatformInspector } from './platform-inspector.ts'

/** What the edge reads of a market's `TradingPair` spec: the manifest's own fields, decimals as strings. */
export interface PairSpec {
  readonly symbol: string
  readonly baseAsset: string
  readonly quoteAsset: string
  readonly tickSize: string
  readonly lotSize: string
  readonly state: 'Open' | 'ReduceOnly' | 'Halted'
  readonly margin: {
    readonly maxLeverage: number
    readonly tiers: readonly { readonly notionalFloor: string; readonly maintenanceRate: string; readonly maxLeverage: number }[]
  }
  readonly fees: { readonly openBps: string; readonly closeBps: string; readonly liquidationBps: string }
  readonly spreadBps: string
  readonly funding: { readonly intervalSeconds: number; readonly rateBps: string; readonly capBps: string }
  readonly prices: { readonly maxAgeSeconds: number }
  readonly limits?: {
    readonly maxOpenTrades?: number | undefined
    readonly maxNotional?: string | undefined
    readonly maxNetNotional?: string | undefined
    readonly minMargin?: string | undefined
  } | undefined
}

/** What the edge reads of a `Bank`: its name and the spec's fields that are judged at the door. */
export interface BankSpec {
  readonly name: string
  readonly state: 'Active' | 'Suspended'
  readonly requestsPerSecond: number
  /** Empty: any address. */
  readonly allowedCidrs: readonly string[]
}

/** Everything the gateway needs, given by the process that starts it. */
export interface GatewayDeps {
  readonly config: GatewayConfig
  readonly trading: TradingClient
  readonly ledger: LedgerClient
  readonly bridge: BridgeClient
  readonly directory: Directory
  readonly views: Views
  readonly prices: Prices
  readonly candles: CandleSource
  /** The markets as the manifests say now. */
  readonly pairs: () => readonly PairSpec[]
  /** The banks as the manifests say now. */
  readonly banks: () => readonly BankSpec[]
  readonly rateLimits: RateLimits
  readonly platform: PlatformInspector
  readonly metrics: Metrics
  readonly clock: Clock
  readonly ids: Ids
  readonly random: Random
  readonly logger: Logger
}
