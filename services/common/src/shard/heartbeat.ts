import type { Logger } from 'pino'
import type { Clock, Repeating } from '../ports/clock.ts'
import type { Views } from '../ports/views.ts'
import type { PartitionNumber } from '../kernel/partition.ts'
import { partitionStateModel, type PartitionStateView } from '../views/models.ts'
import type { GiveWay } from './give-way.ts'
import type { ShardPartition } from './types.ts'

/** How often a shard says what its partitions are, ms. */
export const HEARTBEAT_INTERVAL_MS = 1_000
/** Name under which the views keep the order of these words, apart from the folds' cursors. */
export const HEARTBEAT_PROJECTION = 'shards'

/** Bits of a word's number that hold its moment, in tenths of a second since 1970: enough for two hundred years. */
const MOMENT_BITS = 36n
const MOMENT_UNIT_MS = 100

/** The number of a word: a higher epoch always stands, whatever the clocks of two shards say; within one the later. */
const numberOf = (epoch: number, atMs: number): bigint =>
  (BigInt(epoch) << MOMENT_BITS) + BigInt(Math.floor(atMs / MOMENT_UNIT_MS))

/** What is known of the views of a partition before anybody has folded one of its records. */
const NO_VIEWS = { viewSequence: 0n, viewsAsOfMs: 0 } as const

/**
 * What a shard says of the views. Between two owners neither folds: then it is nothing, since what was said before still
 * holds, and gateways that were told less would take no keyed command until the word after.
 */
const viewsOf = ({ viewSequence, viewsAsOfMs }: ShardPartition): Partial<PartitionStateView> =>
  viewsAsOfMs === 0 ? {} : { viewSequence, viewsAsOfMs }

/** A shard's heartbeat. */
export interface Heartbeat extends Repeating {
  /** Says everything now, then gives way where others have more to say; never rejects. */
  beat(): Promise<void>
  /** Words that the views did not take, and looks at the others' words that failed. */
  readonly failures: number
}

/**
 * Says of each partition that the shard has what it is, once a second, in the views: gateways read it there. Of what it
 * merely prepares it says nothing, another one serves that; of what it released it says so once. A partition that another
 * shard speaks of under a higher epoch gives way.
 */
export const startHeartbeat = (deps: {
  readonly shard: { readonly name: string; status(): readonly ShardPartition[] }
  readonly views: Pick<Views, 'project' | 'get'>
  readonly giveWay: GiveWay
  readonly clock: Clock
  readonly logger: Logger
  /** Where the shard's control interface is, for who reads the word. */
  readonly controlUrl: string
}): Heartbeat => {
  const { shard, views, giveWay, clock, logger, controlUrl } = deps
  const last = new Map<PartitionNumber, { readonly epoch: number; readonly number: bigint }>()
  let failures = 0
  let isFailing = false
  let isBlind = false

  const fieldsOf = (one: ShardPartition): Omit<PartitionStateView, '_id' | keyof typeof NO_VIEWS> => ({
    shard: shard.name,
    epoch: one.epoch,
    state: one.state,
    reason: one.reason,
    sequence: one.sequence,
    snapshotSequence: one.snapshotSequence,
    snapshotAtMs: one.snapshotAtMs,
    atMs: clock.nowMs(),
    controlUrl,
  })

  const say = (one: ShardPartition, number: bigint, fields: Partial<PartitionStateView>): Promise<void> => {
    const row = { model: partitionStateModel, id: String(one.partition) }
    return views.project(HEARTBEAT_PROJECTION, one.partition, number, [
      { kind: 'insert', ...row, fields: NO_VIEWS },
      { kind: 'merge', ...row, fields },
    ])
  }

  /** Who comes next under the same epoch has the last word, so this is the first one of its epoch. */
  const sayReleased = async (one: ShardPartition): Promise<void> => {
    const before = last.get(one.partition)
    if (before === undefined) return
    const { shard: name, epoch, state, reason, atMs } = fieldsOf(one)
    const number = one.epoch > before.epoch ? numberOf(one.epoch, 0) : before.number + 1n
    await say(one, number, { shard: name, epoch, state, reason, atMs, controlUrl })
    last.delete(one.partition)
  }

  const sayOne = async (one: ShardPartition): Promise<void> => {
    if (one.state === 'released') return sayReleased(one)
    if (one.state === 'preparing' || one.state === 'prepared') return
    if (one.state === 'deposed') {
      // Somebody else appended, so the last word is theirs if they say anything.
      const said = await views.get(partitionStateModel, String(one.partition))
      if (said !== null && said.shard !== shard.name) return
    }
    const before = last.get(one.partition)?.number ?? 0n
    const wanted = numberOf(one.epoch, clock.nowMs())
    // A clock that was put back does not silence the shard.
    const number = wanted > before ? wanted : before + 1n
    await say(one, number, { ...fieldsOf(one), ...viewsOf(one) })
    last.set(one.partition, { epoch: one.epoch, number })
  }

  const look = async (): Promise<void> => {
    try {
      await giveWay.look()
      isBlind = false
    } catch (error) {
      failures += 1
      if (!isBlind) logger.warn({ err: error }, 'what other shards say of the partitions can not be read')
      isBlind = true
    }
  }

  const beat = async (): Promise<void> => {
    const said = await Promise.allSettled(shard.status().map(sayOne))
    const failed = said.filter((one) => one.status === 'rejected')
    failures += failed.length
    if (failed[0] !== undefined && !isFailing)
      logger.warn({ err: failed[0].reason }, 'gateways do not hear of the partitions: the views took no word of them')
    isFailing = failed.length > 0
    await look()
  }

  const beating = clock.every(HEARTBEAT_INTERVAL_MS, beat, (error) =>
    logger.error({ err: error }, 'the heartbeat broke; it goes on'),
  )
  return {
    beat,
    get failures() {
      return failures
    },
    stop: () => beating.stop(),
  }
}
