import type { Consumer, Delivery } from '../ports/bus.ts'
import type { Repeating } from '../ports/clock.ts'
import { PortError } from '../ports/failure.ts'
import { appendRecord } from './appender.ts'
import { buildBatch, dueCommand, MachineTrap, type Batch } from './batch.ts'
import { createEffectSender, EFFECTS_UNCONFIRMED_MAX, reloadEffects } from './effect-sender.ts'
import { createInbox, faultOfCommand, type InboxItem } from './inbox.ts'
import type { PartitionNumber } from './partition.ts'
import { advance, recordOf, type PartitionState } from './partition-state.ts'
import { partitionName } from './partition.ts'
import { createOutsideCaller, type OutsideCaller } from './outside-caller.ts'
import { createReads, type Reads } from './reads.ts'
import { encodeRecord, RecordError, type JournalRecord } from './record.ts'
import { recoverPartition, type RecoveryReport } from './recovery.ts'
import { imageOf, stateHashOf } from './snapshot-codec.ts'
import {
  CURSOR_SAVE_MS,
  IN_FLIGHT_MAX,
  REBUILD_PAUSE_MS,
  REBUILD_PAUSE_MS_MAX,
  RESOLVING_MAX,
  UPKEEP_INTERVAL_MS,
  type Runner,
  type RunnerDeps,
  type RunnerState,
} from './runner-types.ts'
import { createSnapshotter, type Snapshotter } from './snapshotter.ts'

export type { Runner, RunnerDeps, RunnerState, RunnerStatus } from './runner-types.ts'

/** After a trap the waiting commands are tried alone; the one that traps again is refused. */
interface Suspicion {
  remaining: number
  /** How often the command now in front has trapped alone. */
  trapsAlone: number
}

