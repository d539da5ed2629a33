import type { Logger } from 'pino'
import { createMemoryPrices } from '@bourse/common/adapters/embedded/prices.ts'
import { createPartitionClient } from '@bourse/common/kernel/client.ts'
import type { MachineHost } from '@bourse/common/kernel/host.ts'
import type { PartitionNumber } from '@bourse/common/kernel/partition.ts'
import type { SnapshotPolicy } from '@bourse/common/kernel/snapshotter.ts'
import { allPartitions, type Topology } from '@bourse/common/platform/topology.ts'
import type { FeedQuote, Prices } from '@bourse/common/ports/prices.ts'
import type { Manifests } from '@bourse/common/resources/load.ts'
import type { TradingPair } from '@bourse/common/resources/trading-pair.ts'
import type { TradingQuote } from '@bourse/trading/host/trading-host.ts'
import type { Door } from '../ports/ground.ts'
import { createAdminPart, type AdminPart } from './admin-part.ts'
import { createEdgePart, createLocalFreshness } from './edge-part.ts'
import type { Edge } from './exchange-platform.ts'
import { createRemoteFreshness } from './freshness.ts'
import { createMarketPart, type MarketPart } from './market-part.ts'
import { createServingPart, symbolOfPartition, type ServingPart } from './serving-part.ts'
import { createViewsPart, type ViewsPart } from './views-part.ts'

/** What a process is for. */
export interface Roles {
  readonly serves: boolean
  readonly edge: boolean
  readonly views: boolean
  readonly market: boolean
  /** Puts the specs in force. */
  readonly admin: boolean
}

/** One life of a process, from its start to its death: its doors and what runs behind them. */
export interface Life {
  readonly door: Door
  readonly prices: Prices
  readonly serving: ServingPart | null
  readonly edge: Edge | null
  readonly views: ViewsPart | null
  readonly market: MarketPart | null
  readonly admin: AdminPart | null
}

/** What all processes of the platform are made of. */
export interface LifeDeps {
  readonly topology: Topology
  readonly hostOf: (partition: PartitionNumber, door: Door, logger: Logger) => MachineHost<TradingQuote>
  readonly policyOf: (partition: PartitionNumber) => SnapshotPolicy
  readonly manifests: () => Manifests
  /** The pairs whose specs are in force, as edges know them. */
  readonly pairsInForce: () => readonly TradingPair[]
  readonly onInForce: (pairs: readonly TradingPair[]) => void
  /** The last quote of a symbol that the market published. */
  readonly latest: (symbol: string) => FeedQuote | null
  readonly onStarted: (door: Door, partition: PartitionNumber, error: unknown) => void
  readonly report: (finding: string) => void
  /** The process can't go on and ends. */
  readonly onFatal: (door: Door, error: unknown) => void
}

/** Starts a process. */
export const beginLife = (deps: LifeDeps, door: Door, roles: Roles, logger: Logger): Life => {
  const { topology } = deps
  const prices = createMemoryPrices({ onSubscriberFailure: (error) => deps.report(`a quote broke: ${String(error)}`) })
  const partitions = createPartitionClient({ bus: door.bus })
  const onFatal = (error: unknown): void => deps.onFatal(door, error)
  const serving = roles.serves
    ? createServingPart({
        door,
        logger,
        prices,
        hostOf: (partition) => deps.hostOf(partition, door, logger),
        policyOf: deps.policyOf,
        symbolOf: symbolOfPartition(topology.markets),
        onStarted: (partition, error) => deps.onStarted(door, partition, error),
        onReleased: (partition, error) => {
          if (error !== null) deps.report(`${door.name} could not stop partition ${partition}: ${String(error)}`)
        },
      })
    : null
  const views = roles.views ? createViewsPart({ door, topology, logger, onFailed: onFatal }) : null
  const freshness =
    serving !== null && views !== null
      ? createLocalFreshness(door, serving, views)
      : createRemoteFreshness(door, roles.edge ? allPartitions(topology) : [])
  return {
    door,
    prices,
    serving,
    views,
    edge: roles.edge ? createEdgePart({ door, topology, partitions, freshness, pairs: deps.pairsInForce }) : null,
    market: roles.market
      ? createMarketPart({ clock: door.clock, pairs: deps.manifests().pairs, latest: deps.latest, report: deps.report })
      : null,
    admin: roles.admin
      ? createAdminPart({
          door,
          topology,
          partitions,
          manifests: deps.manifests,
          logger,
          onInForce: deps.onInForce,
          onBroken: onFatal,
        })
      : null,
  }
}
