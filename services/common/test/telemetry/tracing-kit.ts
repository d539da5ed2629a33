import { tracing } from '@opentelemetry/sdk-node'
import type { Tracer } from '@bourse/common/ports/tracing.ts'
import { createActiveContext, type ActiveContext } from '@bourse/common/telemetry/tracing/active-context.ts'
import { createOpenTelemetryTracer } from '@bourse/common/telemetry/tracing/opentelemetry-tracer.ts'

/** A span as it was exported. */
export interface ExportedSpan {
  readonly name: string
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId: string | undefined
  readonly attributes: Readonly<Record<string, unknown>>
  readonly links: readonly string[]
  readonly startMs: number
  readonly endMs: number
  readonly error: string | undefined
}

/** A tracer that exports into memory. */
export interface TracingKit {
  readonly tracer: Tracer
  readonly active: ActiveContext
  spans(): readonly ExportedSpan[]
  named(name: string): readonly ExportedSpan[]
}

const ERROR = 2
const millisOf = ([seconds, nanos]: readonly [number, number]): number => seconds * 1_000 + nanos / 1e6

/** Makes one that records `ratio` of the traces that begin here. The monotonic clock's moments are the exported ones. */
export const createTracingKit = (ratio = 1, nowMs: () => number = () => performance.now()): TracingKit => {
  const exporter = new tracing.InMemorySpanExporter()
  const provider = new tracing.BasicTracerProvider({
    spanProcessors: [new tracing.SimpleSpanProcessor(exporter)],
  })
  const active = createActiveContext()
  const origin = 1_700_000_000_000
  const tracer = createOpenTelemetryTracer({
    spans: provider.getTracer('test'),
    isRecorded: () => Math.random() < ratio,
    active,
    nowMs,
    toEpochMs: (monotonicMs) => origin + monotonicMs,
  })
  const spans = (): ExportedSpan[] =>
    exporter.getFinishedSpans().map((span) => ({
      name: span.name,
      traceId: span.spanContext().traceId,
      spanId: span.spanContext().spanId,
      parentSpanId: span.parentSpanContext?.spanId,
      attributes: span.attributes,
      links: span.links.map(({ context }) => context.spanId),
      startMs: millisOf(span.startTime) - origin,
      endMs: millisOf(span.endTime) - origin,
      error: span.status.code === ERROR ? (span.status.message ?? '') : undefined,
    }))
  return { tracer, active, spans, named: (name) => spans().filter((span) => span.name === name) }
}
