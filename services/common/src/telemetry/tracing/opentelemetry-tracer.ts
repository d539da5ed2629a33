import {
  createTraceState,
  ROOT_CONTEXT,
  SpanKind as Kinds,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Context,
  type Link,
  type Span,
  type SpanContext,
  type Tracer as SpanMaker,
} from '@opentelemetry/api'
import {
  TRACEPARENT,
  TRACESTATE,
  type OpenSpan,
  type SpanKind,
  type SpanStart,
  type TraceContext,
  type Tracer,
} from '../../ports/tracing.ts'
import type { ActiveContext } from './active-context.ts'

const kinds: Readonly<Record<SpanKind, Kinds>> = {
  server: Kinds.SERVER,
  client: Kinds.CLIENT,
  producer: Kinds.PRODUCER,
  consumer: Kinds.CONSUMER,
  internal: Kinds.INTERNAL,
}

/** Version 00 exactly; a later version may have more behind it, of which nothing is known. */
const PARENT = /^(?!ff)[\da-f]{2}-(?!0{32})([\da-f]{32})-(?!0{16})([\da-f]{16})-([\da-f]{2})(?:$|-)/
/** Longest list of other tracing systems that is passed on, characters: what the recommendation asks for at least. */
const TRACESTATE_MAX = 512

/** Reads a W3C context; null for what is none. */
export const parseTraceContext = (context: TraceContext): SpanContext | null => {
  const parent = context[TRACEPARENT] ?? ''
  const found = PARENT.exec(parent)
  if (found === null || (parent.startsWith('00') && parent.length !== 55)) return null
  const state = context[TRACESTATE]
  return {
    traceId: found[1]!,
    spanId: found[2]!,
    traceFlags: Number.parseInt(found[3]!, 16) & TraceFlags.SAMPLED,
    isRemote: true,
    ...(state === undefined || state.length > TRACESTATE_MAX ? null : { traceState: createTraceState(state) }),
  }
}

/** The context of a span as it travels. */
const contextOf = ({ traceId, spanId, traceState }: SpanContext): TraceContext => {
  const parent = `00-${traceId}-${spanId}-01`
  const state = traceState?.serialize() ?? ''
  return state === '' ? { [TRACEPARENT]: parent } : { [TRACEPARENT]: parent, [TRACESTATE]: state }
}

const linksOf = (contexts: readonly TraceContext[]): Link[] =>
  contexts
    .map(parseTraceContext)
    .filter((context) => context !== null)
    .map((context) => ({ context }))

/**
 * The tracer on OpenTelemetry's. `toEpochMs` makes wall-clock time of monotonic ms; `nowMs` is monotonic. A span is never in any
 * global state: contexts are handed from hand to hand. What is not recorded is decided here, before a span is made of
 * it: most of the work of a platform is not, and is to cost nothing.
 */
export const createOpenTelemetryTracer = (deps: {
  /** Records every span that it is asked for. */
  readonly spans: SpanMaker
  /** Whether a trace that begins here is recorded. */
  readonly isRecorded: () => boolean
  readonly active: ActiveContext
  readonly nowMs: () => number
  readonly toEpochMs: (monotonicMs: number) => number
}): Tracer => {
  const { spans, isRecorded, active, nowMs, toEpochMs } = deps

  const opened = (span: Span): OpenSpan => {
    let ended = false
    const context = contextOf(span.spanContext())
    return {
      context,
      rename: (name) => void span.updateName(name),
      set: (attributes) => void span.setAttributes(attributes),
      end: ({ endMs = nowMs(), error } = {}) => {
        if (ended) return
        ended = true
        if (error !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: error })
        span.end(toEpochMs(endMs))
      },
    }
  }
  const start = ({ name, kind, startMs = nowMs(), attributes, links }: SpanStart, parent: Context): Span =>
    spans.startSpan(
      name,
      {
        kind: kinds[kind],
        startTime: toEpochMs(startMs),
        ...(attributes === undefined ? null : { attributes }),
        ...(links === undefined ? null : { links: linksOf(links) }),
      },
      parent,
    )
  const under = (parent: SpanContext | null): Context =>
    parent === null ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, parent)

  return {
    begin: (span, caller) => {
      const parent = caller === undefined ? null : parseTraceContext(caller)
      const recorded = parent === null ? isRecorded() : parent.traceFlags === TraceFlags.SAMPLED
      return recorded ? opened(start(span, under(parent))) : null
    },
    child: (parent, span) => opened(start(span, under(parseTraceContext(parent)))),
    active: active.current,
    within: active.within,
  }
}
