import { createHash } from 'node:crypto'
import { createManualClock, type ManualClock } from '@bourse/common/testkit/manual-clock.ts'
import { createSeededRandom } from '@bourse/common/testkit/seeded-random.ts'
import type { Directory, ManifestRecord } from '@bourse/common/ports/directory.ts'
import type { Views } from '@bourse/common/ports/views.ts'
import { createLogger } from '@bourse/common/telemetry/logger.ts'
import { createMetrics, type Metrics } from '@bourse/common/telemetry/metrics.ts'
import { partitionStateModel } from '@bourse/common/views/models.ts'
import { nodeKind, podKind, statefulSetKind, type Pod, type StatefulSet } from '../../../src/runtime/kinds.ts'
import { createManager } from '../../../src/runtime/manager.ts'
import type { KubeConnection, Manager } from '../../../src/runtime/types.ts'
import { tradingPairKind } from '../../../src/resources/kinds.ts'
import type { TradingPairResource } from '../../../src/resources/trading-pair.ts'
import { createGroupController } from '../../../src/shards/controller.ts'
import { createFence } from '../../../src/shards/fence.ts'
import { createGroups, GROUP_LABEL, type Groups } from '../../../src/shards/groups.ts'
import { createFakeCluster, type FakeCluster } from '../../../src/testkit/fake-cluster.ts'
import { createTradingPairController } from '../../../src/trading-pair/controller.ts'
import { createFakeShards, type FakeShards } from './fake-shards.ts'
import { createFakeDirectory, createFakeSnapshots, type FakeSnapshots } from './fake-stores.ts'

/** How long a shard takes to start, and a pod to end after its shard has nothing, ms. */
export const START_MS = 1_500
const PRE_STOP_MS = 25_000
/** An image that no node can pull. */
export const MISSING_IMAGE = 'bourse:missing'
const TICK_MS = 250

/** One operator process. */
export interface OperatorProcess {
  readonly manager: Manager
  readonly groups: Groups
  readonly metrics: Metrics
  /** From now on nothing of it is heard any more, nor does it hear: a process that was killed. */
  kill(): void
  /** Called before and after every order to a shard. */
  onOrder: (what: string, when: 'before' | 'after') => void
}

/** A cluster with shards, stores, and operators on it. */
export interface Stage {
  readonly clock: ManualClock
  readonly cluster: FakeCluster
  readonly shards: FakeShards
  readonly directory: Directory
  readonly snapshots: FakeSnapshots
  openTrades: number
  /** Whether the views answer nobody. */
  areViewsDown: boolean
  startOperator(name: string): OperatorProcess
  /** Lets time go by, with what StatefulSets, kubelets and shards do in it. */
  pass(ms: number): Promise<void>
  /** Until it is so; rejects after so much time of the stage. */
  until(isSo: () => boolean, withinMs?: number): Promise<void>
  pair(): TradingPairResource | undefined
  pods(): readonly Pod[]
  /** How many partitions each pod serves. */
  load(): Readonly<Record<string, number>>
  /** Kills the container of a pod; the kubelet starts another. */
  killContainer(pod: string): void
  /** Most owners that a partition had at a time, by the shards' word; and partitions that nobody serves now. */
  readonly mostOwners: number
  /** Most pods that were not ready or ending at a time since it was reset. */
  mostPodsDown: number
}

/** A pair of four partitions. */
export const pairManifest = (shards: number, changes: Record<string, unknown> = {}) => ({
  apiVersion: 'bourse.dev/v1alpha1',
  kind: 'TradingPair',
  metadata: { name: 'btc-usdc' },
  spec: {
    symbol: 'BTC_USDC',
    type: 'CFD',
    baseAsset: 'BTC',
    quoteAsset: 'USDC',
    tickSize: '0.01',
    lotSize: '0.00001',
    margin: { maxLeverage: 100, tiers: [{ notionalFloor: '0', maintenanceRate: '0.004', maxLeverage: 100 }] },
    fees: { openBps: '5', closeBps: '5', liquidationBps: '50' },
    engine: { partitions: 4, shards, capacity: 100 },
    snapshots: { intervalSeconds: 15, keep: 3 },
    ...changes,
  },
})

const templateOf = (image: string) => ({
  metadata: { labels: { 'app.kubernetes.io/name': 'bourse' } },
  spec: { containers: [{ name: 'shard', image, env: [{ name: 'BOURSE_LOG_LEVEL', value: 'info' }] }] },
})

