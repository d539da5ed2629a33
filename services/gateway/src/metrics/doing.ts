import type { RefusalCode } from '@bourse/common/errors/codes.ts'

/** Why a request did not get what it asked for: it was `refused` by a rule or by others, or the platform `failed`. */
export type Doing = 'refused' | 'failed'

/**
 * Whose doing each refusal is. A stale price is the freshness objective's, an exchange or a bank that does not answer is its
 * owner's: who counts them here too would be woken twice by one cause. What no request of a client can bring about is the
 * platform's own failure, whatever its HTTP status. A new code does not compile until somebody has thought about it.
 */
export const doingOf = {
  UNAVAILABLE: 'failed',
  ENGINE_FAULT: 'failed',
  INTERNAL_ERROR: 'failed',
  CAPACITY_EXCEEDED: 'failed',
  // Between the parts of the platform: the edge speaks to machines that should understand it, and holds only what is there.
  INVALID_COMMAND: 'failed',
  NOT_ZERO_SUM: 'failed',
  HOLD_CLOSED: 'failed',
  HOLD_NOT_FOUND: 'failed',
  VALIDATION_ERROR: 'refused',
  UNAUTHENTICATED: 'refused',
  FORBIDDEN: 'refused',
  NOT_FOUND: 'refused',
  RATE_LIMITED: 'refused',
  IDEMPOTENCY_CONFLICT: 'refused',
  PAYLOAD_TOO_LARGE: 'refused',
  // The client did not send its request in time.
  REQUEST_TIMEOUT: 'refused',
  EMAIL_TAKEN: 'refused',
  METHOD_NOT_ALLOWED: 'refused',
  ACCOUNT_NOT_FOUND: 'refused',
  INSUFFICIENT_FUNDS: 'refused',
  AMOUNT_OVERFLOW: 'refused',
  TRANSACTION_NOT_FOUND: 'refused',
  LEVERAGE_TOO_HIGH: 'refused',
  MARGIN_TOO_SMALL: 'refused',
  NOTIONAL_TOO_HIGH: 'refused',
  TOO_MANY_TRADES: 'refused',
  EXPOSURE_LIMIT: 'refused',
  INVALID_STOP_LOSS: 'refused',
  INVALID_TAKE_PROFIT: 'refused',
  WOULD_LIQUIDATE: 'refused',
  PRICE_MOVED: 'refused',
  TRADE_NOT_FOUND: 'refused',
  TRADE_CLOSED: 'refused',
  MARKET_HALTED: 'refused',
  MARKET_REDUCE_ONLY: 'refused',
  PRICE_STALE: 'refused',
  MARKET_NOT_FOUND: 'refused',
  // The exchange rejected the order, gave no price, or did not answer.
  INSUFFICIENT_LIQUIDITY: 'refused',
  SLIPPAGE: 'refused',
  // The bank's own server did not acknowledge.
  BANK_CONNECTION_ERROR: 'refused',
  BANK_DECLINED: 'refused',
  QUOTE_NOT_FOUND: 'refused',
  QUOTE_EXPIRED: 'refused',
  QUOTE_USED: 'refused',
  LIMIT_EXCEEDED: 'refused',
  BANK_SUSPENDED: 'refused',
} as const satisfies Record<RefusalCode, Doing>
