import { describe, expect, test } from '@jest/globals'
import pino from 'pino'
import { createSystemClock } from '@bourse/common/adapters/system/clock.ts'
import { createSystemRandom } from '@bourse/common/adapters/system/random.ts'
import type { PartitionNumber } from '@bourse/common/kernel/partition.ts'
import type { Bus, BusMessage, BusReply } from '@bourse/common/ports/bus.ts'
import { PortError } from '@bourse/common/ports/failure.ts'
import { traceContextIn } from '@bourse/common/ports/tracing.ts'
import { startOtlpSink } from '@bourse/common/testkit/otlp-sink.ts'
import { renderTrace } from '@bourse/common/testkit/trace-tree.ts'
import { createLogger } from '@bourse/common/telemetry/logger.ts'
import { createActiveContext } from '@bourse/common/telemetry/tracing/active-context.ts'
import { parseTraceContext } from '@bourse/common/telemetry/tracing/opentelemetry-tracer.ts'
import { startTracing } from '@bourse/common/telemetry/tracing/start-tracing.ts'
import { createTracedBus } from '@bourse/common/telemetry/tracing/traced-bus.ts'
import { createTracingKit } from './tracing-kit.ts'

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c'
const SPAN_ID = 'b7ad6b7169203331'
const caller = (flags: string) => ({ traceparent: `00-${TRACE_ID}-${SPAN_ID}-${flags}` })

describe('a tracer', () => {
  test('records under a caller who records, and nothing under one who does not, whatever its ratio', () => {
    const never = createTracingKit(0)
    expect(never.tracer.begin({ name: 'x', kind: 'server' })).toBeNull()
    const span = never.tracer.begin({ name: 'x', kind: 'server' }, caller('01'))
    span?.end()
    expect(never.spans()).toMatchObject([{ traceId: TRACE_ID, parentSpanId: SPAN_ID }])
    const always = createTracingKit(1)
    expect(always.tracer.begin({ name: 'x', kind: 'server' }, caller('00'))).toBeNull()
    always.tracer.begin({ name: 'x', kind: 'server' })?.end()
    expect(always.spans()).toMatchObject([{ parentSpanId: undefined }])
  })

  test('records about its ratio of the traces that begin here', () => {
    const { tracer } = createTracingKit(0.1)
    let recorded = 0
    for (let count = 0; count < 5_000; count++) if (tracer.begin({ name: 'x', kind: 'server' }) !== null) recorded += 1
    expect(recorded).toBeGreaterThan(350)
    expect(recorded).toBeLessThan(650)
  })

  test('takes no context for one that is malformed', () => {
    const bad = ['', 'x', `00-${TRACE_ID}-${SPAN_ID}`, `ff-${TRACE_ID}-${SPAN_ID}-01`, `00-${'0'.repeat(32)}-${SPAN_ID}-01`,
      `00-${TRACE_ID}-${'0'.repeat(16)}-01`, `00-${TRACE_ID.toUpperCase()}-${SPAN_ID}-01`, `00-${TRACE_ID}-${SPAN_ID}-01-more`,
      `00-${TRACE_ID}-${SPAN_ID}-011`, `${'0'.repeat(100_000)}`] // prettier-ignore
    expect(bad.filter((traceparent) => parseTraceContext({ traceparent }) !== null)).toEqual([])
    expect(parseTraceContext({ traceparent: `01-${TRACE_ID}-${SPAN_ID}-01-more` })).toMatchObject({ traceId: TRACE_ID })
    const { tracer, spans } = createTracingKit(1)
    tracer.begin({ name: 'x', kind: 'server' }, { traceparent: 'garbage' })?.end()
    expect(spans()[0]!.parentSpanId).toBeUndefined()
  })

  test('hands the state of other tracing systems on, and gives spans the times they are told', () => {
    const { tracer, spans } = createTracingKit(1)
    const span = tracer.begin({ name: 'x', kind: 'server', startMs: 10 }, { ...caller('01'), tracestate: 'other=1' })!
    expect(span.context).toMatchObject({
      traceparent: expect.stringMatching(`^00-${TRACE_ID}-[\\da-f]{16}-01$`),
      tracestate: 'other=1',
    })
    const child = tracer.child(span.context, { name: 'y', kind: 'internal', startMs: 11.5 })
    child.end({ endMs: 12.25, error: 'it broke' })
    child.end({ endMs: 99 })
    span.end({ endMs: 20 })
    expect(spans()).toMatchObject([
      { name: 'y', parentSpanId: span.context['traceparent']!.split('-')[2], error: 'it broke' },
      { name: 'x', parentSpanId: SPAN_ID, error: undefined },
    ])
    expect(spans()[0]!.startMs).toBeCloseTo(11.5, 2)
    expect(spans()[0]!.endMs).toBeCloseTo(12.25, 2)
  })
})

