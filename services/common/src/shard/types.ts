import type { PartitionNumber } from '../kernel/partition.ts'
import type { RunnerStatus } from '../kernel/runner-types.ts'

/**
 * What a partition is at a shard. The words are the runner's, but for two: `serving` is said only once the partition's spec is in
 * order, and `released` of one that was handed over.
 */
export const shardStates = [
  'preparing',
  'prepared',
  'starting',
  'serving',
  'recovering',
  'releasing',
  'released',
  'deposed',
  'failed',
] as const
/** One of the states. */
export type ShardState = (typeof shardStates)[number]

/** What a shard tells of a partition. */
export interface ShardPartition {
  readonly partition: PartitionNumber
  readonly state: ShardState
  /** Why it is not as it should be, or null. */
  readonly reason: string | null
  /** The epoch under which the shard has it, or had it last. */
  readonly epoch: number
  /** Of the last journaled record; while `prepared`, of the last that was followed. */
  readonly sequence: bigint
  readonly snapshotSequence: bigint | null
  /** When that snapshot was taken, ms; null when there is none. */
  readonly snapshotAtMs: number | null
  /** Sequence that the views have reached, as far as this shard folds them. */
  readonly viewSequence: bigint
  /** The moment up to which the views of this partition are complete, ms. */
  readonly viewsAsOfMs: number
  /** What the runner says of itself; null when there is none. */
  readonly runner: RunnerStatus | null
}

/** Why a shard does not do what it was asked, by stable code. */
export const shardRefusalCodes = [
  'STALE_EPOCH',
  'EPOCH_REUSED',
  'WRONG_MACHINE',
  'NOT_SERVED',
  'PREPARE_FAILED',
  'ACQUIRE_FAILED',
  'SNAPSHOT_FAILED',
  'OVERLOADED',
  'STOPPING',
] as const
/** One of the codes. */
export type ShardRefusalCode = (typeof shardRefusalCodes)[number]

/** A refusal: `message` says what is wrong and what to do about it. */
export interface ShardRefusal {
  readonly code: ShardRefusalCode
  readonly message: string
}

/** What became of an order to a shard. */
export type ShardResult<Value> =
  { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly refusal: ShardRefusal }

/** A result with a value. */
export const done = <Value>(value: Value): ShardResult<Value> => ({ ok: true, value })

/** A result that is a refusal. */
export const refused = (code: ShardRefusalCode, message: string): { ok: false; refusal: ShardRefusal } => ({
  ok: false,
  refusal: { code, message },
})

/**
 * What became of a manifest at a shard: `InForce` once every partition served here that it concerns took it as a journaled
 * command; `Refused` when one said no, for the reason given, and it is told again.
 */
export interface ManifestState {
  readonly kind: 'TradingPair' | 'Bank'
  readonly name: string
  /** metadata.generation, 0 where nobody counts them. */
  readonly generation: number
  readonly state: 'InForce' | 'Pending' | 'Refused'
  readonly reason: string | null
}

/** Highest epoch: an epoch and a moment together fit the cursors of the views. */
export const EPOCH_MAX = 2 ** 27 - 1
/** Partitions one shard may have. */
export const SHARD_PARTITIONS_MAX = 1_024
