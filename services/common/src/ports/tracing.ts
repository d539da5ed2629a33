import type { PartitionNumber } from '../kernel/partition.ts'

/**
 * The W3C trace context that travels beside a message or request: `traceparent`, and `tracestate` where the trace began with one.
 * Only what belongs to a sampled trace carries any: whoever gets none has nothing to do.
 */
export type TraceContext = Readonly<Record<string, string>>

/** The header that says that something belongs to a sampled trace. */
export const TRACEPARENT = 'traceparent'
/** The header that travels with it. */
export const TRACESTATE = 'tracestate'

/** The trace context among the headers of a message, or undefined. */
export const traceContextIn = (headers: Readonly<Record<string, string>> | undefined): TraceContext | undefined => {
  const traceparent = headers?.[TRACEPARENT]
  if (headers === undefined || traceparent === undefined) return undefined
  const tracestate = headers[TRACESTATE]
  return tracestate === undefined
    ? { [TRACEPARENT]: traceparent }
    : { [TRACEPARENT]: traceparent, [TRACESTATE]: tracestate }
}

/** What a span is told about itself. Never a secret, never a customer's data: names, numbers and ids. */
export type SpanAttributes = Readonly<Record<string, string | number | boolean>>

/** Who a span is to whom: see the kinds of OpenTelemetry. */
export type SpanKind = 'server' | 'client' | 'producer' | 'consumer' | 'internal'

/** How a span begins. Times are monotonic ms of the process; without one it is now. */
export interface SpanStart {
  readonly name: string
  readonly kind: SpanKind
  readonly startMs?: number
  readonly attributes?: SpanAttributes
  /** Contexts of other spans that this one has to do with. */
  readonly links?: readonly TraceContext[]
}

/** How a span ends. */
export interface SpanEnd {
  readonly endMs?: number
  /** What went wrong, in words that hold no secret; without it the span is in order. */
  readonly error?: string
}

/** A span that is recorded. */
export interface OpenSpan {
  /** What is caused by it carries this. */
  readonly context: TraceContext
  rename(name: string): void
  set(attributes: SpanAttributes): void
  /** A second end changes nothing. */
  end(how?: SpanEnd): void
}

/**
 * Tracer.
 *
 * R1 `begin` decides by sampling whether a trace is recorded; under a caller's context that is sampled it always is, under one
 *    that is not it never is. Null: nothing is recorded, and nobody hears of it.
 * R2 `child` records a span of a sampled trace.
 * R3 `active` is the context given to the `within` around the caller, across awaits; undefined outside of all.
 * R4 Nothing of it throws, blocks, or changes what is traced.
 */
export interface Tracer {
  begin(span: SpanStart, caller?: TraceContext): OpenSpan | null
  child(parent: TraceContext, span: SpanStart): OpenSpan
  active(): TraceContext | undefined
  within<Result>(context: TraceContext, work: () => Result): Result
}

/** How spans of messages name the system that carries them, after the semantic conventions. */
export interface MessagingNames {
  /** `messaging.system`. */
  readonly system: string
  /** `messaging.destination.name` of a partition's queue. */
  readonly destinationOf: (partition: PartitionNumber) => string
  /** Where replies come to. */
  readonly replyDestination: string
}
