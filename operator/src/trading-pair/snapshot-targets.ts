import type { ShardClient } from '@bourse/common/shard-client/client.ts'
import type { GroupView } from '../shards/groups.ts'
import type { SnapshotTarget } from './snapshots.ts'

/** Refusals of a partition that is on its way elsewhere: its next owner is asked the next time. */
const ELSEWHERE: ReadonlySet<string> = new Set(['NOT_SERVED', 'STALE_EPOCH'])

/** Every partition of a group that is served, and how its snapshot is asked for. */
export const snapshotTargets = (shards: Pick<ShardClient, 'snapshot'>, view: GroupView): readonly SnapshotTarget[] =>
  view.pods.flatMap(({ answer, url, name }) =>
    (answer ?? [])
      .filter(({ state }) => state === 'serving')
      .map(({ partition, epoch }) => ({
        partition,
        ask: async () => {
          try {
            const refusal = await shards.snapshot(url ?? '', partition, epoch)
            return refusal === null || ELSEWHERE.has(refusal.code) ? null : `${name}: ${refusal.message}`
          } catch (error) {
            return `${name} did not answer: ${error instanceof Error ? error.message : String(error)}`
          }
        },
      })),
  )
