import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gunzipSync } from 'node:zlib'

/** A span as a collector got it. */
export interface ReceivedSpan {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId: string | null
  readonly name: string
  readonly kind: 'internal' | 'server' | 'client' | 'producer' | 'consumer'
  /** Wall-clock ms, with fractions. */
  readonly startMs: number
  readonly endMs: number
  readonly service: string
  readonly instance: string
  readonly attributes: Readonly<Record<string, string | number | boolean>>
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[]
  /** Null for a span in order. */
  readonly error: string | null
}

/** A collector that keeps what it is sent. */
export interface OtlpSink {
  /** What OTEL_EXPORTER_OTLP_ENDPOINT is to be. */
  readonly url: string
  spans(): readonly ReceivedSpan[]
  /** Requests that were no spans, a sentence each. */
  readonly faults: readonly string[]
  clear(): void
  close(): Promise<void>
}

/** Options of a sink. */
export interface OtlpSinkOptions {
  /** Whether spans are kept; without that they are only read, as a benchmark wants it. Default: true. */
  readonly keeps?: boolean
  /** Spans kept; further ones are counted as a fault. */
  readonly spansMax?: number
}

const SPANS_MAX = 200_000
const KINDS = ['internal', 'internal', 'server', 'client', 'producer', 'consumer'] as const
const NANOS_PER_MS = 1_000_000n

interface OtlpValue {
  readonly stringValue?: string
  readonly intValue?: number | string
  readonly doubleValue?: number
  readonly boolValue?: boolean
}
type OtlpAttributes = readonly { readonly key: string; readonly value: OtlpValue }[]
interface OtlpSpan {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  readonly kind: number
  readonly startTimeUnixNano: string | number
  readonly endTimeUnixNano: string | number
  readonly attributes?: OtlpAttributes
  readonly links?: readonly { readonly traceId: string; readonly spanId: string }[]
  readonly status?: { readonly code?: number; readonly message?: string }
}
interface OtlpRequest {
  readonly resourceSpans?: readonly {
    readonly resource?: { readonly attributes?: OtlpAttributes }
    readonly scopeSpans?: readonly { readonly spans?: readonly OtlpSpan[] }[]
  }[]
}

const valueOf = ({ stringValue, intValue, doubleValue, boolValue }: OtlpValue): string | number | boolean =>
  stringValue ?? boolValue ?? doubleValue ?? Number(intValue)

const recordOf = (attributes: OtlpAttributes = []): Record<string, string | number | boolean> =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, valueOf(value)]))

const millisOf = (nanos: string | number): number => {
  const whole = BigInt(nanos)
  return Number(whole / NANOS_PER_MS) + Number(whole % NANOS_PER_MS) / Number(NANOS_PER_MS)
}

const ERROR_STATUS = 2

const spanOf = (span: OtlpSpan, resource: Readonly<Record<string, string | number | boolean>>): ReceivedSpan => ({
  traceId: span.traceId,
  spanId: span.spanId,
  parentSpanId: span.parentSpanId === undefined || span.parentSpanId === '' ? null : span.parentSpanId,
  name: span.name,
  kind: KINDS[span.kind] ?? 'internal',
  startMs: millisOf(span.startTimeUnixNano),
  endMs: millisOf(span.endTimeUnixNano),
  service: String(resource['service.name'] ?? ''),
  instance: String(resource['service.instance.id'] ?? ''),
  attributes: recordOf(span.attributes),
  links: (span.links ?? []).map(({ traceId, spanId }) => ({ traceId, spanId })),
  error: span.status?.code === ERROR_STATUS ? (span.status.message ?? '') : null,
})

const spansOf = (request: OtlpRequest): ReceivedSpan[] =>
  (request.resourceSpans ?? []).flatMap(({ resource, scopeSpans = [] }) => {
    const attributes = recordOf(resource?.attributes)
    return scopeSpans.flatMap(({ spans = [] }) => spans.map((span) => spanOf(span, attributes)))
  })

const bodyOf = async (request: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const body = Buffer.concat(chunks)
  return (request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body).toString('utf8')
}

/** Starts a collector of spans (OTLP over HTTP as JSON) on a free port of this machine. */
export const startOtlpSink = async (options: OtlpSinkOptions = {}): Promise<OtlpSink> => {
  const { keeps = true, spansMax = SPANS_MAX } = options
  let kept: ReceivedSpan[] = []
  const faults: string[] = []
  const take = async (request: IncomingMessage): Promise<void> => {
    const body = await bodyOf(request)
    if (request.method !== 'POST' || request.url !== '/v1/traces')
      throw new Error(`${request.method} ${request.url} is not POST /v1/traces`)
    const spans = spansOf(JSON.parse(body) as OtlpRequest)
    if (!keeps) return
    if (kept.length + spans.length > spansMax) throw new Error(`more than ${spansMax} spans`)
    kept = [...kept, ...spans]
  }
  const server = createServer((request, response) => {
    take(request).then(
      () => response.writeHead(200, { 'content-type': 'application/json' }).end('{}'),
      (error: unknown) => {
        faults.push(error instanceof Error ? error.message : String(error))
        response.writeHead(400).end()
      },
    )
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    spans: () => kept,
    faults,
    clear: () => {
      kept = []
    },
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
  }
}
