import type { Logger } from 'pino'
import type { PartitionNumber } from '@bourse/common/kernel/partition.ts'
import type { Clock } from '@bourse/common/ports/clock.ts'
import type { Views } from '@bourse/common/ports/views.ts'
import type { ShownPartition } from '@bourse/common/shard-client/answers.ts'
import type { ShardClient } from '@bourse/common/shard-client/client.ts'
import { readPartitionStates } from '@bourse/common/shard-client/epochs.ts'
import type { PartitionStateView } from '@bourse/common/views/models.ts'
import type { Pod, StatefulSet } from '../runtime/kinds.ts'
import type { Store } from '../runtime/types.ts'
import { GROUP_LABEL } from './groups.ts'
import type { PartitionSeen, PodSeen } from './types.ts'

/** How long a shard may take to say what it serves, ms. */
export const ASK_TIMEOUT_MS = 2_000
/** For how long what the views said is good for the other groups too, ms. */
export const SAID_FRESH_MS = 500
const CONTROL_PORT = 3_100
const SHARD_CONTAINER = 'shard'

/** What was seen of a group. */
export interface GroupSeen {
  readonly set: StatefulSet | null
  readonly pods: readonly PodSeen[]
  readonly shown: ReadonlyMap<string, readonly ShownPartition[]>
  /** Null: the views can't be read. */
  readonly states: readonly PartitionStateView[] | null
}

interface ContainerState {
  readonly name: string
  readonly containerID?: string
  readonly state?: { readonly running?: unknown }
}

const seenOf = (one: ShownPartition): PartitionSeen => ({
  partition: one.number,
  state: one.state,
  reason: one.reason,
  epoch: one.epoch,
  sequence: BigInt(one.sequence),
  viewSequence: BigInt(one.viewSequence),
  waitingCommands: one.waitingCommands,
  unconfirmedEffects: one.unconfirmedEffects,
})

/** The StatefulSet whose pods are of a group. */
export const setOfGroup = (sets: readonly StatefulSet[], group: string): StatefulSet | null =>
  sets.find(({ spec }) => {
    const template = spec?.['template'] as
      { readonly metadata?: { readonly labels?: Record<string, string> } } | undefined
    return template?.metadata?.labels?.[GROUP_LABEL] === group
  }) ?? null

/** A pod as the API server tells of it. */
export const podSeenOf = (
  pod: Pod,
  set: StatefulSet | null,
  answer: readonly PartitionSeen[] | null,
  isCordoned: boolean,
): PodSeen => {
  const { name, uid, labels, deletionTimestamp } = pod.metadata
  const { podIP, conditions, containerStatuses } = pod.status ?? {}
  const containers = (containerStatuses ?? []) as readonly ContainerState[]
  const shard = containers.find((one) => one.name === SHARD_CONTAINER)
  const revision = set?.status?.updateRevision
  // A revision that is not the newest spec's yet names the template of before: then nothing is outdated, for a moment.
  const own = labels?.['controller-revision-hash']
  return {
    name,
    uid,
    ordinal: Number(/-(\d+)$/.exec(name)?.[1] ?? 0),
    url:
      podIP === undefined || podIP === ''
        ? null
        : `http://${podIP.includes(':') ? `[${podIP}]` : podIP}:${CONTROL_PORT}`,
    isReady: (conditions ?? []).some(({ type, status }) => type === 'Ready' && status === 'True'),
    isTerminating: deletionTimestamp !== undefined,
    isOutdated: revision !== undefined && revision !== '' && own !== undefined && own !== revision,
    isCordoned,
    containerId: shard?.state?.running === undefined ? null : (shard.containerID ?? null),
    answer,
  }
}

/** Resolves as the promise does, or with null: when it rejects, or not within `ASK_TIMEOUT_MS`. */
export const inTime = async <Value>(
  clock: Clock,
  work: (signal: AbortSignal) => Promise<Value>,
): Promise<Value | null> => {
  const over = new AbortController()
  const late = clock.sleep(ASK_TIMEOUT_MS, over.signal).then(
    () => null,
    () => null,
  )
  try {
    return await Promise.race([work(over.signal), late])
  } catch {
    return null // Who does not answer is silent, whatever the reason: the decision is made from that.
  } finally {
    over.abort()
  }
}

/** Reads what the views say of all partitions, once for all groups that ask at about the same time. */
export const createSaidReader = (deps: {
  readonly views: Pick<Views, 'find'>
  readonly clock: Clock
  readonly logger: Logger
}): (() => Promise<readonly PartitionStateView[] | null>) => {
  const { views, clock, logger } = deps
  let reading: Promise<readonly PartitionStateView[] | null> | null = null
  let readAtMs = 0
  let isBlind = false
  const read = async (): Promise<readonly PartitionStateView[] | null> => {
    const failed = (error: unknown): never => {
      if (!isBlind) logger.warn({ err: error }, 'what shards said of the partitions can not be read')
      isBlind = true
      throw error
    }
    const states = await inTime(clock, () => readPartitionStates(views).catch(failed))
    if (states !== null) isBlind = false
    return states
  }
  return () => {
    if (reading === null || clock.monotonicMs() - readAtMs >= SAID_FRESH_MS) {
      readAtMs = clock.monotonicMs()
      reading = read()
    }
    return reading
  }
}

/** Makes what looks at a group: the API server's word, every pod's own, and the views'. Never rejects. */
export const createObserver = (deps: {
  readonly pods: Store<Pod>
  readonly sets: Store<StatefulSet>
  readonly shards: Pick<ShardClient, 'partitions'>
  readonly readSaid: () => Promise<readonly PartitionStateView[] | null>
  /** Whether a node takes no new pods; false where nodes can't be read. */
  readonly isCordoned: (node: string) => boolean
  readonly clock: Clock
}): ((group: string) => Promise<GroupSeen>) => {
  const { pods, sets, shards, clock, isCordoned } = deps
  return async (group) => {
    const set = setOfGroup(sets.list(), group)
    const found = pods.list().filter(({ metadata }) => metadata.labels?.[GROUP_LABEL] === group)
    const shown = new Map<string, readonly ShownPartition[]>()
    const lookAt = async (pod: Pod): Promise<PodSeen> => {
      const cordoned = pod.spec?.nodeName !== undefined && isCordoned(pod.spec.nodeName)
      const { url } = podSeenOf(pod, set, null, cordoned)
      const answer = url === null ? null : await inTime(clock, () => shards.partitions(url))
      // Addresses are given again: another shard's answer is none of this pod's.
      if (answer === null || answer.shard !== pod.metadata.name) return podSeenOf(pod, set, null, cordoned)
      shown.set(pod.metadata.name, answer.partitions)
      return podSeenOf(pod, set, answer.partitions.map(seenOf), cordoned)
    }
    const [states, ...seen] = await Promise.all([deps.readSaid(), ...found.map(lookAt)])
    return { set, pods: seen, shown, states }
  }
}

/** What the views say, by partition. */
export const saidBy = (
  states: readonly PartitionStateView[],
): ReadonlyMap<PartitionNumber, { readonly shard: string; readonly epoch: number; readonly state: string }> =>
  new Map(states.map(({ _id, shard, epoch, state }) => [Number(_id), { shard, epoch, state }]))
