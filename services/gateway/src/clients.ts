import { createBridgeClient } from '@bourse/bridge/client/client.ts'
import type { PartitionClient } from '@bourse/common/kernel/client.ts'
import type { PartitionNumber } from '@bourse/common/kernel/partition.ts'
import type { Topology } from '@bourse/common/platform/topology.ts'
import type { Clock } from '@bourse/common/ports/clock.ts'
import type { Ids } from '@bourse/common/ports/ids.ts'
import type { Views } from '@bourse/common/ports/views.ts'
import type { TradingPair } from '@bourse/common/resources/trading-pair.ts'
import { createLedgerClient } from '@bourse/ledger/client/ledger-client.ts'
import { createTradingClient } from '@bourse/trading/client/trading-client.ts'
import type { GatewayDeps } from './deps.ts'

/** Half the window in which machines remember ids: a view older than that may miss one. */
export const VIEW_LAG_MS_MAX = 300_000
/** How long a client waits for the views before it answers without them, ms. */
export const PROJECTION_WAIT_MS = 3_000

/** Makes the clients of the three machines, wherever their partitions are served. */
export const createGatewayClients = (deps: {
  readonly partitions: PartitionClient
  readonly topology: Topology
  readonly views: Views
  readonly clock: Clock
  readonly ids: Ids
  /** The markets as the manifests say now. */
  readonly pairs: () => readonly TradingPair[]
  /** The moment up to which the views of a partition are complete, ms. */
  readonly viewsAsOfMs: (partition: PartitionNumber) => number
  /** Resolves true once the views hold a partition's records through `sequence`, false when that takes longer. */
  readonly waitForViews: (partition: PartitionNumber, sequence: bigint, timeoutMs: number) => Promise<boolean>
  /** False of a partition that nobody ever served. Without it: every one was. */
  readonly wasServed?: (partition: PartitionNumber) => boolean
}): Pick<GatewayDeps, 'trading' | 'ledger' | 'bridge'> => {
  const { partitions, topology, views, clock, ids } = deps
  const viewsAreFresh = (partition: PartitionNumber): boolean =>
    clock.nowMs() - deps.viewsAsOfMs(partition) <= VIEW_LAG_MS_MAX
  const termsOf = (asset: string) => {
    const spec = deps.pairs().find((pair) => pair.spec.symbol === asset)?.spec
    return spec === undefined ? null : { quoteAsset: spec.quoteAsset, openBps: spec.fees.openBps }
  }
  const projected = (partition: PartitionNumber, sequence: bigint): Promise<boolean> =>
    deps.waitForViews(partition, sequence, PROJECTION_WAIT_MS)
  const viewFreshness = (partition: PartitionNumber): Promise<number> => Promise.resolve(deps.viewsAsOfMs(partition))
  return {
    trading: createTradingClient({
      ...{ partitions, topology, views, viewsAreFresh, termsOf, projected },
      ...(deps.wasServed === undefined ? {} : { wasServed: deps.wasServed }),
    }),
    ledger: createLedgerClient({ partitions, topology, views, viewsAreFresh }),
    bridge: createBridgeClient({ partitions, topology, views, clock, ids, viewFreshness }),
  }
}
