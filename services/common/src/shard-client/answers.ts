import type { PartitionNumber } from '../kernel/partition.ts'

/** A partition as a shard shows it. Sequences are decimal texts. */
export interface ShownPartition {
  /** As `trading/BTC_USDC/0`. */
  readonly partition: string
  readonly number: PartitionNumber
  /** One of the states of `docs/operations/shards.md`. */
  readonly state: string
  /** Whether it is served. */
  readonly ready: boolean
  readonly reason: string | null
  /** Under which the shard has it, or had it last. */
  readonly epoch: number
  readonly sequence: string
  readonly snapshotSequence: string | null
  readonly viewSequence: string
  readonly viewsAsOfMs: number
  /** How far the views are behind, ms; null when no record of it was folded here. */
  readonly lagMs: number | null
  readonly waitingCommands: number
  readonly unconfirmedEffects: number
}

/** All that a shard shows of its partitions. */
export interface ShownShard {
  readonly shard: string
  readonly machine: string
  /** Epoch of the last assignment, 0 before the first. */
  readonly epoch: number
  readonly partitions: readonly ShownPartition[]
}

/**
 * A manifest at a shard. `InForce`: every partition served there that it concerns took it as a journaled command. `Refused`:
 * one of them said no, for the reason given; it is told again.
 */
export interface ShownManifest {
  readonly kind: 'TradingPair' | 'Bank'
  readonly name: string
  /** metadata.generation, 0 of one that was read from a folder. */
  readonly generation: number
  readonly state: 'InForce' | 'Pending' | 'Refused'
  readonly reason: string | null
}
