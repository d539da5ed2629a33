import { pause } from '../../../../services/all-in-one/test/support/calls.ts'
import { isReady, untilPods, type Cluster, type Pod } from '../support/cluster.ts'
import { untilCondition, untilReady } from '../support/installation.ts'
import { killProcess, leaderOf, leaseOf } from '../support/process.ts'
import { groupSelector, servedBy, untilSpread } from '../support/shards.ts'
import { scenario, say, type OpenStage } from '../support/stage.ts'
import { secondsSince, until } from '../support/wait.ts'

const GROUP = 'pair-btc-usdc'
const WHOLE = { shards: 2, partitions: 4 } as const
/** Operations of the load, from beginning to end, after a fault has healed. */
const AFTERWARDS = 5
const OPERATORS = 'app.kubernetes.io/component=operator'
/** Longer than a lease lasts, and than a leader goes on without renewing it. */
const AWAY_SECONDS = 40
/** Of the groups whose processes are killed. */
const PARTITIONS = { [GROUP]: WHOLE.partitions, ledger: 2, bridge: 1 } as const

const podsOf = (cluster: Cluster, group: string): Promise<readonly Pod[]> =>
  cluster.list<Pod>('pod', groupSelector(group))

/** The pair as every scenario leaves it: two shards, each with two partitions. */
const untilWhole = async ({ now: { cluster, installation } }: OpenStage): Promise<void> => {
  await cluster.kubectl('scale', 'tp/btc-usdc', `--replicas=${WHOLE.shards}`)
  await untilSpread(cluster, installation, GROUP, WHOLE)
}

/** Shards and their operator go away and come back. */
export const declareShardFailures = (stage: OpenStage): void => {
  const whole = () => untilWhole(stage)

  scenario(stage, "a shard's pod is deleted", async () => {
    const { cluster } = stage.now
    await whole()
    const [first] = await podsOf(cluster, GROUP)
    const beganMs = performance.now()
    await cluster.kubectl('delete', 'pod', first?.metadata.name ?? '')
    await whole()
    return `${first?.metadata.name} is back and serves after ${secondsSince(beganMs)}`
  })

  scenario(stage, "kill -9 of a shard's process", async () => {
    const { cluster } = stage.now
    if (cluster.kit === null) {
      say("kill -9 of a shard's process: not shown, the node is not this machine")
      return 'not shown: the node is not this machine'
    }
    const told: string[] = []
    for (const [group, partitions] of Object.entries(PARTITIONS)) {
      const [victim] = (await podsOf(cluster, group)).filter(isReady)
      if (victim === undefined) throw new Error(`no ready pod of ${group}`)
      const restarts = victim.status.containerStatuses?.[0]?.restartCount ?? 0
      const beganMs = performance.now()
      await killProcess(victim)
      await untilPods(cluster, groupSelector(group), (pods) =>
        pods.some(
          ({ metadata, status }) =>
            metadata.name === victim.metadata.name && (status.containerStatuses?.[0]?.restartCount ?? 0) > restarts,
        ),
      )
      await until(
        () => servedBy(cluster, stage.now.installation, group),
        (served) => new Set(served.map(({ number }) => number)).size === partitions,
      )
      told.push(`${victim.metadata.name} ${secondsSince(beganMs)}`)
    }
    await whole()
    return `all partitions served again: ${told.join(', ')}`
  })

  scenario(stage, 'the leading operator is killed in the middle of a move', async () => {
    const { cluster } = stage.now
    await whole()
    const beganMs = performance.now()
    await cluster.kubectl('scale', 'tp/btc-usdc', '--replicas=4')
    await untilPods(cluster, groupSelector(GROUP), (pods) => pods.filter(isReady).length > WHOLE.shards)
    const { pod: leader, identity } = await leaderOf(cluster)
    // Not asked to end, where that can be had: it gives nothing back.
    if (cluster.kit === null)
      await cluster.kubectl('delete', 'pod', leader.metadata.name, '--force', '--grace-period=0')
    else await killProcess(leader)
    const atMs = performance.now()
    await until(
      () => leaseOf(cluster),
      ({ spec }) => (spec.holderIdentity ?? '') !== '' && spec.holderIdentity !== identity,
    )
    const led = secondsSince(atMs)
    await untilSpread(cluster, stage.now.installation, GROUP, { ...WHOLE, shards: 4 })
    const spread = secondsSince(beganMs)
    await whole()
    return `another leads after ${led}, 4 shards serve after ${spread}`
  })

  scenario(stage, 'the lease of two operators is stolen', async () => {
    const { cluster } = stage.now
    await whole()
    const before = await leaseOf(cluster)
    const restartsOf = async () =>
      (await cluster.list<Pod>('pod', OPERATORS)).reduce(
        (sum, { status }) => sum + (status.containerStatuses?.[0]?.restartCount ?? 0),
        0,
      )
    const restarts = await restartsOf()
    const beganMs = performance.now()
    const renewTime = new Date().toISOString().replace('Z', '000Z')
    const stolen = { holderIdentity: 'a-thief', renewTime, acquireTime: renewTime }
    await cluster.kubectl('patch', 'lease', 'bourse-operator', '--type=merge', '-p', JSON.stringify({ spec: stolen }))
    await pause(5_000)
    await cluster.kubectl('scale', 'tp/btc-usdc', '--replicas=3')
    await until(
      () => leaseOf(cluster),
      ({ spec }) => spec.holderIdentity !== 'a-thief' && spec.holderIdentity !== '',
    )
    const led = secondsSince(beganMs)
    await untilSpread(cluster, stage.now.installation, GROUP, { ...WHOLE, shards: 3 })
    await whole()
    const { spec } = await leaseOf(cluster)
    return (
      `led again after ${led}, transitions ${before.spec.leaseTransitions} to ${spec.leaseTransitions}, ` +
      `${(await restartsOf()) - restarts} operators started anew`
    )
  })
}

