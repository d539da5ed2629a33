import type { MachineCapacities } from '@bourse/all-in-one/platform/machines.ts'
import type { SnapshotPolicy } from '@bourse/common/kernel/snapshotter.ts'
import type { Topology } from '@bourse/common/platform/topology.ts'
import type { Bank } from '@bourse/common/resources/bank.ts'
import type { TradingPair } from '@bourse/common/resources/trading-pair.ts'
import type { SeededRandom } from '@bourse/common/testkit/seeded-random.ts'
import { drawManifests } from './manifests.ts'

/** What a seed's platform looks like. */
export interface Shape {
  /** One process that is everything, or nodes, edges, a market and a projector that fail each on their own. */
  readonly isEmbedded: boolean
  /** Processes that serve partitions. */
  readonly nodes: number
  /** Processes that clients talk to. */
  readonly edges: number
  readonly topology: Topology
  readonly pairs: readonly TradingPair[]
  readonly banks: readonly Bank[]
  readonly capacities: MachineCapacities
  /** Snapshots of the ledger's and the bridge's partitions; the markets' are in their specs. */
  readonly snapshots: SnapshotPolicy
}

/** Draws a shape. Compression is none: its threads would answer when they like. */
export const drawShape = (chance: SeededRandom): Shape => {
  const isEmbedded = chance.chance(35)
  const nodes = isEmbedded ? 1 : chance.between(2, 4)
  const edges = isEmbedded ? 1 : chance.between(1, 3)
  const ledgerPartitions = chance.pick([1, 2, 3])
  const bridgePartitions = chance.pick([1, 2])
  const { pairs, banks } = drawManifests(chance)
  const markets = new Map(
    pairs.map(({ spec }, index) => [
      spec.symbol,
      { symbol: spec.symbol, market: index + 1, partitions: spec.engine.partitions },
    ]),
  )
  const isTight = chance.chance(12)
  const capacities: MachineCapacities = {
    ledger: {
      // Never tight: what is owed waits for ever in a full table of accounts (docs/decisions/0012).
      accountsMax: 512,
      holdsMax: isTight ? 12 : 512,
      idsMax: isTight ? 96 : 2_048,
    },
    trading: { tradesMax: 256, idsMax: isTight ? 64 : 1_024 },
  }
  const snapshots: SnapshotPolicy = {
    intervalMs: chance.pick([700, 3_000, 15_000, 60_000]),
    keep: chance.between(1, 4),
    compression: 'none',
  }
  const topology = { ledgerPartitions, bridgePartitions, markets }
  return { isEmbedded, nodes, edges, topology, pairs, banks, capacities, snapshots }
}
