import { partitionParts, type PartitionNumber } from '@bourse/common/kernel/partition.ts'
import type {
  TradingPairResource,
  TradingPairResourceStatus,
  TradingPairResourceStatusPartitionsItem,
} from '../resources/trading-pair.ts'
import { setCondition } from '../runtime/conditions.ts'
import type { Condition } from '../runtime/types.ts'
import type { GroupView } from '../shards/groups.ts'
import { selectorOfPair } from './children.ts'
import type { PartitionSnapshots } from './snapshots.ts'

/** A status that differs in nothing but numbers that always move is written this seldom, ms. */
export const STATUS_REFRESH_MS = 5_000
/**
 * One that differs in the words of a condition at most this often, ms: a write leads to the next look, and words have
 * numbers.
 */
export const MESSAGE_REFRESH_MS = 1_000

/** What a condition says. */
export interface Verdict {
  readonly status: 'True' | 'False' | 'Unknown'
  readonly reason: string
  readonly message: string
}
/** What the three conditions say. */
export interface Verdicts {
  readonly Ready: Verdict
  readonly Progressing: Verdict
  readonly Degraded: Verdict
}

/** A verdict. */
export const verdict = (status: Verdict['status'], reason: string, message: string): Verdict => ({
  status,
  reason,
  message,
})

const SERVING = 'serving'

/** The partitions as they were seen last, one entry each. */
export const partitionStatuses = (
  partitions: readonly PartitionNumber[],
  view: GroupView | undefined,
  snapshotsOf: (partition: PartitionNumber) => PartitionSnapshots,
): readonly TradingPairResourceStatusPartitionsItem[] =>
  partitions.map((partition) => {
    const id = partitionParts(partition).index
    const places = (view?.pods ?? []).flatMap((pod) =>
      (view?.shown.get(pod.name) ?? []).filter(({ number }) => number === partition).map((seen) => ({ pod, seen })),
    )
    const at = places.filter(({ seen }) => seen.state === SERVING).sort((a, b) => b.seen.epoch - a.seen.epoch)[0]
    const { good } = snapshotsOf(partition)
    return {
      id,
      ...(at === undefined
        ? {}
        : {
            shard: at.pod.ordinal,
            epoch: at.seen.epoch,
            sequence: at.seen.sequence,
            ...(at.seen.lagMs === null ? {} : { lagMs: Math.max(0, Math.round(at.seen.lagMs)) }),
          }),
      ...(good === null
        ? {}
        : {
            snapshot: {
              sequence: String(good.sequence),
              at: new Date(good.atMs).toISOString(),
              bytes: good.bytes,
              sha256: good.sha256,
            },
          }),
    }
  })

const oldestSnapshot = (partitions: readonly TradingPairResourceStatusPartitionsItem[]): string | null => {
  const at = partitions.map(({ snapshot }) => snapshot?.at ?? null)
  if (at.length === 0 || at.includes(null)) return null
  return at.reduce((oldest, one) => (oldest === null || (one !== null && one < oldest) ? one : oldest), null)
}

/** The whole status. `confirmed` is the newest generation that is in force on every partition. */
export const statusOf = (
  pair: TradingPairResource,
  seen: {
    readonly view: GroupView | undefined
    readonly partitions: readonly PartitionNumber[]
    readonly snapshotsOf: (partition: PartitionNumber) => PartitionSnapshots
    readonly confirmed: number | null
    readonly verdicts: Verdicts
  },
  nowMs: number,
): TradingPairResourceStatus => {
  const observedGeneration = pair.metadata.generation ?? 0
  let conditions: readonly Condition[] | undefined = pair.status?.conditions
  for (const [type, one] of Object.entries(seen.verdicts) as [string, Verdict][])
    conditions = setCondition(conditions, { type, ...one, observedGeneration }, nowMs)
  const partitions = partitionStatuses(seen.partitions, seen.view, seen.snapshotsOf)
  const lastSnapshotAt = oldestSnapshot(partitions)
  const confirmed = seen.confirmed ?? pair.status?.observedGeneration
  return {
    ...(confirmed === undefined ? {} : { observedGeneration: confirmed }),
    shards: (seen.view?.pods ?? []).filter((pod) => pod.isReady && !pod.isTerminating).length,
    selector: selectorOfPair(pair.metadata.name),
    ...(lastSnapshotAt === null ? {} : { lastSnapshotAt }),
    partitions,
    conditions: conditions ?? [],
  }
}

const messagesOf = ({ conditions = [] }: TradingPairResourceStatus): string =>
  JSON.stringify(conditions.map(({ message }) => message))

/** A status without what moves all the time. */
const substanceOf = (status: TradingPairResourceStatus): string => {
  const partitions = (status.partitions ?? []).map(({ id, shard, epoch }) => ({ id, shard, epoch }))
  const conditions = (status.conditions ?? []).map((one) => ({ ...one, message: null }))
  return JSON.stringify({ ...status, partitions, conditions, lastSnapshotAt: null })
}

/** Whether a status is to be written: at once when it differs in substance, else now and then. */
export const isWorthWriting = (
  status: TradingPairResourceStatus,
  before: TradingPairResourceStatus | null,
  sinceMs: number,
): boolean => {
  if (before === null || substanceOf(status) !== substanceOf(before)) return true
  if (sinceMs >= MESSAGE_REFRESH_MS && messagesOf(status) !== messagesOf(before)) return true
  return sinceMs >= STATUS_REFRESH_MS && JSON.stringify(status) !== JSON.stringify(before)
}
