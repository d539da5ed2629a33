import { hasDirectoryManifests } from '../config/read.ts'
import { createPartitionClient, type PartitionClient } from '../kernel/client.ts'
import type { MachineName, PartitionNumber } from '../kernel/partition.ts'
import type { JournalRecord } from '../kernel/record.ts'
import type { SnapshotPolicy } from '../kernel/snapshotter.ts'
import { partitionTitle, type MarketPlace, type Topology } from '../platform/topology.ts'
import type { Bank } from '../resources/bank.ts'
import type { Manifests } from '../resources/load.ts'
import { createManifestSet, type ManifestProgress, type ManifestSet } from '../resources/manifest-set.ts'
import type { TradingPair } from '../resources/trading-pair.ts'
import { createBatchMetrics } from '../shard/batch-metrics.ts'
import { startKernelMetrics } from '../shard/metrics.ts'
import { startStateMetrics, type StateShow } from '../shard/state-metrics.ts'
import { createShard, type Shard, type ShardKind } from '../shard/shard.ts'
import { startArchiving } from '../shard/archiving.ts'
import { startShardControl } from '../shard/control.ts'
import { createGiveWay } from '../shard/give-way.ts'
import { startHeartbeat } from '../shard/heartbeat.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { given } from './given.ts'
import { keepManifests, measureManifests } from './manifest-watch.ts'
import { measuredMessaging, openMessaging } from './messaging.ts'
import { PROJECTION } from './projection.ts'
import type { ProgramContext, StartedProgram } from './run.ts'
import { startServerMetrics, type MeasuredServer } from './server-metrics.ts'
import { measuredStores, openStoresWithManifests, type Stores } from './stores.ts'
import { addPairMarket, settleManifests } from './topology.ts'

/** What a shard's machine is made on. */
export interface ShardFoundation extends ProgramContext {
  readonly manifests: Manifests
  readonly topology: Topology
  readonly partitions: PartitionClient
  readonly stores: Stores
  /** Snapshots where no manifest speaks of them. */
  readonly snapshotPolicy: SnapshotPolicy
}

/** A machine as a shard serves it, and what reaches it from outside its partitions. */
export interface ShardService<Observation> {
  readonly kind: Omit<ShardKind<Observation>, 'machine'>
  /** Takes a pair's changed spec to the partitions that are served here. @throws {SpecRefused} */
  readonly applyPair?: (pair: TradingPair, served: ReadonlySet<PartitionNumber>) => Promise<void>
  /** Takes up a market that came while the shard runs, before `applyPair` hears of it. */
  readonly addMarket?: (market: MarketPlace) => void
  /** Takes a bank's changed rules to its partition, if it is served here. @throws {SpecRefused} */
  readonly applyBank?: (bank: Bank, served: ReadonlySet<PartitionNumber>) => Promise<void>
  /** Whether a manifest's spec is in a partition of this machine. Without it: in none. */
  readonly concerns?: (manifest: Pick<ManifestProgress, 'kind' | 'name'>, partition: PartitionNumber) => boolean
  /** A bank as this process calls it. */
  readonly withCallback?: (bank: Bank) => Bank
  /** Servers beside RabbitMQ and MongoDB whose adapters are to be counted. */
  readonly servers?: readonly MeasuredServer[]
  /** Counts what a partition's records did; told once of each that was appended here. */
  readonly countOf?: (partition: PartitionNumber) => (record: JournalRecord) => void
  /** Shows what lies in the states of the partitions served here. */
  readonly stateShow?: StateShow
  /** Called once the shard stands, before it serves anything. */
  readonly attach?: (shard: Shard<Observation>) => void
}

const servedBy = (shard: Pick<Shard<never>, 'status'>): ReadonlySet<PartitionNumber> =>
  new Set(
    shard
      .status()
      .filter(({ state }) => state === 'serving' || state === 'starting' || state === 'recovering')
      .map(({ partition }) => partition),
  )

/** What became of each manifest: in force only where every partition that has its spec took it. */
const manifestsAt = <Observation>(
  set: Pick<ManifestSet, 'progress'>,
  shard: Pick<Shard<Observation>, 'status'>,
  topology: Topology,
  concerns: ShardService<Observation>['concerns'] = () => false,
): readonly ManifestProgress[] => {
  const starting = shard.status().filter(({ state }) => state === 'starting' || state === 'recovering')
  return set.progress().map((one) => {
    const waiting = one.state === 'InForce' ? starting.find(({ partition }) => concerns(one, partition)) : undefined
    if (waiting === undefined) return one
    const reason = `${partitionTitle(topology, waiting.partition)} is ${waiting.state}`
    return { ...one, state: 'Pending', reason: waiting.reason === null ? reason : `${reason}: ${waiting.reason}` }
  })
}

