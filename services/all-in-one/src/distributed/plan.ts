import { partitionParts, type MachineName, type PartitionNumber } from '@bourse/common/kernel/partition.ts'

/** Partitions that one shard is to serve. */
export interface PlannedShard {
  readonly name: string
  readonly machine: MachineName
  readonly partitions: readonly PartitionNumber[]
}

/** Spreads the partitions of each machine evenly over its shards: no two differ by more than one. */
export const planShards = (
  partitions: readonly PartitionNumber[],
  counts: Readonly<Record<MachineName, number>>,
): PlannedShard[] =>
  (Object.keys(counts) as MachineName[]).flatMap((machine) => {
    const own = partitions.filter((partition) => partitionParts(partition).machine === machine)
    return Array.from({ length: counts[machine] }, (_, shard) => ({
      name: `${machine}-${shard}`,
      machine,
      partitions: own.filter((_, index) => index % counts[machine] === shard),
    }))
  })