describe('the active context', () => {
  test('lasts across awaits, and log lines carry it', async () => {
    const active = createActiveContext()
    const lines: string[] = []
    const destination = { write: (line: string) => void lines.push(line) }
    const logger = createLogger({ name: 'test', level: 'info', destination, context: active.logFields })
    logger.info('outside')
    await active.within(caller('01'), async () => {
      await new Promise((resolve) => setImmediate(resolve))
      logger.child({ partition: 'ledger/0' }).info({ commandId: 'c' }, 'inside')
    })
    expect(JSON.parse(lines[0]!)).not.toHaveProperty('traceId')
    expect(JSON.parse(lines[1]!)).toMatchObject({ traceId: TRACE_ID, spanId: SPAN_ID, commandId: 'c', msg: 'inside' })
    expect(active.current()).toBeUndefined()
  })
})

const names = {
  system: 'rabbitmq',
  destinationOf: (partition: PartitionNumber) => `queue.${partition}`,
  replyDestination: 'replies',
}
const body = new Uint8Array(8)
const REPLY: BusReply = { status: 'ok', sequence: 7n, body }

const recordingBus = (request: Bus['request']) => {
  const messages: BusMessage[] = []
  const bus = {
    send: async (_partition: PartitionNumber, message: BusMessage) => void messages.push(message),
    request: (
      partition: PartitionNumber,
      message: BusMessage & { readonly deadlineMs: number },
      onTaken?: () => void,
    ) => {
      messages.push(message)
      return request(partition, message, onTaken)
    },
  } as unknown as Bus
  return { bus, messages }
}

describe('a traced bus', () => {
  test('lets pass untouched what belongs to no trace', async () => {
    const { tracer, spans } = createTracingKit()
    const { bus, messages } = recordingBus(() => Promise.resolve(REPLY))
    const traced = createTracedBus(bus, tracer, names)
    const command: BusMessage & { deadlineMs: number } = { type: 'command', body, deadlineMs: 5, headers: {} }
    const effect: BusMessage = { type: 'effect', body, sender: 1, sequence: 1n }
    await traced.request(3, command)
    await traced.send(3, effect)
    // An effect that is pumped by somebody else's confirmation belongs to nobody's trace.
    await tracer.within(caller('01'), () => traced.send(3, effect))
    expect(messages[0]).toBe(command)
    expect(messages[1]).toBe(effect)
    expect(messages[2]).toBe(effect)
    expect(spans()).toEqual([])
  })

  test('sends a command with a context of its own, and waits for the reply in a span beside it', async () => {
    const { tracer, spans, named } = createTracingKit()
    const { bus, messages } = recordingBus(async (_partition, _message, onTaken) => {
      onTaken?.()
      await new Promise((resolve) => setTimeout(resolve, 20))
      return REPLY
    })
    const traced = createTracedBus(bus, tracer, names)
    let taken = 0
    const ask = () =>
      traced.request(3, { type: 'command', body, deadlineMs: 5, headers: { own: '1' } }, () => (taken += 1))
    expect(await tracer.within(caller('01'), ask)).toBe(REPLY)
    const [send] = named('send queue.3')
    const [receive] = named('receive replies')
    expect(traceContextIn(messages[0]!.headers)).toEqual({ traceparent: `00-${TRACE_ID}-${send!.spanId}-01` })
    expect(messages[0]!.headers).toMatchObject({ own: '1' })
    expect(spans().map(({ parentSpanId }) => parentSpanId)).toEqual([SPAN_ID, SPAN_ID])
    expect(send!.attributes).toMatchObject({
      'messaging.system': 'rabbitmq',
      'messaging.operation.name': 'send',
      'messaging.operation.type': 'send',
      'messaging.destination.name': 'queue.3',
      'messaging.rabbitmq.destination.routing_key': 'queue.3',
    })
    expect(receive!.endMs - receive!.startMs).toBeGreaterThan(15)
    expect(send!.endMs).toBeLessThan(receive!.endMs - 10)
    expect(taken).toBe(1)
  })

  test('ends its spans with the error when the bus fails, and passes the failure on', async () => {
    const { tracer, spans } = createTracingKit()
    const failure = new PortError('timeout', 'no reply to amqp://user:secret@broker')
    const { bus } = recordingBus(() => Promise.reject(failure))
    const traced = createTracedBus(bus, tracer, names)
    const ask = () => traced.request(3, { type: 'read', body, deadlineMs: 5 })
    await expect(tracer.within(caller('01'), ask)).rejects.toBe(failure)
    expect(spans().map(({ error, attributes }) => [error, attributes['error.type']])).toEqual([
      ['PortError', 'PortError'],
      ['PortError', 'PortError'],
    ])
  })
})

