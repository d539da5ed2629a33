import type { Consumer } from '../ports/bus.ts'
import type { Repeating } from '../ports/clock.ts'
import { PortError } from '../ports/failure.ts'
import { appendRecord } from './appender.ts'
import { createBetween } from './between.ts'
import { buildBatch, dueCommand, MachineTrap, type Batch } from './batch.ts'
import { createAcquisition } from './acquisition.ts'
import { createBatchTracer } from './batch-trace.ts'
import { reloadEffects } from './effect-sender.ts'
import type { InboxItem } from './inbox.ts'
import { UNKNOWN } from './intake.ts'
import type { Applied } from './machine.ts'
import { advance, recordOf, ReplayError, type PartitionState } from './partition-state.ts'
import { partitionName } from './partition.ts'
import { createOutsideCaller, type OutsideCaller } from './outside-caller.ts'
import { encodeRecord, RecordError } from './record.ts'
import { recoverPartition, type RecoveryReport } from './recovery.ts'
import { imageOf, stateHashOf } from './snapshot-codec.ts'
import {
  createRunnerCounts,
  CURSOR_SAVE_MS,
  IN_FLIGHT_MAX,
  OWNERSHIP_CHECK_MS,
  REBUILD_PAUSE_MS,
  REBUILD_PAUSE_MS_MAX,
  UPKEEP_INTERVAL_MS,
  type Runner,
  type RunnerDeps,
  type RunnerState,
} from './runner-types.ts'
import { createRelease } from './release.ts'
import { createSnapshotter, type Snapshotter } from './snapshotter.ts'
import { createSuspicion, fieldsOfSuspect, type Suspect } from './suspicion.ts'
import { createTenure } from './tenure.ts'
import { createWatched } from './watched.ts'

export type { Runner, RunnerDeps, RunnerState, RunnerStatus } from './runner-types.ts'

const NOTHING_APPLIED: readonly Applied[] = []

