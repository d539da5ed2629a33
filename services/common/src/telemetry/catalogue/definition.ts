/** Units as Prometheus names them; `units` are 1e-8 of a currency or asset, `none` is for states and numbers without one. */
export type SeriesUnit = 'seconds' | 'bytes' | 'ratio' | 'units' | 'records' | 'none'

/** Who keeps a series right, and whom to ask about it: the part of the platform that shows it. */
export type SeriesOwner =
  'gateway' | 'kernel' | 'ledger' | 'trading' | 'bridge' | 'market' | 'servers' | 'operator' | 'process'

/** One series of the platform. */
export interface SeriesDefinition {
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly unit: SeriesUnit
  /** One sentence: what it counts or shows, and what a bad value means where that is not plain. */
  readonly help: string
  /** Each label and how many values it may have in one process; what comes after those is shown as `other`. */
  readonly labels: Readonly<Record<string, number>>
  readonly owner: SeriesOwner
  /** Where only separate processes have what it is about (Redis, a broker, shards), or only one process; left out for both. */
  readonly profile?: 'distributed' | 'embedded'
  /** Upper bounds of a histogram; LATENCY_BUCKETS_SECONDS where left out. */
  readonly buckets?: readonly number[]
}

/** Bounds of labels that several series share: how many values one process may show. */
export const LABEL_BOUNDS = {
  /** Partitions that one shard may have. */
  partition: 1_024,
  symbol: 128,
  bank: 256,
  currency: 64,
  /** Codes of refusals. */
  code: 96,
  route: 128,
} as const
