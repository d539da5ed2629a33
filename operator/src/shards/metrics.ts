import type { Metrics } from '@bourse/common/telemetry/metrics.ts'

/** What is counted of groups. */
export interface GroupMetrics {
  moved(group: string, result: 'done' | 'failed', seconds: number): void
  acquired(group: string, result: 'done' | 'failed'): void
  unserved(group: string, count: number): void
}

/** Registers the series; `epoch` is the highest that was given. */
export const createGroupMetrics = (metrics: Metrics, epoch: () => number): GroupMetrics => {
  const moves = metrics.counter('bourse_operator_partition_moves_total')
  const seconds = metrics.histogram('bourse_operator_partition_move_seconds')
  const acquisitions = metrics.counter('bourse_operator_partition_acquisitions_total')
  const unserved = metrics.gauge('bourse_operator_partitions_unserved')
  metrics.sampled('bourse_operator_epoch', epoch)
  return {
    moved: (group, result, took) => {
      moves.inc({ group, result })
      seconds.observe({ group }, took)
    },
    acquired: (group, result) => acquisitions.inc({ group, result }),
    unserved: (group, count) => {
      unserved.set({ group }, count)
      // From 0 on: the first failure is seen as a rise.
      for (const result of ['done', 'failed']) {
        moves.inc({ group, result }, 0)
        acquisitions.inc({ group, result }, 0)
      }
    },
  }
}
