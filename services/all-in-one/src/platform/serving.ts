import type { Logger } from 'pino'
import { embeddedMessagingNames } from '@bourse/common/adapters/embedded/bus.ts'
import { partitionNumber, partitionParts, type PartitionNumber } from '@bourse/common/kernel/partition.ts'
import type { PartitionObserver } from '@bourse/common/kernel/observer.ts'
import { createRunner, type Runner } from '@bourse/common/kernel/runner.ts'
import type { SnapshotPolicy } from '@bourse/common/kernel/snapshotter.ts'
import type { MachineHost } from '@bourse/common/kernel/host.ts'
import type { MarketPlace } from '@bourse/common/platform/topology.ts'
import type { Clock } from '@bourse/common/ports/clock.ts'
import type { Tracer } from '@bourse/common/ports/tracing.ts'
import type { FeedQuote } from '@bourse/common/ports/prices.ts'
import type { Projector } from '@bourse/common/views/projector.ts'
import { observationOf } from '@bourse/trading/host/observation.ts'
import type { TradingQuote } from '@bourse/trading/host/trading-host.ts'
import type { Adapters } from './adapters.ts'

/** The partitions this process serves. */
export interface Serving {
  readonly runners: ReadonlyMap<PartitionNumber, Runner<TradingQuote>>
  /** Stops all: each finishes what it took and writes a last snapshot. */
  stop(): Promise<void>
}

/**
 * Starts a runner for each partition, side by side; rejects when one can't trust its data, after stopping the others.
 */
export const servePartitions = async (deps: {
  readonly adapters: Adapters
  readonly clock: Clock
  readonly logger: Logger
  readonly partitions: readonly PartitionNumber[]
  readonly hostOf: (partition: PartitionNumber) => MachineHost<TradingQuote>
  readonly policyOf: (partition: PartitionNumber) => SnapshotPolicy
  /** Without it the partitions' work is not traced. */
  readonly tracer?: Tracer | undefined
  readonly observerOf: (partition: PartitionNumber) => PartitionObserver
}): Promise<Serving> => {
  const { bus, journal, snapshots, events } = deps.adapters
  const { tracer } = deps
  const tracing = tracer === undefined ? undefined : { tracer, messaging: embeddedMessagingNames }
  const runners = new Map(
    deps.partitions.map((partition) => [
      partition,
      createRunner<TradingQuote>({
        partition,
        host: deps.hostOf(partition),
        bus,
        journal,
        snapshots,
        events,
        clock: deps.clock,
        logger: deps.logger,
        snapshotPolicy: deps.policyOf(partition),
        tracing,
        observer: deps.observerOf(partition),
      }),
    ]),
  )
  const stop = async (): Promise<void> => {
    await Promise.all([...runners.values()].map((runner) => runner.stop({ snapshot: true })))
  }
  const started = await Promise.allSettled([...runners.values()].map((runner) => runner.start()))
  const failed = started.find((result) => result.status === 'rejected')
  if (failed !== undefined) {
    await Promise.all([...runners.values()].map((runner) => runner.stop({ snapshot: false })))
    throw failed.reason
  }
  return { runners, stop }
}

/** Hands a market's quotes to its partitions, in the order they come. */
export const feedMarket = (serving: Serving, market: MarketPlace, adapters: Adapters): (() => void) => {
  const partitions = Array.from({ length: market.partitions }, (_, index) =>
    partitionNumber('trading', index, market.market),
  )
  return adapters.prices.subscribe(market.symbol, (quote: FeedQuote) => {
    const observation = observationOf(quote)
    for (const partition of partitions) serving.runners.get(partition)?.observe(observation)
  })
}

/**
 * The moment up to which the views of a partition are complete, ms. Only a runner that serves knows the journal's end; while
 * it does not, the views may lack what was appended last.
 */
export const viewsAsOfMs = (
  runner: Runner<TradingQuote> | undefined,
  projector: Pick<Projector, 'projectedThrough' | 'projectedAtMs'>,
  partition: PartitionNumber,
  nowMs: number,
): number => {
  const status = runner?.status()
  const isComplete = status?.state === 'serving' && status.sequence <= projector.projectedThrough(partition)
  return isComplete ? nowMs : projector.projectedAtMs(partition)
}

/** Snapshots of machines that no manifest speaks of. */
export const policyOfPartition =
  (policies: ReadonlyMap<number, SnapshotPolicy>, otherwise: SnapshotPolicy) =>
  (partition: PartitionNumber): SnapshotPolicy => {
    const { machine, market } = partitionParts(partition)
    return machine === 'trading' ? (policies.get(market) ?? otherwise) : otherwise
  }
