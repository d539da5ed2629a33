import type { IncomingMessage } from 'node:http'
import { describe, expect, test } from '@jest/globals'
import { createTracingKit } from '../../common/test/telemetry/tracing-kit.ts'
import { createRequestTracing } from '../src/http/tracing.ts'

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c'
const PARENT = 'b7ad6b7169203331'

const requestOf = (given: Partial<IncomingMessage>): IncomingMessage =>
  ({ method: 'POST', url: '/api/v1/engine', httpVersion: '1.1', headers: {}, ...given }) as IncomingMessage
const answered = (status: number, route = '/api/v1/engine') => ({ requestId: 'r-1', route, status })

describe('a request', () => {
  test('has a server span with its route, and what it does is within it', async () => {
    const { tracer, spans } = createTracingKit()
    let within: unknown
    await createRequestTracing(tracer).answer(requestOf({ url: '/api/v1/engine?token=hunter2' }), async () => {
      await new Promise((resolve) => setImmediate(resolve))
      within = tracer.active()
      return answered(201)
    })
    const [span] = spans()
    expect(within).toEqual({ traceparent: `00-${span!.traceId}-${span!.spanId}-01` })
    expect(span).toMatchObject({ name: 'POST /api/v1/engine', parentSpanId: undefined, error: undefined })
    expect(span!.attributes).toEqual({
      'http.request.method': 'POST',
      'http.response.status_code': 201,
      'http.route': '/api/v1/engine',
      'network.protocol.version': '1.1',
      'url.path': '/api/v1/engine',
      'url.scheme': 'http',
      'bourse.request.id': 'r-1',
    })
  })

  test('goes on with the trace of a caller who records, and is no part of any for one who does not', async () => {
    const { tracer, spans } = createTracingKit(1)
    const under = (flags: string) => ({ headers: { traceparent: `00-${TRACE_ID}-${PARENT}-${flags}` } })
    const tracing = createRequestTracing(tracer)
    let untraced: unknown = 'not run'
    await tracing.answer(requestOf(under('00')), async () => {
      untraced = tracer.active()
      return answered(200)
    })
    expect([untraced, spans()]).toEqual([undefined, []])
    await tracing.answer(requestOf(under('01')), async () => answered(200))
    expect(spans()).toMatchObject([{ traceId: TRACE_ID, parentSpanId: PARENT }])
  })

  test('is an error only where it is our fault, and has no name of its own where it has no route', async () => {
    const { tracer, spans } = createTracingKit()
    const tracing = createRequestTracing(tracer)
    await tracing.answer(requestOf({ method: 'GET', url: '/nowhere' }), async () => answered(404, 'unmatched'))
    await tracing.answer(requestOf({}), async () => answered(503))
    await tracing.answer(requestOf({ method: 'BREW' }), async () => answered(405, 'unmatched'))
    expect(spans().map(({ name, error }) => [name, error])).toEqual([
      ['GET', undefined],
      ['POST /api/v1/engine', 'status 503'],
      ['HTTP', undefined],
    ])
    expect(spans()[1]!.attributes['error.type']).toBe('503')
    expect(spans()[2]!.attributes).toMatchObject({
      'http.request.method': '_OTHER',
      'http.request.method_original': 'BREW',
    })
  })

  test('shows neither who signs in, nor a secret in a path, nor whom a bank names', async () => {
    const { tracer, spans } = createTracingKit()
    const tracing = createRequestTracing(tracer)
    const personal = '/api/v1/users/{bankUserId}/accounts'
    for (const [url, route] of [
      ['http://anna:hunter2@host/api/v1/engine?x=hunter2', '/api/v1/engine'],
      ['/reset/token=hunter2/now', 'unmatched'],
      ['/api/v1/users/anna%40example.com/accounts', personal],
    ] as const)
      await tracing.answer(requestOf({ url }), async () => answered(200, route))
    expect(spans().map(({ attributes }) => attributes['url.path'])).toEqual([
      '/api/v1/engine',
      '/reset/token=[redacted]',
      personal,
    ])
    expect(JSON.stringify(spans())).not.toMatch(/hunter2|anna/)
  })

  test('is answered without a tracer as with one', async () => {
    let runs = 0
    await createRequestTracing(undefined).answer(requestOf({}), async () => {
      runs += 1
      return answered(200)
    })
    expect(runs).toBe(1)
  })
})