/** Makes a runner. */
export const createRunner = <Observation = never>(deps: RunnerDeps<Observation>): Runner<Observation> => {
  const { partition, host, bus, clock, journal } = deps
  const logger = deps.logger.child({ partition: partitionName(partition) })
  const counts = createRunnerCounts()
  let runnerState: RunnerState = 'stopped'
  let reason: string | null = null
  let state: PartitionState | null = null
  let recovery: RecoveryReport | null = null
  let consumer: Consumer | null = null
  let upkeep: Repeating | null = null
  let outside: OutsideCaller | null = null
  let snapshotter: Snapshotter | null = null
  let wake: () => void = () => undefined
  const quit = new AbortController()
  const isStopping = (): boolean => quit.signal.aborted
  const isPreparing = (): boolean => runnerState === 'preparing' && !isStopping()
  /** Whether the loop owns the state: others look at it only between two records. */
  let isLooping = false
  let isExpiryDue = false
  // An owner that nobody asks anything must hear too that another one appended: those effects are in nobody's hands.
  let isOwnershipDue = false
  let ownedAtMs = 0
  let loop: Promise<void> = Promise.resolve()
  let cursorsSavedAtMs = 0
  const between = createBetween({
    stateOf: () => state,
    isLooping: () => isLooping,
    describe: () => `partition ${partitionName(partition)} is ${runnerState}`,
    wake: () => wake(),
  })
  const suspicion = createSuspicion<Observation>()
  const watched = deps.observer === undefined ? null : createWatched<Observation>(deps.observer, logger)
  const onSettled = watched?.settled
  const tracing =
    deps.tracing === undefined
      ? null
      : createBatchTracer<Observation>(deps.tracing, partition, () => clock.monotonicMs())
  const release = createRelease<Observation>({ partition, bus, events: deps.events, counts })

  const acquisition = createAcquisition({
    partition,
    journal,
    snapshots: deps.snapshots,
    factory: host.factory,
    clock,
    logger,
    onEnded: (error) => {
      // While it starts this is no end: it recovers instead.
      if (runnerState !== 'prepared') return
      runnerState = 'failed'
      reason = error.message
    },
  })

  const beginTenure = () =>
    createTenure<Observation>({
      partition,
      bus,
      clock,
      logger,
      counts,
      isStopping,
      wake: () => wake(),
      onSettled,
      tracing,
    })
  let { inbox, sender, reads, intake, writer } = beginTenure()

  const nextNow = (): bigint => {
    const now = BigInt(clock.nowMs())
    return state !== null && state.now > now ? state.now : now
  }

  /** Whether what is told here is still ours to tell is not known: it may be in the journal, or in the next owner's hands. */
  const turnAway = (items: readonly InboxItem<Observation>[]): void => {
    for (const item of items) {
      if (item.kind !== 'delivery') continue
      if (item.delivery.message.type === 'command') {
        item.delivery.reply(UNKNOWN)
        item.delivery.acknowledge()
      } else item.delivery.requeue()
    }
  }

  const giveUp = async (
    next: 'recovering' | 'deposed' | 'failed',
    why: string,
    items: readonly InboxItem<Observation>[],
  ): Promise<void> => {
    runnerState = next
    reason = why
    state = null
    logger[next === 'recovering' ? 'warn' : 'error']({ why }, `partition ${next}`)
    outside?.stop()
    outside = null
    turnAway([...items, ...inbox.drain()])
    intake.refuseReads(intake.reads.length)
    reads.drop()
    await stopConsumer()
  }

  const stopConsumer = async (): Promise<void> => {
    const stopped = consumer
    consumer = null
    try {
      await stopped?.stop()
    } catch (error) {
      // What it still brings ends in an inbox that nobody empties; the bus gives it to the next consumer.
      logger.error({ err: error }, 'a consumer could not be stopped')
    }
  }

  const onTrap = async (trap: MachineTrap): Promise<void> => {
    counts.traps += 1
    const fields = { err: trap.cause, ...fieldsOfSuspect(trap.suspect) }
    logger.error(fields, `${trap.message}; the state is rebuilt from the journal`)
    // The batch that threw was built from this runner's own items.
    const verdict = suspicion.trapped(trap.suspect as Suspect<Observation> | null, inbox.size)
    if (verdict === 'hopeless') await giveUp('failed', 'a command traps even while it is refused', [])
    else await rebuildState()
  }

  /** In its place: what was taken stays taken, effects and outside calls run on. */
  const rebuildState = async (): Promise<void> => {
    counts.rebuilds += 1
    const before = state?.hash
    const recovered = await recoverPartition({ journal, snapshots: deps.snapshots, factory: host.factory }, partition)
    if (before !== undefined && Buffer.compare(before, recovered.state.hash) !== 0) {
      // Its effects are not in our hands, so this must not go on as if they were.
      await giveUp('deposed', `another writer appended record ${recovered.state.sequence}`, [])
      return
    }
    state = recovered.state
    recovery = recovered.report
  }

  const commit = async (
    served: PartitionState,
    batch: Batch<Observation>,
    now: bigint,
    takenMs: number,
  ): Promise<boolean> => {
    const appliedMs = clock.monotonicMs()
    const record = recordOf(served, batch.part, now)
    const stored = encodeRecord(record, writer)
    const verdict = await appendRecord(
      {
        journal,
        clock,
        onRetry: (error) => void ((counts.appendRetries += 1), logger.warn({ err: error }, 'append is tried again')),
      },
      partition,
      stored,
    )
    if (verdict === 'confirmed') {
      ownedAtMs = clock.monotonicMs()
      advance(served, record, stored.hash)
      const trace = tracing?.begin(record, batch) ?? null
      release.record({ record, batch, body: stored.body, trace }, served, { sender, outside, reads })
      const times = { takenMs, appliedMs, appendedMs: ownedAtMs, releasedMs: clock.monotonicMs() }
      trace?.end(times)
      watched?.recorded(record, batch.sources, times)
      return true
    }
    const items = batch.sources.filter((source) => source !== null)
    if (verdict === 'deposed') await giveUp('deposed', `another writer appended record ${record.sequence}`, items)
    else await giveUp('recovering', 'the journal could not be reached', items)
    return false
  }

  const step = async (): Promise<boolean> => {
    const served = state
    if (served === null) return false
    // A read that arrives after this line needs an append or a head read that begins later.
    const arrived = intake.reads.length
    const now = nextNow()
    const { alone, refused } = suspicion
    let batch: Batch<Observation>
    const nowMs = clock.monotonicMs()
    try {
      const { awaitResolved: onUnresolved } = intake
      batch = buildBatch({ state: served, host, inbox, counts, nowMs, alone, refused, onUnresolved, tracing }, now)
    } catch (error) {
      if (!(error instanceof MachineTrap)) throw error
      await onTrap(error)
      return state !== null
    }
    suspicion.passed(batch.sources[0] === null && batch.taken.length === 0)
    if (batch.sources.length > 0) {
      if (!(await commit(served, batch, now, nowMs))) return false
    } else {
      release.confirm(batch.repeats)
      if (arrived > 0 || isOwnershipDue) return answerByHead(served, arrived)
    }
    for (const read of intake.reads.splice(0, arrived)) reads.answer(read, served, batch.part.applied)
    return true
  }

  /** Answers the reads that came while nothing was to be appended, if the journal's head is still this state's. */
  const answerByHead = async (served: PartitionState, arrived: number): Promise<boolean> => {
    counts.headReads += 1
    isOwnershipDue = false
    ownedAtMs = clock.monotonicMs()
    try {
      const head = await journal.head(partition)
      const same = head === null ? served.sequence === 0n : Buffer.compare(head.hash, served.hash) === 0
      if (!same) await giveUp('deposed', `the journal is at ${head?.sequence}, this state at ${served.sequence}`, [])
      else for (const read of intake.reads.splice(0, arrived)) reads.answer(read, served, NOTHING_APPLIED)
      return same
    } catch (error) {
      if (!(error instanceof PortError)) throw error
      // Nothing was changed, so the state is as good as before: only these reads have no answer.
      counts.headReadsFailed += 1
      logger.warn({ err: error }, "the journal's head could not be read")
      intake.refuseReads(arrived)
      return true
    }
  }

  const hasWork = (): boolean => {
    if (state === null) return false
    if (inbox.size > 0 || intake.reads.length > 0 || between.waiting > 0) return true
    // What is due by the state itself is due at the next owner too: a release never waits for it.
    if (isStopping()) return false
    if (isExpiryDue || isOwnershipDue) return true
    return (
      dueCommand(state, host, nextNow()) !== null ||
      state.machine.continuation() !== null ||
      (snapshotter?.due(state.sequence) ?? false)
    )
  }

  /**
   * All that looks at the state without ordering anything. Reads first: when the machine traps on one it is worthless.
   * False when this partition is not ours any more.
   */
  const betweenRecords = async (): Promise<boolean> => {
    if (isExpiryDue && state !== null) {
      isExpiryDue = false
      reads.expire(state)
    }
    const trap = reads.takeTrap()
    if (trap !== null) {
      counts.traps += 1
      logger.error({ err: trap }, 'a question trapped; the state is rebuilt from the journal')
      await rebuildState()
    }
    between.run()
    if (state !== null && snapshotter !== null && snapshotter.due(state.sequence)) {
      // `store` never rejects: a failure is counted and logged by the snapshotter.
      void snapshotter.store(imageOf(state))
    }
    return state !== null
  }

  const waitForWork = (): Promise<void> =>
    new Promise((resolve) => {
      wake = () => {
        wake = () => undefined
        resolve()
      }
      if (hasWork() || isStopping()) wake()
    })

  const run = async (): Promise<void> => {
    while (await betweenRecords()) {
      if (!hasWork()) {
        if (isStopping()) return
        await waitForWork()
        continue
      }
      if (!(await step())) break
    }
  }

  const keepUp = async (): Promise<void> => {
    // Only who serves sends: a deposed owner would send for ever, since nobody confirms to it.
    if (runnerState !== 'serving') return
    sender.resendOverdue()
    // The state may be ahead of the journal now; the loop looks at it between two records.
    isExpiryDue = reads.waiting() > 0
    isOwnershipDue = clock.monotonicMs() - ownedAtMs >= OWNERSHIP_CHECK_MS
    wake()
    if (clock.monotonicMs() - cursorsSavedAtMs >= CURSOR_SAVE_MS) {
      cursorsSavedAtMs = clock.monotonicMs()
      await journal.saveCursors(partition, sender.cursors())
    }
  }

  const acquire = async (): Promise<RecoveryReport> => {
    runnerState = 'starting'
    const recovered = await acquisition.acquire()
    recovery = recovered.report
    ;({ inbox, sender, reads, intake, writer } = beginTenure())
    const { inbox: answers, intake: taken } = { inbox, intake }
    outside = createOutsideCaller({
      host: host,
      onAnswer: (command, context) =>
        answers.push({ kind: 'internal', command, context, arrivedMs: clock.monotonicMs() }),
      onBroken: (error) => logger.error({ err: error }, 'an outside call broke; it is asked for again after a restart'),
      tracer: deps.tracing?.tracer,
    })
    snapshotter = createSnapshotter({
      partition,
      snapshots: deps.snapshots,
      clock,
      policy: deps.snapshotPolicy,
      lastSequence: recovered.report.snapshotSequence,
      onFailure: (error) => logger.error({ err: error }, 'a snapshot failed'),
    })
    state = recovered.state
    ownedAtMs = clock.monotonicMs()
    await reloadEffects(sender, journal, state)
    consumer = await bus.consume(partition, taken.take, { inFlightMax: IN_FLIGHT_MAX })
    runnerState = 'serving'
    reason = null
    outside.resume(state.outsideCalls)
    return recovered.report
  }

  const pauseBeforeRebuild = async (pauseMs: number): Promise<void> => {
    try {
      await clock.sleep(pauseMs, quit.signal)
    } catch {
      // Stopping: the loop around sees that.
    }
  }

  /** Serves until it is stopped or has to step down; never rejects. */
  const serve = async (): Promise<void> => {
    let pauseMs = REBUILD_PAUSE_MS
    while (!isStopping()) {
      const before = counts.records
      try {
        if (state === null) await acquire()
        isLooping = true
        await run()
      } catch (error) {
        logger.error({ err: error }, 'the partition broke')
        const fatal = error instanceof RecordError || error instanceof ReplayError
        await giveUp(fatal ? 'failed' : 'recovering', error instanceof Error ? error.message : String(error), [])
      }
      isLooping = false
      between.run()
      if (isStopping() || runnerState === 'failed' || runnerState === 'deposed') return
      counts.rebuilds += 1
      // Only what got something done may try again at once.
      pauseMs = counts.records > before ? REBUILD_PAUSE_MS : Math.min(pauseMs * 2, REBUILD_PAUSE_MS_MAX)
      await pauseBeforeRebuild(pauseMs)
    }
  }

  /** The first acquisition; whatever it leaves behind when it fails is cleared away. */
  const begin = async (): Promise<RecoveryReport> => {
    try {
      const report = await acquire()
      upkeep = clock.every(UPKEEP_INTERVAL_MS, keepUp, (error) => logger.warn({ err: error }, 'upkeep failed'))
      return report
    } catch (error) {
      await giveUp('failed', error instanceof Error ? error.message : String(error), [])
      throw error
    }
  }

  /** Cursors are advice: a stop does not fail for them. */
  const saveCursors = async (): Promise<void> => {
    try {
      await journal.saveCursors(partition, sender.cursors())
    } catch (error) {
      logger.warn({ err: error }, 'the effect cursors could not be saved')
    }
  }

  const prepare = async (): Promise<RecoveryReport> => {
    if (runnerState !== 'stopped' || isStopping()) throw new Error('a runner is prepared once, before it starts')
    runnerState = 'preparing'
    try {
      const report = await acquisition.prepare()
      if (isPreparing()) runnerState = 'prepared'
      return report
    } catch (error) {
      if (isPreparing()) await giveUp('failed', error instanceof Error ? error.message : String(error), [])
      throw error
    }
  }

  const handOver = async (): Promise<void> => {
    quit.abort(new Error('the runner is stopped'))
    wake()
    await loop
    await acquisition.stop()
    await stopConsumer()
    outside?.stop()
    await upkeep?.stop()
    reads.drop()
    turnAway(inbox.drain())
    if (state !== null) await saveCursors()
    if (runnerState !== 'failed' && runnerState !== 'deposed') runnerState = 'stopped'
  }
  let handedOver: Promise<void> | null = null
  const handOverOnce = (): Promise<void> => (handedOver ??= handOver())

  return {
    prepare,
    start: () => {
      const begun = begin()
      // `stop` waits for this, whether the start succeeds or not.
      loop = begun.then(serve, () => undefined)
      return begun
    },
    observe: (observation) => {
      // A release ends also while quotes come without a pause.
      if (runnerState === 'serving' && !isStopping()) inbox.push({ kind: 'observation', observation })
    },
    release: handOverOnce,
    stop: async (options) => {
      await handOverOnce()
      await snapshotter?.idle()
      if (options.snapshot && state !== null) await snapshotter?.store(imageOf(state))
    },
    snapshotNow: async () => {
      const image = await between.ask(imageOf)
      await snapshotter?.idle()
      const info = await snapshotter?.store(image)
      return info?.sequence ?? null
    },
    status: () => ({
      partition,
      name: partitionName(partition),
      state: runnerState,
      reason,
      sequence: state?.sequence ?? acquisition.follower?.sequence ?? 0n,
      nowMs: state?.now ?? acquisition.follower?.now ?? 0n,
      waiting: inbox.size,
      unconfirmedEffects: sender.unconfirmed(),
      oldestUnconfirmedRecord: sender.oldestUnconfirmedRecord(),
      outsideCalls: state?.outsideCalls.size ?? 0,
      parkedReads: reads.waiting(),
      counts: {
        ...counts,
        effectsSent: sender.counts.sent,
        effectsResent: sender.counts.resent,
        droppedObservations: inbox.droppedObservations,
        snapshotsStored: snapshotter?.counts.stored ?? 0,
        snapshotsFailed: snapshotter?.counts.failed ?? 0,
      },
      lastSnapshot: snapshotter?.last ?? null,
      recovery: recovery ?? acquisition.follower?.report() ?? null,
      machineBytes: state?.machine.memoryBytes?.() ?? null,
    }),
    stateHash: () => between.ask(stateHashOf),
    query: (question) => between.ask((served) => served.machine.query(question).bytes),
  }
}