/** What stands around the platform goes away and comes back. */
export const declareOutages = (stage: OpenStage): void => {
  const afterwards = async (): Promise<void> => {
    await untilReady(stage.now.installation.url)
    // What was begun before may end with a fault still in it; seven clients have at most seven such.
    const { load } = stage.now
    const { sent } = load.counts()
    await until(
      () => Promise.resolve(load.counts()),
      (now) => now.sent >= sent + AFTERWARDS && now.done.length + now.faults.length >= sent + AFTERWARDS,
    )
  }
  /** Trades acknowledged while `body` ran. */
  const acknowledgedDuring = async (body: () => Promise<unknown>): Promise<number> => {
    const before = stage.now.load.counts().done.length
    await body()
    return stage.now.load.counts().done.length - before
  }

  /** The API server is killed and comes back after so many seconds; resolves with what was acknowledged until then. */
  const withoutApiServer = (seconds: number): Promise<number> =>
    acknowledgedDuring(async () => {
      const { cluster } = stage.now
      await cluster.kit?.('restart', '--after', String(seconds), 'kube-apiserver')
      // Ready it may be before it knows the resources that were defined.
      for (const question of [
        ['get', '--raw', '/readyz'],
        ['get', 'tp,bank'],
      ])
        await until(
          () => cluster.tryKubectl(question),
          ({ code }) => code === 0,
        )
    })

  scenario(stage, 'the API server starts anew', async () => {
    const { cluster } = stage.now
    if (cluster.kit === null) return 'not shown: the API server is not this machine’s'
    const during = await withoutApiServer(0)
    await cluster.kubectl('scale', 'tp/btc-usdc', '--replicas=3')
    await untilSpread(cluster, stage.now.installation, GROUP, { ...WHOLE, shards: 3 })
    await untilWhole(stage)
    await afterwards()
    return `${during} acknowledged meanwhile, then 3 shards and 2 again`
  })

  scenario(stage, `watches cut for ${AWAY_SECONDS} seconds`, async () => {
    const { cluster } = stage.now
    if (cluster.kit === null) return 'not shown: the API server is not this machine’s'
    const during = await withoutApiServer(AWAY_SECONDS)
    await cluster.kubectl('patch', 'tp', 'btc-usdc', '--type=merge', '-p', '{"spec":{"limits":{"maxOpenTrades":199}}}')
    await untilCondition(cluster, 'tp', 'btc-usdc', 'Ready', 'True')
    await afterwards()
    return `${during} acknowledged without the API server, a change is in force after it`
  })

  for (const [name, selector] of [
    ['RabbitMQ', 'rabbitmq'],
    ['the MongoDB stand-in', 'mongodb'],
    ['Redis', 'redis'],
  ] as const) {
    scenario(stage, `the pod of ${name} is deleted`, async () => {
      const { cluster } = stage.now
      const label = `app.kubernetes.io/component=${selector}`
      const [pod] = await cluster.list<Pod>('pod', label)
      if (pod === undefined) throw new Error(`no pod ${label}`)
      const beganMs = performance.now()
      await cluster.kubectl('delete', 'pod', pod.metadata.name)
      await untilPods(
        cluster,
        label,
        (pods) => pods.length === 1 && pods.every((one) => isReady(one) && one.metadata.uid !== pod.metadata.uid),
      )
      const back = secondsSince(beganMs)
      await untilReady(stage.now.installation.url)
      const healed = secondsSince(beganMs)
      await afterwards()
      return `its pod is back after ${back}, the platform takes commands after ${healed}`
    })
  }
}
