import type { Logger } from 'pino'
import { partitionName, type PartitionNumber } from '@bourse/common/kernel/partition.ts'
import type { Clock, Repeating } from '@bourse/common/ports/clock.ts'
import type { Views } from '@bourse/common/ports/views.ts'
import type { Orders } from '@bourse/common/shard-client/client.ts'
import { createEpochs, readPartitionStates } from '@bourse/common/shard-client/epochs.ts'
import { createMoveController, type ShardPlace } from '@bourse/common/shard-client/move.ts'
import type { PartitionStateView } from '@bourse/common/views/models.ts'
import { startRecovery } from './recovery.ts'

/** Pause before an assignment that a shard did not carry out is told again, ms. */
export const ASSIGN_RETRY_MS = 1_000

/** Who serves what, told to the shards. */
export interface Assignments {
  /**
   * Tells a shard what it is to serve, again and again until it does or merely can't acquire some of it: those are brought back
   * one by one. Also for one that was started again.
   */
  assign(shard: ShardPlace, signal: AbortSignal): Promise<void>
  /** Moves a partition to another shard. @throws {MoveFailed} */
  move(partition: PartitionNumber, from: ShardPlace, to: ShardPlace): Promise<void>
  /** From now on partitions that nobody serves are brought back; see `recovery.ts`. */
  keepServed(quit: AbortSignal): Repeating
}

/** Begins with a plan; what was moved since, by whomever, the shards have said in the views. */
export const createAssignments = async (deps: {
  readonly plan: ReadonlyMap<string, readonly PartitionNumber[]>
  readonly orders: Orders
  readonly views: Pick<Views, 'find'>
  readonly clock: Clock
  readonly logger: Logger
}): Promise<Assignments> => {
  const { plan, orders, views, clock, logger } = deps
  const epochs = createEpochs(await readPartitionStates(views))
  const began = new Set<string>()
  const places = new Map<string, ShardPlace>()
  /** Shards that are told what to serve right now, how often at a time. */
  const busy = new Map<string, number>()
  const moving = new Set<PartitionNumber>()
  const plannedAt = new Map([...plan].flatMap(([name, partitions]) => partitions.map((one) => [one, name] as const)))
  const moves = createMoveController({
    orders,
    nextEpoch: epochs.next,
    onUnreleased: (error, partition, { name }) =>
      logger.warn({ err: error, partition: partitionName(partition), shard: name }, 'an old owner did not hand over'),
  })

  /** What a shard had last, by its own word; by the plan before it ever spoke under this launcher. */
  const partitionsOf = (name: string, states: readonly PartitionStateView[]): readonly PartitionNumber[] => {
    const planned = plan.get(name) ?? []
    if (!began.has(name)) return planned
    const spokenOf = new Set(states.map((one) => Number(one._id)))
    // What it released is on its way to another, who speaks of it next.
    const here = states.filter((one) => one.shard === name && one.state !== 'released').map((one) => Number(one._id))
    return [...here, ...planned.filter((partition) => !spokenOf.has(partition))]
  }
  const attempt = async (shard: ShardPlace): Promise<boolean> => {
    const states = await readStates()
    const refusals = await orders.assign(shard.url, epochs.next(), partitionsOf(shard.name, states))
    for (const { partition, refusal } of refusals)
      logger.error(
        { shard: shard.name, partition: partition === null ? null : partitionName(partition), ...refusal },
        'an assignment was refused',
      )
    const isTold = refusals.every(({ partition, refusal }) => partition !== null && refusal.code === 'ACQUIRE_FAILED')
    if (isTold) began.add(shard.name)
    return isTold
  }
  const readStates = async (): Promise<readonly PartitionStateView[]> => {
    const states = await readPartitionStates(views)
    epochs.raise(states)
    return states
  }
  /** The shard that had it last, by its own word; the planned one of what strangers had or nobody spoke of. */
  const placeOf = (partition: PartitionNumber, said: PartitionStateView | undefined): ShardPlace | null => {
    const name = said !== undefined && plan.has(said.shard) ? said.shard : plannedAt.get(partition)
    if (name === undefined || busy.has(name) || moving.has(partition)) return null
    return places.get(name) ?? null
  }
  const insist = async (shard: ShardPlace, signal: AbortSignal): Promise<void> => {
    while (!signal.aborted) {
      try {
        if (await attempt(shard)) return
      } catch (error) {
        logger.error({ err: error, shard: shard.name }, 'a shard could not be told what to serve')
      }
      await clock.sleep(ASSIGN_RETRY_MS, signal).catch(() => undefined)
    }
  }
  return {
    assign: async (shard, signal) => {
      places.set(shard.name, shard)
      busy.set(shard.name, (busy.get(shard.name) ?? 0) + 1)
      await insist(shard, signal)
      const others = (busy.get(shard.name) ?? 1) - 1
      if (others > 0) busy.set(shard.name, others)
      else busy.delete(shard.name)
    },
    move: async (partition, from, to) => {
      moving.add(partition)
      try {
        await readStates()
        await moves.move(partition, from, to)
      } finally {
        moving.delete(partition)
      }
    },
    keepServed: (quit) => {
      const partitions = [...plannedAt.keys()]
      return startRecovery({
        partitions,
        readStates,
        placeOf,
        orders,
        nextEpoch: epochs.next,
        clock,
        logger,
        quit,
      })
    },
  }
}
