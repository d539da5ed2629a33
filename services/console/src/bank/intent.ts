/** What a desk can do for a customer. */
export const deedKinds = ['BUY', 'SELL', 'DEPOSIT', 'WITHDRAWAL'] as const
/** One of them. */
export type DeedKind = (typeof deedKinds)[number]

/** One thing to do: `amount` is fiat, but for a SELL, where it is crypto. */
export interface Deed {
  readonly kind: DeedKind
  readonly bankUserId: string
  readonly amount: string
  readonly currency: string
  /** The quote it is to be done at; null at the market, and for deposits and withdrawals. */
  readonly quoteId: string | null
  /** The bank's own words for a deposit or withdrawal; empty for trades. */
  readonly reference: string
}

/** Why a deed was not done, or why nobody knows. */
export interface DeedRefusal {
  readonly code: string
  readonly message: string
  readonly retryAfterSeconds: number | null
  readonly requestId: string | null
}

/** What the API answered to a deed. */
export interface DeedAnswer {
  readonly transactionId: string
  readonly status: 'COMPLETED' | 'PENDING'
}

/** A deed and its idempotency key, which stays for as long as it is not known what became of it. */
interface Keyed {
  readonly deed: Deed
  readonly key: string
}

/** Where a deed is on its way. */
export type Intent =
  | { readonly step: 'none' }
  | (Keyed & { readonly step: 'sending'; readonly isRepeat: boolean })
  /** Accepted, not at its end: the same key asks how it ended. */
  | (Keyed & { readonly step: 'pending'; readonly transactionId: string })
  /** No answer that says anything: the same key does it, or says what became of it, and never does it twice. */
  | (Keyed & { readonly step: 'unknown'; readonly refusal: DeedRefusal })
  | (Keyed & { readonly step: 'refused'; readonly refusal: DeedRefusal; readonly isRecorded: boolean })
  | (Keyed & { readonly step: 'done'; readonly transactionId: string })

/** Nothing under way. */
export const NO_INTENT: Intent = { step: 'none' }

/** After these the platform has not recorded anything under the key (contract: 400, 401, 403, 413 and 429). */
const NOT_RECORDED: ReadonlySet<string> = new Set([
  'VALIDATION_ERROR',
  'UNAUTHENTICATED',
  'FORBIDDEN',
  'BANK_SUSPENDED',
  'PAYLOAD_TOO_LARGE',
  'RATE_LIMITED',
])

/**
 * After these nobody can say whether it was accepted. UNAVAILABLE says that it was not as far as the gateway knows, but the part
 * of the platform that it asked may have taken it and been gone before it answered; a fault of this console may have come after
 * the answer.
 */
const UNKNOWN: ReadonlySet<string> = new Set([
  'CONSOLE_FAULT',
  'UNREACHABLE',
  'UNREADABLE',
  'UNAVAILABLE',
  'INTERNAL_ERROR',
  'REQUEST_TIMEOUT',
])

/** Whether, after a refusal of this code, it is open whether what had a key was done. */
export const isInDoubt = (code: string): boolean => UNKNOWN.has(code)

const isSame = (one: Deed, other: Deed): boolean =>
  one.kind === other.kind &&
  one.bankUserId === other.bankUserId &&
  one.amount === other.amount &&
  one.currency === other.currency &&
  one.quoteId === other.quoteId &&
  one.reference === other.reference

/** Whether what became of the deed is open, so that another must not take its place unnoticed. */
export const isOpen = (intent: Intent): intent is Extract<Intent, { step: 'sending' | 'pending' | 'unknown' }> =>
  intent.step === 'sending' || intent.step === 'pending' || intent.step === 'unknown'

/**
 * A deed that is to be sent now. Its key is new, unless the same deed was refused before anything was recorded under the key:
 * that key is still unused, and keeping it makes two hasty presses one deed.
 */
export const begin = (before: Intent, deed: Deed, makeKey: () => string): Intent => {
  const isUnused = before.step === 'refused' && !before.isRecorded && isSame(before.deed, deed)
  return { step: 'sending', deed, key: isUnused ? before.key : makeKey(), isRepeat: false }
}

/** The same deed with the same key once more: does it if it was never accepted, else says how it ended. */
export const repeat = (before: Intent): Intent => {
  if (before.step === 'none' || before.step === 'sending') return before
  return { step: 'sending', deed: before.deed, key: before.key, isRepeat: true }
}

/** What an answer makes of a deed that was sent; an answer to another key than the present one changes nothing. */
export const answered = (before: Intent, key: string, { transactionId, status }: DeedAnswer): Intent => {
  if (before.step !== 'sending' || before.key !== key) return before
  const { deed } = before
  return { step: status === 'PENDING' ? 'pending' : 'done', deed, key, transactionId }
}

/**
 * What a refusal makes of it. After a repeat a refusal that records nothing leaves the first one's end as open as it was: it
 * refuses the question, not the deed.
 */
export const refused = (before: Intent, key: string, refusal: DeedRefusal): Intent => {
  if (before.step !== 'sending' || before.key !== key) return before
  const { deed, isRepeat } = before
  const isRecorded = !NOT_RECORDED.has(refusal.code)
  if (isInDoubt(refusal.code) || (isRepeat && !isRecorded)) return { step: 'unknown', deed, key, refusal }
  return { step: 'refused', deed, key, refusal, isRecorded }
}
