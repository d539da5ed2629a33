import type { Logger } from 'pino'
import { partitionName, type PartitionNumber } from '@bourse/common/kernel/partition.ts'
import type { Clock, Repeating } from '@bourse/common/ports/clock.ts'
import type { Orders } from '@bourse/common/shard-client/client.ts'
import type { ShardPlace } from '@bourse/common/shard-client/move.ts'
import type { PartitionStateView } from '@bourse/common/views/models.ts'

/** How often what the shards say is looked at, ms. */
export const LOOK_INTERVAL_MS = 1_000
/** A partition of which nobody has said anything new for this long has no shard, ms: fifteen heartbeats. */
export const SILENT_MS = 15_000
/**
 * Pause before a partition in trouble is acquired again, ms: a new owner that deposed the old one has said so by then.
 * Doubles with every attempt …
 */
export const RECOVERY_PAUSE_MS_MIN = 3_000
/** … up to this. */
export const RECOVERY_PAUSE_MS_MAX = 60_000
/** A partition that was well for this long is sound: the next pause is short again, ms. */
export const RECOVERY_SOUND_MS = 60_000
/** Acquisitions that may be under way at a time; the rest wait for the next look. */
export const RECOVERIES_MAX = 16

/** What is remembered of a partition. Moments are the monotonic clock's. */
interface Watched {
  /** What was said last, to tell whether anything new is said. */
  said: string
  saidAtMs: number
  wellSinceMs: number | null
  /** When it is acquired again; null while it is well. */
  dueAtMs: number | null
  pauseMs: number
  /** Since it was sound. */
  attempts: number
  isUnderWay: boolean
}

/** Brings back partitions that nobody serves. */
export interface Recovery extends Repeating {
  /** Looks now, as it does once a second. @throws {PortError} */
  look(): Promise<void>
}

const saidBy = (state: PartitionStateView | undefined): string =>
  state === undefined ? '' : `${state.shard} ${state.epoch} ${state.state} ${state.atMs}`

/** Why a partition is served by nobody, or null. */
const troubleOf = (state: PartitionStateView | undefined, unchangedMs: number): string | null => {
  if (state?.state === 'deposed' || state?.state === 'failed')
    return `${state.shard} says that it is ${state.state}: ${state.reason ?? 'it does not say why'}`
  if (unchangedMs < SILENT_MS) return null
  if (state === undefined) return `no shard has spoken of it for ${unchangedMs} ms`
  return `${state.shard} said "${state.state}" ${unchangedMs} ms ago, and nobody anything since`
}

/**
 * Looks at what the shards say of their partitions. One that is `deposed` or `failed`, or of which nobody says anything new, is
 * acquired at its shard again under a new epoch, with growing pauses: one that stays in trouble stays visible as such. A look
 * that can't read changes nothing.
 */
export const startRecovery = (deps: {
  readonly partitions: readonly PartitionNumber[]
  /** Everything that shards say now. @throws {PortError} */
  readonly readStates: () => Promise<readonly PartitionStateView[]>
  /** Where a partition belongs; null while that shard is told by others what to serve, or is not there yet. */
  readonly placeOf: (partition: PartitionNumber, said: PartitionStateView | undefined) => ShardPlace | null
  readonly orders: Pick<Orders, 'acquire'>
  /** Above everything that was read. */
  readonly nextEpoch: () => number
  readonly clock: Clock
  readonly logger: Logger
  /** Aborted when nobody is to be told anything any more. */
  readonly quit: AbortSignal
}): Recovery => {
  const { orders, clock, logger, quit } = deps
  const watched = new Map<PartitionNumber, Watched>()
  let underWay = 0
  let isBlind = false

  const watchedOf = (partition: PartitionNumber): Watched => {
    const nowMs = clock.monotonicMs()
    const known = watched.get(partition)
    if (known !== undefined) return known
    const fresh = { said: '', saidAtMs: nowMs, wellSinceMs: null, dueAtMs: null, attempts: 0, isUnderWay: false }
    const made: Watched = { ...fresh, pauseMs: RECOVERY_PAUSE_MS_MIN }
    watched.set(partition, made)
    return made
  }

  const acquire = async (one: Watched, partition: PartitionNumber, shard: ShardPlace, why: string): Promise<void> => {
    const epoch = deps.nextEpoch()
    one.attempts += 1
    one.pauseMs = Math.min(one.pauseMs * 2, RECOVERY_PAUSE_MS_MAX)
    one.isUnderWay = true
    underWay += 1
    const about = { partition: partitionName(partition), shard: shard.name, epoch, attempt: one.attempts }
    logger.warn({ ...about, reason: why }, 'nobody serves a partition: it is acquired again')
    const failed = (failure: object): void => {
      if (!quit.aborted)
        logger.error({ ...about, ...failure, pauseMs: one.pauseMs }, 'a partition could not be acquired again')
    }
    try {
      const refusal = await orders.acquire(shard.url, partition, epoch)
      if (refusal !== null) failed(refusal)
    } catch (error) {
      failed({ err: error })
    } finally {
      one.isUnderWay = false
      // What it was in before says nothing of what it is in now.
      one.dueAtMs = null
      underWay -= 1
    }
  }

  const consider = (partition: PartitionNumber, state: PartitionStateView | undefined): void => {
    const nowMs = clock.monotonicMs()
    const one = watchedOf(partition)
    const said = saidBy(state)
    if (said !== one.said) Object.assign(one, { said, saidAtMs: nowMs })
    const why = troubleOf(state, nowMs - one.saidAtMs)
    if (why === null) {
      one.dueAtMs = null
      one.wellSinceMs ??= nowMs
      if (nowMs - one.wellSinceMs >= RECOVERY_SOUND_MS)
        Object.assign(one, { attempts: 0, pauseMs: RECOVERY_PAUSE_MS_MIN })
      return
    }
    one.wellSinceMs = null
    if (one.isUnderWay) return
    one.dueAtMs ??= nowMs + one.pauseMs
    if (nowMs < one.dueAtMs || underWay >= RECOVERIES_MAX) return
    const shard = deps.placeOf(partition, state)
    if (shard !== null) void acquire(one, partition, shard, why)
  }

  const look = async (): Promise<void> => {
    if (quit.aborted) return
    const states = new Map((await deps.readStates()).map((state) => [Number(state._id), state]))
    isBlind = false
    if (quit.aborted) return
    for (const partition of deps.partitions) consider(partition, states.get(partition))
  }

  const looking = clock.every(LOOK_INTERVAL_MS, look, (error) => {
    if (!isBlind)
      logger.warn({ err: error }, 'what shards say of the partitions can not be read: nothing is brought back')
    isBlind = true
  })
  return { look, stop: () => looking.stop() }
}
