import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { ReceivedSpan } from '@bourse/common/testkit/otlp-sink.ts'
import { describeUnless } from '@bourse/common/testkit/skip.ts'
import { pause } from '../../src/servers/program.ts'
import { startTracedPlatform, tracedPlatformMissing, type TracedPlatform } from '../../src/servers/traced-platform.ts'
import { BANK_KEY } from '../../src/servers/watched-settings.ts'

const LIMIT_MS = 900_000
/** How often a bank asks again where the answer was that it should. */
const TRIES_MAX = 30

const deposit = { bankUserId: 'user_123', amount: '500.00', currency: 'AZN', reference: 'first' }
const buy = { bankUserId: 'user_123', amount: '10.00', currency: 'AZN' }

const named = (spans: readonly ReceivedSpan[], name: RegExp): ReceivedSpan[] =>
  spans.filter((span) => name.test(span.name))

const CALLS = ['GET /ticker', 'POST /authorizations', 'POST /order', 'POST /webhooks']
const callsOf = (spans: readonly ReceivedSpan[]): readonly ReceivedSpan[] =>
  spans.filter(({ kind, service }) => kind === 'client' && service === 'bourse-bridge')

/** Whether nothing that the others speak of is missing: programs export when they get to it. */
const isWhole = (spans: readonly ReceivedSpan[]): boolean => {
  const ids = new Set(spans.map(({ spanId }) => spanId))
  const called = new Set(callsOf(spans).map(({ name }) => name))
  const children = (parent: ReceivedSpan): readonly ReceivedSpan[] =>
    spans.filter(({ parentSpanId }) => parentSpanId === parent.spanId)
  return (
    CALLS.every((name) => called.has(name)) &&
    spans.filter(({ parentSpanId }) => !ids.has(parentSpanId ?? '')).length === 1 &&
    named(spans, /^send /).every((send) => named(children(send), /^process /).length > 0) &&
    named(spans, /^process /)
      .filter(({ service }) => service === 'bourse-ledger')
      .every((process) => children(process).filter(({ kind }) => kind === 'internal').length >= 4)
  )
}

/** Whether everybody outside was heard in his time: on a machine that stands still a call is made twice, and rightly so. */
const isUndisturbed = (spans: readonly ReceivedSpan[]): boolean =>
  callsOf(spans).length === CALLS.length && spans.every(({ error }) => error === null)

describeUnless(tracedPlatformMissing(), 'a bank trade through RabbitMQ', () => {
  let folder = ''
  let platform: TracedPlatform | undefined

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'bourse-traced-'))
    platform = await startTracedPlatform({ folder, ratio: 0 })
  }, LIMIT_MS)
  afterAll(async () => {
    await platform?.stop()
    await rm(folder, { recursive: true, force: true })
  }, LIMIT_MS)

  test(
    'is one trace from the HTTP request over bridge, ledger, exchange and bank to its reply, of which nobody else is part',
    async () => {
      const { bankCall, traceOf, sink, log } = platform!
      let asked = 0
      /** Asks until it is done: a machine that stands still lets an exchange or a bank answer too late. */
      const done = async (path: string, body: object): Promise<{ readonly traceId: string }> => {
        for (;;) {
          asked += 1
          const { status, text, traceId } = await bankCall(path, body)
          if (status === 201 && JSON.parse(text).data.status === 'COMPLETED') return { traceId }
          if (asked >= TRIES_MAX) throw new Error(`${path} is answered ${status}: ${text}`)
          await pause(1_000)
        }
      }
      await done('/api/v1/deposits', deposit)
      let spans: readonly ReceivedSpan[]
      do spans = await traceOf((await done('/api/v1/trade/buy', buy)).traceId, isWhole)
      while (!isUndisturbed(spans) && asked < TRIES_MAX)
      expect(sink.faults).toEqual([])

      // Every span hangs on another, all on the request's.
      const byId = new Map(spans.map((span) => [span.spanId, span]))
      const roots = spans.filter(({ parentSpanId }) => !byId.has(parentSpanId ?? ''))
      expect(roots.map(({ name, kind, service }) => [name, kind, service])).toEqual([
        ['POST /api/v1/trade/buy', 'server', 'bourse-gateway'],
      ])
      expect(roots[0]!.attributes).toMatchObject({
        'http.request.method': 'POST',
        'http.route': '/api/v1/trade/buy',
        'http.response.status_code': 201,
        'url.path': '/api/v1/trade/buy',
      })
      expect([...new Set(spans.map(({ service }) => service))].sort()).toEqual([
        'bourse-bridge',
        'bourse-gateway',
        'bourse-ledger',
      ])
      expect(spans.filter(({ error }) => error !== null)).toEqual([])

      // The calls outside, each under the bridge.
      const calls = callsOf(spans)
      expect(calls.map(({ name }) => name).sort()).toEqual(CALLS)
      expect(calls.every(({ attributes }) => attributes['http.response.status_code'] === 200)).toBe(true)

      // What was sent is what was processed, by the queue of the broker.
      const sent = named(spans, /^send /)
      const processed = named(spans, /^process /)
      for (const send of sent) {
        expect(send.attributes).toMatchObject({ 'messaging.system': 'rabbitmq', 'messaging.operation.type': 'send' })
        const process = processed.find(({ parentSpanId }) => parentSpanId === send.spanId)
        expect(process?.kind).toBe('consumer')
        expect(process?.attributes['messaging.destination.name']).toBe(send.attributes['messaging.destination.name'])
        expect(process?.startMs).toBeGreaterThanOrEqual(send.startMs - 1)
      }
      expect(sent.length).toBeGreaterThanOrEqual(6)
      expect(new Set(processed.map(({ attributes }) => attributes['bourse.outcome'] ?? 'OK'))).toEqual(new Set(['OK']))

      // The stages of a command are laid without a gap in its processing.
      const ledger = processed.filter(({ service }) => service === 'bourse-ledger')
      expect(ledger.length).toBeGreaterThanOrEqual(2)
      for (const process of ledger) {
        const stages = spans.filter(({ parentSpanId, kind }) => parentSpanId === process.spanId && kind === 'internal')
        const inOrder = stages.toSorted((one, other) => one.startMs - other.startMs)
        expect(inOrder.map(({ name }) => name)).toEqual(['queue', 'apply', 'append', 'reply'])
        expect(inOrder[0]!.startMs).toBeCloseTo(process.startMs, 2)
        expect(inOrder[3]!.endMs).toBeCloseTo(process.endMs, 2)
        for (const [index, stage] of inOrder.slice(1).entries())
          expect(stage.startMs).toBeCloseTo(inOrder[index]!.endMs, 2)
        expect(process.attributes['bourse.command.id']).toMatch(/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/)
        expect(process.attributes['bourse.sequence']).toBeGreaterThan(0)
      }

      // Nobody asked for other traces, and no secret is in any span.
      const traces = new Set(sink.spans().map(({ traceId }) => traceId))
      expect(traces.size).toBe(asked)
      expect(JSON.stringify(sink.spans())).not.toContain(BANK_KEY)
      expect(log()).not.toContain(BANK_KEY)
    },
    LIMIT_MS,
  )
})
