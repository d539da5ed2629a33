// Numbers of `services/common/src/errors/codes.ts` that only trading uses (a test compares them).
export const AMOUNT_OVERFLOW: u16 = 39
export const LEVERAGE_TOO_HIGH: u16 = 64
export const MARGIN_TOO_SMALL: u16 = 65
export const NOTIONAL_TOO_HIGH: u16 = 66
export const TOO_MANY_TRADES: u16 = 67
export const EXPOSURE_LIMIT: u16 = 68
export const INVALID_STOP_LOSS: u16 = 69
export const INVALID_TAKE_PROFIT: u16 = 70
export const WOULD_LIQUIDATE: u16 = 71
export const PRICE_MOVED: u16 = 72
export const TRADE_NOT_FOUND: u16 = 73
export const TRADE_CLOSED: u16 = 74
export const MARKET_HALTED: u16 = 75
export const MARKET_REDUCE_ONLY: u16 = 76
export const PRICE_STALE: u16 = 77
export const MARKET_NOT_FOUND: u16 = 78

// Command and query kinds, states, directions and reasons: `src/trading/numbers.ts`.
export const KIND_SPEC: u16 = 1
export const KIND_OPEN: u16 = 2
export const KIND_CLOSE: u16 = 3
export const KIND_TICK: u16 = 4
export const KIND_CONTINUE: u16 = 5
export const KIND_FUNDING: u16 = 6
export const KIND_STATE: u16 = 7
export const KIND_UPDATE: u16 = 8

export const STATE_REDUCE_ONLY: u32 = 1
export const STATE_HALTED: u32 = 2

export const LONG: u32 = 0
export const SHORT: u32 = 1

export const REASON_USER: u32 = 0
export const REASON_STOP_LOSS: u32 = 1
export const REASON_TAKE_PROFIT: u32 = 2
export const REASON_LIQUIDATION: u32 = 3

// Limits: `src/trading/numbers.ts` says what each is for.
export const BPS_MAX: i64 = 1_000_000_000_000
export const RATE_ONE: i64 = 100_000_000
export const PRICE_MAX: i64 = 100_000_000_000_000_000
export const TICK_SIZE_MAX: i64 = 10_000_000_000_000_000
export const QUANTITY_MAX: i64 = 4_000_000_000_000_000_000
export const NOTIONAL_MAX: i64 = 10_000_000_000_000_000
/** VALUE_MAX = VALUE_MAX_ROOT². */
export const VALUE_MAX_ROOT: i64 = 10_000_000_000_000
export const FUNDING_MAX: i64 = 2_000_000_000_000_000_000
export const LIQUIDATION_PRICE_MAX: i64 = 4_000_000_000_000_000_000
export const TIME_MAX: i64 = 9_007_199_254_740_991
export const LEVERAGE_MAX: u32 = 1_000
export const TIERS_MAX: u32 = 16
export const TIER_TABLES_MAX: u32 = 64
export const CLOSES_MAX: u32 = 4_096
export const QUERY_PAGE_MAX: u32 = 4_096
export const TRADES_MAX: u32 = 1_048_576
