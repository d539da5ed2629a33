import type { Logger } from 'pino'
import { observationOf } from '@bourse/trading/host/observation.ts'
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
  /** Partitions that follow the journal here while another process serves them. */
  readonly prepared: ReadonlySet<PartitionNumber>
  /** Restores the partition and follows its journal, until it is served here or dropped. */
  prepare(partition: PartitionNumber): void
  /** Ends following. */
  drop(partition: PartitionNumber): void
  /** Starts a runner for the partition, the prepared one if there is one; `onStarted` hears how that went. */
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

  interface Made {
    readonly runner: Runner<TradingQuote>
    readonly machine: () => Machine | null
  }
  const followed = new Map<PartitionNumber, Made>()
  const prepared = new Set<PartitionNumber>()

  const make = (partition: PartitionNumber): Made => {
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
    return { runner, machine: () => machine }
  }

  const take = (partition: PartitionNumber): Made | undefined => {
    const made = followed.get(partition)
    followed.delete(partition)
    prepared.delete(partition)
    return made
  }

  return {
    served,
    prepared,
    prepare: (partition) => {
      if (served.has(partition) || followed.has(partition)) return
      const made = make(partition)
      followed.set(partition, made)
      prepared.add(partition)
      // Why it failed the runner has logged; it recovers when it is started.
      made.runner.prepare().catch(() => undefined)
    },
    drop: (partition) => void take(partition)?.runner.stop({ snapshot: false }),
    serve: (partition) => {
      const { runner, machine } = take(partition) ?? make(partition)
      const entry = { runner, machine, isLeaving: false, unsubscribe: (): void => undefined }
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
