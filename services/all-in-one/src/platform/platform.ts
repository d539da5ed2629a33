import type { Logger } from 'pino'
import { createBankHttp } from '@bourse/bridge/adapters/bank-http.ts'
import { createExchangeHttp } from '@bourse/bridge/adapters/exchange-http.ts'
import { createBridgeClient } from '@bourse/bridge/client/client.ts'
import { createBankConfigurator } from '@bourse/bridge/client/configure.ts'
import { createSystemIds } from '@bourse/common/adapters/system/ids.ts'
import { createSystemRandom } from '@bourse/common/adapters/system/random.ts'
import { bankSecretFaults, type Config } from '@bourse/common/config/read.ts'
import { createPartitionClient } from '@bourse/common/kernel/client.ts'
import { partitionName, type PartitionNumber } from '@bourse/common/kernel/partition.ts'
import type { RecoveryReport } from '@bourse/common/kernel/recovery.ts'
import { allPartitions, openTopology } from '@bourse/common/platform/topology.ts'
import type { Clock } from '@bourse/common/ports/clock.ts'
import type { Bank } from '@bourse/common/resources/bank.ts'
import { formatFault, loadManifests, type Manifests } from '@bourse/common/resources/load.ts'
import { watchManifests } from '@bourse/common/resources/watch.ts'
import { createMetrics } from '@bourse/common/telemetry/metrics.ts'
import { startProjector } from '@bourse/common/views/projector.ts'
import { startGateway, type Gateway } from '@bourse/gateway/service.ts'
import { createLedgerClient } from '@bourse/ledger/client/ledger-client.ts'
import { startMarket } from '@bourse/market/service.ts'
import { startMockBank } from '@bourse/mock-bank/service.ts'
import { startMockExchange } from '@bourse/mock-exchange/service.ts'
import { createTradingClient } from '@bourse/trading/client/trading-client.ts'
import { openAdapters, type Adapters } from './adapters.ts'
import { startArchiving } from './archiving.ts'
import { prepareBankSecrets, type MadeKey } from './bank-secrets.ts'
import { dataFolderAt, keptSecret, prepareDataFolder } from './data-folder.ts'
import { gatewayConfigOf } from './gateway-settings.ts'
import { createInspector } from './inspector.ts'
import { startKernelMetrics } from './kernel-metrics.ts'
import { createMachineFactories } from './machines.ts'
import { createFolds, PROJECTION } from './projections.ts'
import { createResourceSet } from './resources.ts'
import { feedMarket, policyOfPartition, servePartitions } from './serving.ts'

/** Half the window in which machines remember ids: a view older than that may miss one. */
const VIEW_LAG_MS_MAX = 300_000
/** How long a client waits for the views before it answers without them, ms. */
const PROJECTION_WAIT_MS = 3_000
/** The bank whose callback is the simulator of this process. */
const DEMO_BANK = 'demo'

/** A configuration or a manifest that can't be used; every fault is a line. */
export class StartRefused extends Error {
  override readonly name = 'StartRefused'
  readonly faults: readonly string[]
  constructor(faults: readonly string[]) {
    super(faults.join('\n'))
    this.faults = faults
  }
}

/** A running platform. */
export interface Platform {
  readonly gatewayUrl: string
  readonly exchangeUrl: string
  readonly bankUrl: string
  /** API keys made at this start. */
  readonly madeKeys: readonly MadeKey[]
  /** Where the administrator's token is kept when it was not configured. */
  readonly adminTokenFile: string | null
  readonly recovery: readonly RecoveryReport[]
  /** What start-up found that an operator should know, a sentence each. */
  readonly findings: readonly string[]
  /** Stops intake, flushes, snapshots, closes. Repeatable. */
  stop(): Promise<void>
}

const manifestsOf = async (config: Config): Promise<Manifests> => {
  const defaults = { snapshotIntervalMs: config.snapshotIntervalMs, snapshotsKeep: config.snapshotsKeep }
  const loaded = await loadManifests(config.manifests, defaults)
  if (!loaded.ok) throw new StartRefused(loaded.faults.map(formatFault))
  const faults = bankSecretFaults(
    config,
    loaded.manifests.banks.map((bank) => bank.name),
  )
  if (faults.length > 0) throw new StartRefused(faults)
  return loaded.manifests
}

