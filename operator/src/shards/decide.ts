import { partitionName, type PartitionNumber } from '@bourse/common/kernel/partition.ts'
import { nextMoves } from '../placement/moves.ts'
import { place, type Placement } from '../placement/place.ts'
import { heldAt, planPods, type PodPlan } from './pods.ts'
import { hasFailed, rememberOwners, silences, standingsOf, type Standing } from './standing.ts'
import {
  ACQUISITIONS_MAX,
  ATTEMPT_PAUSE_MS_MAX,
  ATTEMPT_PAUSE_MS_MIN,
  SOUND_MS,
  TROUBLE_PAUSE_MS,
  type Action,
  type Attempts,
  type Decision,
  type Happening,
  type Memory,
  type Observation,
} from './types.ts'

const noAttempts: Attempts = {
  acquired: 0,
  acquiredAtMs: 0,
  moved: 0,
  movedAtMs: 0,
  wellSinceMs: null,
  troubledSinceMs: null,
}

/** Pause after so many attempts, ms. */
export const attemptPauseMs = (attempts: number): number =>
  attempts === 0 ? 0 : Math.min(ATTEMPT_PAUSE_MS_MIN * 2 ** Math.min(attempts - 1, 16), ATTEMPT_PAUSE_MS_MAX)

/** Attempts as they stand before this decision's own: those at a partition that is sound are forgotten. */
const attemptsOf = (standing: Standing, before: Attempts, nowMs: number): Attempts => {
  const isWell = standing.holder?.seen?.state === 'serving'
  const wellSinceMs = isWell ? (before.wellSinceMs ?? nowMs) : null
  const troubledSinceMs = standing.trouble === null ? null : (before.troubledSinceMs ?? nowMs)
  const kept = wellSinceMs !== null && nowMs - wellSinceMs >= SOUND_MS ? noAttempts : before
  return { ...kept, wellSinceMs, troubledSinceMs }
}

const acquireDueAtMs = ({ acquired, acquiredAtMs, troubledSinceMs }: Attempts): number =>
  Math.max(
    acquired === 0 ? 0 : acquiredAtMs + attemptPauseMs(acquired),
    troubledSinceMs === null ? 0 : troubledSinceMs + TROUBLE_PAUSE_MS,
  )

const whyUnserved = ({ trouble, last }: Standing): string => {
  if (trouble?.seen)
    return `${trouble.pod.name} says that it is ${trouble.seen.state}: ${trouble.seen.reason ?? 'it does not say why'}`
  return last === null ? 'no shard ever had it' : `nobody serves it; ${last} had it last`
}

/** Unserved partitions that are due, at the shards where they belong. */
const acquisitions = (
  standings: readonly Standing[],
  { placement, usable }: { readonly placement: Placement; readonly usable: readonly string[] },
  attempts: ReadonlyMap<PartitionNumber, Attempts>,
  observation: Observation,
  nowMs: number,
): readonly Action[] => {
  const isBusy = busyWith(observation)
  return standings
    .flatMap((standing): Action[] => {
      const { partition, holder } = standing
      const at = placement.get(partition) ?? null
      if (holder !== null || at === null || !usable.includes(at) || isBusy(partition)) return []
      if (acquireDueAtMs(attempts.get(partition) ?? noAttempts) > nowMs) return []
      return [{ kind: 'acquire', partition, at, why: whyUnserved(standing) }]
    })
    .slice(0, Math.max(0, ACQUISITIONS_MAX - observation.ordered.size))
}

const busyWith = ({ moving, ordered }: Observation): ((partition: PartitionNumber) => boolean) => {
  const busy = new Set([...ordered, ...moving.map(({ partition }) => partition)])
  return (partition) => busy.has(partition)
}

/** Moves of what its shard serves; what another begins or gives up is left to come to rest first. */
const moves = (
  standings: readonly Standing[],
  placement: Placement,
  attempts: ReadonlyMap<PartitionNumber, Attempts>,
  observation: Observation,
  leaving: ReadonlyMap<string, string>,
  nowMs: number,
): readonly Action[] => {
  const isBusy = busyWith(observation)
  const owners = new Map<PartitionNumber, string>()
  for (const { partition, holder } of standings) {
    const { moved, movedAtMs } = attempts.get(partition) ?? noAttempts
    const isDue = moved === 0 || nowMs >= movedAtMs + attemptPauseMs(moved)
    const isServed = holder?.seen?.state === 'serving' || holder?.seen?.state === 'starting'
    if (holder !== null && isServed && isDue && !isBusy(partition)) owners.set(partition, holder.pod.name)
  }
  return nextMoves({ owners, placement, underWay: observation.moving }).map((move) => ({
    kind: 'move',
    ...move,
    why: leaving.get(move.from) ?? 'the shards get equally many partitions',
  }))
}

