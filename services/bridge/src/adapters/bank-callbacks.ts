/** Where a bank is called back, and how long one attempt may take. */
export interface BankTarget {
  readonly callbackUrl: string
  readonly timeoutMs: number
}

/** What a bank is asked to acknowledge. `amount` is a decimal string. */
export interface BankAuthorization {
  readonly transactionId: string
  readonly bankUserId: string
  readonly type: 'BUY' | 'SELL'
  readonly amount: string
  readonly currency: string
}

/** The bank's word, or that it could not be had in this attempt. */
export type AuthorizationResult = 'acknowledged' | 'declined' | 'unreachable'

/**
 * Bank callbacks: what a bank is asked and told.
 *
 * W1 Each call is one attempt and ends within the target's time; none throws but for the caller's abort.
 * W2 `declined` only when the bank said so; everything unclear is `unreachable`.
 * W3 `reverse` and `deliver` are true only when the bank acknowledged.
 * W4 `deliver` sends the body's bytes as given, signed with each of the bank's current secrets.
 */
export interface BankCallbacks {
  authorize(target: BankTarget, authorization: BankAuthorization, signal: AbortSignal): Promise<AuthorizationResult>
  reverse(target: BankTarget, transactionId: string, signal: AbortSignal): Promise<boolean>
  deliver(target: BankTarget, bank: string, body: string, signal: AbortSignal): Promise<boolean>
}
