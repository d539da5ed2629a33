// Made from crds/tradingpair.yaml by npm run generate; changes belong there.
import type { Condition, KubeObject } from '../runtime/types.ts'

/** An entry of TradingPairResourceSpecMarginTiers. */
export interface TradingPairResourceSpecMarginTiersItem {
  /** Notional from which this tier holds, in the quote asset, such as "250000". */
  readonly notionalFloor: string
  /**
   * Part of the notional that a trade's equity must keep, or it is liquidated; a fraction, such as "0.004" for 0.4
   * %.
   */
  readonly maintenanceRate: string
  /** Highest leverage of a trade in this tier. */
  readonly maxLeverage: number
}

/** How much a trade has to put up, and when it is liquidated. */
export interface TradingPairResourceSpecMargin {
  /**
   * Highest leverage a trade may open with, whatever its tier allows. A change binds new trades; open ones keep
   * their leverage.
   */
  readonly maxLeverage: number
  /**
   * The leverage table by notional (price × quantity, in the quote asset), lowest floor first. A trade is in the
   * last tier whose notionalFloor it reaches. Its maintenance margin is notional × maintenanceRate − c, where c
   * follows from continuity, so that it never jumps where a tier begins. First floor 0; floors and rates rise,
   * maxLeverage falls. Example: [{notionalFloor: "0", maintenanceRate: "0.004", maxLeverage: 100}, {notionalFloor:
   * "250000", maintenanceRate: "0.01", maxLeverage: 50}]. A change holds for trades opened after it; a trade keeps
   * the table it was opened under.
   */
  readonly tiers: readonly TradingPairResourceSpecMarginTiersItem[]
}

/** Fees by notional, in basis points (1 bp = 0.01 %). A change holds for what opens or closes after it. */
export interface TradingPairResourceSpecFees {
  /** Fee for opening, bps of the notional at opening, such as "5". Held with the margin. */
  readonly openBps: string
  /** Fee for closing, bps of the notional at closing, such as "5". */
  readonly closeBps: string
  /** Fee of a liquidation, bps of the notional, such as "50". Goes to the insurance fund. */
  readonly liquidationBps: string
}

/** What open trades pay (long) or receive (short) while they stay open. */
export interface TradingPairResourceSpecFunding {
  /** Seconds between two payments; 28800 is 8 hours. Default 28800. */
  readonly intervalSeconds?: number
  /**
   * Basis points of the notional that longs pay at each interval, such as "1"; below 0 shorts pay. Bounded by
   * capBps. Default "0".
   */
  readonly rateBps?: string
  /** Most that one payment may be, bps of the notional, either way. Default "75". */
  readonly capBps?: string
}

/**
 * Where the market's prices come from, and which of them are believed. Fields of another source than the chosen
 * one are refused.
 */
export interface TradingPairResourceSpecPrices {
  /**
   * walk: a seeded random walk, for trying things. tape: a recording. binance: Binance's public streams. poll: an
   * HTTP ticker. A change starts the new source with its next price. Default "walk".
   */
  readonly source?: 'walk' | 'tape' | 'binance' | 'poll'
  /**
   * Seconds after which a price is too old; trades neither open nor close until a new one comes (PRICE_STALE).
   * Default 5.
   */
  readonly maxAgeSeconds?: number
  /**
   * Largest move from one price to the next that is believed at once, bps; a larger one only after three prices in
   * a row that agree. Default "2000".
   */
  readonly maxJumpBps?: string
  /** Source walk: first price, in the quote asset. 100 when silent. */
  readonly startPrice?: string
  /** Source walk: seed of the walk; the same seed walks the same way. Made of the symbol when silent. */
  readonly seed?: number
  /** Source walk: milliseconds between two prices. 250 when silent. */
  readonly stepMs?: number
  /** Source walk: largest move of one step, bps of the price. 2 when silent. */
  readonly stepBps?: string
  /** Source tape: the CSV or CSV.gz to play, as the market service sees it. */
  readonly file?: string
  /** Source tape: how fast; "1" is the speed of the recording, and what holds when silent. */
  readonly speed?: string
  /** Source tape: what follows its end. loop when silent. */
  readonly atEnd?: 'loop' | 'stop'
  /**
   * Sources binance (ws or wss) and poll (http or https; {symbol} is replaced by the symbol): where to ask,
   * without user and password. Binance's public endpoints when silent.
   */
  readonly url?: string
  /** Sources binance and poll: the symbol as the source knows it. baseAsset + quoteAsset when silent. */
  readonly symbol?: string
  /** Source poll: milliseconds between two questions. POLLER_UPDATE_INTERVAL when silent. */
  readonly intervalMs?: number
}

/**
 * Limits of this market, each optional: where it is silent only the engine's own hold. A lowered limit binds new
 * trades; open ones stay.
 */
export interface TradingPairResourceSpecLimits {
  /** Most open trades of one user in this market. */
  readonly maxOpenTrades?: number
  /** Largest notional of one trade, in the quote asset, such as "1000000". */
  readonly maxNotional?: string
  /**
   * Largest net notional (longs less shorts) that the house takes over in this market, in the quote asset, such as
   * "20000000". Each partition has an equal part of it. What makes the net smaller is always taken.
   */
  readonly maxNetNotional?: string
  /** Smallest margin of a trade, in the quote asset, such as "1". Default "0". */
  readonly minMargin?: string
}

