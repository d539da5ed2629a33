import { BourseRefusal } from '@bourse/client/refusal.ts'

/** Why something could not be read. */
export interface Failure {
  readonly code: string
  readonly message: string
  readonly retryAfterSeconds: number | null
}

/** Something read from the server: what there is of it stays while it is read again, or when that fails. */
export interface Loaded<Value> {
  readonly status: 'loading' | 'ready' | 'failed'
  readonly value: Value | null
  readonly failure: Failure | null
}

/** Nothing yet. */
export const LOADING: Loaded<never> = { status: 'loading', value: null, failure: null }

/** What was read. */
export const loaded = <Value>(value: Value): Loaded<Value> => ({ status: 'ready', value, failure: null })

/** The failure of a refusal. Anything else is a bug and thrown on. */
export const failureOf = (error: unknown): Failure => {
  if (!(error instanceof BourseRefusal)) throw error
  const { code, message, retryAfterSeconds } = error
  return { code, message, retryAfterSeconds }
}

/** Failures that pass by themselves. All others stay until something is done about them. */
const PASSING: ReadonlySet<string> = new Set([
  'UNREACHABLE',
  'UNREADABLE',
  'UNAVAILABLE',
  'ENGINE_FAULT',
  'INTERNAL_ERROR',
  'RATE_LIMITED',
  'REQUEST_TIMEOUT',
])

/** After how many ms to read again: soon when the failure passes by itself, not sooner than the server said. */
export const waitMsAfter = (
  { code, retryAfterSeconds }: Failure,
  { passing, lasting }: { readonly passing: number; readonly lasting: number },
): number => Math.max(PASSING.has(code) ? passing : lasting, (retryAfterSeconds ?? 0) * 1_000)

/** What was there before, with why it could not be read again. */
export const failed = <Value>(before: Loaded<Value>, failure: Failure): Loaded<Value> => ({
  status: 'failed',
  value: before.value,
  failure,
})
