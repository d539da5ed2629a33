import type { Consumer } from '../ports/bus.ts'
import type { Repeating } from '../ports/clock.ts'
import { PortError } from '../ports/failure.ts'
import { appendRecord } from './appender.ts'
import { buildBatch, dueCommand, MachineTrap, type Batch } from './batch.ts'
import { createEffectSender, reloadEffects } from './effect-sender.ts'
import { createInbox, type InboxItem } from './inbox.ts'
import { createIntake, UNAVAILABLE } from './intake.ts'
import type { Applied } from './machine.ts'
import type { PartitionNumber } from './partition.ts'
import { advance, recordOf, ReplayError, type PartitionState } from './partition-state.ts'
import { partitionName } from './partition.ts'
import { createOutsideCaller, type OutsideCaller } from './outside-caller.ts'
import { createReads, type Reads } from './reads.ts'
import { encodeRecord, RecordError, writerMark, type JournalRecord } from './record.ts'
import { recoverPartition, type RecoveryReport } from './recovery.ts'
import { imageOf, stateHashOf } from './snapshot-codec.ts'
import {
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
import { createSnapshotter, type Snapshotter } from './snapshotter.ts'
import { createSuspicion, type Suspect } from './suspicion.ts'

export type { Runner, RunnerDeps, RunnerState, RunnerStatus } from './runner-types.ts'

const NOTHING = new Uint8Array(0)
const NOTHING_APPLIED: readonly Applied[] = []

/** Makes a runner. */
export const createRunner = <Observation = never>(deps: RunnerDeps<Observation>): Runner<Observation> => {
  const { partition, host, bus, clock, journal } = deps
  const logger = deps.logger.child({ partition: partitionName(partition) })
  const counts = {
    records: 0,
    commands: 0,
    duplicateEffects: 0,
    gapEffects: 0,
    expired: 0,
    droppedFaulty: 0,
    overloaded: 0,
    deadLetters: 0,
    traps: 0,
    engineFaults: 0,
    appendRetries: 0,
    rebuilds: 0,
    confirmationsLost: 0,
    headReads: 0,
    headReadsFailed: 0,
  }
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
  /** Whether the loop owns the state: others look at it only between two records. */
  let isLooping = false
  let isExpiryDue = false
  // An owner that nobody asks anything must hear too that another one appended: those effects are in nobody's hands.
  let isOwnershipDue = false
  let ownedAtMs = 0
  let loop: Promise<void> = Promise.resolve()
  let cursorsSavedAtMs = 0
  const between: (() => void)[] = []
  const suspicion = createSuspicion<Observation>()

  /** What an acquisition of the partition begins anew: nothing of a former one can reach it. */
  const createTenure = () => {
    const inbox = createInbox<Observation>(() => wake())
    const nowMs = (): number => clock.monotonicMs()
    const sender = createEffectSender({ partition, bus, nowMs, onConfirmed: () => reads.confirmed() })
    const reads: Reads = createReads({ sender, nowMs })
    const intake = createIntake({ inbox, sender, counts, logger, nowMs, isStopping, onRead: () => wake() })
    return { inbox, sender, reads, intake, writer: writerMark(clock.nowMs(), clock.monotonicMs()) }
  }
  let { inbox, sender, reads, intake, writer } = createTenure()

  const nextNow = (): bigint => {
    const now = BigInt(clock.nowMs())
    return state !== null && state.now > now ? state.now : now
  }

  const releaseReplies = (batch: Batch<Observation>, record: JournalRecord): void => {
    const confirmations = new Map(batch.repeats)
    batch.sources.forEach((source, index) => {
      if (source === null || source.kind !== 'delivery') return
      const { delivery } = source
      if (delivery.message.type === 'effect')
        confirmations.set(delivery.message.sender ?? 0, delivery.message.sequence ?? 0n)
      else delivery.reply({ status: 'ok', sequence: record.sequence, body: record.outcomes[index]! })
      delivery.acknowledge()
    })
    confirm(confirmations)
  }

  const confirm = (confirmations: ReadonlyMap<PartitionNumber, bigint>): void => {
    for (const [receiver, sequence] of confirmations) {
      bus.send(receiver, { type: 'confirmation', sender: partition, sequence, body: NOTHING }).catch(() => {
        // A lost confirmation makes the sender send again, which is confirmed again.
        counts.confirmationsLost += 1
      })
    }
  }

  const release = (
    served: PartitionState,
    batch: Batch<Observation>,
    record: JournalRecord,
    body: Uint8Array,
  ): void => {
    releaseReplies(batch, record)
    sender.release(record.sequence, record.effects)
    outside?.release(record.effects)
    deps.events.publish({ partition, sequence: record.sequence, body })
    reads.wake(batch.part.applied, served)
    counts.records += 1
    counts.commands += record.inputs.length
    counts.engineFaults += record.faulted.length
  }

  const turnAway = (items: readonly InboxItem<Observation>[]): void => {
    for (const item of items) {
      if (item.kind !== 'delivery') continue
      if (item.delivery.message.type === 'command') {
        item.delivery.reply(UNAVAILABLE)
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
    for (const read of intake.reads.splice(0)) {
      read.reply(UNAVAILABLE)
      read.acknowledge()
    }
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
    logger.error({ err: trap.cause }, `${trap.message}; the state is rebuilt from the journal`)
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

  const commit = async (served: PartitionState, batch: Batch<Observation>, now: bigint): Promise<boolean> => {
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
      release(served, batch, record, stored.body)
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
    try {
      const nowMs = clock.monotonicMs()
      const { awaitResolved: onUnresolved } = intake
      batch = buildBatch({ state: served, host, inbox, counts, nowMs, alone, refused, onUnresolved }, now)
    } catch (error) {
      if (!(error instanceof MachineTrap)) throw error
      await onTrap(error)
      return state !== null
    }
    suspicion.passed(batch.sources[0] === null && batch.taken.length === 0)
    if (batch.sources.length > 0) {
      if (!(await commit(served, batch, now))) return false
    } else {
      confirm(batch.repeats)
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
      for (const read of intake.reads.splice(0, arrived)) {
        read.reply(UNAVAILABLE)
        read.acknowledge()
      }
      return true
    }
  }

  const hasWork = (): boolean => {
    if (state === null) return false
    if (inbox.size > 0 || intake.reads.length > 0 || between.length > 0) return true
    if (isExpiryDue || isOwnershipDue) return true
    return (
      dueCommand(state, host, nextNow()) !== null ||
      state.machine.continuation() !== null ||
      (snapshotter?.due(state.sequence) ?? false)
    )
  }

  const runBetween = (): void => {
    for (const task of between.splice(0)) task()
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
    runBetween()
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
    const recovered = await recoverPartition({ journal, snapshots: deps.snapshots, factory: host.factory }, partition)
    for (const doubt of recovered.report.doubted)
      logger.error({ doubt: { ...doubt, sequence: String(doubt.sequence) } }, 'a snapshot was passed over')
    recovery = recovered.report
    ;({ inbox, sender, reads, intake, writer } = createTenure())
    const { inbox: answers, intake: taken } = { inbox, intake }
    outside = createOutsideCaller({
      host: host,
      onAnswer: (command) => answers.push({ kind: 'internal', command }),
      onBroken: (error) => logger.error({ err: error }, 'an outside call broke; it is asked for again after a restart'),
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
      runBetween()
      if (isStopping() || runnerState === 'failed' || runnerState === 'deposed') return
      counts.rebuilds += 1
      // Only what got something done may try again at once.
      pauseMs = counts.records > before ? REBUILD_PAUSE_MS : Math.min(pauseMs * 2, REBUILD_PAUSE_MS_MAX)
      await pauseBeforeRebuild(pauseMs)
    }
  }

  const whenBetween = <Value>(task: (served: PartitionState) => Value): Promise<Value> =>
    new Promise((resolve, reject) => {
      const attempt = (): void => {
        try {
          if (state === null)
            throw new PortError('unavailable', `partition ${partitionName(partition)} is ${runnerState}`)
          resolve(task(state))
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)))
        }
      }
      if (!isLooping) return attempt()
      between.push(attempt)
      wake()
    })

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

  return {
    start: () => {
      const begun = begin()
      // `stop` waits for this, whether the start succeeds or not.
      loop = begun.then(serve, () => undefined)
      return begun
    },
    observe: (observation) => {
      if (runnerState === 'serving') inbox.push({ kind: 'observation', observation })
    },
    stop: async (options) => {
      quit.abort(new Error('the runner is stopped'))
      wake()
      await loop
      await stopConsumer()
      outside?.stop()
      await upkeep?.stop()
      reads.drop()
      turnAway(inbox.drain())
      await snapshotter?.idle()
      if (options.snapshot && state !== null) await snapshotter?.store(imageOf(state))
      if (state !== null) await saveCursors()
      if (runnerState !== 'failed' && runnerState !== 'deposed') runnerState = 'stopped'
    },
    snapshotNow: async () => {
      const image = await whenBetween(imageOf)
      await snapshotter?.idle()
      const info = await snapshotter?.store(image)
      return info?.sequence ?? null
    },
    status: () => ({
      partition,
      name: partitionName(partition),
      state: runnerState,
      reason,
      sequence: state?.sequence ?? 0n,
      nowMs: state?.now ?? 0n,
      waiting: inbox.size,
      unconfirmedEffects: sender.unconfirmed(),
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
      recovery,
    }),
    stateHash: () => whenBetween(stateHashOf),
  }
}
