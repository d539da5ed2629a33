import type { CandleInterval } from './market/specs.ts'
import type { Units } from '@bourse/common/money/amount.ts'

/** Whether the platform takes commands; every reason is a sentence an operator can act on. */
export interface Readiness {
  readonly ready: boolean
  readonly reasons: readonly string[]
}

/** A partition as administration sees it. */
export interface PartitionState {
  /** `ledger/3`, `trading/BTC_USDC/0`, `bridge/1`. */
  readonly name: string
  readonly number: number
  readonly state: 'starting' | 'serving' | 'rebuilding' | 'stopped'
  /** Sequence of the last journaled record. */
  readonly sequence: bigint
  readonly snapshotSequence: bigint | null
  /** When that snapshot was stored, ms; null where only its sequence is told. */
  readonly snapshotAtMs: number | null
  /** How far the views are behind, in records. */
  readonly viewLagRecords: bigint
  /** Why it does not serve, or null. */
  readonly reason: string | null
  /** Who serves it, or did last; null when nobody ever said anything of it: then all the rest is not known either. */
  readonly shard: string | null
  /** How old the newest word of it is, ms. */
  readonly ageMs: number
}

/** A bar of the last traded prices. */
export interface Candle {
  readonly openTimeMs: number
  readonly open: Units
  readonly high: Units
  readonly low: Units
  readonly close: Units
}

/** What the edge asks about the platform around it. */
export interface PlatformInspector {
  ready(): Readiness
  partitions(): readonly PartitionState[]
  /**
   * The hash of each serving partition's state, hex, by its number. Each stops for as long as reading its whole state takes:
   * for an operator who compares, not for a dashboard.
   */
  stateHashes(): Promise<ReadonlyMap<number, string>>
  /** The moment up to which the lists (views) are complete, ms. */
  viewsAsOfMs(): number
  /**
   * Calls `notify` after each time the `tradeevents` view got an event of the account (see `accountKeyOf`), until the
   * returned function is called. Advice: it may come too often; the reader looks into the view after its own last sequence.
   */
  watchTradeEvents(account: string, notify: () => void): () => void
}

/** Bars of an asset, oldest first, at most `limit`; the last one is still growing. */
export type CandleSource = (asset: string, interval: CandleInterval, limit: number) => readonly Candle[]
