import type { OpenSpan, TraceContext, Tracer } from '@bourse/common/ports/tracing.ts'
import type { HttpCall, HttpResult } from './http-call.ts'

/** A call's span, and what the call carries of it. */
export interface TracedCall {
  readonly headers: TraceContext
  ended(result: HttpResult): void
  /** The caller gave the call up. */
  aborted(): void
}

const begin = (tracer: Tracer, parent: TraceContext, call: HttpCall): OpenSpan => {
  const method = call.body === undefined ? 'GET' : 'POST'
  const { hostname, port, protocol, origin, pathname } = new URL(call.url)
  return tracer.child(parent, {
    name: `${method} ${pathname}`,
    kind: 'client',
    attributes: {
      'http.request.method': method,
      // Neither who signs in nor the query: both may hold secrets.
      'url.full': `${origin}${pathname}`,
      'server.address': hostname,
      'server.port': port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port),
    },
  })
}

/** A span for a call that is made within a trace, after the semantic conventions of HTTP; undefined outside of all. */
export const traceCall = (tracer: Tracer | undefined, call: HttpCall): TracedCall | undefined => {
  const parent = tracer?.active()
  if (tracer === undefined || parent === undefined || !URL.canParse(call.url)) return undefined
  const span = begin(tracer, parent, call)
  return {
    headers: span.context,
    ended: (result) => {
      if (result.kind === 'lost') {
        span.set({ 'error.type': 'no_answer' })
        span.end({ error: 'no answer' })
        return
      }
      span.set({ 'http.response.status_code': result.status })
      const isRefused = result.status >= 400
      if (isRefused) span.set({ 'error.type': String(result.status) })
      span.end(isRefused ? { error: `status ${result.status}` } : {})
    },
    aborted: () => {
      span.set({ 'error.type': 'aborted' })
      span.end({ error: 'given up' })
    },
  }
}
