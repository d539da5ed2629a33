import { partitionName, type PartitionNumber } from '@bourse/common/kernel/partition.ts'
import type { GroupView } from '../shards/groups.ts'
import type { Delivery } from './delivery.ts'
import type { PartitionSnapshots } from './snapshots.ts'
import { verdict, type Verdict, type Verdicts } from './status.ts'

/** What a pair's conditions are made from. */
export interface Facts {
  readonly partitions: readonly PartitionNumber[]
  readonly view: GroupView | undefined
  readonly delivery: Delivery
  readonly wanted: number
  readonly isPaused: boolean
  readonly snapshotsOf: (partition: PartitionNumber) => PartitionSnapshots
  /** Why the last attempt at a snapshot failed. */
  readonly snapshotTrouble: string | null
}

const names = (partitions: readonly PartitionNumber[]): string => partitions.slice(0, 8).map(partitionName).join(', ')

const progressing = ({ view, delivery, wanted, isPaused }: Facts): Verdict => {
  if (isPaused) return verdict('False', 'Paused', 'nothing is changed while the annotation bourse.dev/paused is there')
  if (delivery.state === 'Pending') return verdict('True', 'SpecPending', delivery.detail)
  const ready = (view?.pods ?? []).filter((pod) => pod.isReady && !pod.isTerminating).length
  if (ready !== wanted) return verdict('True', 'Scaling', `${ready} of ${wanted} shards are ready`)
  const [pending] = view?.pending ?? []
  if (pending !== undefined) return verdict('True', 'Rebalancing', pending)
  const outdated = (view?.pods ?? []).find((pod) => pod.isOutdated)
  if (outdated !== undefined) return verdict('True', 'RollingUpdate', `${outdated.name} is of an older template`)
  return verdict('False', 'Settled', 'everything is as the spec has it')
}

const degraded = ({ view, delivery, partitions, snapshotsOf, snapshotTrouble }: Facts): Verdict => {
  if (delivery.state === 'Refused') return verdict('True', 'SpecRefused', delivery.detail)
  const failed = (view?.pods ?? []).flatMap((pod) => pod.answer ?? []).find(({ state }) => state === 'failed')
  if (failed !== undefined)
    return verdict(
      'True',
      'PartitionFailed',
      `${partitionName(failed.partition)}: ${failed.reason ?? 'no reason given'}`,
    )
  const corrupt = partitions.flatMap((partition) =>
    snapshotsOf(partition).corrupt.map(({ sequence, why }) => `${partitionName(partition)} at ${sequence}: ${why}`),
  )
  if (corrupt.length > 0) return verdict('True', 'SnapshotCorrupt', corrupt.slice(0, 4).join('; '))
  if (snapshotTrouble !== null) return verdict('True', 'SnapshotFailed', snapshotTrouble)
  return verdict('False', 'Healthy', 'nothing is wrong')
}

/** What the conditions say of a pair that is served. */
export const verdictsOf = (facts: Facts): Verdicts => {
  const { view, delivery, partitions } = facts
  const serving = new Set(
    (view?.pods ?? []).flatMap((pod) =>
      (pod.answer ?? []).filter(({ state }) => state === 'serving').map(({ partition }) => partition),
    ),
  )
  const unserved = partitions.filter((partition) => !serving.has(partition))
  const ready =
    unserved.length > 0
      ? verdict(
          'False',
          'PartitionsUnserved',
          `${unserved.length} of ${partitions.length} are not served: ${names(unserved)}`,
        )
      : delivery.state === 'Pending'
        ? verdict('False', 'SpecPending', delivery.detail)
        : verdict('True', 'Serving', `all ${partitions.length} partitions are served`)
  return { Ready: ready, Progressing: progressing(facts), Degraded: degraded(facts) }
}

/** What the conditions say of a pair that can't be served as it is. */
export const refusedVerdicts = (reason: 'InvalidSpec' | 'SymbolTaken', message: string): Verdicts => ({
  Ready: verdict('False', reason, message),
  Progressing: verdict('False', reason, message),
  Degraded: verdict('False', reason, 'it is not served'),
})

/** What the conditions say of a pair that is being deleted. */
export const endingVerdicts = (reason: 'WaitingForTrades' | 'Ending' | 'Releasing', message: string): Verdicts => ({
  Ready: verdict('False', 'Deleting', message),
  Progressing: verdict('True', reason, message),
  Degraded: verdict('False', 'Deleting', 'it is being deleted'),
})
