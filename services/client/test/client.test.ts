import { describe, expect, test } from '@jest/globals'
import { createBourseClient, type BourseClientOptions } from '../src/client.ts'
import { BourseRefusal } from '../src/refusal.ts'
import { randomKey } from '../src/environment.ts'

interface Call {
  readonly url: string
  readonly method: string
  readonly headers: Headers
  readonly body: unknown
}

type Answer = (() => Response | Promise<Response>) | Response

const json = (status: number, body: unknown, headers: Record<string, string> = {}): Response =>
  new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json', ...headers } })

const engine = (data: unknown): Response =>
  json(200, { success: true, orderId: 'o', latency: 1, engineResponse: { status: 'success', data, message: 'done' } })

const lost = (): never => {
  throw new TypeError('fetch failed')
}

/** A client over answers given in turn; waiting takes no time and is written down. */
const begin = (answers: readonly Answer[], options: Partial<BourseClientOptions> = {}) => {
  const calls: Call[] = []
  const waits: number[] = []
  let keys = 0
  const client = createBourseClient({
    baseUrl: 'https://bourse.test',
    fetch: async (request) => {
      request.signal.throwIfAborted()
      const text = await request.clone().text()
      const body: unknown = text === '' ? null : JSON.parse(text)
      calls.push({ url: request.url, method: request.method, headers: request.headers, body })
      const answer = answers[calls.length - 1]
      if (answer === undefined) throw new Error('one call too many')
      return typeof answer === 'function' ? answer() : answer
    },
    random: () => 1,
    makeKey: () => `key-${(keys += 1)}`,
    schedule: (delayMs, task) => {
      waits.push(delayMs)
      queueMicrotask(task)
      return () => undefined
    },
    ...options,
  })
  return { client, calls, waits }
}

const refusalOf = async (call: Promise<unknown>): Promise<BourseRefusal> => {
  const caught = await call.then(
    () => new Error('it succeeded'),
    (error: unknown) => error,
  )
  if (!(caught instanceof BourseRefusal)) throw caught
  return caught
}

const OPEN = { asset: 'BTC_USDC', direction: 'LONG', margin: '100.5', leverage: 10 } as const
const keysOf = (calls: readonly Call[]): (string | null)[] =>
  calls.map(({ headers }) => headers.get('x-idempotency-key'))

describe('a refusal', () => {
  test('of the plain envelope is thrown with its code, words, status, request id and time to wait', async () => {
    const answer = json(
      429,
      { success: false, errorCode: 'RATE_LIMITED', message: 'slow down' },
      { 'retry-after': '7', 'x-request-id': 'r1' },
    )
    const refusal = await refusalOf(begin([answer]).client.GET('/api/v1/markets'))
    expect(refusal).toMatchObject({
      code: 'RATE_LIMITED',
      message: 'slow down',
      status: 429,
      retryAfterSeconds: 7,
      requestId: 'r1',
      isUnknown: false,
    })
  })

  test("of the engine's envelope is read too, and names the key it was given", async () => {
    const said = { errorCode: 'INSUFFICIENT_FUNDS', message: 'too little' }
    const answer = json(422, {
      success: false,
      orderId: 'o',
      latency: 3,
      ...said,
      engineResponse: { status: 'error', data: null, ...said },
    })
    const refusal = await refusalOf(begin([answer]).client.engine.createTrade(OPEN))
    expect(refusal).toMatchObject({ code: 'INSUFFICIENT_FUNDS', status: 422, idempotencyKey: 'key-1' })
  })

  test.each([
    ['an error page', () => new Response('<html>bad gateway</html>', { status: 502 })],
    ['a success that is no JSON', () => new Response('<html>sign in to the hotel</html>', { status: 200 })],
    ['JSON of somebody else', () => json(500, { error: 'oops' })],
  ])('of %s is UNREADABLE', async (_, answer) => {
    const refusal = await refusalOf(begin([answer]).client.GET('/api/v1/markets'))
    expect(refusal).toMatchObject({ code: 'UNREADABLE', isUnknown: true, status: answer().status })
  })

  test('without an answer is UNREACHABLE, and so is one that does not come in time', async () => {
    expect(await refusalOf(begin([lost]).client.GET('/api/v1/markets'))).toMatchObject({
      code: 'UNREACHABLE',
      status: 0,
    })
    const hangs = createBourseClient({
      baseUrl: 'https://bourse.test',
      timeoutMs: 20,
      fetch: (request) =>
        new Promise((_, reject) => {
          const keepAlive = setTimeout(() => reject(new Error('never')), 10_000)
          request.signal.addEventListener('abort', () => {
            clearTimeout(keepAlive)
            reject(request.signal.reason as Error)
          })
        }),
    })
    expect(await refusalOf(hangs.GET('/api/v1/markets'))).toMatchObject({
      code: 'UNREACHABLE',
      message: 'no answer within 20 ms',
    })
  })

  test('is not what a caller gets who ends the call: that is the reason they gave', async () => {
    const { client } = begin([engine({})])
    const reason = new Error('the page was left')
    const signal = AbortSignal.abort(reason)
    await expect(client.GET('/api/v1/markets', { signal })).rejects.toBe(reason)
    await expect(client.engine.createTrade(OPEN, { signal })).rejects.toBe(reason)
  })
})

