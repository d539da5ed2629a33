import type { RunnerStatus } from '../kernel/runner-types.ts'
import type { Clock, Repeating } from '../ports/clock.ts'
import type { Metrics } from '../telemetry/metrics.ts'

/** How often the runners are asked, ms. */
export const KERNEL_METRICS_INTERVAL_MS = 1_000

/** A partition with a runner in this process. */
export interface MeasuredPartition {
  /** Its name as people say it: `trading/BTC_USDC/0`. */
  readonly title: string
  readonly status: RunnerStatus
  /** Sequence that its views have reached. */
  readonly viewSequence: bigint
}

/** Age and lag of what a takeover would start from; a partition without any snapshot is as old as its stay here. */
const snapshotOf = ({ lastSnapshot, recovery, sequence }: RunnerStatus, nowMs: number, sinceMs: number) => {
  const snapshot = lastSnapshot ?? recovery?.snapshot ?? null
  const lag = Math.max(0, Number(sequence - (snapshot?.sequence ?? 0n)))
  const ageMs = Math.max(0, nowMs - (snapshot?.atMs ?? sinceMs))
  return { bytes: snapshot?.bytes ?? 0, lag, ageSeconds: lag > 0 ? ageMs / 1_000 : 0 }
}

/** All gauges of the partitions. */
const kernelGauges = (metrics: Metrics) => {
  const serving = metrics.gauge('bourse_partition_serving')
  const sequence = metrics.gauge('bourse_partition_sequence')
  const waiting = metrics.gauge('bourse_partition_waiting_commands')
  const unconfirmed = metrics.gauge('bourse_partition_unconfirmed_effects')
  const cursorLag = metrics.gauge('bourse_partition_cursor_lag_records')
  const outside = metrics.gauge('bourse_partition_outside_calls')
  const parked = metrics.gauge('bourse_partition_parked_reads')
  const viewLag = metrics.gauge('bourse_partition_view_lag_records')
  const snapshotBytes = metrics.gauge('bourse_partition_snapshot_bytes')
  const snapshotAge = metrics.gauge('bourse_partition_snapshot_age_seconds')
  const snapshotLag = metrics.gauge('bourse_partition_snapshot_lag_records')
  const memory = metrics.gauge('bourse_partition_memory_bytes')
  const ownersOnly = [cursorLag, viewLag, snapshotBytes, snapshotAge, snapshotLag]
  const all = [serving, sequence, waiting, unconfirmed, outside, parked, memory, ...ownersOnly]

  /** Who only follows a journal stores no snapshots and folds no views: what it would show is the owner's to show. */
  const showOwner = ({ title: partition, status, viewSequence }: MeasuredPartition, nowMs: number, sinceMs: number) => {
    const oldest = status.oldestUnconfirmedRecord
    cursorLag.set({ partition }, oldest === null ? 0 : Math.max(0, Number(status.sequence - oldest) + 1))
    viewLag.set({ partition }, Math.max(0, Number(status.sequence - viewSequence)))
    const snapshot = snapshotOf(status, nowMs, sinceMs)
    snapshotBytes.set({ partition }, snapshot.bytes)
    snapshotAge.set({ partition }, snapshot.ageSeconds)
    snapshotLag.set({ partition }, snapshot.lag)
  }
  return {
    show: (one: MeasuredPartition, nowMs: number, sinceMs: number): void => {
      const { title: partition, status } = one
      serving.set({ partition }, status.state === 'serving' ? 1 : 0)
      sequence.set({ partition }, Number(status.sequence))
      waiting.set({ partition }, status.waiting)
      unconfirmed.set({ partition }, status.unconfirmedEffects)
      outside.set({ partition }, status.outsideCalls)
      parked.set({ partition }, status.parkedReads)
      if (status.machineBytes === null) memory.remove({ partition })
      else memory.set({ partition }, status.machineBytes)
      if (status.state === 'preparing' || status.state === 'prepared') {
        for (const gauge of ownersOnly) gauge.remove({ partition })
      } else showOwner(one, nowMs, sinceMs)
    },
    remove: (partition: string): void => {
      for (const gauge of all) gauge.remove({ partition })
    },
  }
}

/**
 * Shows what every partition counts: each limit that was reached, each doubt, each trap. Labels are the partitions and
 * the counts' names. A partition that went elsewhere leaves its counts, and no gauges.
 */
export const startKernelMetrics = (deps: {
  readonly partitions: () => Iterable<MeasuredPartition>
  /** How many messages were set aside; left out where the bus belongs to others too. */
  readonly deadLetters?: () => Promise<number>
  readonly metrics: Metrics
  readonly clock: Clock
  readonly onError: (error: unknown) => void
}): Repeating => {
  const { metrics, deadLetters, clock } = deps
  const events = metrics.counter('bourse_partition_events_total')
  const gauges = kernelGauges(metrics)
  const letters = deadLetters === undefined ? null : metrics.gauge('bourse_bus_dead_letters')
  const seen = new Map<string, number>()
  /** Titles, and since when each is here, ms. */
  let shown = new Map<string, number>()
  let now = new Map<string, number>()

  /** A runner that began anew counts from nought: what it counts then comes on top. */
  const countUp = (partition: string, event: string, value: number): void => {
    const key = `${partition} ${event}`
    const before = seen.get(key) ?? 0
    const more = value >= before ? value - before : value
    // Shown from the start: of a series that appears with its first event nobody sees the increase.
    if (more > 0 || !seen.has(key)) events.inc({ partition, event }, more)
    seen.set(key, value)
  }

  const show = (one: MeasuredPartition): void => {
    const { title, status } = one
    const sinceMs = shown.get(title) ?? clock.nowMs()
    gauges.show(one, clock.nowMs(), sinceMs)
    for (const [event, value] of Object.entries(status.counts)) countUp(title, event, value)
    now.set(title, sinceMs)
  }

  /** When it comes back a new runner counts, from nought: all that it counts is new, however much the old one had. */
  const forget = (partition: string): void => {
    gauges.remove(partition)
    for (const key of seen.keys()) if (key.startsWith(`${partition} `)) seen.delete(key)
  }

  const collect = async (): Promise<void> => {
    now = new Map()
    for (const one of deps.partitions()) show(one)
    for (const partition of shown.keys()) if (!now.has(partition)) forget(partition)
    shown = now
    if (letters !== null && deadLetters !== undefined) letters.set({}, await deadLetters())
  }
  return clock.every(KERNEL_METRICS_INTERVAL_MS, collect, deps.onError)
}