/** How the market is cut up and served. */
export interface TradingPairResourceSpecEngine {
  /**
   * Into how many partitions the market's users are divided: a power of two from 1 to 256. Each has a journal of
   * its own and is served by one shard at a time. Immutable. Default 4.
   */
  readonly partitions?: number
  /**
   * How many pods serve the partitions; what `kubectl scale tp/<name> --replicas=<n>` sets. Partitions move by
   * handover, without a lost or doubled order; each pauses for well under a second. Default 1.
   */
  readonly shards?: number
  /**
   * Most open trades of a partition; opening more is refused. A lowered one binds new trades; open ones stay.
   * Default 10000.
   */
  readonly capacity?: number
}

/** How often a partition's state is kept, so that a restart replays little. */
export interface TradingPairResourceSpecSnapshots {
  /** Seconds between two snapshots of a partition. Default 15. */
  readonly intervalSeconds?: number
  /** How many snapshots of a partition are kept, newest first; older ones are removed. Default 10. */
  readonly keep?: number
  /** How snapshots are compressed from the next one on; older ones stay readable. Default "zstd". */
  readonly compression?: 'zstd' | 'gzip' | 'none'
}

/** What the market is to be. */
export interface TradingPairResourceSpec {
  /**
   * Name of the market for clients, such as BTC_USDC. Immutable, and no other TradingPair may have it (condition
   * Ready=False with reason SymbolTaken).
   */
  readonly symbol: string
  /** CFD: leveraged contracts against the house. SPOT is not served by this release. Immutable. */
  readonly type: 'CFD' | 'SPOT'
  /** What is traded, such as BTC. Immutable. */
  readonly baseAsset: string
  /** What prices, margin, fees and profit are counted in, such as USDC. Immutable. */
  readonly quoteAsset: string
  /** Smallest price step, in the quote asset, such as "0.01". Every price is a multiple of it. Immutable. */
  readonly tickSize: string
  /** Smallest quantity step, in the base asset, such as "0.00001". Every quantity is a multiple of it. Immutable. */
  readonly lotSize: string
  /**
   * Open: trades open and close. ReduceOnly: trades only close; triggers and liquidations go on. Halted: nothing
   * opens or closes and prices are not applied, so that no trigger or liquidation fires; funding goes on. A
   * TradingPair that is being deleted is ReduceOnly until its last trade is closed. Default "Open".
   */
  readonly state?: 'Open' | 'ReduceOnly' | 'Halted'
  /** How much a trade has to put up, and when it is liquidated. */
  readonly margin: TradingPairResourceSpecMargin
  /** Fees by notional, in basis points (1 bp = 0.01 %). A change holds for what opens or closes after it. */
  readonly fees: TradingPairResourceSpecFees
  /**
   * Distance of bid and ask in basis points of the mid price, half of it on each side, such as "2". A change holds
   * from the next price on. Default "0".
   */
  readonly spreadBps?: string
  /** What open trades pay (long) or receive (short) while they stay open. */
  readonly funding?: TradingPairResourceSpecFunding
  /**
   * Where the market's prices come from, and which of them are believed. Fields of another source than the chosen
   * one are refused.
   */
  readonly prices?: TradingPairResourceSpecPrices
  /**
   * Limits of this market, each optional: where it is silent only the engine's own hold. A lowered limit binds new
   * trades; open ones stay.
   */
  readonly limits?: TradingPairResourceSpecLimits
  /** How the market is cut up and served. */
  readonly engine?: TradingPairResourceSpecEngine
  /** How often a partition's state is kept, so that a restart replays little. */
  readonly snapshots?: TradingPairResourceSpecSnapshots
  /** Reserved for a pair's own rule module. Refused for now. */
  readonly riskRules?: Readonly<Record<string, unknown>>
}

/** The newest snapshot; absent before the first. */
export interface TradingPairResourceStatusPartitionsItemSnapshot {
  /** Last command in it. */
  readonly sequence?: string
  /** When it was taken. */
  readonly at?: string
  /** Its size as stored, bytes. */
  readonly bytes?: number
  /** SHA-256 of its bytes. */
  readonly sha256?: string
}

/** An entry of TradingPairResourceStatusPartitions. */
export interface TradingPairResourceStatusPartitionsItem {
  /** Index of the partition, from 0. */
  readonly id: number
  /** Ordinal of the pod that serves it; absent while none does. */
  readonly shard?: number
  /** Epoch it is served under; rises with every change of the owner. */
  readonly epoch?: number
  /** Last command applied, a number as text. */
  readonly sequence?: string
  /** Milliseconds that the oldest command not yet applied has waited. */
  readonly lagMs?: number
  /** The newest snapshot; absent before the first. */
  readonly snapshot?: TradingPairResourceStatusPartitionsItemSnapshot
}

/** What is. Written by the operator only. */
export interface TradingPairResourceStatus {
  /** metadata.generation of the newest spec that is in force on every partition. */
  readonly observedGeneration?: number
  /** Shards that are ready. */
  readonly shards?: number
  /** Selects the market's pods; read by the scale subresource. */
  readonly selector?: string
  /** The oldest among the partitions' newest snapshots. */
  readonly lastSnapshotAt?: string
  /** The partitions, one entry each, as last seen. */
  readonly partitions?: readonly TradingPairResourceStatusPartitionsItem[]
  /** Ready, Progressing and Degraded, with the standard fields. */
  readonly conditions?: readonly Condition[]
}

/**
 * A TradingPair is one market: what is traded, under which margin, fees and limits, where its prices come from,
 * and how many shards serve it. A change of a field that is not immutable is in force on every partition within
 * 5 seconds, without a restart, and never touches what is already agreed of an open trade. Decimals are texts,
 * so that none is rounded.
 */
export interface TradingPairResource extends KubeObject {
  readonly apiVersion: 'bourse.dev/v1alpha1'
  readonly kind: 'TradingPair'
  readonly spec: TradingPairResourceSpec
  readonly status?: TradingPairResourceStatus
}