describe('a command', () => {
  test('whose answers are lost is repeated with the same key and body until one comes', async () => {
    const { client, calls, waits } = begin([
      lost,
      () => new Response('proxy', { status: 502 }),
      json(503, { success: false, errorCode: 'UNAVAILABLE', message: 'starting' }, { 'retry-after': '2' }),
      engine({ tradeId: 't1' }),
    ])
    expect(await client.engine.createTrade(OPEN)).toEqual({ tradeId: 't1' })
    expect(keysOf(calls)).toEqual(['key-1', 'key-1', 'key-1', 'key-1'])
    expect(calls.map(({ body }) => body)).toEqual(calls.map(() => ({ command: 'CREATE_TRADE', ...OPEN })))
    expect(waits).toEqual([250, 500, 2_000])
  })

  test('is given up after four attempts as unknown, with the key to go on with', async () => {
    const { client, calls } = begin([lost, lost, lost, lost])
    const refusal = await refusalOf(client.engine.closeTrade({ tradeId: 't1' }))
    expect(refusal).toMatchObject({ code: 'UNREACHABLE', isUnknown: true, idempotencyKey: 'key-1' })
    expect(calls).toHaveLength(4)
    const again = begin([engine({ tradeId: 't1' })])
    await again.client.engine.closeTrade({ tradeId: 't1' }, { idempotencyKey: refusal.idempotencyKey! })
    expect(keysOf(again.calls)).toEqual(['key-1'])
  })

  test.each([
    ['an envelope without anything in it', () => json(200, { success: true, engineResponse: null })],
    ['nothing', () => new Response(null, { status: 204 })],
    ['a list', () => json(200, [])],
    ['a refusal with a good status', () => json(200, { success: false, errorCode: 'X', message: 'y' })],
  ])('that is answered with %s is asked for again with its key', async (_, answer) => {
    const { client, calls } = begin([answer, engine({ tradeId: 't1' })])
    expect(await client.engine.createTrade(OPEN)).toEqual({ tradeId: 't1' })
    expect(keysOf(calls)).toEqual(['key-1', 'key-1'])
  })

  test('that a caller ends while it waits to ask again throws the reason that they gave, whatever it is', async () => {
    for (const reason of [new Error('the page was left'), 'left', { code: 7 }]) {
      const ended = new AbortController()
      const { client, calls } = begin([lost], {
        schedule: () => {
          queueMicrotask(() => ended.abort(reason))
          return () => undefined
        },
      })
      await expect(client.engine.createTrade(OPEN, { signal: ended.signal })).rejects.toBe(reason)
      expect(calls).toHaveLength(1)
    }
  })

  test('that was refused is not repeated, and the next one has a key of its own', async () => {
    const no = () => json(409, { success: false, errorCode: 'PRICE_MOVED', message: 'moved' })
    const { client, calls } = begin([no, no])
    for (const _ of [1, 2]) expect((await refusalOf(client.engine.createTrade(OPEN))).code).toBe('PRICE_MOVED')
    expect(keysOf(calls)).toEqual(['key-1', 'key-2'])
  })

  test('that leaves a price as it is does not send it, one that takes it away sends null', async () => {
    const { client, calls } = begin([engine({}), engine({})])
    await client.engine.updateTrade({ tradeId: 't1', stopLossPrice: null })
    await client.engine.updateTrade({ tradeId: 't1', takeProfitPrice: '10.5' })
    expect(calls.map(({ body }) => body)).toEqual([
      { command: 'UPDATE_TRADE', tradeId: 't1', stopLossPrice: null },
      { command: 'UPDATE_TRADE', tradeId: 't1', takeProfitPrice: '10.5' },
    ])
  })

  test('that only reads carries no key and is not repeated', async () => {
    const { client, calls } = begin([lost])
    expect((await refusalOf(client.engine.balance())).code).toBe('UNREACHABLE')
    expect(keysOf(calls)).toEqual([null])
  })
})

describe('secrets', () => {
  test("go where they belong: a bank's key never to administration, the token nowhere else", async () => {
    const ok = () => json(200, { success: true, data: [] })
    const { client, calls } = begin([ok, ok, ok], { apiKey: () => 'bank-key', adminToken: () => 'token' })
    await client.GET('/api/v1/admin/partitions')
    await client.GET('/api/v1/users/{bankUserId}/accounts', { params: { path: { bankUserId: 'u/1' } } })
    await client.GET('/api/v1/markets')
    expect(calls.map(({ headers }) => [headers.get('x-api-key'), headers.get('authorization')])).toEqual([
      [null, 'Bearer token'],
      ['bank-key', null],
      ['bank-key', null],
    ])
    expect(calls[1]?.url).toBe('https://bourse.test/api/v1/users/u%2F1/accounts')
  })
})

describe('a key', () => {
  test('is a version 4 UUID, and another each time', () => {
    const keys = Array.from({ length: 200 }, randomKey)
    expect(new Set(keys).size).toBe(200)
    for (const key of keys) expect(key).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  })
})