/** What is to be let go: what two shards have, what is followed and stays where it is, and everything when the group ends. */
const releases = (
  standings: readonly Standing[],
  moved: ReadonlySet<PartitionNumber>,
  plan: PodPlan,
  observation: Observation,
): readonly Action[] => {
  const isBusy = busyWith(observation)
  return standings.flatMap((standing): Action[] => {
    const { partition, holder, others } = standing
    if (isBusy(partition) || moved.has(partition)) return []
    const at = holder?.pod
    // A pod that is being deleted where nobody can take over: it hands over now and ends, so that its successor comes sooner.
    const isAbandoned = at?.isTerminating === true && plan.usable.length === 0 && observation.wanted === null
    if (at !== undefined && holder?.seen?.state === 'serving' && (observation.isEnding || isAbandoned))
      return [{ kind: 'release', partition, at: at.name, epoch: null }]
    // Never above the holder's epoch: it would give way to a shard that has let go. A copy is all there is where nobody has it:
    // it is let go only at the end.
    return others
      .filter(({ seen, epoch }) =>
        holder === null ? observation.isEnding : epoch < holder.epoch || seen?.state === 'prepared',
      )
      .map((other) => ({
        kind: 'release',
        partition,
        at: other.pod.name,
        epoch: other.epoch,
      }))
  })
}

const happeningsOf = (
  observation: Observation,
  plan: PodPlan,
  standings: readonly Standing[],
  memory: Memory,
  silentSinceMs: ReadonlyMap<string, number | null>,
  nowMs: number,
): Pick<Memory, 'failed' | 'drained'> & { readonly happenings: readonly Happening[] } => {
  const failed = new Set<string>()
  const drained = new Set<string>()
  const happenings: Happening[] = []
  for (const pod of observation.pods) {
    if (hasFailed(pod, silentSinceMs, nowMs)) {
      failed.add(pod.uid)
      const had = [...memory.owners].filter(([, { uid }]) => uid === pod.uid).length
      if (!memory.failed.has(pod.uid) && had > 0)
        happenings.push({
          type: 'Warning',
          reason: 'ShardFailed',
          note: `${pod.name} does not answer any more; its ${had} partitions go to others`,
        })
    }
    const why = plan.leaving.get(pod)
    if (why === undefined || pod.answer === null || heldAt(pod, standings, observation.moving).length > 0) continue
    drained.add(pod.uid)
    if (!memory.drained.has(pod.uid))
      happenings.push({ type: 'Normal', reason: 'ShardDrained', note: `${pod.name} serves nothing any more: ${why}` })
  }
  return { failed, drained, happenings }
}

const counted = (
  attempts: ReadonlyMap<PartitionNumber, Attempts>,
  actions: readonly Action[],
  nowMs: number,
): ReadonlyMap<PartitionNumber, Attempts> => {
  const after = new Map(attempts)
  for (const action of actions) {
    if (action.kind !== 'acquire' && action.kind !== 'move') continue
    const before = after.get(action.partition) ?? noAttempts
    after.set(
      action.partition,
      action.kind === 'acquire'
        ? { ...before, acquired: before.acquired + 1, acquiredAtMs: nowMs, troubledSinceMs: null }
        : { ...before, moved: before.moved + 1, movedAtMs: nowMs },
    )
  }
  return after
}

/**
 * Decides what is to be done about a group of shards, from what is seen of it now and what is remembered. Changes nothing by
 * itself: the same question has the same answer. `nowMs` is the monotonic clock's.
 */
export const decide = (observation: Observation, memory: Memory, nowMs: number): Decision => {
  const silentSinceMs = silences(observation, memory, nowMs)
  const standings = standingsOf(observation, memory, silentSinceMs, nowMs)
  const plan = planPods(observation, memory, standings, silentSinceMs, nowMs)
  const owners = new Map<PartitionNumber, string>()
  for (const { partition, holder, last } of standings) {
    const owner = holder?.pod.name ?? last
    if (owner !== null) owners.set(partition, owner)
  }
  const { partitions } = observation
  const placement = place({ partitions, owners, usable: plan.usable })
  const attempts = new Map(
    standings.map((one) => [one.partition, attemptsOf(one, memory.attempts.get(one.partition) ?? noAttempts, nowMs)]),
  )
  const leaving = new Map([...plan.leaving].map(([pod, why]) => [pod.name, why]))
  const moving = moves(standings, placement, attempts, observation, leaving, nowMs)
  const moved = new Set(moving.flatMap((action) => (action.kind === 'move' ? [action.partition] : [])))
  const actions = [
    ...acquisitions(standings, { placement, usable: plan.usable }, attempts, observation, nowMs),
    ...moving,
    ...releases(standings, moved, plan, observation),
    ...plan.actions,
  ]
  const unserved = standings.filter(({ holder }) => holder === null).map(({ partition }) => partition)
  const misplaced = standings.filter(
    ({ partition, holder }) => holder !== null && placement.get(partition) !== holder.pod.name,
  )
  const { failed, drained, happenings } = happeningsOf(observation, plan, standings, memory, silentSinceMs, nowMs)
  return {
    actions,
    happenings,
    unserved,
    pending: [
      ...misplaced.map(({ partition, holder }) => `${partitionName(partition)} is to leave ${holder?.pod.name ?? ''}`),
      ...[...plan.leaving].map(([pod, why]) => `${pod.name} is to go: ${why}`),
    ],
    memory: {
      silentSinceMs,
      owners: rememberOwners(standings, memory.owners),
      attempts: counted(attempts, actions, nowMs),
      replacing: plan.replacing,
      failed,
      drained,
    },
  }
}
