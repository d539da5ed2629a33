import type { PartitionNumber } from '@bourse/common/kernel/partition.ts'
import type { Runner, RunnerState } from '@bourse/common/kernel/runner.ts'
import type { Topology } from '@bourse/common/platform/topology.ts'
import type { Clock, Repeating } from '@bourse/common/ports/clock.ts'
import type { Metrics } from '@bourse/common/telemetry/metrics.ts'
import type { Adapters } from './adapters.ts'
import { partitionTitle } from './inspector.ts'
import type { Projection } from './projection-thread.ts'

/** How often the runners are asked, ms. */
export const KERNEL_METRICS_INTERVAL_MS = 1_000

const stateNumbers: Record<RunnerState, number> = {
  serving: 1,
  starting: 0,
  recovering: 0,
  deposed: 0,
  failed: 0,
  stopped: 0,
}

/**
 * Shows what every partition counts: each limit that was reached, each doubt, each trap. Labels are the partitions and
 * the counts' names.
 */
export const startKernelMetrics = (deps: {
  readonly topology: Topology
  readonly runners: ReadonlyMap<PartitionNumber, Runner<never>>
  readonly projection: Projection
  readonly adapters: Adapters
  readonly metrics: Metrics
  readonly clock: Clock
  readonly onError: (error: unknown) => void
}): Repeating => {
  const { metrics } = deps
  const events = metrics.counter('bourse_partition_events_total', 'What the kernel of a partition counted, by event', [
    'partition',
    'event',
  ])
  const partitionGauge = (name: string, help: string) => metrics.gauge(`bourse_partition_${name}`, help, ['partition'])
  const serving = partitionGauge('serving', '1 while the partition answers')
  const sequence = partitionGauge('sequence', 'Sequence of the last journaled record')
  const waiting = partitionGauge('waiting_commands', 'Commands and observations that wait for their turn')
  const unconfirmed = partitionGauge('unconfirmed_effects', 'Effects that their receivers have not journaled yet')
  const outside = partitionGauge('outside_calls', 'Calls to the outside without a journaled answer')
  const parked = partitionGauge('parked_reads', 'Reads that wait for an id or a confirmation')
  const viewLag = partitionGauge('view_lag_records', 'Records that the views have not folded yet')
  const snapshotBytes = partitionGauge('snapshot_bytes', 'Size of the last snapshot of this run')
  const deadLetters = metrics.gauge('bourse_bus_dead_letters', 'Messages set aside because nobody could read them', [])
  const seen = new Map<string, number>()

  const countUp = (partition: string, event: string, value: number): void => {
    const key = `${partition} ${event}`
    const before = seen.get(key) ?? 0
    if (value > before) events.inc({ partition, event }, value - before)
    seen.set(key, value)
  }

  const collect = async (): Promise<void> => {
    for (const [number, runner] of deps.runners) {
      const status = runner.status()
      const partition = partitionTitle(deps.topology, number)
      serving.set({ partition }, stateNumbers[status.state])
      sequence.set({ partition }, Number(status.sequence))
      waiting.set({ partition }, status.waiting)
      unconfirmed.set({ partition }, status.unconfirmedEffects)
      outside.set({ partition }, status.outsideCalls)
      parked.set({ partition }, status.parkedReads)
      viewLag.set({ partition }, Number(status.sequence - deps.projection.projectedThrough(number)))
      snapshotBytes.set({ partition }, status.lastSnapshot?.bytes ?? 0)
      for (const [event, value] of Object.entries(status.counts)) countUp(partition, event, value)
    }
    deadLetters.set((await deps.adapters.bus.deadLetters(Number.MAX_SAFE_INTEGER)).length)
  }
  return deps.clock.every(KERNEL_METRICS_INTERVAL_MS, collect, deps.onError)
}