/** Plays the StatefulSet controller and the kubelet. */
const createNode = (cluster: FakeCluster, shards: FakeShards, clock: ManualClock) => {
  let addresses = 0
  const startedAt = new Map<string, number>()
  const endingAt = new Map<string, number>()
  const urlOf = (pod: Pod): string => `http://${pod.status?.podIP}:3100`
  const revisionOf = (set: StatefulSet): string =>
    createHash('sha256').update(JSON.stringify(set.spec?.['template'])).digest('hex').slice(0, 8)

  const make = (set: StatefulSet, ordinal: number): void => {
    const template = set.spec?.['template'] as ReturnType<typeof templateOf>
    const name = `${set.metadata.name}-${ordinal}`
    addresses += 1
    const labels = { ...template.metadata.labels, 'controller-revision-hash': revisionOf(set) }
    const object = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, labels },
      spec: { ...template.spec, nodeName: `node-${(ordinal % 2) + 1}` },
    }
    const pod = cluster.create(podKind, { ...object, status: { podIP: `10.0.0.${addresses}` } })
    startedAt.set(pod.metadata.uid, clock.monotonicMs())
  }
  const setStatus = (pod: Pod, isUp: boolean): void => {
    const isShown = pod.status?.conditions?.[0]?.status === 'True'
    if (isShown === isUp && pod.status?.conditions !== undefined) return
    const container = {
      name: 'shard',
      containerID: `${pod.metadata.uid}-${startedAt.get(pod.metadata.uid)}`,
      state: isUp ? { running: {} } : {},
    }
    cluster.update(podKind, pod.metadata.name, (now: Pod) => ({
      ...now,
      status: {
        ...now.status,
        conditions: [{ type: 'Ready', status: isUp ? 'True' : 'False' }],
        containerStatuses: [container],
      },
    }))
  }
  const runPod = (pod: Pod): void => {
    const { uid, name, deletionTimestamp } = pod.metadata
    const shard = shards.at(urlOf(pod))
    if (deletionTimestamp !== undefined) {
      const since = endingAt.get(uid) ?? clock.monotonicMs()
      endingAt.set(uid, since)
      const isDrained = [...(shard?.seats.values() ?? [])].every(({ state }) => ['released', 'deposed'].includes(state))
      if (!isDrained && clock.monotonicMs() - since < PRE_STOP_MS) return
      shards.stop(urlOf(pod))
      cluster.finish(podKind, name)
      return
    }
    const [container] = pod.spec?.['containers'] as readonly { readonly image: string }[]
    const isDue = clock.monotonicMs() - (startedAt.get(uid) ?? 0) >= START_MS && container?.image !== MISSING_IMAGE
    if (shard === undefined && isDue) shards.start(name, urlOf(pod))
    setStatus(pod, shards.at(urlOf(pod)) !== undefined)
  }
  return {
    tick: (): void => {
      for (const set of cluster.list(statefulSetKind)) {
        const revision = revisionOf(set)
        const observedGeneration = set.metadata.generation ?? 0
        if (set.status?.updateRevision !== revision || set.status.observedGeneration !== observedGeneration)
          cluster.update(statefulSetKind, set.metadata.name, (now: StatefulSet) => ({
            ...now,
            status: { ...now.status, updateRevision: revision, observedGeneration },
          }))
        const replicas = set.spec?.replicas ?? 1
        const own = cluster.list(podKind).filter(({ metadata }) => metadata.name.startsWith(`${set.metadata.name}-`))
        for (let ordinal = 0; ordinal < replicas; ordinal++)
          if (own.every(({ metadata }) => metadata.name !== `${set.metadata.name}-${ordinal}`)) make(set, ordinal)
        for (const { metadata } of own)
          if (Number(metadata.name.split('-').at(-1)) >= replicas && metadata.deletionTimestamp === undefined)
            cluster.remove(podKind, metadata.name)
      }
      const sets = new Set(cluster.list(statefulSetKind).map(({ metadata }) => metadata.name))
      for (const pod of cluster.list(podKind)) {
        const isOrphan = !sets.has(pod.metadata.labels?.[GROUP_LABEL] ?? '')
        if (isOrphan && pod.metadata.deletionTimestamp === undefined) cluster.remove(podKind, pod.metadata.name)
        runPod(pod)
      }
    },
    killContainer: (name: string): void => {
      const pod = cluster.get(podKind, name)!
      shards.stop(urlOf(pod))
      startedAt.set(pod.metadata.uid, clock.monotonicMs())
      setStatus(pod, false)
    },
  }
}

const never = (): Promise<never> => new Promise(() => undefined)