/** A journal without its directory would give markets other numbers than its partitions have. */
const requireDirectory = async ({ journal, directory }: Adapters): Promise<void> => {
  const partitions = await journal.partitions()
  if (partitions.length === 0 || (await directory.setting('topology.ledger')) !== null) return
  throw new StartRefused(['the journal has records but the directory is empty: restore the directory from a backup'])
}

/** What opening and recovery found that an operator should know; nothing after an orderly stop. */
const findingsOf = (
  adapters: Adapters,
  served: readonly PartitionNumber[],
  present: readonly PartitionNumber[],
): string[] => [
  ...(adapters.journal.opened.wasClosedCleanly
    ? []
    : ['the last run did not end in order: the journal was checked and replayed']),
  ...present
    .filter((partition) => !served.includes(partition))
    .map(
      (partition) =>
        `partition ${partitionName(partition)} has records, but no manifest names its market: it is not served`,
    ),
]

/** Starts everything in this process, in the order in which the parts need one another. */
export const startPlatform = async (config: Config, logger: Logger, clock: Clock): Promise<Platform> => {
  const manifests = await manifestsOf(config)
  const folder = dataFolderAt(config.dataDir)
  await prepareDataFolder(folder)
  const ids = createSystemIds()
  const random = createSystemRandom()
  const stops: (() => Promise<void>)[] = []
  const stopAll = async (): Promise<void> => {
    for (const stop of stops.splice(0).reverse()) await stop()
  }
  let stopping: Promise<void> | null = null
  try {
    const adapters = await openAdapters(folder, clock, logger)
    stops.push(adapters.close)
    await requireDirectory(adapters)
    const topology = await openTopology(adapters.directory, {
      ledgerPartitions: config.ledgerPartitions,
      bridgePartitions: config.bridgePartitions,
      markets: manifests.pairs.map(({ spec }) => ({ symbol: spec.symbol, partitions: spec.engine.partitions })),
    })
    const banks = manifests.banks.map((bank) => bank.name)
    const bankSecrets = await prepareBankSecrets({
      config,
      folder,
      directory: adapters.directory,
      random,
      clock,
      banks,
    })
    const adminToken = config.adminToken?.reveal() ?? (await keptSecret(folder, 'admin-token', random)).value
    const jwtSecret = config.jwtSecret?.reveal() ?? (await keptSecret(folder, 'jwt-secret', random)).value

    const exchange = await startMockExchange({
      host: config.host,
      port: config.mockExchangePort,
      dataDir: folder.simulators,
      logger,
      clock,
    })
    stops.push(() => exchange.stop())
    const bank = await startMockBank({
      host: config.host,
      port: config.mockBankPort,
      dataDir: folder.simulators,
      logger,
      clock,
      webhookSecrets: [...bankSecrets.webhookSecrets.values()],
    })
    stops.push(() => bank.stop())
    const exchangeUrl = config.exchangeUrl ?? exchange.url

    const pairOf = (symbol: string) => manifests.pairs.find((pair) => pair.spec.symbol === symbol)?.spec
    const machines = createMachineFactories(topology)
    const bridgeDeps = {
      ledgerPartitions: topology.ledgerPartitions,
      liquidity: createExchangeHttp({ baseUrl: () => exchangeUrl, fetch, clock }),
      callbacks: createBankHttp({
        fetch,
        clock,
        webhookSecrets: (name) => [bankSecrets.webhookSecrets.get(name)].filter((secret) => secret !== undefined),
      }),
      clock,
      logger,
    }
    const policies = new Map(
      [...topology.markets.values()].flatMap((market) => {
        const spec = pairOf(market.symbol)
        return spec === undefined ? [] : [[market.market, spec.snapshots] as const]
      }),
    )
    const findings = findingsOf(adapters, allPartitions(topology), await adapters.journal.partitions())
    for (const finding of findings) logger.warn(finding)
    const serving = await servePartitions({
      adapters,
      clock,
      logger,
      partitions: allPartitions(topology),
      hostOf: (partition) => machines.hostOf(partition, bridgeDeps),
      policyOf: policyOfPartition(policies, {
        intervalMs: config.snapshotIntervalMs,
        keep: config.snapshotsKeep,
        compression: 'zstd',
      }),
    })
    stops.push(serving.stop)

    const projector = await startProjector({
      projection: PROJECTION,
      partitions: allPartitions(topology),
      foldOf: createFolds(topology, adapters.views),
      events: adapters.events,
      views: adapters.views,
      clock,
      logger,
    })
    stops.push(projector.stop)
    const archiving = startArchiving({ serving, projector, adapters, clock, logger })
    stops.push(archiving.stop)

    const asOfMs = (partition: PartitionNumber): number =>
      (serving.runners.get(partition)?.status().sequence ?? 0n) <= projector.projectedThrough(partition)
        ? clock.nowMs()
        : projector.projectedAtMs(partition)
    const viewsAreFresh = (partition: PartitionNumber): boolean => clock.nowMs() - asOfMs(partition) <= VIEW_LAG_MS_MAX
    const partitions = createPartitionClient({ bus: adapters.bus })
    const shared = { partitions, topology, views: adapters.views, viewsAreFresh }
    const withCallback = (resource: Bank): Bank =>
      resource.name === DEMO_BANK
        ? { ...resource, spec: { ...resource.spec, callback: { ...resource.spec.callback, url: bank.url } } }
        : resource
    const resources = createResourceSet({
      manifests,
      topology,
      partitions,
      banks: createBankConfigurator({ partitions, topology }),
      withCallback,
      logger,
    })
    await resources.applyAll()
    for (const market of topology.markets.values()) {
      const unsubscribe = feedMarket(serving, market, adapters)
      stops.push(() => Promise.resolve(unsubscribe()))
    }
    const metrics = createMetrics()
    const kernelMetrics = startKernelMetrics({
      topology,
      runners: serving.runners,
      projector,
      adapters,
      metrics,
      clock,
      onError: (error) => logger.warn({ err: error }, 'the partitions could not be counted'),
    })
    stops.push(kernelMetrics.stop)
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
    stops.push(() => market.stop())

    const gateway: Gateway = await startGateway({
      config: gatewayConfigOf(config, { jwtSecret, adminToken }),
      trading: createTradingClient({
        ...shared,
        termsOf: (asset) => {
          const spec = resources.pairs().find((pair) => pair.spec.symbol === asset)?.spec
          return spec === undefined ? null : { quoteAsset: spec.quoteAsset, openBps: spec.fees.openBps }
        },
        projected: (partition, sequence) => projector.waitFor(partition, sequence, PROJECTION_WAIT_MS),
      }),
      ledger: createLedgerClient(shared),
      bridge: createBridgeClient({
        partitions,
        topology,
        views: adapters.views,
        clock,
        ids,
        viewFreshness: (partition) => Promise.resolve(asOfMs(partition)),
      }),
      directory: adapters.directory,
      views: adapters.views,
      prices: adapters.prices,
      candles: (asset, interval, limit) => market.candles(asset, interval, limit),
      pairs: () => resources.pairs().map((pair) => pair.spec),
      banks: () => resources.banks(),
      rateLimits: adapters.rateLimits,
      platform: createInspector({
        topology,
        runners: serving.runners,
        projector,
        clock,
        stopping: () => stopping !== null,
      }),
      metrics,
      clock,
      ids,
      random,
      logger,
    })
    stops.push(() => gateway.stop())
    const watch = await watchManifests(
      config.manifests,
      async (loaded) => {
        await resources.change(loaded)
        await market.update(resources.pairs())
      },
      (error) => logger.error({ err: error }, 'the manifests could not be read again'),
      { snapshotIntervalMs: config.snapshotIntervalMs, snapshotsKeep: config.snapshotsKeep },
    )
    stops.push(() => watch.stop())

    return {
      gatewayUrl: gateway.url,
      exchangeUrl,
      bankUrl: bank.url,
      madeKeys: bankSecrets.made,
      adminTokenFile: config.adminToken === null ? `${folder.secrets}/admin-token` : null,
      findings,
      recovery: [...serving.runners.values()].flatMap((runner) => runner.status().recovery ?? []),
      stop: () => (stopping ??= stopAll()),
    }
  } catch (error) {
    await stopAll()
    throw error
  }
}
