import type { Logger } from 'pino'
import { partitionName, type PartitionNumber } from '../kernel/partition.ts'
import type { Runner, RunnerState } from '../kernel/runner.ts'
import type { Clock } from '../ports/clock.ts'
import { PortError } from '../ports/failure.ts'
import type { ShardProjection } from './projection.ts'
import { done, refused, type ShardPartition, type ShardResult, type ShardState } from './types.ts'

/** Orders to one partition that may wait for the one before. */
export const ORDERS_WAITING_MAX = 16
/** Pause before a spec that a partition did not take is told again, ms. */
export const SPEC_RETRY_MS = 1_000

/** A release waits this long for the views' record in hand, so that two seldom fold at a time; then they end by themselves. */
export const PROJECTION_END_MS_MAX = 200

/** What a shard may be told about a partition, in the order in which that can happen within one epoch. */
export const orderSteps = { prepare: 0, acquire: 1, release: 2 } as const
/** One of the orders. */
export type Order = keyof typeof orderSteps

/** A partition's place at a shard: orders come one after the other, each under an epoch. */
export interface Seat<Observation> {
  readonly partition: PartitionNumber
  /** The highest epoch that an order came under. */
  readonly epoch: number
  /** Whether a runner sits here, or is on its way. */
  readonly isTaken: boolean
  /** Why an order under this epoch would be refused, or null. Changes nothing. */
  objection(order: Order, epoch: number): string | null
  order(order: Order, epoch: number): Promise<ShardResult<ShardPartition>>
  /** An assignment that does not name the partition, which is not here: earlier orders are out of date. */
  pass(epoch: number): void
  observe(observation: Observation): void
  snapshotNow(): Promise<ShardResult<ShardPartition>>
  /** Null when there is no state to be hashed. */
  stateHash(): Promise<string | null>
  /** What the machine answers to a question. @throws {PortError} `unavailable` when it is not served here */
  query(question: Uint8Array): Promise<Uint8Array>
  status(): ShardPartition
  /** Looks after a runner that stepped down: its views are the next owner's to fold. */
  tend(): void
  /** Hands over, writes a last snapshot, waits for everything that runs. */
  stop(): Promise<void>
}

/** What a seat needs; a runner is made anew for each time the partition is prepared or acquired. */
export interface SeatDeps<Observation> {
  readonly partition: PartitionNumber
  readonly clock: Clock
  readonly logger: Logger
  readonly makeRunner: () => Runner<Observation>
  readonly startProjection: () => ShardProjection
  readonly applySpec: () => Promise<void>
}

