import type { IncomingHttpHeaders } from 'node:http'

/** Whether a request that a browser may have made for another site is refused. */
export type OriginCheck = (headers: IncomingHttpHeaders) => boolean

/**
 * Passes requests without `Origin` (no browser, or no cross-site one), those from the host they were sent to and those from
 * allowed origins.
 */
export const createOriginCheck = (allowedOrigins: readonly string[]): OriginCheck => {
  const allowed = new Set(allowedOrigins)
  return (headers) => {
    const origin = headers.origin
    if (origin === undefined) return headers['sec-fetch-site'] !== 'cross-site'
    if (allowed.has(origin)) return true
    return URL.canParse(origin) && new URL(origin).host === headers.host
  }
}
