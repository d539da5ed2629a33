import type { PartitionNumber } from '@bourse/common/kernel/partition.ts'
import { compareShards } from '../placement/place.ts'
import { hasFailed, type Standing } from './standing.ts'
import type { Action, Memory, Observation, PodSeen } from './types.ts'

/** What a decision makes of the pods. */
export interface PodPlan {
  /** Names of pods that may serve. */
  readonly usable: readonly string[]
  /** Pods that answer and are to serve nothing any more, with the reason. */
  readonly leaving: ReadonlyMap<PodSeen, string>
  /** Uid of the pod that is being replaced. */
  readonly replacing: string | null
  readonly actions: readonly Action[]
}

const byOrdinal = (one: PodSeen, other: PodSeen): number => other.ordinal - one.ordinal

/** Partitions that a pod has, is believed to have, or is being given. */
export const heldAt = (
  pod: PodSeen,
  standings: readonly Standing[],
  moving: Observation['moving'],
): readonly PartitionNumber[] => [
  ...standings.filter(({ holder }) => holder?.pod === pod).map(({ partition }) => partition),
  ...moving.filter(({ to }) => to === pod.name).map(({ partition }) => partition),
]

/** Whether a newer template can't make it worse: it is served, or failed at a pod of an older template, which may be why. */
const isNotHurt = ({ holder, trouble }: Standing): boolean =>
  holder === null ? trouble?.seen?.state === 'failed' && trouble.pod.isOutdated : holder.seen?.state === 'serving'

/**
 * The pod that is replaced next: of those made from an older template one that serves nobody since it failed, for it may be what
 * the others wait for; else the one that was begun; else, while every other pod is well, one that is not ready, or the highest
 * ordinal.
 */
const replacedNext = (
  observation: Observation,
  memory: Memory,
  standings: readonly Standing[],
  isFailed: (pod: PodSeen) => boolean,
): PodSeen | null => {
  const { pods, replicas, isEnding } = observation
  if (isEnding) return null
  const outdated = pods.filter((pod) => pod.isOutdated && !pod.isTerminating).sort(byOrdinal)
  const begun = outdated.find(({ uid }) => uid === memory.replacing)
  const isOneGoing = pods.some((pod) => pod.isTerminating)
  const broken = outdated.find((pod) => isFailed(pod) && heldAt(pod, standings, observation.moving).length === 0)
  if (broken !== undefined && !isOneGoing) return broken
  if (begun !== undefined) return begun
  if (isOneGoing) return null
  const isWhole = replicas !== null && pods.length >= replicas && standings.every(isNotHurt)
  const isAtRest = observation.moving.length === 0 && observation.ordered.size === 0
  const first = outdated.find((pod) => !pod.isReady) ?? outdated[0]
  if (first === undefined || !isWhole || !isAtRest) return null
  return pods.every((pod) => pod === first || (pod.isReady && pod.answer !== null)) ? first : null
}

/** How many replicas there must be: excess pods stay until they serve nothing, and a pod that can't be spared gets a stand-in. */
const scaling = (
  observation: Observation,
  standings: readonly Standing[],
  needsStandIn: boolean,
): readonly Action[] => {
  const { wanted, replicas, pods, moving } = observation
  if (wanted === null || replicas === null || observation.isEnding) return []
  const kept = pods
    .filter((pod) => pod.ordinal >= wanted && heldAt(pod, standings, moving).length > 0)
    .map(({ ordinal }) => ordinal + 1)
  const needed = Math.max(wanted, ...kept, ...(needsStandIn ? [wanted + 1] : []))
  if (needed === replicas) return []
  const why =
    needed > replicas
      ? needsStandIn && needed > wanted
        ? 'a shard that is to go gets a stand-in'
        : `${wanted} shards are wanted`
      : 'the shards above serve nothing any more'
  return [{ kind: 'scale', replicas: needed, why }]
}

/** Decides which pods may serve, which are to go, and what is to be done about the pods themselves. */
export const planPods = (
  observation: Observation,
  memory: Memory,
  standings: readonly Standing[],
  silentSinceMs: ReadonlyMap<string, number | null>,
  nowMs: number,
): PodPlan => {
  const { pods, wanted, replicas, isEnding } = observation
  const isFailed = (pod: PodSeen): boolean => hasFailed(pod, silentSinceMs, nowMs)
  const replaced = replacedNext(observation, memory, standings, isFailed)
  const limit = wanted ?? replicas ?? Number.POSITIVE_INFINITY
  const leaving = new Map<PodSeen, string>()
  for (const pod of pods) {
    if (pod.isTerminating) leaving.set(pod, 'its pod is being deleted')
    else if (pod === replaced) leaving.set(pod, 'its pod is replaced by one of the new template')
    else if (pod.isCordoned) leaving.set(pod, 'its node takes no new pods')
    else if (isEnding) leaving.set(pod, 'the market is being deleted')
  }
  const able = pods.filter((pod) => pod.answer !== null && !leaving.has(pod))
  const regular = able.filter((pod) => pod.ordinal < limit)
  // Shards above the wanted number serve as long as there is no other, and those that are to go as long as they are there.
  const others = able.length > 0 ? able : pods.filter((pod) => pod.answer !== null && !pod.isTerminating)
  const usable = isEnding ? [] : regular.length > 0 ? regular : others
  if (regular.length > 0)
    for (const pod of able) if (!regular.includes(pod)) leaving.set(pod, `only ${limit} shards are wanted`)
  const burdened = [...leaving.keys()].filter((pod) => heldAt(pod, standings, observation.moving).length > 0)
  const needsStandIn = regular.length === 0 && burdened.some((pod) => pod.ordinal < limit)
  const actions: Action[] = [...scaling(observation, standings, needsStandIn)]
  if (replaced !== null) {
    const isFree = heldAt(replaced, standings, observation.moving).length === 0
    // Where no stand-in can be had the pod goes with its partitions: the next one takes them.
    const isAlone = wanted === null && pods.length === 1 && replicas === 1
    const isServedElsewhere = standings.every(isNotHurt)
    if (isAlone || (isFree && (isServedElsewhere || isFailed(replaced))))
      actions.push({
        kind: 'deletePod',
        pod: replaced.name,
        uid: replaced.uid,
        why: 'the StatefulSet has a newer template',
      })
  }
  return {
    usable: usable.map(({ name }) => name).sort(compareShards),
    leaving,
    replacing: replaced?.uid ?? null,
    actions,
  }
}
