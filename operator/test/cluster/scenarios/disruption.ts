import { pause } from '../../../../services/all-in-one/test/support/calls.ts'
import { isReady, NAMESPACE, untilPods, type Cluster, type KubeObject, type Pod } from '../support/cluster.ts'
import { groupSelector, servedBy, untilSpread } from '../support/shards.ts'
import { scenario, type OpenStage } from '../support/stage.ts'
import { until } from '../support/wait.ts'

const GROUP = 'pair-btc-usdc'
const WHOLE = { shards: 2, partitions: 4 } as const
/** An operator that sees a reason to move partitions does so within a second or two. */
const CORDONED_MS = 10_000
/** A taint keeps new pods from a node; the operator does not look at it. */
const TAINT = 'bourse-test'

/** What the eviction API answers: 201, or 429 with the budget that forbids it. */
const evict = async (cluster: Cluster, pod: string): Promise<string> => {
  const body = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: pod, namespace: NAMESPACE } }
  const path = `/api/v1/namespaces/${NAMESPACE}/pods/${pod}/eviction`
  const { code, stdout, stderr } = await cluster.tryKubectl(['create', '--raw', path, '-f', '-'], JSON.stringify(body))
  if (code === 0) return 'granted'
  const isBudgets = /TooManyRequests|disruption budget/u.test(stdout + stderr)
  if (!isBudgets) throw new Error(`eviction of ${pod}: ${stdout}${stderr}`)
  return 'refused 429'
}

/** What administrators of the cluster do to nodes and pods. */
export const declareDisruptions = (stage: OpenStage): void => {
  scenario(stage, 'evictions: the second shard waits for the first', async () => {
    const { cluster, installation } = stage.now
    await cluster.kubectl('scale', 'tp/btc-usdc', `--replicas=${WHOLE.shards}`)
    await untilSpread(cluster, installation, GROUP, WHOLE)
    const [first = '', second = ''] = (await cluster.list<Pod>('pod', groupSelector(GROUP))).map(
      ({ metadata }) => metadata.name,
    )
    // The budget's controller counts a moment after the pods are ready.
    const granted = (pod: string) =>
      until(
        () => evict(cluster, pod),
        (answer) => answer === 'granted',
      )
    // Else the first may be back before the second is asked about, on a machine that stands still for seconds.
    await cluster.kubectl('taint', 'nodes', '--all', '--overwrite', `${TAINT}=:NoSchedule`)
    let whileAway: string
    try {
      await granted(first)
      whileAway = await evict(cluster, second)
    } finally {
      await cluster.kubectl('taint', 'nodes', '--all', `${TAINT}-`)
    }
    if (whileAway !== 'refused 429') throw new Error(`the second eviction was ${whileAway}`)
    await untilSpread(cluster, installation, GROUP, WHOLE)
    await granted(second)
    await untilSpread(cluster, installation, GROUP, WHOLE)
    return `${first} granted, ${second} ${whileAway}, granted once ${first} was back`
  })

  scenario(stage, 'cordon and uncordon', async () => {
    const { cluster, installation } = stage.now
    const [node] = (await cluster.list<KubeObject>('node')).map(({ metadata }) => metadata.name)
    // A shard that does not answer just then serves all the same.
    const owners = async () =>
      (
        await until(
          () => servedBy(cluster, installation, GROUP),
          ({ length }) => length === WHOLE.partitions,
        )
      ).map(({ pod, number }) => `${number} ${pod}`)
    const before = await owners()
    await cluster.kubectl('cordon', node ?? '')
    try {
      await pause(CORDONED_MS)
      const during = await owners()
      if (during.join() !== before.join())
        throw new Error(`with one node there is no better place, yet partitions moved: ${before} to ${during}`)
    } finally {
      await cluster.kubectl('uncordon', node ?? '')
    }
    await untilPods(cluster, groupSelector(GROUP), (pods) => pods.length === WHOLE.shards && pods.every(isReady))
    return 'with a single node partitions stay where they are; leaving a node for another is not shown'
  })
}
