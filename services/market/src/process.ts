import { createSystemRandom } from '@bourse/common/adapters/system/random.ts'
import { startHealthServer, type ProcessHealth } from '@bourse/common/process/health-server.ts'
import { openManifestSource } from '@bourse/common/process/manifest-source.ts'
import { keepManifests, measureManifests } from '@bourse/common/process/manifest-watch.ts'
import { measuredRedis, openRedisParts } from '@bourse/common/process/redis.ts'
import type { ProgramContext, StartedProgram } from '@bourse/common/process/run.ts'
import { startServerMetrics } from '@bourse/common/process/server-metrics.ts'
import { openDirectory } from '@bourse/common/process/stores.ts'
import { createManifestSet } from '@bourse/common/resources/manifest-set.ts'
import type { TradingPair } from '@bourse/common/resources/trading-pair.ts'
import { startFeedMetrics } from './feed-metrics.ts'
import { startMarket, type Market } from './service.ts'

/** Ready while every feed brings quotes; the others are the reasons. */
const healthOf = (market: Market): ProcessHealth => {
  const feeds = market.health()
  const reasons = feeds
    .filter(({ state }) => state !== 'live')
    .map(({ symbol, source, state, ageMs }) =>
      state === 'waiting'
        ? `${symbol} has had no quote from its source (${source}) yet`
        : `${symbol} has had no quote from its source (${source}) for ${ageMs} ms`,
    )
  return { ready: reasons.length === 0, reasons, detail: { feeds } }
}

/** The market as a process of its own: the feeds of all pairs, published to Redis; health and metrics on BOURSE_SERVICE_PORT. */
export const startMarketProcess = async (context: ProgramContext): Promise<StartedProgram> => {
  const { config, clock, logger, metrics, lifetime } = context
  const source = await openManifestSource(context, 'market', () => openDirectory(context))
  const manifests = await source.read()
  const redis = await openRedisParts(context, manifests)
  const { prices } = redis
  // Sequences go on from what others have seen.
  await prices.load(manifests.pairs.map(({ spec }) => spec.symbol))
  const market = await startMarket({
    pairs: manifests.pairs,
    prices,
    clock,
    random: createSystemRandom(),
    logger,
    metrics,
    pollIntervalMs: config.pollerIntervalMs,
    pollAssets: config.pollerAssets,
  })
  lifetime.onStop(() => market.stop())
  const onError = (error: unknown): void => logger.warn({ err: error }, 'the feeds or Redis could not be counted')
  lifetime.onStop(startFeedMetrics({ market, metrics, clock, onError }).stop)
  lifetime.onStop(startServerMetrics({ servers: [measuredRedis(redis)], metrics, clock, onError }).stop)
  measureManifests(metrics, source)
  const known = new Set(manifests.pairs.map(({ spec }) => spec.symbol))
  const set = createManifestSet({
    manifests,
    isServed: (symbol) => known.has(symbol),
    applyPair: () => Promise.resolve(),
    applyBank: () => Promise.resolve(),
    withCallback: (bank) => bank,
    ...(source.isLive
      ? {
          addMarket: async ({ spec: { symbol } }: TradingPair) => {
            await prices.load([symbol])
            known.add(symbol)
          },
        }
      : {}),
    logger,
  })
  await keepManifests(context, source, set, () => market.update(set.pairs()))
  const { host, cluster } = config
  const health = () => healthOf(market)
  const server = await startHealthServer({
    host,
    port: cluster.servicePort,
    token: cluster.controlToken,
    health,
    metrics,
    levels: context.levels,
    clock,
    logger,
  })
  lifetime.onStop(() => server.stop())
  return { banner: [`market: health and metrics at ${server.url}`], url: cluster.serviceUrl ?? server.url }
}
