import type { Logger } from 'pino'
import { partitionName, type PartitionNumber } from '@bourse/common/kernel/partition.ts'
import type { Clock } from '@bourse/common/ports/clock.ts'
import { ShardUnreachable, type OrderRefusal, type Orders } from '@bourse/common/shard-client/client.ts'
import { createMoveController, type ShardPlace } from '@bourse/common/shard-client/move.ts'
import type { Move } from '../placement/moves.ts'
import { podKind, statefulSetKind, type StatefulSet } from '../runtime/kinds.ts'
import type { KubeClient, KubeObject, Recorder } from '../runtime/types.ts'
import type { GroupMetrics } from './metrics.ts'
import type { Action, PodSeen } from './types.ts'

/** What an action is about. */
export interface ActionContext {
  readonly group: string
  readonly pods: readonly PodSeen[]
  readonly set: StatefulSet | null
  /** What events are about. */
  readonly about: KubeObject | null
}

/**
 * Carries out actions, each beside everything else: neither a shard nor an API server that is slow keeps the group from being
 * looked at. The partitions that orders concern are known meanwhile.
 */
export interface Actor {
  /** Begins it. What fails is logged, told, and decided anew. */
  act(action: Action, context: ActionContext): void
  /** Waits for no other shards than these any more: an order whose shard is gone would be waited for until it times out. */
  attend(urls: ReadonlySet<string>): void
  readonly moving: readonly Move[]
  readonly ordered: ReadonlySet<PartitionNumber>
  /** Resolves when no order is under way. */
  idle(): Promise<void>
}

