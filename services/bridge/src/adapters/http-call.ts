import type { Clock } from '@bourse/common/ports/clock.ts'
import type { Tracer } from '@bourse/common/ports/tracing.ts'
import { traceCall } from './call-tracing.ts'

/** Largest answer that is read from outside. */
export const ANSWER_BYTES_MAX = 65_536

/** One HTTP call. A body makes it a POST of JSON. */
export interface HttpCall {
  readonly url: string
  readonly body?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
}

/** An answer, or that there was none: `lost` says nothing about what the other side did. */
export type HttpResult =
  | { readonly kind: 'answer'; readonly status: number; readonly json: unknown }
  | { readonly kind: 'lost'; readonly reason: string }

/** The part of `fetch` that calls need. Redirects are answers like any other. */
export type Fetch = (
  url: string,
  init: {
    readonly method: 'GET' | 'POST'
    readonly headers: Readonly<Record<string, string>>
    readonly body?: string
    readonly redirect: 'manual'
    readonly signal: AbortSignal
  },
) => Promise<{ readonly status: number; readonly body: AsyncIterable<Uint8Array> | null }>

/** What calls need. */
export interface HttpDeps {
  readonly fetch: Fetch
  readonly clock: Clock
  /** Without it calls have no spans. */
  readonly tracer?: Tracer | undefined
}

/** Calls over HTTP with a time limit that covers the body too. */
export type HttpCaller = (call: HttpCall) => Promise<HttpResult>

/** Why what belonged to a call ends with it: one for all, since making an error costs more than the rest of the ending. */
const OVER = new Error('the call is over')

class AnswerTooLargeError extends Error {
  override readonly name = 'AnswerTooLargeError'
}

const readText = async (body: AsyncIterable<Uint8Array> | null): Promise<string> => {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of body ?? []) {
    bytes += chunk.length
    if (bytes > ANSWER_BYTES_MAX) throw new AnswerTooLargeError(`an answer of more than ${ANSWER_BYTES_MAX} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    // No JSON is an answer all the same: its status counts, and every reader checks the fields it needs.
    return undefined
  }
}

/**
 * Makes a caller. Redirects are not followed: an order or an authorization goes where it was sent. An abort by the
 * caller's signal rejects; everything else that goes wrong is `lost`.
 */
export const createHttpCaller =
  ({ fetch, clock, tracer }: HttpDeps): HttpCaller =>
  async (call) => {
    const traced = traceCall(tracer, call)
    const answered = (result: HttpResult): HttpResult => {
      traced?.ended(result)
      return result
    }
    const ended = new AbortController()
    const giveUp = (): void => {
      ended.abort(call.signal?.reason)
    }
    if (call.signal?.aborted === true) giveUp()
    else call.signal?.addEventListener('abort', giveUp, { once: true })
    const { signal } = ended
    const timer = clock.sleep(call.timeoutMs, signal).then(
      () => {
        ended.abort(new Error(`no answer within ${call.timeoutMs} ms`))
      },
      () => undefined,
    )
    try {
      const response = await fetch(call.url, {
        method: call.body === undefined ? 'GET' : 'POST',
        headers: {
          ...(call.body === undefined ? {} : { 'content-type': 'application/json' }),
          ...call.headers,
          ...traced?.headers,
        },
        ...(call.body === undefined ? {} : { body: call.body }),
        redirect: 'manual',
        signal,
      })
      return answered({ kind: 'answer', status: response.status, json: parsed(await readText(response.body)) })
    } catch (error) {
      if (call.signal?.aborted !== true) return answered({ kind: 'lost', reason: reasonOf(error) })
      traced?.aborted()
      throw error
    } finally {
      call.signal?.removeEventListener('abort', giveUp)
      ended.abort(OVER)
      await timer
    }
  }

const reasonOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message
}

/** The fields of a JSON object; empty for anything else. */
export const fieldsOf = (json: unknown): Readonly<Record<string, unknown>> =>
  typeof json === 'object' && json !== null && !Array.isArray(json) ? (json as Readonly<Record<string, unknown>>) : {}
