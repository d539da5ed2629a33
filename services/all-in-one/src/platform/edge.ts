import { createBridgeClient } from '@bourse/bridge/client/client.ts'
import type { PartitionNumber } from '@bourse/common/kernel/partition.ts'
import { watchManifests } from '@bourse/common/resources/watch.ts'
import { createMetrics } from '@bourse/common/telemetry/metrics.ts'
import { startGateway, type Gateway } from '@bourse/gateway/service.ts'
import { createLedgerClient } from '@bourse/ledger/client/ledger-client.ts'
import { startMarket } from '@bourse/market/service.ts'
import { createTradingClient } from '@bourse/trading/client/trading-client.ts'
import type { Core } from './core.ts'
import type { Foundation } from './foundation.ts'
import { gatewayConfigOf } from './gateway-settings.ts'
import { createInspector } from './inspector.ts'
import { startKernelMetrics } from './kernel-metrics.ts'
import type { Lifetime } from './lifetime.ts'

/** Half the window in which machines remember ids: a view older than that may miss one. */
const VIEW_LAG_MS_MAX = 300_000
/** How long a client waits for the views before it answers without them, ms. */
const PROJECTION_WAIT_MS = 3_000

const clientsOf = (foundation: Foundation, core: Core) => {
  const { adapters, topology, clock, ids } = foundation
  const { partitions, projection, resources } = core
  const { views } = adapters
  const viewsAreFresh = (partition: PartitionNumber): boolean =>
    clock.nowMs() - core.viewsAsOfMs(partition) <= VIEW_LAG_MS_MAX
  const termsOf = (asset: string) => {
    const spec = resources.pairs().find((pair) => pair.spec.symbol === asset)?.spec
    return spec === undefined ? null : { quoteAsset: spec.quoteAsset, openBps: spec.fees.openBps }
  }
  const projected = (partition: PartitionNumber, sequence: bigint): Promise<boolean> =>
    projection.waitFor(partition, sequence, PROJECTION_WAIT_MS)
  const viewFreshness = (partition: PartitionNumber): Promise<number> => Promise.resolve(core.viewsAsOfMs(partition))
  return {
    trading: createTradingClient({ partitions, topology, views, viewsAreFresh, termsOf, projected }),
    ledger: createLedgerClient({ partitions, topology, views, viewsAreFresh }),
    bridge: createBridgeClient({ partitions, topology, views, clock, ids, viewFreshness }),
  }
}

/** Starts what the world sees: prices, both APIs, metrics; and takes changed manifests. */
export const startEdge = async (foundation: Foundation, core: Core, lifetime: Lifetime): Promise<Gateway> => {
  const { config, manifests, adapters, topology, clock, ids, random, logger } = foundation
  const { serving, projection, resources } = core
  const metrics = createMetrics()
  const onError = (error: unknown): void => logger.warn({ err: error }, 'the partitions could not be counted')
  const { runners } = serving
  lifetime.onStop(startKernelMetrics({ topology, runners, projection, adapters, metrics, clock, onError }).stop)
  const market = await startMarket({
    pairs: manifests.pairs,
    prices: adapters.prices,
    clock,
    random,
    logger,
    metrics,
    pollIntervalMs: config.pollerIntervalMs,
    pollAssets: config.pollerAssets,
  })
  lifetime.onStop(() => market.stop())
  const gateway = await startGateway({
    config: gatewayConfigOf(config, foundation),
    ...clientsOf(foundation, core),
    directory: adapters.directory,
    views: adapters.views,
    prices: adapters.prices,
    rateLimits: adapters.rateLimits,
    candles: (asset, interval, limit) => market.candles(asset, interval, limit),
    pairs: () => resources.pairs().map((pair) => pair.spec),
    banks: () => resources.banks(),
    platform: createInspector({ topology, runners, projection, clock, stopping: () => lifetime.stopping }),
    metrics,
    clock,
    ids,
    random,
    logger,
  })
  lifetime.onStop(() => gateway.stop())
  const watch = await watchManifests(
    config.manifests,
    async (loaded) => {
      await resources.change(loaded)
      await market.update(resources.pairs())
    },
    (error) => logger.error({ err: error }, 'the manifests could not be read again'),
    { snapshotIntervalMs: config.snapshotIntervalMs, snapshotsKeep: config.snapshotsKeep },
  )
  lifetime.onStop(() => watch.stop())
  return gateway
}
