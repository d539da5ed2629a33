import { randomUUID } from 'node:crypto'
import { inspect } from 'node:util'
import { WAIT_MS_MAX } from './limits.ts'

/** An answer as it came. `body` is null when it is no JSON. */
export interface Answer {
  readonly status: number
  readonly text: string
  readonly body: unknown
  readonly headers: Headers
}

/** What a call sends. `raw` is a body as it is; `body` is sent as JSON. */
export interface Call {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
  readonly raw?: string
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

/** Calls once. @throws when there is no whole answer. */
export const call = async (url: string, { method, headers = {}, body, raw }: Call = {}): Promise<Answer> => {
  const sent = raw ?? (body === undefined ? undefined : JSON.stringify(body))
  const response = await fetch(url, {
    method: method ?? (sent === undefined ? 'GET' : 'POST'),
    headers: { ...(sent === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(sent === undefined ? {} : { body: sent }),
  })
  const text = await response.text()
  return { status: response.status, text, body: parsed(text), headers: response.headers }
}

/** A new idempotency key. */
export const newKey = (): string => randomUUID()

/** Waits a little. */
export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Asks until `done` says so; a question that fails is asked again. @throws with the last value when `limitMs` is over. */
export const until = async <Value>(
  ask: () => Promise<Value>,
  done: (value: Value) => boolean,
  limitMs = WAIT_MS_MAX,
): Promise<Value> => {
  const end = performance.now() + limitMs
  for (;;) {
    let last: unknown
    try {
      const value = await ask()
      if (done(value)) return value
      last = value
    } catch (error) {
      last = error
    }
    if (performance.now() > end) throw new Error(`not so within ${limitMs} ms: ${inspect(last).slice(0, 2_000)}`)
    await pause(50)
  }
}