/** A runner in its seat. */
interface Sitting<Observation> {
  readonly runner: Runner<Observation>
  /** Aborted when it is to go: nobody waits for its spec any more. */
  readonly quit: AbortController
  projection: ShardProjection | null
  isSpecApplied: boolean
  specReason: string | null
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** States in which a runner will do nothing more. */
const isOver = (state: RunnerState): boolean => state === 'deposed' || state === 'failed'

/** Makes an empty seat; `passed` is the epoch of an assignment that did not name the partition, 0 for none. */
export const createSeat = <Observation>(deps: SeatDeps<Observation>, passed: number): Seat<Observation> => {
  const { partition, clock, logger } = deps
  const name = partitionName(partition)
  let seen: { epoch: number; step: number } = { epoch: passed, step: passed === 0 ? -1 : orderSteps.release }
  let epoch = passed
  let sitting: Sitting<Observation> | null = null
  let isReleasing = false
  let isStopping = false
  let waiting = 0
  let chain: Promise<unknown> = Promise.resolve()
  let latest: Promise<ShardResult<ShardPartition>> | null = null
  /** What ends beside the orders: snapshots of released runners, projections. */
  const ending = new Set<Promise<unknown>>()

  const beside = (work: Promise<unknown>, what: string): void => {
    const watched: Promise<unknown> = work
      .catch((error: unknown) => logger.error({ err: error, partition: name }, what))
      .finally(() => ending.delete(watched))
    ending.add(watched)
  }

  const stateOf = ({ runner, isSpecApplied }: Sitting<Observation>): ShardState => {
    const { state } = runner.status()
    if (isReleasing && !isOver(state)) return 'releasing'
    if (state === 'stopped') return 'starting'
    return state === 'serving' && !isSpecApplied ? 'starting' : state
  }

  const status = (): ShardPartition => {
    const runner = sitting?.runner.status() ?? null
    const viewSequence = sitting?.projection?.through() ?? 0n
    const snapshot = runner?.lastSnapshot ?? runner?.recovery?.snapshot ?? null
    const isComplete = sitting?.projection && runner?.state === 'serving' && runner.sequence <= viewSequence
    return {
      partition,
      state: sitting === null ? 'released' : stateOf(sitting),
      reason: runner?.reason ?? sitting?.specReason ?? null,
      epoch,
      sequence: runner?.sequence ?? 0n,
      snapshotSequence: snapshot?.sequence ?? runner?.recovery?.snapshotSequence ?? null,
      snapshotAtMs: snapshot?.atMs ?? null,
      viewSequence,
      viewsAsOfMs: isComplete ? clock.nowMs() : (sitting?.projection?.asOfMs() ?? 0),
      runner,
    }
  }

  const sit = (): Sitting<Observation> => ({
    runner: deps.makeRunner(),
    quit: new AbortController(),
    projection: null,
    isSpecApplied: false,
    specReason: null,
  })

  const endProjection = async (one: Sitting<Observation>): Promise<void> => {
    const { projection } = one
    one.projection = null
    if (projection === null) return
    const ended = projection.stop()
    beside(ended, 'a projection could not be stopped')
    await Promise.race([ended.catch(() => undefined), clock.sleep(PROJECTION_END_MS_MAX)])
  }

  /** Hands over what sits here; the last of its snapshots and views ends beside. */
  const standUp = async (snapshot: boolean): Promise<void> => {
    const leaving = sitting
    if (leaving === null) return
    isReleasing = true
    leaving.quit.abort()
    await Promise.all([leaving.runner.release(), endProjection(leaving)])
    beside(leaving.runner.stop({ snapshot }), 'a runner could not be stopped')
    sitting = null
    isReleasing = false
  }

  /** Tells the partition its spec until it takes it; resolves after the first attempt. */
  const putInOrder = (one: Sitting<Observation>): Promise<void> => {
    const first = Promise.withResolvers<void>()
    const apply = async (): Promise<void> => {
      while (!one.quit.signal.aborted && !isOver(one.runner.status().state)) {
        try {
          await deps.applySpec()
          one.isSpecApplied = true
          one.specReason = null
          return
        } catch (error) {
          one.specReason = `its spec is not in order yet: ${messageOf(error)}`
          logger.warn({ err: error, partition: name }, 'a partition did not take its spec; it is told again')
        }
        first.resolve()
        await clock.sleep(SPEC_RETRY_MS, one.quit.signal).catch(() => undefined)
      }
    }
    apply()
      .catch((error: unknown) => logger.error({ err: error, partition: name }, 'a spec could not be put in order'))
      .finally(first.resolve)
    one.quit.signal.addEventListener('abort', () => first.resolve(), { once: true })
    return first.promise
  }

  const prepare = async (): Promise<ShardResult<ShardPartition>> => {
    if (sitting !== null && !isOver(sitting.runner.status().state)) return done(status())
    await standUp(false)
    const one = sit()
    sitting = one
    try {
      await one.runner.prepare()
      return done(status())
    } catch (error) {
      return refused('PREPARE_FAILED', `${name} can not be prepared: ${messageOf(error)}`)
    }
  }

  const acquire = async (): Promise<ShardResult<ShardPartition>> => {
    const state = sitting?.runner.status().state
    const isFollowing = state === 'prepared' || state === 'preparing'
    if (state !== undefined && !isOver(state) && !isFollowing) return done(status())
    if (!isFollowing) await standUp(false)
    const one = sitting ?? sit()
    sitting = one
    try {
      await one.runner.start()
    } catch (error) {
      const remedy = 'put right what the message names and acquire it again'
      return refused('ACQUIRE_FAILED', `${name} can not be served: ${messageOf(error)}; ${remedy}`)
    }
    one.projection = deps.startProjection()
    await putInOrder(one)
    return done(status())
  }

  const release = (): Promise<ShardResult<ShardPartition>> => standUp(false).then(() => done(status()))

  const carryOut = { prepare, acquire, release }

  const objection = (order: Order, wanted: number): string | null => {
    if (wanted < seen.epoch) return `${name} has had epoch ${seen.epoch} already, ${wanted} is out of date`
    const isReleased = wanted === seen.epoch && seen.step === orderSteps.release && order !== 'release'
    return isReleased ? `${name} was released under epoch ${wanted}` : null
  }

  const stale = (why: string): ShardResult<ShardPartition> =>
    refused('STALE_EPOCH', `${why}; use a higher epoch if this is what is wanted now`)

  const enqueue = (order: Order, wanted: number): Promise<ShardResult<ShardPartition>> => {
    const step = orderSteps[order]
    const run = async (): Promise<ShardResult<ShardPartition>> => {
      waiting -= 1
      if (isStopping) return refused('STOPPING', 'the shard is stopping; ask the one that has the partition now')
      // What came meanwhile takes its place; a preparation overtaken by its own acquisition has nothing to do any more.
      if (seen.epoch > wanted || (seen.step === orderSteps.release && step < seen.step))
        return stale(`${name} was told something else under epoch ${seen.epoch} meanwhile`)
      if (seen.step > step) return done(status())
      epoch = wanted
      return carryOut[order]()
    }
    waiting += 1
    const result = chain.then(run)
    chain = result.catch(() => undefined)
    return result
  }

  return {
    partition,
    get epoch() {
      return seen.epoch
    },
    get isTaken() {
      return sitting !== null || waiting > 0
    },
    objection,
    order: (order, wanted) => {
      const why = objection(order, wanted)
      if (why !== null) return Promise.resolve(stale(why))
      const step = orderSteps[order]
      const isSame = wanted === seen.epoch && step === seen.step
      if (wanted === seen.epoch && step < seen.step) return Promise.resolve(done(status()))
      // The same order again: only one that failed is tried again. A deposed one would fight the owner it lost to.
      const isFailed = sitting?.runner.status().state === 'failed'
      if (isSame && latest !== null && (waiting > 0 || !isFailed))
        return latest.then((result) => (result.ok ? done(status()) : result))
      if (waiting >= ORDERS_WAITING_MAX)
        return Promise.resolve(refused('OVERLOADED', `${name} has ${waiting} orders waiting; wait for them`))
      seen = { epoch: wanted, step }
      // Who waits for a spec gives way.
      if (order === 'release') sitting?.quit.abort()
      latest = enqueue(order, wanted)
      return latest
    },
    pass: (wanted) => {
      seen = { epoch: wanted, step: orderSteps.release }
      latest = null
    },
    observe: (observation) => sitting?.runner.observe(observation),
    snapshotNow: async () => {
      const runner = sitting?.runner
      if (runner?.status().state !== 'serving')
        return refused('NOT_SERVED', `${name} is ${status().state} here; ask the shard that serves it`)
      const failedBefore = runner.status().counts['snapshotsFailed']
      await runner.snapshotNow()
      if (runner.status().counts['snapshotsFailed'] !== failedBefore)
        return refused('SNAPSHOT_FAILED', `no snapshot of ${name} could be stored; the shard's log says why`)
      return done(status())
    },
    stateHash: async () => {
      const runner = sitting?.runner
      return runner?.status().state === 'serving' ? runner.stateHash().catch(() => null) : null
    },
    query: async (question) => {
      if (sitting === null) throw new PortError('unavailable', `${name} is not served here`)
      return sitting.runner.query(question)
    },
    status,
    tend: () => {
      const one = sitting
      if (one === null || one.projection === null || !isOver(one.runner.status().state)) return
      endProjection(one).catch((error: unknown) => logger.error({ err: error }, 'a projection could not be stopped'))
    },
    stop: async () => {
      isStopping = true
      sitting?.quit.abort()
      await chain
      await standUp(true)
      while (ending.size > 0) await Promise.all(ending)
    },
  }
}
