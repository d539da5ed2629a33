import { describe, expect, test } from '@jest/globals'
import { createSystemClock } from '@bourse/common/adapters/system/clock.ts'
import { createTracingKit, type TracingKit } from '../../common/test/telemetry/tracing-kit.ts'
import { createHttpCaller, type Fetch } from '../src/adapters/http-call.ts'

const clock = createSystemClock()
const TRACE_ID = '0af7651916cd43dd8448eb211c80319c'
const parent = { traceparent: `00-${TRACE_ID}-b7ad6b7169203331-01` }

const caller = (kit: TracingKit, answer: () => Promise<number>) => {
  const sent: Readonly<Record<string, string>>[] = []
  const fetch: Fetch = async (_url, { headers }) => {
    sent.push(headers)
    return { status: await answer(), body: null }
  }
  return { call: createHttpCaller({ fetch, clock, tracer: kit.tracer }), sent }
}

const URL_WITH_SECRETS = 'https://bank:hunter2@bank.example:8443/callback/authorizations?signature=hunter2'

describe('a call to the outside', () => {
  test('made within a trace has a client span without secrets, and sends its context along', async () => {
    const kit = createTracingKit()
    const { call, sent } = caller(kit, () => Promise.resolve(200))
    await kit.tracer.within(parent, () => call({ url: URL_WITH_SECRETS, body: '{}', timeoutMs: 1_000 }))
    const [span] = kit.spans()
    expect(span).toMatchObject({ name: 'POST /callback/authorizations', traceId: TRACE_ID, error: undefined })
    expect(span!.attributes).toEqual({
      'http.request.method': 'POST',
      'http.response.status_code': 200,
      'server.address': 'bank.example',
      'server.port': 8443,
      'url.full': 'https://bank.example:8443/callback/authorizations',
    })
    expect(sent).toEqual([{ 'content-type': 'application/json', traceparent: `00-${TRACE_ID}-${span!.spanId}-01` }])
    expect(JSON.stringify(kit.spans())).not.toContain('hunter2')
  })

  test('made outside of every trace has none and sends nothing', async () => {
    const kit = createTracingKit()
    const { call, sent } = caller(kit, () => Promise.resolve(200))
    await call({ url: 'http://exchange/ticker', timeoutMs: 1_000 })
    expect([kit.spans(), sent]).toEqual([[], [{}]])
  })

  test('that is refused, lost or given up is an error', async () => {
    const kit = createTracingKit()
    const url = 'http://exchange/order'
    await kit.tracer.within(parent, () => caller(kit, () => Promise.resolve(422)).call({ url, timeoutMs: 1_000 }))
    const lost = caller(kit, () => Promise.reject(new Error('connect ECONNREFUSED')))
    await kit.tracer.within(parent, () => lost.call({ url, timeoutMs: 1_000 }))
    const over = new AbortController()
    const givenUp = caller(kit, () => {
      over.abort(new Error('stopped'))
      return Promise.reject(new Error('aborted'))
    })
    await expect(
      kit.tracer.within(parent, () => givenUp.call({ url, timeoutMs: 1_000, signal: over.signal })),
    ).rejects.toThrow('aborted')
    expect(kit.spans().map(({ error, attributes }) => [error, attributes['error.type']])).toEqual([
      ['status 422', '422'],
      ['no answer', 'no_answer'],
      ['given up', 'aborted'],
    ])
  })
})
