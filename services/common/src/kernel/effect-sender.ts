import type { Bus } from '../ports/bus.ts'
import { PortError } from '../ports/failure.ts'
import type { EffectCursor, Journal } from '../ports/journal.ts'
import type { TraceContext } from '../ports/tracing.ts'
import { createBytePool } from '../codec/byte-pool.ts'
import { withSender } from './command.ts'
import type { PartitionNumber } from './partition.ts'
import type { PartitionState } from './partition-state.ts'
import { decodeRecord, OUTSIDE_RECEIVER, verifyBytes, type NumberedEffect } from './record.ts'

/** Effects on their way to one receiver that the bus may hold at a time. */
export const EFFECTS_IN_FLIGHT_MAX = 512
/** Unconfirmed effects of a partition beyond which it takes no more client commands. */
export const EFFECTS_UNCONFIRMED_MAX = 65_536
/** An effect unconfirmed for this long is sent again. */
export const EFFECT_RESEND_MS = 1_000

/** The trace that an effect of a record belongs to, by its index there. */
export type ContextOfEffect = (index: number) => TraceContext | undefined

interface PendingEffect {
  readonly number: bigint
  readonly bytes: Uint8Array
  readonly recordSequence: bigint
  /** Monotonic ms; null for one that was read again from the journal: nobody knows when it was first released. */
  readonly releasedMs: number | null
  /** The trace of the command that caused it. */
  readonly context: TraceContext | undefined
}

interface Lane {
  readonly receiver: PartitionNumber
  /** Unconfirmed, in order. */
  readonly pending: PendingEffect[]
  /** How many of `pending` were handed to the bus since the last rewind. */
  sent: number
  /** Number of the last effect that was journaled for this receiver, as far as this sender knows. */
  highest: bigint
  confirmed: bigint
  confirmedRecord: bigint
  lastProgressMs: number
}

/** Carries journaled effects to other partitions until each has journaled them. */
export interface EffectSender {
  /** Takes the effects of a record that was just appended and sends what the window allows. */
  release(recordSequence: bigint, effects: readonly NumberedEffect[], contextOf?: ContextOfEffect): void
  /** As `release`, of a record that an earlier run or owner released. */
  reload(recordSequence: bigint, effects: readonly NumberedEffect[]): void
  /** Takes up a saved cursor, before anything is released. */
  resume(cursor: EffectCursor): void
  /**
   * The receiver has journaled everything through `number`. A number that was never sent is no confirmation: a cursor that
   * ran ahead would lose effects.
   */
  confirm(receiver: PartitionNumber, number: bigint): void
  /** Sends again what was not confirmed in time. */
  resendOverdue(): void
  /** Number of the last confirmed effect to a receiver. */
  confirmedThrough(receiver: PartitionNumber): bigint
  unconfirmed(): number
  cursors(): readonly EffectCursor[]
  /** Lowest record that still holds an unconfirmed effect, or null when there is none. */
  oldestUnconfirmedRecord(): bigint | null
  readonly counts: { sent: number; resent: number; failed: number }
}