/** Health, metrics and the control interface; then the shard's word in the views, which names them. Answers their URL. */
const openDoor = async <Observation>(
  { config, clock, logger, levels, lifetime }: ProgramContext,
  deps: {
    readonly shard: Shard<Observation>
    readonly views: Stores['views']
    readonly topology: Topology
    readonly manifests: () => readonly ManifestProgress[]
    readonly metrics: Metrics
  },
): Promise<string> => {
  const { shard, views, topology, manifests, metrics } = deps
  const control = await startShardControl({
    shard,
    topology,
    manifests,
    isReadyWithReasons: hasDirectoryManifests(config),
    token: given(config.cluster.controlToken),
    host: config.host,
    port: config.cluster.servicePort,
    metrics,
    levels,
    clock,
    logger,
  })
  lifetime.onStop(control.stop)
  const url = config.cluster.serviceUrl ?? control.url
  const titleOf = (partition: PartitionNumber): string => partitionTitle(topology, partition)
  const giveWay = createGiveWay({ shard, views, metrics, titleOf, logger })
  const heartbeat = startHeartbeat({ shard, views, giveWay, clock, logger, controlUrl: url })
  lifetime.onStop(heartbeat.stop)
  return url
}

/** What a shard does beside serving: old records go into the archive, and everything is counted. */
const startUpkeep = <Observation>(
  { clock, logger, lifetime }: ProgramContext,
  { journal, snapshots }: Stores,
  shard: Shard<Observation>,
  topology: Topology,
  metrics: Metrics,
  stateShow: StateShow | null,
): void => {
  const running = function* () {
    for (const { partition, runner, viewSequence } of shard.status())
      if (runner !== null) yield { partition, status: runner, viewSequence }
  }
  const served = function* () {
    for (const one of running()) if (one.status.state === 'serving') yield one
  }
  const partitions = function* () {
    for (const one of running()) yield { ...one, title: partitionTitle(topology, one.partition) }
  }
  lifetime.onStop(startArchiving({ served, journal, snapshots, clock, logger }).stop)
  const onError = (error: unknown): void => logger.warn({ err: error }, 'the partitions could not be counted')
  lifetime.onStop(startKernelMetrics({ partitions, metrics, clock, onError }).stop)
  const asked = function* () {
    for (const { partition, title } of partitions())
      yield { partition, title, query: (question: Uint8Array) => shard.query(partition, question) }
  }
  lifetime.onStop(startStateMetrics({ served: asked, showOf: () => stateShow, clock, onError }).stop)
}

/**
 * A shard as a process of its own: it serves no partition until its control interface is told to. Health, metrics and that
 * interface are on BOURSE_SERVICE_PORT.
 * @throws {StartRefused} on a configuration, manifest, server or data that can't be used
 */
export const startShardProcess = async <Observation>(
  context: ProgramContext,
  machine: MachineName,
  serviceOf: (foundation: ShardFoundation) => Promise<ShardService<Observation>>,
): Promise<StartedProgram> => {
  const { config, clock, logger, metrics, lifetime } = context
  const { stores, source, ...read } = await openStoresWithManifests(context, machine)
  const { topology, manifests } = await settleManifests({ ...read, source, config, ...stores })
  const messaging = await openMessaging(context, stores.journal, topology)
  const { bus, events } = messaging
  const service = await serviceOf({
    ...context,
    manifests,
    topology,
    partitions: createPartitionClient({ bus }),
    stores,
    metrics,
    snapshotPolicy: { intervalMs: config.snapshotIntervalMs, keep: config.snapshotsKeep, compression: 'zstd' },
  })
  const { journal, snapshots, views } = stores
  const name = given(config.cluster.shardName)
  const observed = createBatchMetrics(metrics)
  const { tracer } = context
  const shard = createShard<Observation>({
    name,
    tracing: tracer === undefined ? undefined : { tracer, messaging: messaging.names },
    ports: { bus, journal, snapshots, events, views },
    clock,
    logger,
    kind: {
      ...service.kind,
      machine,
      observerOf: (partition) => observed(partitionTitle(topology, partition), service.countOf?.(partition)),
      policyOf: (partition) => {
        const policy = service.kind.policyOf(partition)
        return { ...policy, intervalMs: policy.intervalMs * config.snapshotSlack }
      },
    },
    projection: PROJECTION,
  })
  lifetime.onStop(shard.stop)
  service.attach?.(shard)
  startUpkeep(context, stores, shard, topology, metrics, service.stateShow ?? null)
  const servers = [measuredMessaging(messaging), measuredStores(stores), ...(service.servers ?? [])]
  const onError = (error: unknown): void => logger.warn({ err: error }, 'the servers could not be counted')
  lifetime.onStop(startServerMetrics({ servers, metrics, clock, onError }).stop)
  const set = createManifestSet({
    manifests,
    isServed: (symbol) => topology.markets.has(symbol),
    applyPair: async (pair) => service.applyPair?.(pair, servedBy(shard)),
    applyBank: async (bank) => service.applyBank?.(bank, servedBy(shard)),
    withCallback: service.withCallback ?? ((bank) => bank),
    ...(source.isLive
      ? {
          addMarket: async (pair: TradingPair) => {
            const market = await addPairMarket(stores.directory, topology, pair)
            service.addMarket?.(market)
          },
        }
      : {}),
    logger,
  })
  measureManifests(metrics, source)
  await keepManifests(context, source, set)
  const known = () => manifestsAt(set, shard, topology, service.concerns)
  const url = await openDoor(context, { shard, views, topology, manifests: known, metrics })
  return { banner: [`${machine} shard ${name}: control, health and metrics at ${url}`], url }
}
