/**
 * Every refusal of the platform: stable code, fixed number in binary outcomes (append only, never reused).
 * The map to HTTP is exhaustive by type in `errors/http.ts`.
 */
export const refusalNumbers = {
  OK: 0,
  VALIDATION_ERROR: 1,
  UNAUTHENTICATED: 2,
  FORBIDDEN: 3,
  NOT_FOUND: 4,
  RATE_LIMITED: 5,
  UNAVAILABLE: 6,
  ENGINE_FAULT: 7,
  IDEMPOTENCY_CONFLICT: 8,
  PAYLOAD_TOO_LARGE: 9,
  REQUEST_TIMEOUT: 10,
  INTERNAL_ERROR: 11,
  EMAIL_TAKEN: 12,
  METHOD_NOT_ALLOWED: 13,
  // ledger
  ACCOUNT_NOT_FOUND: 32,
  INSUFFICIENT_FUNDS: 33,
  HOLD_CLOSED: 34,
  HOLD_NOT_FOUND: 35,
  NOT_ZERO_SUM: 36,
  CAPACITY_EXCEEDED: 37,
  INVALID_COMMAND: 38,
  AMOUNT_OVERFLOW: 39,
  TRANSACTION_NOT_FOUND: 40,
  // trading
  LEVERAGE_TOO_HIGH: 64,
  MARGIN_TOO_SMALL: 65,
  NOTIONAL_TOO_HIGH: 66,
  TOO_MANY_TRADES: 67,
  EXPOSURE_LIMIT: 68,
  INVALID_STOP_LOSS: 69,
  INVALID_TAKE_PROFIT: 70,
  WOULD_LIQUIDATE: 71,
  PRICE_MOVED: 72,
  TRADE_NOT_FOUND: 73,
  TRADE_CLOSED: 74,
  MARKET_HALTED: 75,
  MARKET_REDUCE_ONLY: 76,
  PRICE_STALE: 77,
  MARKET_NOT_FOUND: 78,
  // bridge
  INSUFFICIENT_LIQUIDITY: 96,
  SLIPPAGE: 97,
  BANK_CONNECTION_ERROR: 98,
  BANK_DECLINED: 99,
  QUOTE_NOT_FOUND: 100,
  QUOTE_EXPIRED: 101,
  QUOTE_USED: 102,
  LIMIT_EXCEEDED: 103,
  BANK_SUSPENDED: 104,
} as const

/** A stable code, as clients see it in `errorCode`. `OK` marks success in binary outcomes. */
export type OutcomeCode = keyof typeof refusalNumbers
/** A stable code of a refusal. */
export type RefusalCode = Exclude<OutcomeCode, 'OK'>

const codesByNumber = new Map<number, OutcomeCode>(
  Object.entries(refusalNumbers).map(([code, number]) => [number, code as OutcomeCode]),
)

/** The code of a number read from a binary outcome. @throws {RangeError} on a number no release has used: that is corruption */
export const codeOfNumber = (number: number): OutcomeCode => {
  const code = codesByNumber.get(number)
  if (code === undefined) throw new RangeError(`outcome code ${number} is unknown`)
  return code
}

/** A refusal as a value: what happened, in words that name the value and the remedy. */
export interface Refusal {
  readonly code: RefusalCode
  readonly message: string
  /** Seconds after which trying again makes sense (`Retry-After`). */
  readonly retryAfterSeconds?: number
}

/** Either a value or a refusal; bugs throw instead. */
export type Result<Value> =
  { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly refusal: Refusal }

/** A success. */
export const ok = <Value>(value: Value): Result<Value> => ({ ok: true, value })

/** A refusal. */
export const refuse = (code: RefusalCode, message: string, retryAfterSeconds?: number): Result<never> => ({
  ok: false,
  refusal: retryAfterSeconds === undefined ? { code, message } : { code, message, retryAfterSeconds },
})
