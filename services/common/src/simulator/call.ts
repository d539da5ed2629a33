/** The calls a simulator plays, and how a fault changes one. Pure: deciding what is done, logged and sent. */
import type { Fault } from './faults.ts'

/** An answer: its HTTP status and its JSON text. */
export interface Answer {
  readonly status: number
  readonly text: string
}

/** Makes an answer of a value. */
export const answer = (status: number, value: unknown): Answer => ({ status, text: JSON.stringify(value) })

/** Makes a refusal `{code, message}`. */
export const refusal = (status: number, code: string, message: string): Answer => answer(status, { code, message })

/** What a call's work is given beside its validated input. */
export interface CallContext {
  /** The simulator's time. */
  readonly nowMs: number
  /** A `reject` fault is on this call: refuse in the contract's form, do nothing. */
  readonly refused: boolean
  /** The body's bytes, empty on a GET. */
  readonly bytes: Buffer
  /** A request header's value, `''` when absent. `name` in lower case. */
  header(name: string): string
}

/** JSON schema of a positive decimal string of at most 20 digits, 8 of them decimals. */
export const POSITIVE_AMOUNT_SCHEMA = {
  type: 'string',
  pattern: '^(?=.*[1-9])(0|[1-9][0-9]{0,11})(\\.[0-9]{1,8})?$',
} as const

/** One call of the simulated service. */
export interface SimulatedCall {
  /** Its name in `faults[].on`. */
  readonly on: string
  readonly method: 'GET' | 'POST'
  readonly path: string
  /** JSON schema of the body (POST) or of the query (GET, all strings). */
  readonly schema: object
  /** Does the work. Synchronous, inside a transaction of the store. */
  work(input: never, context: CallContext): Answer
}

/** What is sent and what is logged for one call under a fault. */
export interface CallResult {
  /** One log entry each: an answer, or null where none was made. */
  readonly answers: readonly (Answer | null)[]
  /** How the first of `answers` leaves. */
  readonly delivery: { readonly kind: 'now' | 'never' | 'cut' } | { readonly kind: 'later'; readonly ms: number }
}

/** Plays a call under `fault`; `work(refused)` does the work once. */
export const playCall = (fault: Fault | undefined, work: (refused: boolean) => Answer): CallResult => {
  switch (fault?.kind) {
    case undefined:
      return { answers: [work(false)], delivery: { kind: 'now' } }
    case 'reject':
      return { answers: [work(true)], delivery: { kind: 'now' } }
    case 'error':
      return { answers: [refusal(500, 'INTERNAL', 'simulated failure')], delivery: { kind: 'now' } }
    case 'hang':
      return { answers: [null], delivery: { kind: 'never' } }
    case 'slow':
      return { answers: [work(false)], delivery: { kind: 'later', ms: fault.ms ?? 0 } }
    case 'drop':
      return { answers: [work(false)], delivery: { kind: 'cut' } }
    case 'twice':
      return { answers: [work(false), work(false)], delivery: { kind: 'now' } }
  }
}
