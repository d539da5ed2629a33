import { createSystemIds } from '@bourse/common/adapters/system/ids.ts'
import { createSystemRandom } from '@bourse/common/adapters/system/random.ts'
import { createRedisRateLimits, type RedisRateLimits } from '@bourse/common/adapters/redis/rate-limits.ts'
import { createPartitionClient } from '@bourse/common/kernel/client.ts'
import { partitionNumber, type PartitionNumber } from '@bourse/common/kernel/partition.ts'
import type { Topology } from '@bourse/common/platform/topology.ts'
import { putBankKey } from '@bourse/common/process/bank-keys.ts'
import { given } from '@bourse/common/process/given.ts'
import { startHealthServer } from '@bourse/common/process/health-server.ts'
import type { ManifestSource } from '@bourse/common/process/manifest-source.ts'
import { keepManifests, measureManifests } from '@bourse/common/process/manifest-watch.ts'
import { measuredMessaging, openMessaging, type Messaging } from '@bourse/common/process/messaging.ts'
import { PROJECTION } from '@bourse/common/process/projection.ts'
import { measuredRedis, openRedisParts, type RedisParts } from '@bourse/common/process/redis.ts'
import type { ProgramContext, StartedProgram } from '@bourse/common/process/run.ts'
import { keptSecret, openSecretsFolder } from '@bourse/common/process/secrets.ts'
import { startServerMetrics } from '@bourse/common/process/server-metrics.ts'
import { measuredStores, openStoresWithManifests, type Stores } from '@bourse/common/process/stores.ts'
import { addPairMarket, settleManifests, type Settled } from '@bourse/common/process/topology.ts'
import type { Manifests } from '@bourse/common/resources/load.ts'
import { createManifestSet, type ManifestSet } from '@bourse/common/resources/manifest-set.ts'
import type { TradingPair } from '@bourse/common/resources/trading-pair.ts'
import { createShardClient } from '@bourse/common/shard-client/client.ts'
import { createGatewayClients } from './clients.ts'
import { createOwnCandles, type OwnCandles } from './distributed/candles.ts'
import { createDistributedInspector, type DistributedInspector } from './distributed/inspector.ts'
import { startPartitionStates } from './distributed/partition-states.ts'
import { startTradeEventWatch } from './distributed/trade-event-watch.ts'
import { createViewProgress, type ViewProgress } from './distributed/view-progress.ts'
import { SIMULATED_BANK, type Sandbox } from './sandbox/routes.ts'
import { startGateway } from './service.ts'
import { gatewayConfigOf } from './settings.ts'

/** How often the dead letters are counted, ms. */
const DEAD_LETTERS_INTERVAL_MS = 5_000

/** Secrets of the edge; those that development does not configure are kept in the data folder. */
const secretsOf = async ({ config }: ProgramContext): Promise<{ jwtSecret: string; adminToken: string }> => {
  const kept = async (name: string): Promise<string> =>
    (await keptSecret(await openSecretsFolder(config.dataDir), name, createSystemRandom())).value
  return {
    jwtSecret: config.jwtSecret?.reveal() ?? (await kept('jwt-secret')),
    adminToken: config.adminToken?.reveal() ?? (await kept('admin-token')),
  }
}

const putBankKeys = async (context: ProgramContext, { directory }: Stores, manifests: Manifests): Promise<void> => {
  const { config, clock, logger } = context
  for (const { name } of manifests.banks) {
    const key = config.bankSecret(name, 'API_KEY')
    if (key === null) logger.warn({ bank: name }, 'no API key is configured for a bank: the ones it had stay valid')
    else await putBankKey({ directory, clock }, name, key.reveal())
  }
}

/** Shards that serve are of no use to whoever can not send them anything. */
const troubleOf = ({ bus }: Messaging): string | null => {
  const state = bus.state().commands
  return state === 'connected' ? null : `this gateway's connection to RabbitMQ is ${state}: no command gets to a shard`
}

/** What the edge knows of partitions that others serve, kept up to date. */
const watchPlatform = async (
  context: ProgramContext,
  topology: Topology,
  { journal, views }: Stores,
  messaging: Messaging,
  source: ManifestSource,
): Promise<{ readonly inspector: DistributedInspector; readonly progress: ViewProgress }> => {
  const { config, clock, logger, lifetime } = context
  const onViewsFailure = (error: unknown): void => logger.warn({ err: error }, 'the views do not answer')
  const progress = createViewProgress({ views, projection: PROJECTION, clock, onFailure: onViewsFailure })
  const states = await startPartitionStates({ views, clock, onFailure: onViewsFailure })
  lifetime.onStop(states.stop)
  const ledgerPartitions: PartitionNumber[] = Array.from({ length: topology.ledgerPartitions }, (_, index) =>
    partitionNumber('ledger', index),
  )
  const onFailure = (error: unknown): void => logger.error({ err: error }, 'readers could not be told to look')
  const tradeEvents = await startTradeEventWatch({
    ledgerPartitions,
    events: messaging.events,
    journal,
    progress,
    clock,
    onFailure,
  })
  lifetime.onStop(tradeEvents.stop)
  const shards = createShardClient({ token: given(config.cluster.controlToken).reveal(), clock })
  const hashesAt = async (controlUrl: string): Promise<ReadonlyMap<number, string>> => {
    try {
      return await shards.stateHashes(controlUrl)
    } catch (error) {
      logger.warn({ err: error, controlUrl }, 'a shard does not tell the hashes of its states')
      return new Map()
    }
  }
  const trouble = (): string | null => troubleOf(messaging)
  const inspector = createDistributedInspector({
    topology,
    states,
    tradeEvents,
    trouble,
    hashesAt,
    marketsComeAndGo: source.isLive,
  })
  return { inspector, progress }
}

