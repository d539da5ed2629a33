import type { Logger } from 'pino'
import type { Clock } from '../../ports/clock.ts'
import type { Random } from '../../ports/random.ts'
import type { Tracer } from '../../ports/tracing.ts'
import type { ActiveContext } from './active-context.ts'

/** Spans that wait to be exported; beyond it they are dropped, so that a collector that is gone costs memory only up to here. */
export const SPANS_WAITING_MAX = 8_192
/** Spans of one export. */
const SPANS_PER_EXPORT_MAX = 512
/** How long a span waits for others to be exported with, ms. */
const EXPORT_INTERVAL_MS = 1_000
/** How long an export may take where nothing else is said, ms. */
const EXPORT_TIMEOUT_MS = 5_000
/** Failed exports are logged this often at most, ms. */
const COMPLAINT_INTERVAL_MS = 60_000

/** As fine as a ratio of recorded traces may be. */
const RATIO_STEPS = 1_000_000

/** What the configuration says about traces. */
export interface TracingSettings {
  /** Base URL of the collector (OTLP over HTTP); null: nothing is traced. */
  readonly endpoint: string | null
  /** Part of the traces that begin here to be recorded, 0 to 1. */
  readonly ratio: number
  /** Null: the program's own name. */
  readonly serviceName: string | null
}

/** Traces of a process. */
export interface Tracing {
  /** Null: nothing is traced. */
  readonly tracer: Tracer | null
  /** Exports what waits, for a few seconds at most. */
  stop(): Promise<void>
}

/** What tracing needs. */
export interface TracingDeps {
  readonly settings: TracingSettings
  /** `service.name` where the settings have none. */
  readonly service: string
  /** `service.instance.id`: which of the processes with this name. */
  readonly instance: string
  readonly active: ActiveContext
  readonly clock: Clock
  /** Chooses the traces that are recorded. */
  readonly random: Pick<Random, 'below'>
  /** Wall-clock ms since the epoch at which the monotonic clock was 0. */
  readonly monotonicOriginMs: number
  readonly logger: Logger
  /** How long an export may take, ms. */
  readonly exportTimeoutMs?: number
}

const NOTHING: Tracing = { tracer: null, stop: () => Promise.resolve() }

/** Speaks of failed exports now and then: a collector that is gone fails one a second. */
const createComplaint = ({ clock, logger }: Pick<TracingDeps, 'clock' | 'logger'>): ((error: unknown) => void) => {
  let failures = 0
  let complainedMs = -Infinity
  return (error) => {
    failures += 1
    if (clock.monotonicMs() - complainedMs < COMPLAINT_INTERVAL_MS) return
    complainedMs = clock.monotonicMs()
    logger.warn({ err: error, failures }, 'spans could not be exported; the platform works on without them')
  }
}

/**
 * Starts tracing where the settings name a collector. OpenTelemetry is loaded only then: a process that traces nothing starts as
 * fast as before.
 */
export const startTracing = async (deps: TracingDeps): Promise<Tracing> => {
  const { endpoint, ratio, serviceName } = deps.settings
  const { exportTimeoutMs = EXPORT_TIMEOUT_MS } = deps
  if (endpoint === null) return NOTHING
  const [{ tracing, resources, core }, { OTLPTraceExporter }, { createOpenTelemetryTracer }] = await Promise.all([
    import('@opentelemetry/sdk-node'),
    import('@opentelemetry/exporter-trace-otlp-http'),
    import('./opentelemetry-tracer.ts'),
  ])
  const complain = createComplaint(deps)
  core.setGlobalErrorHandler(complain)
  const exporter = new OTLPTraceExporter({ url: `${endpoint}/v1/traces`, timeoutMillis: exportTimeoutMs })
  const processor = new tracing.BatchSpanProcessor(exporter, {
    maxQueueSize: SPANS_WAITING_MAX,
    maxExportBatchSize: SPANS_PER_EXPORT_MAX,
    scheduledDelayMillis: EXPORT_INTERVAL_MS,
    exportTimeoutMillis: exportTimeoutMs,
  })
  const provider = new tracing.BasicTracerProvider({
    // The tracer asks for a span only where its trace is recorded.
    sampler: new tracing.AlwaysOnSampler(),
    spanProcessors: [processor],
    resource: resources.resourceFromAttributes({
      'service.name': serviceName ?? deps.service,
      'service.namespace': 'bourse',
      'service.instance.id': deps.instance,
    }),
  })
  const { active, clock, random, monotonicOriginMs } = deps
  return {
    tracer: createOpenTelemetryTracer({
      spans: provider.getTracer('bourse'),
      isRecorded: () => random.below(RATIO_STEPS) < ratio * RATIO_STEPS,
      active,
      nowMs: () => clock.monotonicMs(),
      toEpochMs: (monotonicMs) => monotonicOriginMs + monotonicMs,
    }),
    // Spans that are lost must not keep a process from stopping in order.
    stop: () => provider.shutdown().catch(complain),
  }
}