/** Makes a stage with the given image; `stage.pass` plays everything. */
export const createStage = (): Stage & { setImage(image: string): void } => {
  const clock = createManualClock(Date.UTC(2026, 0, 1))
  const cluster = createFakeCluster({ clock })
  const directory = createFakeDirectory()
  const stored = { manifests: [] as readonly ManifestRecord[] }
  const shards = createFakeShards(() => stored.manifests)
  const snapshots = createFakeSnapshots(clock)
  const node = createNode(cluster, shards, clock)
  let image = 'bourse:1'
  let sequence = 0n
  shards.onSnapshot = (partition) => snapshots.take(partition, (sequence += 1n))
  const logger = createLogger({ name: 'test', level: 'silent' })
  const state = { openTrades: 0, areViewsDown: false, mostOwners: 0, mostPodsDown: 0 }
  const views = {
    find: (model: { readonly name: string }) =>
      state.areViewsDown
        ? Promise.reject(new Error('the views do not answer'))
        : Promise.resolve(
            model.name === partitionStateModel.name
              ? shards.rows()
              : Array.from({ length: state.openTrades }, (_, index) => ({
                  _id: String(index),
                  asset: 'BTC_USDC',
                  order: String(index),
                })),
          ),
  } as unknown as Pick<Views, 'find'>

  const startOperator: Stage['startOperator'] = (name) => {
    let isDead = false
    const connection = cluster.connect()
    const client = new Proxy(connection, {
      get: (target, key: keyof KubeConnection) => {
        const value = target[key]
        return typeof value === 'function' && isDead ? never : value
      },
    })
    const metrics = createMetrics()
    const random = createSeededRandom(name.length)
    const manager = createManager({
      client,
      clock,
      random,
      logger,
      metrics,
      identity: name,
      leaseName: 'bourse-operator',
    })
    const groups = createGroups()
    const fence = createFence()
    const process: OperatorProcess = { manager, groups, metrics, kill: () => (isDead = true), onOrder: () => undefined }
    const gate = async (what: string, when: 'before' | 'after'): Promise<void> => {
      if (what !== 'look') process.onOrder(what, when)
      if (isDead) await never()
    }
    const shared = { manager, groups, fence, shards: shards.client(fence.current, gate), views, clock, logger }
    const nodes = manager.store(nodeKind)
    const isCordoned = (one: string): boolean => nodes.get(one)?.spec?.unschedulable === true
    const group = createGroupController({ ...shared, isCordoned, metrics })
    manager.add(group.spec)
    const guarded = new Proxy(directory, {
      get: (target, key: keyof Directory) => (isDead ? never : target[key]),
    })
    manager.add(
      createTradingPairController({
        ...shared,
        directory: guarded,
        snapshots,
        template: templateOf(image),
        defaults: { snapshotIntervalMs: 15_000, snapshotsKeep: 10 },
        ledgerPartitions: 2,
        bridgePartitions: 1,
      }),
    )
    void manager.run().catch(() => undefined)
    return process
  }

  const look = (): void => {
    for (const owners of shards.owners().values()) state.mostOwners = Math.max(state.mostOwners, owners.length)
    const down = cluster
      .list(podKind)
      .filter((pod) => pod.status?.conditions?.[0]?.status !== 'True' || pod.metadata.deletionTimestamp !== undefined)
    state.mostPodsDown = Math.max(state.mostPodsDown, down.length)
  }
  const pass = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += TICK_MS) {
      node.tick()
      stored.manifests = await directory.manifests()
      await clock.advance(TICK_MS)
      look()
    }
  }
  return {
    clock,
    cluster,
    shards,
    directory,
    snapshots,
    startOperator,
    pass,
    until: async (isSo, withinMs = 60_000) => {
      for (let passed = 0; passed < withinMs; passed += TICK_MS) {
        if (isSo()) return
        await pass(TICK_MS)
      }
      throw new Error(`not so within ${withinMs} ms`)
    },
    pair: () => cluster.get(tradingPairKind, 'btc-usdc'),
    pods: () => cluster.list(podKind),
    load: () => {
      const load: Record<string, number> = {}
      for (const owners of shards.owners().values()) for (const owner of owners) load[owner] = (load[owner] ?? 0) + 1
      return load
    },
    killContainer: node.killContainer,
    setImage: (next) => (image = next),
    get openTrades() {
      return state.openTrades
    },
    set openTrades(count) {
      state.openTrades = count
    },
    get areViewsDown() {
      return state.areViewsDown
    },
    set areViewsDown(areDown) {
      state.areViewsDown = areDown
    },
    get mostOwners() {
      return state.mostOwners
    },
    get mostPodsDown() {
      return state.mostPodsDown
    },
    set mostPodsDown(count) {
      state.mostPodsDown = count
    },
  }
}

/** Whether every partition is served by exactly one, and the pods share them as given. */
export const isShared = (stage: Stage, counts: readonly number[]): boolean => {
  const owners = [...stage.shards.owners().values()]
  const load = Object.entries(stage.load()).sort(([one], [other]) => (one < other ? -1 : 1))
  return (
    owners.length === 4 &&
    owners.every((one) => one.length === 1) &&
    String(load.map(([, count]) => count)) === String(counts)
  )
}
