import type { Clock } from '@bourse/common/ports/clock.ts'
import type { Views } from '@bourse/common/ports/views.ts'
import { StartRefused } from '@bourse/common/process/start-refused.ts'
import { readPartitionStates } from '@bourse/common/shard-client/epochs.ts'
import type { PartitionStateView } from '@bourse/common/views/models.ts'

/** Words of shards that are younger than this may be of shards that live, ms; clocks may differ by some of it. */
export const YOUNG_MS_MAX = 15_000
/** How long children may outlive a launcher that was killed, ms. */
export const ORPHANS_MS_MAX = 1_000
/** How long living shards are given to speak again, ms: they do so once a second. */
export const WORD_WAIT_MS = 2_500

/** Shards that spoke between two looks, with where they are. */
const spoken = (before: readonly PartitionStateView[], after: readonly PartitionStateView[]): readonly string[] => {
  const known = new Map(before.map(({ _id, atMs }) => [_id, atMs]))
  const alive = after.filter(({ _id, atMs }) => atMs !== known.get(_id))
  return [...new Set(alive.map(({ shard, controlUrl }) => `${shard} at ${controlUrl}`))].sort()
}

/**
 * Looks whether shards of another launcher serve the data: two of them would take the partitions from each other in turns, and
 * clients would wait meanwhile. Costs nothing when no shard spoke lately.
 * @throws {StartRefused} with the shards that live
 */
export const refuseRival = async ({ views, clock }: { views: Pick<Views, 'find'>; clock: Clock }): Promise<void> => {
  const first = await readPartitionStates(views)
  if (!first.some(({ atMs }) => clock.nowMs() - atMs < YOUNG_MS_MAX)) return
  await clock.sleep(ORPHANS_MS_MAX)
  const before = await readPartitionStates(views)
  await clock.sleep(WORD_WAIT_MS)
  const alive = spoken(before, await readPartitionStates(views))
  if (alive.length === 0) return
  throw new StartRefused([
    `shards serve this data already: ${alive.join(', ')}`,
    'stop the launcher they belong to, or use another database and another BOURSE_NAMESPACE',
  ])
}
