/**
 * The numbers of the trading machine's binary border: command, query and event kinds, states, directions,
 * reasons and the limits that keep every product of the arithmetic inside 128 bits. Append only: journals
 * hold them.
 */

/** Command kinds of the trading machine (`KIND_TIME` of the kernel is understood too). */
export const tradingKinds = {
  spec: 1,
  open: 2,
  close: 3,
  tick: 4,
  continue: 5,
  funding: 6,
  state: 7,
  update: 8,
} as const
/** Query kinds of the trading machine. */
export const tradingQueryKinds = { trades: 210, trade: 211, outcomeOf: 212, market: 213, openIds: 214 } as const
/**
 * Kinds of trade events, each carried as the memo of the ledger instruction that belongs to it: the SETTLE of what was opened or
 * closed, the OPEN_ACCOUNT (of an account that is there) of what was updated.
 */
export const tradeEventTypes = { opened: 1, closed: 2, updated: 3 } as const
/** States of a market. */
export const marketStates = { Open: 0, ReduceOnly: 1, Halted: 2 } as const
/** Name of a market's state. */
export type MarketStateName = keyof typeof marketStates
/** Directions of a trade. */
export const directions = { LONG: 0, SHORT: 1 } as const
/** Name of a direction. */
export type DirectionName = keyof typeof directions
/** Why a trade was closed. */
export const closeReasons = { USER: 0, STOP_LOSS: 1, TAKE_PROFIT: 2, LIQUIDATION: 3 } as const
/** Name of a reason. */
export type CloseReasonName = keyof typeof closeReasons

/** Bps with 8 decimals: units in 1 bp. */
export const BPS_UNITS = 100_000_000n
/** 10,000 bps: the most any rate of fee, spread or funding may be. */
export const BPS_MAX_UNITS = 10_000n * BPS_UNITS
/** A maintenance rate of 1. */
export const RATE_ONE = 100_000_000n

/** Most a feed price may be, in units (one billion whole). */
export const PRICE_MAX_UNITS = 10n ** 17n
/** Most a tick size may be, in units. */
export const TICK_SIZE_MAX_UNITS = 10n ** 16n
/** Most a quantity, and a partition's net quantity, may be, in units. */
export const QUANTITY_MAX_UNITS = 4n * 10n ** 18n
/** Most a trade may be worth at opening (quantity × price, in units of 1e-8): 100 million whole. */
export const NOTIONAL_MAX_UNITS = 10n ** 16n
/**
 * Most that quantity × price may come to, in units of 1e-16: a quote at which the largest quantity ever
 * opened would be worth more is refused AMOUNT_OVERFLOW, and funding per unit stops growing there.
 */
export const VALUE_MAX = 10n ** 26n
/** Most |F| may be, in units. */
export const FUNDING_MAX_UNITS = 2n * 10n ** 18n
/** The highest liquidation price there is: no quote reaches it. */
export const LIQUIDATION_PRICE_MAX_UNITS = 4n * 10n ** 18n
/** Latest time of a quote or funding instant, in ms. */
export const TIME_MAX_MS = BigInt(Number.MAX_SAFE_INTEGER)
/** Most a leverage may be. */
export const LEVERAGE_MAX = 1_000
/** Tiers of one table. */
export const TIERS_MAX = 16
/** Tier tables that may be in use at once (by the spec or by a trade). */
export const TIER_TABLES_MAX = 64
/** Trades closed by one TICK or CONTINUE; the rest follows in the next. */
export const CLOSES_MAX = 4_096
/** Trades (or ids) in one answer to a query; the asker pages. */
export const QUERY_PAGE_MAX = 4_096
/** Open trades a partition may be made for. */
export const TRADES_MAX = 1 << 20
