import type { PartitionObserver, RecordedBatch } from '../kernel/observer.ts'
import type { JournalRecord } from '../kernel/record.ts'
import type { Metrics } from '../telemetry/metrics.ts'

/**
 * Makes the observer of a partition that shows how long its batches take, stage by stage, and how long its effects are on their
 * way. `count` is told of each record that was appended here: never of one that is replayed, and never twice of one.
 */
export const createBatchMetrics = (
  metrics: Metrics,
): ((partition: string, count?: (record: JournalRecord) => void) => PartitionObserver) => {
  const stages = metrics.histogram('bourse_partition_stage_seconds')
  const commands = metrics.histogram('bourse_partition_batch_commands')
  const settlements = metrics.histogram('bourse_partition_settlement_seconds')
  return (partition, count = () => undefined) => {
    const [queue, apply, append, reply] = (['queue', 'apply', 'append', 'reply'] as const).map((stage) =>
      stages.with({ partition, stage }),
    )
    const size = commands.with({ partition })
    const settlement = settlements.with({ partition })
    return {
      recorded: ({ record, times }: RecordedBatch) => {
        const { arrivedMs, takenMs, appliedMs, appendedMs, releasedMs } = times
        if (arrivedMs !== null) queue!.observe((takenMs - arrivedMs) / 1_000)
        apply!.observe((appliedMs - takenMs) / 1_000)
        append!.observe((appendedMs - appliedMs) / 1_000)
        reply!.observe((releasedMs - appendedMs) / 1_000)
        size.observe(record.inputs.length)
        count(record)
      },
      settled: settlement.observe,
    }
  }
}