/** `exportTimeoutMs` is far beyond what a busy machine takes; where nobody answers it is the product's. */
const started = (endpoint: string | null, exportTimeoutMs?: number) => {
  const active = createActiveContext()
  const lines: string[] = []
  return startTracing({
    settings: { endpoint, ratio: 1, serviceName: null },
    service: 'bourse-test',
    instance: 'test-0',
    active,
    clock: createSystemClock(),
    random: createSystemRandom(),
    monotonicOriginMs: performance.timeOrigin,
    logger: pino({ level: 'warn' }, { write: (line) => void lines.push(line) }),
    ...(exportTimeoutMs === undefined ? {} : { exportTimeoutMs }),
  }).then((tracing) => ({ ...tracing, lines }))
}

describe('tracing of a process', () => {
  test('is off without a collector', async () => {
    const { tracer, stop } = await started(null)
    expect(tracer).toBeNull()
    await stop()
  })

  test('brings its spans to the collector, with name, times and links, and what waits when it stops', async () => {
    const sink = await startOtlpSink()
    const { tracer, stop } = await started(sink.url, 60_000)
    const span = tracer!.begin({ name: 'GET /x', kind: 'server', attributes: { 'http.response.status_code': 200 } })!
    tracer!.child(span.context, { name: 'inner', kind: 'internal', links: [caller('01')] }).end({ error: 'broken' })
    span.end()
    await stop()
    const [inner, outer] = sink.spans()
    expect(outer).toMatchObject({
      name: 'GET /x',
      kind: 'server',
      parentSpanId: null,
      service: 'bourse-test',
      instance: 'test-0',
      attributes: { 'http.response.status_code': 200 },
      error: null,
    })
    expect(inner).toMatchObject({
      parentSpanId: outer!.spanId,
      error: 'broken',
      links: [{ traceId: TRACE_ID, spanId: SPAN_ID }],
    })
    expect(Math.abs(outer!.startMs - Date.now())).toBeLessThan(60_000)
    expect(renderTrace(sink.spans())).toMatch(/^GET \/x .*test-0 +status 200\n└─ inner .* 1 links ERROR broken\n$/)
    expect(sink.faults).toEqual([])
    await sink.close()
  })

  test('says now and then that the collector is gone, and harms nothing', async () => {
    const sink = await startOtlpSink()
    await sink.close()
    const { tracer, stop, lines } = await started(sink.url)
    const beganMs = performance.now()
    for (let count = 0; count < 2_000; count++) tracer!.begin({ name: 'x', kind: 'server' })?.end()
    await stop()
    const minutes = Math.floor((performance.now() - beganMs) / 60_000)
    expect(lines.length).toBeLessThanOrEqual(1 + minutes)
  })
})