/** Makes a sender. `nowMs` is monotonic. */
export const createEffectSender = (deps: {
  readonly partition: PartitionNumber
  readonly bus: Bus
  readonly nowMs: () => number
  readonly onConfirmed: () => void
  /** The receiver of an effect has journaled it, so long after its release. */
  readonly onSettled?: ((seconds: number) => void) | undefined
}): EffectSender => {
  const lanes = new Map<PartitionNumber, Lane>()
  /** Sum over the lanes: every arriving command is measured against it. */
  let unconfirmed = 0
  /** Last record whose effects were taken: what is confirmed is confirmed through it. */
  let releasedThrough = 0n
  const copied = createBytePool()
  const counts = { sent: 0, resent: 0, failed: 0 }

  const laneOf = (receiver: PartitionNumber): Lane => {
    const known = lanes.get(receiver)
    if (known !== undefined) return known
    const lane: Lane = {
      receiver,
      pending: [],
      sent: 0,
      highest: 0n,
      confirmed: 0n,
      confirmedRecord: 0n,
      lastProgressMs: deps.nowMs(),
    }
    lanes.set(receiver, lane)
    return lane
  }

  /**
   * The record in which, or after which, all lie that the receiver has not confirmed. As late as is known: whoever takes the
   * partition over reads from there, and a lane that is used once a day must not make that a day's records.
   */
  const startOf = (lane: Lane): bigint => {
    const oldest = lane.pending[0]?.recordSequence
    if (oldest !== undefined) return oldest
    return releasedThrough > lane.confirmedRecord ? releasedThrough : lane.confirmedRecord
  }

  const pump = (lane: Lane): void => {
    while (lane.sent < lane.pending.length && lane.sent < EFFECTS_IN_FLIGHT_MAX) {
      const effect = lane.pending[lane.sent]!
      lane.sent += 1
      counts.sent += 1
      deps.bus
        .send(lane.receiver, {
          type: 'effect',
          sender: deps.partition,
          sequence: effect.number,
          body: withSender(effect.bytes, deps.partition, effect.number, copied),
          ...(effect.context === undefined ? null : { headers: effect.context }),
        })
        .catch(() => {
          // Not confirmed, so it is sent again when overdue; the receiver drops what it has already.
          counts.failed += 1
        })
    }
  }

  const take = (
    recordSequence: bigint,
    effects: readonly NumberedEffect[],
    isReloaded: boolean,
    contextOf?: ContextOfEffect,
  ): void => {
    releasedThrough = recordSequence
    if (effects.length === 0) return
    const nowMs = deps.nowMs()
    const touched = new Set<Lane>()
    for (let index = 0; index < effects.length; index++) {
      const { receiver, number, bytes } = effects[index]!
      if (receiver === OUTSIDE_RECEIVER) continue
      const lane = laneOf(receiver)
      if (lane.pending.length === 0) lane.lastProgressMs = nowMs
      const releasedMs = isReloaded ? null : nowMs
      lane.pending.push({ number, bytes, recordSequence, releasedMs, context: contextOf?.(index) })
      lane.highest = number
      unconfirmed += 1
      touched.add(lane)
    }
    for (const lane of touched) pump(lane)
  }

  /** Tells how long the first `count` effects of a lane took. */
  const settle = (lane: Lane, count: number, nowMs: number): void => {
    if (deps.onSettled === undefined) return
    for (const { releasedMs } of lane.pending.slice(0, count))
      if (releasedMs !== null) deps.onSettled((nowMs - releasedMs) / 1_000)
  }

  return {
    counts,
    release: (recordSequence, effects, contextOf) => take(recordSequence, effects, false, contextOf),
    reload: (recordSequence, effects) => take(recordSequence, effects, true),
    resume: (cursor) => {
      const lane = laneOf(cursor.receiver)
      lane.highest = cursor.confirmed
      lane.confirmed = cursor.confirmed
      lane.confirmedRecord = cursor.recordSequence
    },
    confirm: (receiver, number) => {
      const lane = lanes.get(receiver)
      if (lane === undefined || number <= lane.confirmed || number > lane.highest) return
      let done = 0
      while (done < lane.pending.length && lane.pending[done]!.number <= number) done += 1
      lane.confirmed = number
      if (done > 0) lane.confirmedRecord = lane.pending[done - 1]!.recordSequence
      const nowMs = deps.nowMs()
      settle(lane, done, nowMs)
      lane.pending.splice(0, done)
      unconfirmed -= done
      lane.sent = Math.max(0, lane.sent - done)
      lane.lastProgressMs = nowMs
      pump(lane)
      deps.onConfirmed()
    },
    resendOverdue: () => {
      for (const lane of lanes.values()) {
        if (lane.pending.length === 0 || deps.nowMs() - lane.lastProgressMs < EFFECT_RESEND_MS) continue
        lane.lastProgressMs = deps.nowMs()
        counts.resent += lane.sent
        lane.sent = 0
        pump(lane)
      }
    },
    confirmedThrough: (receiver) => lanes.get(receiver)?.confirmed ?? 0n,
    unconfirmed: () => unconfirmed,
    cursors: () =>
      [...lanes.values()].map((lane) => ({
        receiver: lane.receiver,
        confirmed: lane.confirmed,
        recordSequence: startOf(lane),
      })),
    oldestUnconfirmedRecord: () => {
      let oldest: bigint | null = null
      for (const lane of lanes.values()) {
        const first = lane.pending[0]?.recordSequence
        if (first !== undefined && (oldest === null || first < oldest)) oldest = first
      }
      return oldest
    },
  }
}

/**
 * Loads a sender after a restart: effects past the confirmed cursors are read from the records, never recomputed, and
 * sent again; the receivers drop what they have.
 * @throws {RecordError} when a record's bytes are not the ones that were written
 * @throws {PortError} `unavailable` when the journal ends before the state does
 */
export const reloadEffects = async (sender: EffectSender, journal: Journal, state: PartitionState): Promise<void> => {
  const cursors = new Map((await journal.loadCursors(state.partition)).map((cursor) => [cursor.receiver, cursor]))
  const behind = [...state.numbers].filter(
    ([receiver, number]) => receiver !== OUTSIDE_RECEIVER && number > (cursors.get(receiver)?.confirmed ?? 0n),
  )
  for (const cursor of cursors.values()) sender.resume(cursor)
  if (behind.length === 0) return
  // A receiver without a cursor got its first effect after the cursors were saved, so after all that they speak of.
  const newest = [...cursors.values()].reduce(
    (latest, { recordSequence }) => (recordSequence > latest ? recordSequence : latest),
    1n,
  )
  const starts = behind.map(([receiver]) => cursors.get(receiver)?.recordSequence ?? newest)
  const first = starts.reduce((lowest, start) => (start < lowest ? start : lowest))
  let reached = 0n
  for await (const stored of journal.readFrom(state.partition, first < 1n ? 1n : first)) {
    // What another writer has appended since is that one's to send.
    if (stored.sequence > state.sequence) break
    // Older than the snapshot that recovery began at, so nobody has looked at its bytes since they were written.
    verifyBytes(stored, state.partition)
    const effects = decodeRecord(stored.body).effects.filter(
      (effect) => effect.receiver !== OUTSIDE_RECEIVER && effect.number > sender.confirmedThrough(effect.receiver),
    )
    sender.reload(stored.sequence, effects)
    reached = stored.sequence
  }
  // An effect that is left out is a gap that its receiver waits at for ever.
  if (reached !== state.sequence)
    throw new PortError(
      'unavailable',
      `record ${state.sequence} of partition ${state.partition} could not be read again`,
    )
}
