import type { PartitionNumber } from '@bourse/common/kernel/partition.ts'
import type { TradingPairResourceStatus } from '../resources/trading-pair.ts'
import type { SnapshotKeeper } from './snapshots.ts'

/** Keeps a pair until its trades are closed and its shards are gone. */
export const TRADING_PAIR_FINALIZER = 'bourse.dev/trading-pair'

/** What is known of a pair from one look to the next. */
export interface PairState {
  readonly uid: string
  readonly keeper: SnapshotKeeper
  partitions: readonly PartitionNumber[] | null
  /** Newest generation that is in force everywhere. */
  confirmed: number | null
  written: { readonly status: TradingPairResourceStatus; readonly atMs: number } | null
  /** A step of the deletion that is not gone back from. */
  isReleasing: boolean
  /** When every partition was first known to open nothing any more. Monotonic. */
  closedAtMs: number | null
  /** Sequences under which nothing is opened any more. */
  closedFrom: ReadonlyMap<PartitionNumber, bigint> | null
  told: string
}
