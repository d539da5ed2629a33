import { manifestDefaultsOf } from '@bourse/common/process/manifests.ts'
import { watchManifests } from '@bourse/common/resources/watch.ts'
import { createGatewayClients } from '@bourse/gateway/clients.ts'
import type { Sandbox } from '@bourse/gateway/sandbox/routes.ts'
import { startGateway, type Gateway } from '@bourse/gateway/service.ts'
import { startFeedMetrics } from '@bourse/market/feed-metrics.ts'
import { startMarket } from '@bourse/market/service.ts'
import type { Core } from './core.ts'
import type { Foundation } from './foundation.ts'
import { gatewayConfigOf } from '@bourse/gateway/settings.ts'
import { startPlatformMetrics } from './measures.ts'
import { createInspector } from './inspector.ts'
import { DEMO_BANK, type Outside } from './simulators.ts'
import { openTelemetryDoor } from './telemetry-door.ts'
import type { Lifetime } from '@bourse/common/process/lifetime.ts'

/** What the world sees. */
export interface Edge {
  readonly gateway: Gateway
  /** Null without a telemetry port. */
  readonly telemetryUrl: string | null
}

/** The simulators of this process, for a bank's developer to steer; an exchange that was configured is nobody's to steer. */
const sandboxOf = ({ config }: Foundation, { exchangeUrl, demoBankUrl }: Outside): Sandbox | null => {
  if (config.profile === 'production') return null
  return {
    exchangeUrl: config.exchangeUrl === null ? exchangeUrl : null,
    bank: demoBankUrl === null ? null : { name: DEMO_BANK, url: demoBankUrl },
  }
}

/** Starts what the world sees: prices, both APIs, metrics; and takes changed manifests. */
export const startEdge = async (
  foundation: Foundation,
  outside: Outside,
  core: Core,
  lifetime: Lifetime,
): Promise<Edge> => {
  const { config, manifests, adapters, topology, metrics, clock, ids, random, logger } = foundation
  const { serving, projection, resources } = core
  const { runners } = serving
  startPlatformMetrics(foundation, core, lifetime)
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
  const onError = (error: unknown): void => logger.warn({ err: error }, 'the feeds could not be counted')
  lifetime.onStop(startFeedMetrics({ market, metrics, clock, onError }).stop)
  const platform = createInspector({ topology, runners, projection, clock, stopping: () => lifetime.stopping })
  const telemetry = await openTelemetryDoor(foundation, { health: () => platform.ready(), metrics, lifetime })
  const gateway = await startGateway({
    config: gatewayConfigOf(config, foundation),
    ...createGatewayClients({
      partitions: core.partitions,
      topology,
      views: adapters.views,
      clock,
      ids,
      pairs: resources.pairs,
      viewsAsOfMs: core.viewsAsOfMs,
      waitForViews: projection.waitFor,
    }),
    directory: adapters.directory,
    views: adapters.views,
    prices: adapters.prices,
    rateLimits: adapters.rateLimits,
    candles: (asset, interval, limit) => market.candles(asset, interval, limit),
    pairs: () => resources.pairs().map((pair) => pair.spec),
    banks: () => resources.banks(),
    platform,
    sandbox: sandboxOf(foundation, outside),
    metrics,
    // Where they have a port of their own, whoever reaches the public one need not read them.
    servesMetrics: telemetry === null,
    clock,
    ids,
    random,
    logger,
    tracer: foundation.tracer,
  })
  lifetime.onStop(() => gateway.stop())
  const watch = await watchManifests(
    config.manifests,
    async (loaded) => {
      await resources.change(loaded)
      await market.update(resources.pairs())
    },
    (error) => logger.error({ err: error }, 'the manifests could not be read again'),
    manifestDefaultsOf(config),
  )
  lifetime.onStop(() => watch.stop())
  return { gateway, telemetryUrl: telemetry?.url ?? null }
}
