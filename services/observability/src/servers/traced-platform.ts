import { join } from 'node:path'
import type { LaunchArguments } from '@bourse/all-in-one/distributed/arguments.ts'
import { createSystemIds } from '@bourse/common/adapters/system/ids.ts'
import { startOtlpSink, type OtlpSink, type ReceivedSpan } from '@bourse/common/testkit/otlp-sink.ts'
import { freePort } from '@bourse/common/testkit/servers/free-port.ts'
import { mongoMissing, startMongo } from '@bourse/common/testkit/servers/mongodb.ts'
import { rabbitMqMissing, startRabbitMq } from '@bourse/common/testkit/servers/rabbitmq.ts'
import { redisMissing, startRedis } from '@bourse/common/testkit/servers/redis.ts'
import { pause } from './program.ts'
import { startPrograms } from './programs.ts'
import { BANK_KEY, LIFTED_LIMITS } from './watched-settings.ts'

const COUNTS: LaunchArguments = { tradingShards: 1, ledgerShards: 2, bridgeShards: 1, gateways: 1 }
const TRACE_WAIT_MS_MAX = 120_000
/** A trace to which nothing came for so long is taken for whole: programs export once a second. */
const QUIET_MS = 3_000
const POLL_MS = 100

/** The platform of many processes on RabbitMQ, all of whose traces go to a collector of its own. */
export interface TracedPlatform {
  readonly sink: OtlpSink
  /** As the demo bank: a call with a key of its own, under a trace of which this is the id. */
  bankCall(
    path: string,
    body: object,
  ): Promise<{ readonly status: number; readonly text: string; readonly traceId: string }>
  /**
   * All spans of a trace, once no more come and `isWhole`, where somebody knows when it is: a program that stands still exports
   * later than others.
   */
  traceOf(traceId: string, isWhole?: (spans: readonly ReceivedSpan[]) => boolean): Promise<readonly ReceivedSpan[]>
  /** What all programs logged so far. */
  log(): string
  stop(): Promise<void>
}

/** Why no traced platform can be started here, or undefined when one can. */
export const tracedPlatformMissing = (): string | undefined => rabbitMqMissing() ?? mongoMissing() ?? redisMissing()

const bankCaller = (gatewayUrl: string): TracedPlatform['bankCall'] => {
  const ids = createSystemIds()
  const hex = (): string => Buffer.from(ids.bytes16()).toString('hex')
  return async (path, body) => {
    const traceId = hex()
    const answer = await fetch(`${gatewayUrl}${path}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-api-key': BANK_KEY,
        'x-idempotency-key': ids.uuid(),
        traceparent: `00-${traceId}-${hex().slice(0, 16)}-01`,
      },
      body: JSON.stringify(body),
    })
    return { status: answer.status, text: await answer.text(), traceId }
  }
}

const waitForTrace = async (
  sink: OtlpSink,
  traceId: string,
  isWhole: (spans: readonly ReceivedSpan[]) => boolean,
): Promise<readonly ReceivedSpan[]> => {
  let seen: readonly ReceivedSpan[] = []
  let quietMs = 0
  for (let waitedMs = 0; waitedMs < TRACE_WAIT_MS_MAX; waitedMs += POLL_MS) {
    const spans = sink.spans().filter((span) => span.traceId === traceId)
    quietMs = spans.length > 0 && spans.length === seen.length ? quietMs + POLL_MS : 0
    seen = spans
    if (quietMs >= QUIET_MS && isWhole(seen)) return seen
    await pause(POLL_MS)
  }
  throw new Error(`the trace is not whole after ${TRACE_WAIT_MS_MAX} ms: ${seen.length} spans came`)
}

/**
 * Starts the platform of many processes on private servers, with every request's trace recorded where the caller asks for it.
 * `folder` is its own. Resolves when orders are taken.
 * @throws when something is missing (`tracedPlatformMissing` says so before) or does not start; what was started is stopped
 */
export const startTracedPlatform = async (options: {
  readonly folder: string
  /** Part of the traces that begin in the platform; those that callers begin are recorded all the same. */
  readonly ratio: number
}): Promise<TracedPlatform> => {
  const stops: (() => Promise<void>)[] = []
  const stop = async (): Promise<void> => {
    for (const one of stops.splice(0).reverse()) await one()
  }
  try {
    const sink = await startOtlpSink()
    stops.push(sink.close)
    const starting = [startRabbitMq(), startMongo(), startRedis()] as const
    stops.push(async () => {
      for (const one of await Promise.allSettled(starting)) if (one.status === 'fulfilled') await one.value.stop()
    })
    const [rabbitMq, mongo, redis] = await Promise.all(starting)
    const port = await freePort()
    const programs = await startPrograms({
      plan: { counts: COUNTS, env: {} },
      env: {
        ...LIFTED_LIMITS,
        BOURSE_DATA_DIR: join(options.folder, 'data'),
        BOURSE_PORT: String(port),
        BOURSE_MOCK_EXCHANGE_PORT: String(await freePort()),
        BOURSE_MOCK_BANK_PORT: String(await freePort()),
        BOURSE_RABBITMQ_URL: rabbitMq.url,
        BOURSE_MONGODB_URL: mongo.urlOf('traced'),
        BOURSE_REDIS_URL: redis.url,
        OTEL_EXPORTER_OTLP_ENDPOINT: sink.url,
        OTEL_TRACES_SAMPLER_ARG: String(options.ratio),
      },
    })
    stops.push(programs.stop)
    return {
      sink,
      bankCall: bankCaller(`http://127.0.0.1:${port}`),
      traceOf: (traceId, isWhole = () => true) => waitForTrace(sink, traceId, isWhole),
      log: programs.log,
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}
