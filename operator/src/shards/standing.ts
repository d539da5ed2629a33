import type { PartitionNumber } from '@bourse/common/kernel/partition.ts'
import {
  SHARD_GRACE_MS,
  type Memory,
  type Observation,
  type OwnerKnown,
  type PartitionSeen,
  type PodSeen,
} from './types.ts'

/** States in which a shard has a partition to itself. */
const HOLDING: ReadonlySet<string> = new Set(['starting', 'serving', 'recovering', 'releasing'])
/** States in which a shard follows another's partition. */
const FOLLOWING: ReadonlySet<string> = new Set(['preparing', 'prepared'])
/** States in which a shard gave up a partition that is its own. */
const GIVEN_UP: ReadonlySet<string> = new Set(['deposed', 'failed'])

/** A partition at a pod. */
export interface Place {
  readonly pod: PodSeen
  /** Null: the pod does not answer, and is believed to have it still. */
  readonly seen: PartitionSeen | null
  readonly epoch: number
}

/** How a partition stands. */
export interface Standing {
  readonly partition: PartitionNumber
  /** Who has it. */
  readonly holder: Place | null
  /** Another that has it too, under a lower epoch, or follows it. */
  readonly others: readonly Place[]
  /** A shard that has it and gave it up, when nobody has it. */
  readonly trouble: Place | null
  /** Who had it last, as far as anybody knows. */
  readonly last: string | null
}

/** Since when each pod is silent; a pod is silent too while it has no address. */
export const silences = (observation: Observation, memory: Memory, nowMs: number): ReadonlyMap<string, number | null> =>
  new Map(
    observation.pods.map((pod) => [pod.uid, pod.answer === null ? (memory.silentSinceMs.get(pod.uid) ?? nowMs) : null]),
  )

/** Whether a pod was silent for so long that it is not waited for any more. */
export const hasFailed = (pod: PodSeen, silentSinceMs: ReadonlyMap<string, number | null>, nowMs: number): boolean => {
  const since = silentSinceMs.get(pod.uid) ?? null
  return since !== null && nowMs - since >= SHARD_GRACE_MS
}

const highest = (places: readonly Place[]): Place | null =>
  places.reduce<Place | null>((best, one) => (best === null || one.epoch > best.epoch ? one : best), null)

/** Finds how each partition stands. */
export const standingsOf = (
  observation: Observation,
  memory: Memory,
  silentSinceMs: ReadonlyMap<string, number | null>,
  nowMs: number,
): readonly Standing[] => {
  const places = observation.pods.flatMap((pod) =>
    (pod.answer ?? []).map((seen): Place & { readonly seen: PartitionSeen } => ({ pod, seen, epoch: seen.epoch })),
  )
  const isWaitedFor = (pod: PodSeen): boolean =>
    pod.answer === null && pod.containerId !== null && !hasFailed(pod, silentSinceMs, nowMs)

  /** A pod that can't be heard, and had the partition when it was heard last, or says so in the views. */
  const silentOwner = (partition: PartitionNumber): Place | null => {
    const known = memory.owners.get(partition)
    if (known !== undefined) {
      const pod = observation.pods.find(({ uid }) => uid === known.uid)
      const isIt = pod !== undefined && isWaitedFor(pod) && pod.containerId === known.containerId
      return isIt ? { pod, seen: null, epoch: known.epoch } : null
    }
    const said = observation.said?.get(partition)
    if (said === undefined || !HOLDING.has(said.state)) return null
    const pod = observation.pods.find(({ name }) => name === said.shard)
    return pod !== undefined && isWaitedFor(pod) ? { pod, seen: null, epoch: said.epoch } : null
  }

  return observation.partitions.map((partition) => {
    const here = places.filter(({ seen }) => seen.partition === partition)
    const holding = here.filter(({ seen }) => HOLDING.has(seen.state))
    const silent = silentOwner(partition)
    const holder = highest(silent === null ? holding : [...holding, silent])
    const others = here.filter(({ seen, pod }) =>
      pod === holder?.pod ? false : HOLDING.has(seen.state) || FOLLOWING.has(seen.state),
    )
    const trouble = holder === null ? highest(here.filter(({ seen }) => GIVEN_UP.has(seen.state))) : null
    const last = holder?.pod.name ?? memory.owners.get(partition)?.shard ?? observation.said?.get(partition)?.shard
    // Who follows it has the state already: it takes over the soonest.
    const follower = holder === null ? others.find(({ seen }) => seen?.state === 'prepared') : undefined
    return { partition, holder, others, trouble, last: follower?.pod.name ?? trouble?.pod.name ?? last ?? null }
  })
}

/** Who has what, to be remembered; what nobody has stays with who had it. */
export const rememberOwners = (
  standings: readonly Standing[],
  before: ReadonlyMap<PartitionNumber, OwnerKnown>,
): ReadonlyMap<PartitionNumber, OwnerKnown> =>
  new Map(
    standings.flatMap(({ partition, holder }) => {
      if (holder === null || holder.seen === null) {
        const known = before.get(partition)
        return known === undefined ? [] : [[partition, known] as const]
      }
      const { pod, epoch } = holder
      return [[partition, { shard: pod.name, uid: pod.uid, containerId: pod.containerId, epoch }] as const]
    }),
  )
