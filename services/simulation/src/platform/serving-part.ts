import type { Logger } from 'pino'
import { observationOf } from '@bourse/all-in-one/platform/serving.ts'
import type { MachineHost } from '@bourse/common/kernel/host.ts'
import type { Machine } from '@bourse/common/kernel/machine.ts'
import { partitionParts, type PartitionNumber } from '@bourse/common/kernel/partition.ts'
import { createRunner, type Runner } from '@bourse/common/kernel/runner.ts'
import type { SnapshotPolicy } from '@bourse/common/kernel/snapshotter.ts'
import type { Prices } from '@bourse/common/ports/prices.ts'
import type { TradingQuote } from '@bourse/trading/host/trading-host.ts'
import type { Door } from '../ports/ground.ts'

/** A partition in the hands of one process. */
export interface Served {
  readonly runner: Runner<TradingQuote>
  /** The machine that holds the state now: the last one that the runner had made. */
  machine(): Machine | null
  /** Being stopped in order. */
  readonly isLeaving: boolean
}

/** The partitions that one process serves. */
export interface ServingPart {
  readonly served: ReadonlyMap<PartitionNumber, Served>
  /** Starts a runner for the partition; `onStarted` hears how that went. */
  serve(partition: PartitionNumber): void
  /** Stops its runner; it is gone from `served` once that is done. */
  release(partition: PartitionNumber, options: { readonly snapshot: boolean }): void
}

/** Makes the serving part of a process. */
export const createServingPart = (deps: {
  readonly door: Door
  readonly logger: Logger
  readonly prices: Prices
  readonly hostOf: (partition: PartitionNumber) => MachineHost<TradingQuote>
  readonly policyOf: (partition: PartitionNumber) => SnapshotPolicy
  readonly symbolOf: (partition: PartitionNumber) => string | null
  readonly onStarted: (partition: PartitionNumber, error: unknown) => void
  readonly onReleased: (partition: PartitionNumber, error: unknown) => void
}): ServingPart => {
  const { door, prices } = deps
  const served = new Map<PartitionNumber, Served & { isLeaving: boolean; unsubscribe: () => void }>()

  const feed = (partition: PartitionNumber, runner: Runner<TradingQuote>): (() => void) => {
    const symbol = deps.symbolOf(partition)
    if (symbol === null) return () => undefined
    return prices.subscribe(symbol, (quote) => runner.observe(observationOf(quote)))
  }

  return {
    served,
    serve: (partition) => {
      let machine: Machine | null = null
      const host = deps.hostOf(partition)
      const runner = createRunner<TradingQuote>({
        partition,
        host: { ...host, factory: () => (machine = host.factory()) },
        bus: door.bus,
        journal: door.journal,
        snapshots: door.snapshots,
        events: door.events,
        clock: door.clock,
        logger: deps.logger,
        snapshotPolicy: deps.policyOf(partition),
      })
      const entry = { runner, machine: () => machine, isLeaving: false, unsubscribe: (): void => undefined }
      served.set(partition, entry)
      runner.start().then(
        () => {
          if (!entry.isLeaving) entry.unsubscribe = feed(partition, runner)
          deps.onStarted(partition, null)
        },
        (error: unknown) => deps.onStarted(partition, error),
      )
    },
    release: (partition, options) => {
      const entry = served.get(partition)
      if (entry === undefined || entry.isLeaving) return
      entry.isLeaving = true
      entry.unsubscribe()
      const gone = (error: unknown): void => {
        served.delete(partition)
        deps.onReleased(partition, error)
      }
      entry.runner.stop(options).then(() => gone(null), gone)
    },
  }
}

/** Symbol of a trading partition's market, null for the other machines'. */
export const symbolOfPartition =
  (markets: ReadonlyMap<string, { readonly symbol: string; readonly market: number }>) =>
  (partition: PartitionNumber): string | null => {
    const { machine, market } = partitionParts(partition)
    if (machine !== 'trading') return null
    return [...markets.values()].find((place) => place.market === market)?.symbol ?? null
  }
