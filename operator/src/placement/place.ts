import type { PartitionNumber } from '@bourse/common/kernel/partition.ts'

/** Who is to serve which partition; null: nobody can. */
export type Placement = ReadonlyMap<PartitionNumber, string | null>

/** Orders names so that `shard-10` comes after `shard-9`. */
export const compareShards = (one: string, other: string): number => {
  const [, stem = one, ordinal = '-1'] = /^(.*?)(\d+)$/.exec(one) ?? []
  const [, otherStem = other, otherOrdinal = '-1'] = /^(.*?)(\d+)$/.exec(other) ?? []
  if (stem === otherStem) return Number(ordinal) - Number(otherOrdinal)
  return stem < otherStem ? -1 : 1
}

/** What each shard has of the partitions, lowest number first. */
const heldBy = (
  partitions: readonly PartitionNumber[],
  owners: ReadonlyMap<PartitionNumber, string>,
  usable: readonly string[],
): ReadonlyMap<string, readonly PartitionNumber[]> => {
  const held = new Map<string, PartitionNumber[]>(usable.map((name) => [name, []]))
  for (const partition of partitions) {
    const owner = owners.get(partition)
    if (owner !== undefined) held.get(owner)?.push(partition)
  }
  return held
}

/**
 * Places partitions on shards: each shard gets as many as every other, or one more, and as few partitions move as that allows.
 * What shards that are not usable have goes to the others; without any usable shard everything stays. The same question has the
 * same answer, in whatever order it is put, and the answer put as a question is answered by itself.
 *
 * Why it moves least: with n = q·k + r partitions on k shards, r shards end with q + 1 and the others with q, and a shard
 * keeps at most that. Giving the r larger shares to those that have most keeps the most.
 */
export const place = (question: {
  readonly partitions: readonly PartitionNumber[]
  /** Who has what now; shards that are not usable may be among them. */
  readonly owners: ReadonlyMap<PartitionNumber, string>
  readonly usable: readonly string[]
}): Placement => {
  const partitions = [...new Set(question.partitions)].sort((one, other) => one - other)
  const usable = [...new Set(question.usable)].sort(compareShards)
  const { owners } = question
  if (usable.length === 0) return new Map(partitions.map((one) => [one, owners.get(one) ?? null]))
  const held = heldBy(partitions, owners, usable)
  const heldCount = (name: string): number => held.get(name)?.length ?? 0
  const least = Math.floor(partitions.length / usable.length)
  const larger = partitions.length % usable.length
  // Sorting is stable: of shards that have equally many the lower ordinal gets the larger share.
  const shares = usable
    .toSorted((one, other) => heldCount(other) - heldCount(one))
    .map((name, index) => ({ name, share: index < larger ? least + 1 : least }))
  const placement = new Map<PartitionNumber, string | null>()
  for (const { name, share } of shares)
    for (const partition of held.get(name)?.slice(0, share) ?? []) placement.set(partition, name)
  const free = shares
    .toSorted((one, other) => compareShards(one.name, other.name))
    .flatMap(({ name, share }) => Array.from({ length: Math.max(0, share - heldCount(name)) }, () => name))
  for (const partition of partitions) {
    if (placement.has(partition)) continue
    const to = free.shift()
    if (to === undefined) throw new Error('there are fewer places than partitions')
    placement.set(partition, to)
  }
  return new Map(partitions.map((one) => [one, placement.get(one) ?? null]))
}
