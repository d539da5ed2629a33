import type { BridgeClient } from '@bourse/bridge/client/types.ts'
import type { Clock } from '@bourse/common/ports/clock.ts'
import type { Directory } from '@bourse/common/ports/directory.ts'
import type { Ids } from '@bourse/common/ports/ids.ts'
import type { Prices } from '@bourse/common/ports/prices.ts'
import type { Random } from '@bourse/common/ports/random.ts'
import type { RateLimits } from '@bourse/common/ports/rate-limits.ts'
import type { Tracer } from '@bourse/common/ports/tracing.ts'
import type { Views } from '@bourse/common/ports/views.ts'
import type { Bank } from '@bourse/common/resources/bank.ts'
import type { TradingPairSpec } from '@bourse/common/resources/trading-pair.ts'
import type { Logger } from '@bourse/common/telemetry/logger.ts'
import type { Metrics } from '@bourse/common/telemetry/metrics.ts'
import type { LedgerClient } from '@bourse/ledger/client/types.ts'
import type { TradingClient } from '@bourse/trading/client/types.ts'
import type { GatewayConfig } from './config.ts'
import type { Sandbox } from './sandbox/routes.ts'
import type { CandleSource, PlatformInspector } from './platform-inspector.ts'

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
  readonly pairs: () => readonly TradingPairSpec[]
  /** The banks as the manifests say now. */
  readonly banks: () => readonly Bank[]
  readonly rateLimits: RateLimits
  readonly platform: PlatformInspector
  /** The platform's own simulators, of the development profile; null, and always in production: none. */
  readonly sandbox: Sandbox | null
  /** Where the console was built to; without it: where `npm run build` does. */
  readonly consoleFolder?: string
  readonly metrics: Metrics
  /** Whether `/metrics` is answered here: not where they have a port of their own. */
  readonly servesMetrics: boolean
  readonly clock: Clock
  readonly ids: Ids
  readonly random: Random
  readonly logger: Logger
  /** Without it requests are not traced. */
  readonly tracer?: Tracer | undefined
}
