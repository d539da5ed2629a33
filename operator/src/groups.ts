import { partitionNumber } from '@bourse/common/kernel/partition.ts'
import { openTopology } from '@bourse/common/platform/topology.ts'
import type { Directory } from '@bourse/common/ports/directory.ts'
import type { Groups } from './shards/groups.ts'

/**
 * Defines the groups that the chart makes: all partitions of the ledger, and of the bridge. Their replicas are the chart's
 * to set.
 * @throws {TopologyError} when a number of partitions was changed
 * @throws {PortError} when the directory does not answer
 */
export const defineChartGroups = async (
  directory: Directory,
  groups: Groups,
  config: { readonly ledgerPartitions: number; readonly bridgePartitions: number },
): Promise<void> => {
  const { ledgerPartitions, bridgePartitions } = await openTopology(directory, {
    ledgerPartitions: config.ledgerPartitions,
    bridgePartitions: config.bridgePartitions,
    markets: [],
  })
  const counts = { ledger: ledgerPartitions, bridge: bridgePartitions } as const
  for (const [name, count] of Object.entries(counts) as [keyof typeof counts, number][]) {
    const partitions = Array.from({ length: count }, (_, index) => partitionNumber(name, index))
    groups.define({ name, partitions, wanted: null, isEnding: false, about: null })
  }
}