/** What an actor needs. */
export interface ActorDeps {
  readonly orders: Pick<Orders, 'prepare' | 'acquire' | 'release'>
  readonly nextEpoch: () => number
  readonly client: Pick<KubeClient, 'patch' | 'delete'>
  readonly recorder: Recorder
  readonly metrics: GroupMetrics
  readonly clock: Clock
  readonly logger: Logger
  /** Called when an order has ended: there may be more to do at once. */
  readonly onEnd: () => void
  /** Told of the replicas before they are written. */
  readonly onScale: (group: string, replicas: number) => void
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** Orders that can be given up. They may be carried out all the same: that is what epochs are for. */
const createForsakable = (orders: ActorDeps['orders']) => {
  const waiting = new Set<{ readonly url: string; readonly giveUp: () => void }>()
  const forsakable =
    (order: Orders['acquire']): Orders['acquire'] =>
    (url, partition, epoch) =>
      new Promise((resolve, reject) => {
        const one = { url, giveUp: () => reject(new ShardUnreachable(`${url} is not waited for any more`)) }
        waiting.add(one)
        void order(url, partition, epoch)
          .then(resolve, reject)
          .finally(() => waiting.delete(one))
      })
  return {
    orders: {
      prepare: forsakable(orders.prepare),
      acquire: forsakable(orders.acquire),
      release: forsakable(orders.release),
    },
    attend: (urls: ReadonlySet<string>): void => {
      for (const { url, giveUp } of waiting) if (!urls.has(url)) giveUp()
    },
  }
}

/** Makes the actor of one group. */
export const createActor = (deps: ActorDeps): Actor => {
  const { nextEpoch, recorder, metrics, clock, logger } = deps
  const { orders, attend } = createForsakable(deps.orders)
  const moving = new Map<PartitionNumber, Move>()
  const ordered = new Set<PartitionNumber>()
  const running = new Set<Promise<void>>()
  /** Writes to the API server under way, by what they are about. */
  const writing = new Set<string>()
  const mover = createMoveController({
    orders,
    nextEpoch,
    onUnreleased: (error, partition, { name }) =>
      logger.warn({ err: error, partition: partitionName(partition), shard: name }, 'an old owner did not hand over'),
  })

  const beside = (work: () => Promise<void>, end: () => void): void => {
    const watched: Promise<void> = work()
      .catch((error: unknown) => logger.error({ err: error }, 'an order to a shard broke'))
      .finally(() => {
        end()
        running.delete(watched)
        deps.onEnd()
      })
    running.add(watched)
  }
  const tell = (
    { about }: ActionContext,
    type: 'Normal' | 'Warning',
    reason: string,
    action: string,
    note: string,
  ): void => {
    if (about !== null) recorder.event(about, { type, reason, action, note })
  }
  const placeOf = ({ pods }: ActionContext, name: string): ShardPlace | null => {
    const url = pods.find((pod) => pod.name === name)?.url ?? null
    return url === null ? null : { name, url }
  }

  const move = async (action: Extract<Action, { kind: 'move' }>, context: ActionContext): Promise<void> => {
    const { partition, why } = action
    const [from, to] = [placeOf(context, action.from), placeOf(context, action.to)]
    if (from === null || to === null) return
    const name = partitionName(partition)
    const beganAtMs = clock.monotonicMs()
    const seconds = (): number => (clock.monotonicMs() - beganAtMs) / 1_000
    try {
      await mover.move(partition, from, to)
      metrics.moved(context.group, 'done', seconds())
      logger.info({ partition: name, from: from.name, to: to.name, why, seconds: seconds() }, 'a partition was moved')
      tell(context, 'Normal', 'PartitionMoved', 'Move', `${name} moved from ${from.name} to ${to.name}: ${why}`)
    } catch (error) {
      metrics.moved(context.group, 'failed', seconds())
      logger.warn({ err: error, partition: name, from: from.name, to: to.name }, 'a partition could not be moved')
      tell(context, 'Warning', 'PartitionMoveFailed', 'Move', messageOf(error))
    }
  }

  /** Null when it was done. */
  const ordering = async (order: Promise<OrderRefusal | null>): Promise<string | null> => {
    try {
      const refusal = await order
      return refusal === null ? null : `${refusal.code}: ${refusal.message}`
    } catch (error) {
      return messageOf(error)
    }
  }

  const acquire = async (action: Extract<Action, { kind: 'acquire' }>, context: ActionContext): Promise<void> => {
    const at = placeOf(context, action.at)
    if (at === null) return
    const epoch = nextEpoch()
    const name = partitionName(action.partition)
    const failure = await ordering(orders.acquire(at.url, action.partition, epoch))
    const about = { partition: name, shard: at.name, epoch, why: action.why }
    metrics.acquired(context.group, failure === null ? 'done' : 'failed')
    if (failure === null) {
      logger.info(about, 'a partition that nobody served was acquired')
      tell(context, 'Normal', 'PartitionAcquired', 'Acquire', `${at.name} serves ${name}: ${action.why}`)
      return
    }
    logger.warn({ ...about, failure }, 'a partition could not be acquired')
    tell(context, 'Warning', 'PartitionAcquireFailed', 'Acquire', `${at.name} could not take ${name}: ${failure}`)
  }

  const release = async (action: Extract<Action, { kind: 'release' }>, context: ActionContext): Promise<void> => {
    const at = placeOf(context, action.at)
    if (at === null) return
    const failure = await ordering(orders.release(at.url, action.partition, action.epoch ?? nextEpoch()))
    const about = { partition: partitionName(action.partition), shard: at.name }
    if (failure === null) logger.info(about, 'a partition was released')
    else logger.warn({ ...about, failure }, 'a partition could not be released')
  }

  const scale = async (replicas: number, why: string, context: ActionContext): Promise<void> => {
    const { set, group } = context
    if (set === null) return
    deps.onScale(group, replicas)
    await deps.client.patch(statefulSetKind, set.metadata.name, [
      { op: 'test', path: '/metadata/uid', value: set.metadata.uid },
      { op: 'replace', path: '/spec/replicas', value: replicas },
    ])
    logger.info({ group, replicas, why }, 'the number of shards was set')
    tell(context, 'Normal', 'ShardsScaled', 'Scale', `${replicas} shards: ${why}`)
  }

  const deletePod = async (action: Extract<Action, { kind: 'deletePod' }>, context: ActionContext): Promise<void> => {
    const { pod, uid, why } = action
    await deps.client.delete(podKind, pod, { uid })
    logger.info({ pod, why }, 'a pod is replaced')
    tell(context, 'Normal', 'ShardReplaced', 'Replace', `${pod} is replaced: ${why}`)
  }

  const once = (partition: PartitionNumber, work: () => Promise<void>): void => {
    ordered.add(partition)
    beside(work, () => ordered.delete(partition))
  }

  const write = (what: string, work: () => Promise<void>): void => {
    if (writing.has(what)) return
    writing.add(what)
    const trying = (): Promise<void> =>
      work().catch((error: unknown) => logger.warn({ err: error, what }, 'the API server did not do what was asked'))
    beside(trying, () => writing.delete(what))
  }

  return {
    attend,
    act: (action, context) => {
      switch (action.kind) {
        case 'move': {
          const { partition, from, to } = action
          moving.set(partition, { partition, from, to })
          return beside(
            () => move(action, context),
            () => moving.delete(partition),
          )
        }
        case 'acquire':
          return once(action.partition, () => acquire(action, context))
        case 'release':
          return once(action.partition, () => release(action, context))
        case 'scale':
          return write('scale', () => scale(action.replicas, action.why, context))
        case 'deletePod':
          return write(action.uid, () => deletePod(action, context))
      }
    },
    get moving() {
      return [...moving.values()]
    },
    get ordered() {
      return ordered
    },
    idle: async () => {
      while (running.size > 0) await Promise.all(running)
    },
  }
}