const NOTHING = new Uint8Array(0)
const UNAVAILABLE = { status: 'unavailable', sequence: 0n, body: NOTHING } as const
const OVERLOADED = { status: 'overloaded', sequence: 0n, body: NOTHING } as const

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
    overloaded: 0,
    deadLetters: 0,
    traps: 0,
    engineFaults: 0,
    appendRetries: 0,
    rebuilds: 0,
    confirmationsLost: 0,
    headReads: 0,
  }
  let runnerState: RunnerState = 'stopped'
  let reason: string | null = null
  let state: PartitionState | null = null
  let recovery: RecoveryReport | null = null
  let consumer: Consumer | null = null
  let upkeep: Repeating | null = null
  let outside: OutsideCaller | null = null
  let snapshotter: Snapshotter | null = null
  let resolving = 0
  let waitingReads: Delivery[] = []
  const between: (() => void)[] = []
  let wake: () => void = () => undefined
  let stopping = false
  let loop: Promise<void> = Promise.resolve()
  let held: Delivery[] | null = null
  let suspicion: Suspicion | null = null
  let cursorsSavedAtMs = 0

  const inbox = createInbox<Observation>(() => wake())
  let sender = createEffectSender({
    partition,
    bus,
    nowMs: () => clock.monotonicMs(),
    onConfirmed: () => reads.confirmed(),
  })
  let reads: Reads = createReads({ sender, nowMs: () => clock.monotonicMs() })

  const intake = (delivery: Delivery): void => {
    const { message } = delivery
    if (held !== null && message.type !== 'confirmation') {
      // Stopping: what comes now stays unacknowledged and returns to the queue with the consumer.
      held.push(delivery)
      return
    }
    if (message.type === 'confirmation') {
      sender.confirm(message.sender ?? 0, message.sequence ?? 0n)
      delivery.acknowledge()
      return
    }
    if (message.type === 'read') {
      waitingReads.push(delivery)
      wake()
      return
    }
    const fault = faultOfCommand(delivery)
    if (fault !== null) {
      counts.deadLetters += 1
      delivery.deadLetter(fault)
      return
    }
    if (message.type === 'command' && (sender.unconfirmed() > EFFECTS_UNCONFIRMED_MAX || resolving >= RESOLVING_MAX)) {
      counts.overloaded += 1
      delivery.reply(OVERLOADED)
      delivery.acknowledge()
      return
    }
    const expiresAtMs = message.deadlineMs === undefined ? Infinity : clock.monotonicMs() + message.deadlineMs
    inbox.push({ kind: 'delivery', delivery, command: message.body, expiresAtMs, resolved: false })
  }

  const onUnresolved = (item: InboxItem<Observation> & { kind: 'delivery' }, resolved: Promise<Uint8Array>): void => {
    resolving += 1
    resolved
      .then(
        (command) => inbox.push({ ...item, command, resolved: true }),
        (error: unknown) => {
          logger.error({ err: error }, 'an input from outside could not be resolved')
          item.delivery.reply(UNAVAILABLE)
          item.delivery.acknowledge()
        },
      )
      .finally(() => {
        resolving -= 1
      })
  }

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
    reads.wake(batch.part.settledIds, served)
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
    const stopped = consumer
    consumer = null
    turnAway([...items, ...inbox.drain()])
    for (const read of waitingReads.splice(0)) {
      read.reply(UNAVAILABLE)
      read.acknowledge()
    }
    reads.drop()
    await stopped?.stop()
  }

  const onTrap = async (trap: MachineTrap): Promise<void> => {
    counts.traps += 1
    logger.error({ err: trap.cause }, 'a command trapped; the state is rebuilt from the journal')
    if (suspicion === null) suspicion = { remaining: Math.max(1, inbox.size), trapsAlone: 0 }
    else suspicion.trapsAlone += 1
    if (suspicion.trapsAlone > 1) {
      suspicion = null
      await giveUp('failed', 'a command traps even while it is refused', [])
      return
    }
    await rebuildState()
  }

  const trustAgain = (): void => {
    if (suspicion === null) return
    suspicion.remaining -= 1
    suspicion.trapsAlone = 0
    if (suspicion.remaining <= 0) suspicion = null
  }

  const rebuildState = async (): Promise<void> => {
    counts.rebuilds += 1
    const recovered = await recoverPartition({ journal, snapshots: deps.snapshots, factory: host.factory }, partition)
    state = recovered.state
    recovery = recovered.report
  }

  const commit = async (served: PartitionState, batch: Batch<Observation>, now: bigint): Promise<boolean> => {
    const record = recordOf(served, batch.part, now)
    const stored = encodeRecord(record)
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
      advance(served, record, stored.hash)
      release(served, batch, record, stored.body)
      return true
    }
    const items = batch.sources.filter((source) => source !== null)
    if (verdict === 'deposed') await giveUp('deposed', `another writer appended record ${record.sequence}`, items)
    else await giveUp('recovering', 'the journal could not be reached', items)
    return false
  }

  const answerReads = (arrived: readonly Delivery[], served: PartitionState | null): void => {
    for (const read of arrived) {
      if (served !== null) reads.answer(read, served)
      else {
        read.reply(UNAVAILABLE)
        read.acknowledge()
      }
    }
  }

  const step = async (): Promise<boolean> => {
    const served = state
    if (served === null) return false
    // A read that arrives after this line needs an append or a head read that begins later.
    const arrived = waitingReads
    waitingReads = []
    const now = nextNow()
    const single = suspicion !== null
    const refuseFirst = (suspicion?.trapsAlone ?? 0) > 0
    let batch: Batch<Observation>
    try {
      const nowMs = clock.monotonicMs()
      batch = buildBatch({ state: served, host, inbox, counts, nowMs, single, refuseFirst, onUnresolved }, now)
    } catch (error) {
      if (!(error instanceof MachineTrap)) throw error
      waitingReads = [...arrived, ...waitingReads]
      await onTrap(error)
      return state !== null
    }
    trustAgain()
    let ours = true
    if (batch.sources.length > 0) ours = await commit(served, batch, now)
    else {
      confirm(batch.repeats)
      if (arrived.length > 0) ours = await headIsOurs(served)
    }
    answerReads(arrived, ours ? served : null)
    return ours
  }

  const headIsOurs = async (served: PartitionState): Promise<boolean> => {
    counts.headReads += 1
    try {
      const head = await journal.head(partition)
      const same = head === null ? served.sequence === 0n : Buffer.compare(head.hash, served.hash) === 0
      if (!same) await giveUp('deposed', `the journal is at ${head?.sequence}, this state at ${served.sequence}`, [])
      return same
    } catch (error) {
      if (!(error instanceof PortError)) throw error
      await giveUp('recovering', `the journal's head could not be read (${error.kind})`, [])
      return false
    }
  }

  const hasWork = (): boolean => {
    if (state === null) return false
    if (inbox.size > 0 || waitingReads.length > 0 || between.length > 0) return true
    return (
      dueCommand(state, host, nextNow()) !== null ||
      state.machine.continuation() !== null ||
      (snapshotter?.due(state.sequence) ?? false)
    )
  }

  const betweenRecords = (): void => {
    for (const task of between.splice(0)) task()
    if (state !== null && snapshotter !== null && snapshotter.due(state.sequence)) {
      // `store` never rejects: a failure is counted and logged by the snapshotter.
      void snapshotter.store(imageOf(state))
    }
  }

  const waitForWork = (): Promise<void> =>
    new Promise((resolve) => {
      wake = () => {
        wake = () => undefined
        resolve()
      }
      if (hasWork() || stopping) wake()
    })

  const run = async (): Promise<void> => {
    while (state !== null) {
      betweenRecords()
      if (!hasWork()) {
        if (stopping) return
        await waitForWork()
        continue
      }
      if (!(await step())) break
    }
  }

  const keepUp = async (): Promise<void> => {
    sender.resendOverdue()
    if (state === null) return
    reads.expire(state)
    if (hasWork()) wake()
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
    sender = createEffectSender({
      partition,
      bus,
      nowMs: () => clock.monotonicMs(),
      onConfirmed: () => reads.confirmed(),
    })
    reads = createReads({ sender, nowMs: () => clock.monotonicMs() })
    outside = createOutsideCaller({
      host: host,
      onAnswer: (command) => inbox.push({ kind: 'internal', command }),
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
    await reloadEffects(sender, journal, state)
    consumer = await bus.consume(partition, intake, { inFlightMax: IN_FLIGHT_MAX })
    runnerState = 'serving'
    reason = null
    outside.resume(state.outsideCalls)
    return recovered.report
  }

  const serve = async (): Promise<void> => {
    let pauseMs = REBUILD_PAUSE_MS
    while (!stopping) {
      try {
        if (state === null) await acquire()
        pauseMs = REBUILD_PAUSE_MS
        await run()
      } catch (error) {
        logger.error({ err: error }, 'the partition broke')
        const fatal = error instanceof RecordError
        await giveUp(fatal ? 'failed' : 'recovering', error instanceof Error ? error.message : String(error), [])
      }
      if (stopping || runnerState === 'failed' || runnerState === 'deposed') return
      counts.rebuilds += 1
      await clock.sleep(pauseMs)
      pauseMs = Math.min(pauseMs * 2, REBUILD_PAUSE_MS_MAX)
    }
  }

  const whenBetween = <Value>(task: (served: PartitionState) => Value): Promise<Value> =>
    new Promise((resolve, reject) => {
      between.push(() => {
        if (state === null)
          reject(new PortError('unavailable', `partition ${partitionName(partition)} is ${runnerState}`))
        else resolve(task(state))
      })
      wake()
      if (state === null) for (const waiting of between.splice(0)) waiting()
    })

  return {
    start: async () => {
      const report = await acquire()
      upkeep = clock.every(UPKEEP_INTERVAL_MS, keepUp, (error) => logger.warn({ err: error }, 'upkeep failed'))
      loop = serve()
      return report
    },
    observe: (observation) => {
      if (runnerState === 'serving') inbox.push({ kind: 'observation', observation })
    },
    stop: async (options) => {
      held = []
      stopping = true
      wake()
      await loop
      const stopped = consumer
      consumer = null
      await stopped?.stop()
      outside?.stop()
      await upkeep?.stop()
      reads.drop()
      turnAway(inbox.drain())
      await snapshotter?.idle()
      if (options.snapshot && state !== null) await snapshotter?.store(imageOf(state))
      if (state !== null) await journal.saveCursors(partition, sender.cursors())
      if (runnerState === 'serving') runnerState = 'stopped'
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
