import { statfs } from 'node:fs/promises'
import { createBacklogShow } from '@bourse/bridge/metrics/backlog.ts'
import { createEndedTradeCount } from '@bourse/bridge/metrics/record.ts'
import type { PartitionObserver } from '@bourse/common/kernel/observer.ts'
import { partitionParts, type MachineName, type PartitionNumber } from '@bourse/common/kernel/partition.ts'
import type { JournalRecord } from '@bourse/common/kernel/record.ts'
import { partitionTitle, type Topology } from '@bourse/common/platform/topology.ts'
import type { Clock } from '@bourse/common/ports/clock.ts'
import type { Lifetime } from '@bourse/common/process/lifetime.ts'
import { createBatchMetrics } from '@bourse/common/shard/batch-metrics.ts'
import { startKernelMetrics } from '@bourse/common/shard/metrics.ts'
import { startStateMetrics, type StateShow } from '@bourse/common/shard/state-metrics.ts'
import type { Metrics } from '@bourse/common/telemetry/metrics.ts'
import { createMoneyShow } from '@bourse/ledger/metrics/money.ts'
import { assetOfPartition } from '@bourse/trading/codec/asset.ts'
import { createMarketShow } from '@bourse/trading/metrics/market.ts'
import { createTradeCount } from '@bourse/trading/metrics/record.ts'
import type { Core } from './core.ts'
import type { Foundation } from './foundation.ts'

/** How often the disk is looked at, ms. */
export const DISK_INTERVAL_MS = 5_000

/** What is counted of the partitions of this process. */
export interface PartitionMeasures {
  observerOf(partition: PartitionNumber): PartitionObserver
  /** Shows what lies in the states of a partition's machine. */
  showOf(partition: PartitionNumber): StateShow
}

/** The same measures as the shards of a distributed platform have, all in one process. */
export const createPartitionMeasures = (
  metrics: Metrics,
  topology: Topology,
  clock: Pick<Clock, 'nowMs'>,
): PartitionMeasures => {
  const observed = createBatchMetrics(metrics)
  const assetOf = assetOfPartition(topology.markets)
  const countsOf: Readonly<Record<MachineName, (partition: PartitionNumber) => (record: JournalRecord) => void>> = {
    ledger: () => () => undefined,
    trading: createTradeCount(metrics, assetOf),
    bridge: createEndedTradeCount(metrics),
  }
  const shows: Readonly<Record<MachineName, StateShow>> = {
    ledger: createMoneyShow(metrics),
    trading: createMarketShow(metrics, assetOf),
    bridge: createBacklogShow(metrics, clock),
  }
  return {
    observerOf: (partition) =>
      observed(partitionTitle(topology, partition), countsOf[partitionParts(partition).machine](partition)),
    showOf: (partition) => shows[partitionParts(partition).machine],
  }
}

/** Shows the partitions, what lies in their states, and the disk under the data folder, until the platform stops. */
export const startPlatformMetrics = (foundation: Foundation, core: Core, lifetime: Lifetime): void => {
  const { adapters, topology, folder, metrics, clock, logger } = foundation
  const { projection, measures } = core
  const { runners } = core.serving
  const onError = (error: unknown): void => logger.warn({ err: error }, 'the platform could not be counted')
  const partitions = () =>
    [...runners].map(([partition, runner]) => ({
      title: partitionTitle(topology, partition),
      status: runner.status(),
      viewSequence: projection.projectedThrough(partition),
    }))
  const deadLetters = () => adapters.bus.deadLetterCount()
  lifetime.onStop(startKernelMetrics({ partitions, deadLetters, metrics, clock, onError }).stop)
  const served = () =>
    [...runners].map(([partition, { query }]) => ({ partition, title: partitionTitle(topology, partition), query }))
  lifetime.onStop(startStateMetrics({ served, showOf: measures.showOf, clock, onError }).stop)
  const free = metrics.gauge('bourse_data_folder_free_ratio')
  const lookAtDisk = async (): Promise<void> => {
    const { bavail, blocks } = await statfs(folder.root)
    free.set({}, blocks === 0 ? 0 : bavail / blocks)
  }
  lifetime.onStop(clock.every(DISK_INTERVAL_MS, lookAtDisk, onError).stop)
}
