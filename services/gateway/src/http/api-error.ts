import type { Refusal, RefusalCode, Result } from '@bourse/common/errors/codes.ts'

/**
 * A refusal on its way out of a route: inside the platform refusals are values, at the edge one leaves the handler by being
 * thrown and the application writes it in the route's envelope.
 */
export class ApiError extends Error {
  override readonly name: string = 'ApiError'
  readonly code: RefusalCode
  readonly retryAfterSeconds: number | undefined
  /** Headers that belong to the refusal. */
  readonly headers: Readonly<Record<string, string>>
  constructor(
    code: RefusalCode,
    message: string,
    retryAfterSeconds?: number,
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(message)
    this.code = code
    this.retryAfterSeconds = retryAfterSeconds
    this.headers = headers
  }
}

/** The error of a refusal. */
export const apiErrorOf = ({ code, message, retryAfterSeconds }: Refusal): ApiError =>
  new ApiError(code, message, retryAfterSeconds)

/** The value of a result. @throws {ApiError} its refusal */
export const unwrap = <Value>(result: Result<Value>): Value => {
  if (result.ok) return result.value
  throw apiErrorOf(result.refusal)
}

/** A request that breaks its schema or a rule; the message names field, value and remedy. */
export const invalid = (message: string): ApiError => new ApiError('VALIDATION_ERROR', message)
