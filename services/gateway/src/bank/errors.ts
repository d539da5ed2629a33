import type { Refusal, RefusalCode } from '@bourse/common/errors/codes.ts'
import { ApiError } from '../http/api-error.ts'

/*
 * The error classes of the bank API's contract. Each belongs to its codes; `bankErrorOf` finds the class of a refusal, and
 * the statuses come from the one map in `errors/http.ts`.
 */

/** The customer's balance is too low. */
export class InsufficientFundsError extends ApiError {
  override readonly name = 'InsufficientFundsError'
}
/** The exchange rejects the order or is down. */
export class InsufficientLiquidityError extends ApiError {
  override readonly name = 'InsufficientLiquidityError'
}
/** The price moved too far between quote and execution. */
export class SlippageError extends ApiError {
  override readonly name = 'SlippageError'
}
/** The bank does not acknowledge. */
export class BankConnectionError extends ApiError {
  override readonly name = 'BankConnectionError'
}
/** The bank says no. */
export class BankDeclinedError extends ApiError {
  override readonly name = 'BankDeclinedError'
}
/** Body, header or parameter breaks the schema; the message names it. */
export class ValidationError extends ApiError {
  override readonly name = 'ValidationError'
}
/** Key missing, unknown or expired. */
export class AuthenticationError extends ApiError {
  override readonly name = 'AuthenticationError'
}
/** Same key, another body or call. */
export class IdempotencyConflictError extends ApiError {
  override readonly name = 'IdempotencyConflictError'
}
/** The quote is not there, expired or used. */
export class QuoteError extends ApiError {
  override readonly name = 'QuoteError'
}
/** An amount limit or the rate limit is reached. */
export class LimitExceededError extends ApiError {
  override readonly name = 'LimitExceededError'
}
/** The bank's state is Suspended. */
export class BankSuspendedError extends ApiError {
  override readonly name = 'BankSuspendedError'
}
/** Not accepted: starting, stopping or overloaded. */
export class UnavailableError extends ApiError {
  override readonly name = 'UnavailableError'
}

type ApiErrorClass = new (code: RefusalCode, message: string, retryAfterSeconds?: number) => ApiError

/** The class of every code of the bank contract's table. */
export const bankErrorClasses = {
  INSUFFICIENT_FUNDS: InsufficientFundsError,
  INSUFFICIENT_LIQUIDITY: InsufficientLiquidityError,
  SLIPPAGE: SlippageError,
  BANK_CONNECTION_ERROR: BankConnectionError,
  BANK_DECLINED: BankDeclinedError,
  VALIDATION_ERROR: ValidationError,
  UNAUTHENTICATED: AuthenticationError,
  IDEMPOTENCY_CONFLICT: IdempotencyConflictError,
  QUOTE_NOT_FOUND: QuoteError,
  QUOTE_EXPIRED: QuoteError,
  QUOTE_USED: QuoteError,
  LIMIT_EXCEEDED: LimitExceededError,
  RATE_LIMITED: LimitExceededError,
  BANK_SUSPENDED: BankSuspendedError,
  UNAVAILABLE: UnavailableError,
} as const satisfies Partial<Record<RefusalCode, ApiErrorClass>>

/** The error of a refusal: of its class in the contract, else a plain one (`NOT_FOUND` and the like). */
export const bankErrorOf = ({ code, message, retryAfterSeconds }: Refusal): ApiError => {
  const Class: ApiErrorClass = (bankErrorClasses as Partial<Record<RefusalCode, ApiErrorClass>>)[code] ?? ApiError
  return new Class(code, message, retryAfterSeconds)
}
