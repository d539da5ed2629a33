import { viewsAsOfMs } from '@bourse/all-in-one/platform/serving.ts'
import { createBridgeClient } from '@bourse/bridge/client/client.ts'
import type { PartitionClient } from '@bourse/common/kernel/client.ts'
import type { PartitionNumber } from '@bourse/common/kernel/partition.ts'
import type { Topology } from '@bourse/common/platform/topology.ts'
import type { TradingPair } from '@bourse/common/resources/trading-pair.ts'
import { createLedgerClient } from '@bourse/ledger/client/ledger-client.ts'
import { createTradingClient } from '@bourse/trading/client/trading-client.ts'
import type { Door } from '../ports/ground.ts'
import type { Edge } from './exchange-platform.ts'
import type { Freshness } from './freshness.ts'
import type { ServingPart } from './serving-part.ts'
import type { ViewsPart } from './views-part.ts'

/** Half the window in which machines remember ids, as the product's edge has it. */
const VIEW_LAG_MS_MAX = 300_000
const PROJECTION_WAIT_MS = 3_000

/** What an edge knows of the views when partitions and projector are in its own process. */
export const createLocalFreshness = (door: Door, serving: ServingPart, views: ViewsPart): Freshness => {
  const asOfMs = (partition: PartitionNumber): number => {
    const projector = views.projector()
    if (projector === null) return 0
    return viewsAsOfMs(serving.served.get(partition)?.runner, projector, partition, door.clock.nowMs())
  }
  return {
    asOfMs,
    askMs: (partition) => Promise.resolve(asOfMs(partition)),
    projected: (partition, sequence) =>
      views.projector()?.waitFor(partition, sequence, PROJECTION_WAIT_MS) ?? Promise.resolve(false),
  }
}

/** Makes the command layer of a process: the product's clients on its doors. */
export const createEdgePart = (deps: {
  readonly door: Door
  readonly topology: Topology
  readonly partitions: PartitionClient
  readonly freshness: Freshness
  /** The pairs whose specs are in force. */
  readonly pairs: () => readonly TradingPair[]
}): Edge => {
  const { door, topology, partitions, freshness } = deps
  const { views, clock, ids } = door
  const viewsAreFresh = (partition: PartitionNumber): boolean =>
    clock.nowMs() - freshness.asOfMs(partition) <= VIEW_LAG_MS_MAX
  const termsOf = (asset: string) => {
    const spec = deps.pairs().find((pair) => pair.spec.symbol === asset)?.spec
    return spec === undefined ? null : { quoteAsset: spec.quoteAsset, openBps: spec.fees.openBps }
  }
  return {
    trading: createTradingClient({
      partitions,
      topology,
      views,
      viewsAreFresh,
      termsOf,
      projected: freshness.projected,
    }),
    ledger: createLedgerClient({ partitions, topology, views, viewsAreFresh }),
    bridge: createBridgeClient({ partitions, topology, views, clock, ids, viewFreshness: freshness.askMs }),
  }
}
