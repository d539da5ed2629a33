import { sleep } from 'k6'
import http, { type RefinedResponse } from 'k6/http'
import { Counter } from 'k6/metrics'
import { newKey } from './data.ts'
import { baseUrl } from './settings.ts'

/** An answer of the platform. */
export type Answer = RefinedResponse<'text'>
/** A JSON object. */
export type Json = Readonly<Record<string, unknown>>

/** What a call brings besides its body. */
export interface CallOptions {
  readonly headers?: Readonly<Record<string, string>>
  /** Statuses that are an answer as good as success, besides 2xx. */
  readonly alsoFine?: readonly number[]
  /** Whether it may be sent again as it is: by default what reads, and what has an idempotency key. */
  readonly isRepeatable?: boolean
}

/** Refusals for want of time, and all others. The first ones are tried again, which clients do; both count as failed requests. */
const refusals = { late: new Counter('refusals_late'), other: new Counter('refusals_other') }
/** Decided, and decided otherwise a moment later: a price was too old, the exchange or the bank was not heard in its time. */
const LATE = ['PRICE_STALE', 'INSUFFICIENT_LIQUIDITY', 'BANK_CONNECTION_ERROR', 'QUOTE_EXPIRED']
/** How long something is tried again, s, and the pause between two tries. */
const PATIENCE_SECONDS = 30
const PAUSE_SECONDS = 1

const fine = (alsoFine: readonly number[]) => http.expectedStatuses({ min: 200, max: 299 }, ...alsoFine)

const isLate = (answer: Answer): boolean =>
  answer.status >= 400 && LATE.includes(String(jsonOf(answer)['errorCode'] ?? ''))
/** Whether the answer says nothing about what was done, or that it is still being done. */
const isOpenEnded = (answer: Answer): boolean =>
  answer.status === 202 || (answer.status >= 500 && !isLate(answer)) || answer.status === 408

const note = (answer: Answer, alsoFine: readonly number[]): void => {
  if (answer.status < 400 || alsoFine.includes(answer.status)) return
  const counter = isLate(answer) || isOpenEnded(answer) ? refusals.late : refusals.other
  counter.add(1)
}

/**
 * Calls an operation. `name` is what its figures are kept under, whatever ids its path has. What may be sent again is, until
 * it is known what became of it.
 */
export const call = (
  method: 'GET' | 'POST',
  path: string,
  name: string,
  body: object | null = null,
  { headers = {}, alsoFine = [], isRepeatable = method === 'GET' || 'x-idempotency-key' in headers }: CallOptions = {},
): Answer => {
  for (let waited = 0; ; waited += PAUSE_SECONDS) {
    const answer = http.request<'text'>(method, `${baseUrl}${path}`, body === null ? null : JSON.stringify(body), {
      headers: { ...headers, ...(body === null ? {} : { 'content-type': 'application/json' }) },
      tags: { name },
      responseType: 'text',
      responseCallback: fine(alsoFine),
      timeout: '60s',
    })
    note(answer, alsoFine)
    if (!isRepeatable || !isOpenEnded(answer) || waited >= PATIENCE_SECONDS) return answer
    sleep(PAUSE_SECONDS)
  }
}

/** Insists on what was refused for want of time, as a new request each time; with the key of the one that was answered. */
export const insist = (send: (key: string) => Answer): { readonly answer: Answer; readonly key: string } => {
  for (let waited = 0; ; waited += PAUSE_SECONDS) {
    const key = newKey()
    const answer = send(key)
    if (!isLate(answer) || waited >= PATIENCE_SECONDS) return { answer, key }
    sleep(PAUSE_SECONDS)
  }
}

/** The JSON of an answer; an empty object of one that has none, so that a check fails and not the script. */
export const jsonOf = (answer: Answer): Json => {
  try {
    const value: unknown = JSON.parse(answer.body ?? '')
    return typeof value === 'object' && value !== null ? (value as Json) : {}
  } catch {
    return {}
  }
}

/** A field that is an object; an empty one where there is none. */
export const objectIn = (json: Json, name: string): Json => {
  const value = json[name]
  return typeof value === 'object' && value !== null ? (value as Json) : {}
}

/** A field that is a list; an empty one where there is none. */
export const listIn = (json: Json, name: string): readonly Json[] => {
  const value = json[name]
  return Array.isArray(value) ? (value as Json[]) : []
}
