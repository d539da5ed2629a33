import type { MarketPlace } from '@bourse/common/platform/topology.ts'

/** What the thread that folds the views is started with. */
export interface ProjectionTask {
  readonly journalPath: string
  readonly viewsPath: string
  readonly ledgerPartitions: number
  readonly bridgePartitions: number
  readonly markets: ReadonlyMap<string, MarketPlace>
  /**
   * One float: when the thread last began to look and then had everything in the views that the journal held, ms. Shared, so that
   * an idle platform is told without a message.
   */
  readonly completeAtMs: SharedArrayBuffer
}

/** What the thread is told: to look into the journal now, or to end. */
export type ProjectionRequest = 'look' | 'end'

/** What one commit of the thread changed. */
export interface Projected {
  /** Of each partition that got on: its number, the last sequence, that record's moment in ms. */
  readonly reached: readonly (readonly [number, bigint, number])[]
  /** Accounts that have new trade events, in hex. */
  readonly accounts: readonly string[]
}

/** What the thread tells. */
export type ProjectionReply =
  | ({ readonly kind: 'projected' } & Projected)
  | { readonly kind: 'failed'; readonly partition: number; readonly message: string }
