import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { startTestGateway, type TestGateway } from './support/gateway.ts'

let platform: TestGateway

beforeAll(async () => {
  platform = await startTestGateway({ limits: { bodyBytesMax: 2_048 } })
})
afterAll(() => platform.gateway.stop())

const raw = (text: string, { gateway }: TestGateway = platform): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connect(gateway.port, '127.0.0.1', () => {
      socket.write(text)
    })
    let received = ''
    socket.on('data', (data) => {
      received += data.toString()
    })
    socket.on('close', () => {
      resolve(received)
    })
    socket.on('error', reject)
  })

describe('the edge', () => {
  test('an unknown path is 404 and a wrong method 405 with what is allowed, both in the envelope', async () => {
    const missing = await platform.call('GET', '/api/v1/nothing')
    expect([missing.status, missing.json.errorCode]).toEqual([404, 'NOT_FOUND'])
    const wrong = await platform.call('DELETE', '/api/v1/markets')
    expect([wrong.status, wrong.json.errorCode, wrong.headers.get('allow')]).toEqual([
      405,
      'METHOD_NOT_ALLOWED',
      'HEAD, GET',
    ])
    const engine = await platform.call('GET', '/api/v1/engine')
    expect([engine.status, engine.json.engineResponse?.status]).toEqual([405, 'error'])
  })

  test.each([2_049, 20_000])('a body of %i bytes is refused 413 and the connection goes on', async (bytes) => {
    const { cookie } = await platform.signUp()
    const refused = await platform.engine(cookie, `{"command":"${'x'.repeat(bytes)}"}`)
    expect([refused.status, refused.json.errorCode]).toEqual([413, 'PAYLOAD_TOO_LARGE'])
    expect((await platform.call('GET', '/livez')).status).toBe(200)
  })

  test('a chunked body over the limit is refused too', async () => {
    const { cookie } = await platform.signUp()
    const body = new ReadableStream({
      start: (controller) => {
        controller.enqueue(new TextEncoder().encode('['.repeat(5_000)))
        controller.close()
      },
    })
    const response = await fetch(`${platform.gateway.url}/api/v1/engine`, {
      method: 'POST',
      body,
      duplex: 'half',
      headers: { 'content-type': 'application/json', cookie },
    })
    expect(response.status).toBe(413)
    await response.text()
  })

  test('a slow body is refused 408 in the envelope of its path', async () => {
    // A gateway of its own, asked nothing else: on a busy machine any request may take as long as this one is given. Sessions
    // are of the user, whom both know.
    const { cookie, userId } = await platform.signUp()
    const impatient = await startTestGateway({ limits: { requestTimeoutMs: 1_000 } })
    await impatient.directory.createUser((await platform.directory.userById(userId))!)
    const answer = await raw(
      `POST /api/v1/engine HTTP/1.1\r\nhost: x\r\ncookie: ${cookie}\r\n` +
        'content-type: application/json\r\ncontent-length: 50\r\n\r\n{"command"',
      impatient,
    )
    await impatient.gateway.stop()
    expect(answer).toMatch(/^HTTP\/1\.1 408 /)
    expect(JSON.parse(answer.split('\r\n\r\n')[1] ?? '')).toMatchObject({
      success: false,
      errorCode: 'REQUEST_TIMEOUT',
      engineResponse: { status: 'error' },
    })
  })

  test('latency counts from the arrival of the request, its body included', async () => {
    const { cookie } = await platform.signUp()
    await platform.engine(cookie, { command: 'CREATE_ACCOUNT' })
    // The session is looked at once the request has arrived, before its body.
    const arrived = Promise.withResolvers<void>()
    const { isSessionRevoked } = platform.directory
    platform.directory.isSessionRevoked = (id) => {
      arrived.resolve()
      return isSessionRevoked(id)
    }
    const slowly = async function* () {
      yield new TextEncoder().encode('{"command":')
      await arrived.promise
      await delay(120)
      yield new TextEncoder().encode('"GET_BALANCE"}')
    }
    const body = ReadableStream.from(slowly())
    const headers = { 'content-type': 'application/json', cookie }
    const sent = { method: 'POST', body, duplex: 'half', headers } as const
    const response = await fetch(`${platform.gateway.url}/api/v1/engine`, sent)
    const { success, latency } = (await response.json()) as { success: boolean; latency: number }
    platform.directory.isSessionRevoked = isSessionRevoked
    expect([success, latency >= 100]).toEqual([true, true])
  })

  test('what is not HTTP gets a refusal, not silence', async () => {
    expect(await raw('hello\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 [^]*"errorCode":"VALIDATION_ERROR"/)
  })

  test('refusals below the application carry the same security headers', async () => {
    const upgrade = 'connection: upgrade\r\nupgrade: websocket\r\n'
    const answers = await Promise.all([raw('hello\r\n\r\n'), raw(`GET /no HTTP/1.1\r\nhost: x\r\n${upgrade}\r\n`)])
    const { headers } = await platform.call('GET', '/livez')
    for (const name of ['x-content-type-options', 'x-frame-options', 'content-security-policy', 'cache-control']) {
      for (const answer of answers) expect(answer).toContain(`${name}: ${String(headers.get(name))}\r\n`)
    }
    for (const answer of answers) expect(answer).toMatch(/\r\nx-request-id: [0-9a-f-]{36}\r\n/)
  })

  test('a path in another case is another path, so that every answer has the envelope of its path', async () => {
    const { cookie } = await platform.signUp()
    const other = await platform.call('POST', '/API/V1/ENGINE', { cookie, body: { command: 'GET_BALANCE' } })
    expect([other.status, other.json.errorCode]).toEqual([404, 'NOT_FOUND'])
  })

  test.each(['text/plain', 'application/x-www-form-urlencoded'])('a body of type %s is refused', async (type) => {
    const refused = await platform.call('POST', '/api/v1/auth/signin', {
      body: '{"email":"a@b.cd","password":"x"}',
      headers: { 'content-type': type },
    })
    expect([refused.status, refused.json.errorCode]).toEqual([400, 'VALIDATION_ERROR'])
  })

  test('bytes that are not UTF-8 are refused', async () => {
    const response = await fetch(`${platform.gateway.url}/api/v1/auth/signin`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: new Uint8Array([0x22, 0xff, 0x22]),
    })
    expect(((await response.json()) as { message: string }).message).toContain('UTF-8')
  })

  test('a request id comes back, a bad one is replaced, and answers carry security headers', async () => {
    const kept = await platform.call('GET', '/livez', { headers: { 'x-request-id': 'abc-1' } })
    expect(kept.headers.get('x-request-id')).toBe('abc-1')
    const replaced = await platform.call('GET', '/livez', { headers: { 'x-request-id': 'a b' } })
    expect(replaced.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/)
    expect(kept.headers.get('x-content-type-options')).toBe('nosniff')
    expect(kept.headers.get('content-security-policy')).toContain("default-src 'none'")
  })

  test('readiness says why not', async () => {
    platform.platform.state.ready = false
    platform.platform.state.reasons = ['ledger/0 is rebuilding']
    const not = await platform.call('GET', '/readyz')
    platform.platform.state.ready = true
    expect([not.status, not.json.reasons?.[0]]).toEqual([503, 'ledger/0 is rebuilding'])
    expect((await platform.call('GET', '/readyz')).status).toBe(200)
  })

  test('metrics count by route template and status', async () => {
    await platform.call('GET', '/api/v1/markets')
    const { text } = await platform.call('GET', '/metrics')
    expect(text).toMatch(/bourse_http_requests_total\{route="\/api\/v1\/markets",method="GET",status="200"\} \d+/)
    expect(text).toContain('process_cpu_seconds_total')
  })

  test('unknown parameters and wrong ones are named', async () => {
    expect((await platform.call('GET', '/api/v1/candles')).json.message).toContain('asset is missing')
    expect((await platform.call('GET', '/api/v1/candles?asset=X')).json.message).toContain('use one of')
    expect((await platform.call('GET', '/api/v1/candles?asset=BTC_USDC&interval=7m')).json.message).toContain(
      'interval "7m" is not one of 1m',
    )
    expect((await platform.call('GET', '/api/v1/candles?asset=BTC_USDC&limit=0')).json.message).toContain('at least 1')
    expect((await platform.call('GET', '/api/v1/prices?all=1')).json.message).toContain('all is not known')
    expect((await platform.call('GET', '/api/v1/candles?asset=BTC_USDC')).json.candles?.[0]).toEqual({
      openTime: '1970-01-01T00:00:00.000Z',
      open: '0.00000001',
      high: '0.00000002',
      low: '0.00000001',
      close: '0.00000002',
    })
  })

  test('markets and prices are open to everybody', async () => {
    expect((await platform.call('GET', '/api/v1/markets')).json.markets).toHaveLength(2)
    platform.prices.publish({
      symbol: 'ETH_USDC',
      feedBid: 200_000_000_000n,
      feedAsk: 200_000_000_000n,
      last: 200_000_000_000n,
      exchangeTimeMs: 0,
      receiveTimeMs: 0,
      sequence: 9,
    })
    expect((await platform.call('GET', '/api/v1/prices')).json.prices).toEqual([
      {
        asset: 'ETH_USDC',
        bid: '1999.80',
        ask: '2000.20',
        last: '2000',
        time: '1970-01-01T00:00:00.000Z',
        sequence: 9,
      },
    ])
  })

  test('a failure inside is 500 without its words', async () => {
    const broken = await startTestGateway()
    const { cookie } = await broken.signUp()
    broken.views.find = () => {
      throw new Error('secret detail')
    }
    const answer = await broken.call('GET', '/api/v1/trades', { cookie })
    await broken.gateway.stop()
    expect([answer.status, answer.json.errorCode]).toEqual([500, 'INTERNAL_ERROR'])
    expect(answer.text).not.toContain('secret')
    expect(answer.json.message).toContain(answer.headers.get('x-request-id'))
  })

  test('calls of an address without a session or key are limited, with the time to wait', async () => {
    const limited = await startTestGateway({ limits: { anonymousPerAddress: { perSecond: 1, burst: 2 } } })
    const statuses = [] as number[]
    for (let count = 0; count < 3; count += 1) statuses.push((await limited.call('GET', '/api/v1/markets')).status)
    const refused = await limited.call('GET', '/api/v1/markets')
    const live = await limited.call('GET', '/livez')
    await limited.gateway.stop()
    expect(statuses).toEqual([200, 200, 429])
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1)
    expect(live.status).toBe(200)
  })

  test('more requests than the bound under way are refused UNAVAILABLE', async () => {
    const full = await startTestGateway({ limits: { requestsInFlightMax: 0 } })
    const refused = await full.call('GET', '/livez')
    await full.gateway.stop()
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1'])
  })
})

describe('stopping', () => {
  test('a request under way is answered, the next connection is refused', async () => {
    const stopping = await startTestGateway()
    const { cookie } = await stopping.signUp()
    const begun = Promise.withResolvers<void>()
    const held = Promise.withResolvers<void>()
    const find = stopping.views.find
    stopping.views.find = async (model, query) => {
      begun.resolve()
      await held.promise
      return find(model, query)
    }
    const running = stopping.call('GET', '/api/v1/trades', { cookie })
    await begun.promise
    const stopped = stopping.gateway.stop()
    await stopping.clock.sleep(20)
    held.resolve()
    expect((await running).status).toBe(200)
    await stopped
    await expect(fetch(`${stopping.gateway.url}/livez`)).rejects.toThrow()
    expect(await stopping.gateway.stop()).toBeUndefined()
  })
})