const manifestSetOf = (
  context: ProgramContext,
  { manifests, topology }: Settled,
  addMarket: ((pair: TradingPair) => Promise<void>) | null,
): ManifestSet =>
  createManifestSet({
    manifests,
    isServed: (symbol) => topology.markets.has(symbol),
    // The shards tell their partitions; the edge only has to know.
    applyPair: () => Promise.resolve(),
    applyBank: () => Promise.resolve(),
    withCallback: (bank) => bank,
    ...(addMarket === null
      ? {}
      : {
          addMarket,
          // Nobody serves it any more, so nobody is to wait for its trades.
          dropMarket: ({ spec }: TradingPair) => void topology.markets.delete(spec.symbol),
        }),
    logger: context.logger,
  })

const startCandles = async (
  { logger, lifetime }: ProgramContext,
  { prices }: RedisParts,
  symbols: readonly string[],
): Promise<OwnCandles> => {
  const candles = createOwnCandles({
    prices,
    recentQuotes: prices.recentQuotes,
    onFailure: (error, symbol) => logger.warn({ err: error, symbol }, 'bars begin with the next quote'),
  })
  lifetime.onStop(candles.stop)
  await candles.follow(symbols)
  return candles
}

/** Shows what this process's adapters count. Dead letters are the platform's: every gateway shows them. */
const measureAdapters = (
  { clock, logger, metrics, lifetime }: ProgramContext,
  { messaging, stores, redis }: { messaging: Messaging; stores: Stores; redis: RedisParts },
  rateLimits: RedisRateLimits,
): void => {
  metrics.sampled('bourse_rate_limits_let_pass', rateLimits.letPass)
  const servers = [measuredMessaging(messaging), measuredStores(stores), measuredRedis(redis)]
  const onError = (error: unknown): void => logger.warn({ err: error }, 'the servers could not be counted')
  lifetime.onStop(startServerMetrics({ servers, metrics, clock, onError }).stop)
  const letters = metrics.gauge('bourse_bus_dead_letters')
  const count = async (): Promise<void> => letters.set({}, await messaging.bus.deadLetterCount())
  lifetime.onStop(clock.every(DEAD_LETTERS_INTERVAL_MS, count, onError).stop)
}

/** The simulators that whoever started this process says are the platform's own. */
const sandboxOf = ({ config }: ProgramContext): Sandbox | null => {
  const { sandboxExchangeUrl: exchangeUrl, sandboxBankUrl } = config.cluster
  if (exchangeUrl === null && sandboxBankUrl === null) return null
  return { exchangeUrl, bank: sandboxBankUrl === null ? null : { name: SIMULATED_BANK, url: sandboxBankUrl } }
}

/** A gateway as a process of its own: commands over RabbitMQ, lists from MongoDB, prices and rate limits from Redis. */
export const startGatewayProcess = async (context: ProgramContext): Promise<StartedProgram> => {
  const { config, clock, logger, metrics, lifetime } = context
  const { stores, source, ...read } = await openStoresWithManifests(context, 'gateway')
  const secrets = await secretsOf(context)
  const redis = await openRedisParts(context, read.manifests)
  const settled = await settleManifests({ ...read, source, config, ...stores })
  const { topology } = settled
  const messaging = await openMessaging(context, stores.journal, topology)
  // With manifests in the directory the banks' keys are there too, put by whoever put those.
  if (!source.isLive) await putBankKeys(context, stores, settled.manifests)
  const { inspector, progress } = await watchPlatform(context, topology, stores, messaging, source)
  const candles = await startCandles(context, redis, [...topology.markets.keys()])
  const addMarket = async (pair: TradingPair): Promise<void> => {
    await addPairMarket(stores.directory, topology, pair)
    await candles.follow([pair.spec.symbol])
  }
  const set = manifestSetOf(context, settled, source.isLive ? addMarket : null)
  const ids = createSystemIds()
  const rateLimits = createRedisRateLimits(redis.connection)
  measureAdapters(context, { messaging, stores, redis }, rateLimits)
  measureManifests(metrics, source)
  const telemetry = await startHealthServer({
    host: config.host,
    port: config.cluster.telemetryPort ?? 0,
    token: given(config.cluster.controlToken),
    health: () => inspector.ready(),
    metrics,
    levels: context.levels,
    clock,
    logger,
  })
  lifetime.onStop(() => telemetry.stop())
  const gateway = await startGateway({
    config: gatewayConfigOf(config, secrets),
    ...createGatewayClients({
      partitions: createPartitionClient({ bus: messaging.bus }),
      topology,
      views: stores.views,
      clock,
      ids,
      pairs: set.pairs,
      viewsAsOfMs: inspector.viewsAsOfMsOf,
      waitForViews: progress.waitFor,
      ...(source.isLive ? { wasServed: inspector.wasServed } : {}),
    }),
    directory: stores.directory,
    views: stores.views,
    prices: redis.prices,
    rateLimits,
    candles: candles.read,
    pairs: () => set.pairs().map((pair) => pair.spec),
    banks: set.banks,
    platform: inspector,
    sandbox: sandboxOf(context),
    metrics,
    servesMetrics: false,
    clock,
    ids,
    random: createSystemRandom(),
    logger,
    tracer: context.tracer,
  })
  lifetime.onStop(() => gateway.stop())
  await keepManifests(context, source, set)
  return {
    banner: [`gateway: ${gateway.url}`, `health, metrics and control: ${telemetry.url}`],
    url: gateway.url,
    telemetryUrl: telemetry.url,
  }
}
