import { call } from '../../../../services/all-in-one/test/support/calls.ts'
import { isReady, type Cluster, type Pod } from './cluster.ts'
import type { Installation } from './installation.ts'
import { until } from './wait.ts'

/** A partition as the shard that serves it shows it. */
export interface Served {
  readonly name: string
  readonly number: number
  readonly pod: string
  readonly epoch: number
}

interface PartitionsBody {
  readonly partitions: readonly {
    readonly partition: string
    readonly number: number
    readonly state: string
    readonly epoch: number
  }[]
}

/** The label of a group's pods. */
export const groupSelector = (group: string): string => `bourse.dev/group=${group}`

const ofPod = async ({ metadata, status }: Pod, token: string): Promise<readonly Served[]> => {
  const answer = await call(`http://${status.podIP}:3100/control/partitions`, {
    headers: { authorization: `Bearer ${token}` },
  }).catch(() => null)
  if (answer?.status !== 200) return []
  return (answer.body as PartitionsBody).partitions
    .filter(({ state }) => state === 'serving')
    .map(({ partition, number, epoch }) => ({ name: partition, number, epoch, pod: metadata.name }))
}

/** What the shards of a group serve by their own word, in the order of the partitions' numbers. */
export const servedBy = async (
  cluster: Cluster,
  { secrets }: Installation,
  group: string,
): Promise<readonly Served[]> => {
  const pods = (await cluster.list<Pod>('pod', groupSelector(group))).filter(({ status }) => status.podIP !== undefined)
  const served = await Promise.all(pods.map((pod) => ofPod(pod, secrets['control-token'] ?? '')))
  return served.flat().sort((a, b) => a.number - b.number)
}

/** Resolves once a group has so many ready shards that serve all its partitions, as evenly as can be. */
export const untilSpread = async (
  cluster: Cluster,
  installation: Installation,
  group: string,
  wanted: { readonly shards: number; readonly partitions: number },
): Promise<readonly Served[]> => {
  await until(
    () => cluster.list<Pod>('pod', groupSelector(group)),
    (pods) => pods.length === wanted.shards && pods.every(isReady),
  )
  return until(
    () => servedBy(cluster, installation, group),
    (served) => {
      const counts = [...Map.groupBy(served, ({ pod }) => pod).values()].map(({ length }) => length)
      const isEven = Math.max(...counts) - Math.min(...counts) <= 1
      return (
        served.length === wanted.partitions && counts.length === Math.min(wanted.shards, wanted.partitions) && isEven
      )
    },
  )
}
