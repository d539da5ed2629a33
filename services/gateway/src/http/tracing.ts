import type { IncomingMessage } from 'node:http'
import { createRedactor } from '@bourse/common/telemetry/redaction.ts'
import { traceContextIn, type OpenSpan, type Tracer } from '@bourse/common/ports/tracing.ts'

/** What is known of a request when it was answered. */
export interface AnsweredRequest {
  readonly requestId: string
  /** The template, or `unmatched`. */
  readonly route: string
  readonly status: number
}

/** Server spans of the HTTP edge, after the semantic conventions of HTTP. */
export interface RequestTracing {
  /** Answers a request, within a span of its own if its trace is recorded; what it did is known when it was answered. */
  answer(request: IncomingMessage, work: () => Promise<AnsweredRequest>): Promise<AnsweredRequest>
}

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])

/** Statuses from here on are this side's fault. */
const SERVER_ERRORS = 500

const single = (value: string | string[] | undefined): string | undefined =>
  typeof value === 'string' ? value : undefined

/** The caller's context, if it sent one. */
const callerOf = ({ headers }: IncomingMessage) => {
  const traceparent = single(headers['traceparent'])
  if (traceparent === undefined) return undefined
  const tracestate = single(headers['tracestate'])
  return traceContextIn(tracestate === undefined ? { traceparent } : { traceparent, tracestate })
}

const { text: withoutSecrets } = createRedactor()
/** A bank names its customers as it likes: by what is nobody else's to read. */
const PERSONAL = '{bankUserId}'

/**
 * Path alone, without what looks like a secret: a query may hold what nobody else is to read, and so may what stands before the
 * path where a proxy was meant.
 */
const pathOf = (url: string, route: string): string => {
  if (route.includes(PERSONAL)) return route
  const path = /^(?:[a-z][a-z0-9+.-]{0,31}:\/\/[^/?#]*)?([^?#]*)/i.exec(url)?.[1] ?? ''
  return withoutSecrets(path.slice(0, 256))
}

const begin = (tracer: Tracer, request: IncomingMessage, method: string): OpenSpan | null =>
  tracer.begin({ name: method, kind: 'server' }, callerOf(request))

const describe = (request: IncomingMessage, method: string, { requestId, route, status }: AnsweredRequest) => ({
  'http.request.method': method,
  ...(method === '_OTHER' ? { 'http.request.method_original': (request.method ?? '').slice(0, 32) } : null),
  'http.response.status_code': status,
  'url.path': pathOf(request.url ?? '', route),
  'url.scheme': 'http',
  'network.protocol.version': request.httpVersion,
  ...(route === 'unmatched' ? null : { 'http.route': route }),
  ...(status >= SERVER_ERRORS ? { 'error.type': String(status) } : null),
  'bourse.request.id': requestId,
})

const answerTraced = async (
  tracer: Tracer,
  span: OpenSpan,
  request: IncomingMessage,
  method: string,
  work: () => Promise<AnsweredRequest>,
): Promise<AnsweredRequest> => {
  const answered = await tracer.within(span.context, work)
  span.rename(`${method === '_OTHER' ? 'HTTP' : method}${answered.route === 'unmatched' ? '' : ` ${answered.route}`}`)
  span.set(describe(request, method, answered))
  span.end(answered.status >= SERVER_ERRORS ? { error: `status ${answered.status}` } : {})
  return answered
}

/** Makes the edge's spans; without a tracer it does nothing. */
export const createRequestTracing = (tracer: Tracer | undefined): RequestTracing => ({
  answer: (request, work) => {
    const method = METHODS.has(request.method ?? '') ? (request.method ?? '') : '_OTHER'
    const span = tracer === undefined ? null : begin(tracer, request, method)
    return tracer === undefined || span === null ? work() : answerTraced(tracer, span, request, method, work)
  },
})
