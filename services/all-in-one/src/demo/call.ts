/** A JSON object as answered. */
export type Json = Record<string, unknown>

/** An answer of the platform. */
export interface CallAnswer {
  readonly status: number
  readonly body: Json
  readonly cookie: string | null
}

/** Longest wait for one answer, ms. */
export const CALL_TIMEOUT_MS = 30_000

/** Makes a caller with fixed headers. Bodies are JSON both ways; an answer that is not JSON throws. */
export const createCaller =
  (baseUrl: string, headers: Readonly<Record<string, string>>) =>
  async (
    method: string,
    path: string,
    body?: unknown,
    extra: Readonly<Record<string, string>> = {},
  ): Promise<CallAnswer> => {
    const response = await fetch(new URL(path, baseUrl), {
      method,
      headers: { ...headers, ...extra, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      signal: AbortSignal.timeout(CALL_TIMEOUT_MS),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    const cookie = response.headers.getSetCookie()[0]?.split(';')[0] ?? null
    return { status: response.status, body: (text === '' ? {} : JSON.parse(text)) as Json, cookie }
  }

/** What makes calls. */
export type Caller = ReturnType<typeof createCaller>

/** The object under a name; throws with the whole answer when it is not there, since nothing after it makes sense. */
export const objectIn = (body: Json, name: string): Json => {
  const value = body[name]
  if (typeof value !== 'object' || value === null) throw new Error(`no '${name}' in ${JSON.stringify(body)}`)
  return value as Json
}

/** The list under a name; throws like `objectIn`. */
export const listIn = (body: Json, name: string): Json[] => {
  const value = body[name]
  if (!Array.isArray(value)) throw new Error(`no list '${name}' in ${JSON.stringify(body)}`)
  return value as Json[]
}
