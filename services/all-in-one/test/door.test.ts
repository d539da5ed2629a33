import { request } from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { API_KEY } from './support/bourse.ts'
import { call, newKey, type Answer } from './support/calls.ts'
import { bankClient, dataOf, engineData, type TradeBody } from './support/clients.ts'
import { LIMIT_MS } from './support/limits.ts'
import { insist, lasting } from './support/load.ts'
import { expectRefusal, withoutTrace } from './support/refusal.ts'
import { CUSTOMER, startWorld, type World } from './support/world.ts'

const BODY_BYTES_MAX = 4_096
/** Longer than the machine may stand still while a request is on its way. */
const REQUEST_TIMEOUT_MS = 8_000

describe('refusals at the door', () => {
  let world: World

  beforeAll(async () => {
    world = await startWorld({
      BOURSE_LIMIT_BODY_BYTES: String(BODY_BYTES_MAX),
      BOURSE_LIMIT_REQUEST_TIMEOUT_MS: String(REQUEST_TIMEOUT_MS),
    })
  }, LIMIT_MS)
  afterAll(() => world.stop())

  const bank = () => bankClient(world.bourse.url)
  const open = (fields: object, key?: string): Promise<Answer> =>
    world.trader.open({ asset: 'BTC_USDC', margin: '100', leverage: 10, ...fields }, key)

  test('a key that is no UUID, missing where it must be, or used for something else is refused', async () => {
    const send = (headers: Record<string, string>, body: object, path = 'deposits'): Promise<Answer> =>
      withoutTrace(world, () =>
        call(`${world.bourse.url}/api/v1/${path}`, { body, headers: { 'x-api-key': API_KEY, ...headers } }),
      )
    const body = { bankUserId: CUSTOMER, amount: '5.00', currency: 'AZN', reference: 'r' }
    expectRefusal(await send({}, body), '400 VALIDATION_ERROR', /x-idempotency-key is missing/)
    expectRefusal(
      await send({ 'x-idempotency-key': 'abc' }, body),
      '400 VALIDATION_ERROR',
      /x-idempotency-key "abc".*UUID/,
    )
    expectRefusal(
      await withoutTrace(world, () => open({}, 'abc')),
      '400 VALIDATION_ERROR',
      /x-idempotency-key "abc".*UUID/,
    )

    const key = newKey()
    dataOf(await insist(() => bank().deposit(CUSTOMER, '5.00', key)))
    const other = await send({ 'x-idempotency-key': key }, { ...body, amount: '6.00', reference: 'salary' })
    expectRefusal(other, '409 IDEMPOTENCY_CONFLICT', /key/)
    const elsewhere = await send(
      { 'x-idempotency-key': key },
      { bankUserId: CUSTOMER, amount: '5.00', currency: 'AZN' },
      'trade/buy',
    )
    expectRefusal(elsewhere, '409 IDEMPOTENCY_CONFLICT', /key/)
    const tradeKey = newKey()
    const opened = await insist(() => open({}, tradeKey))
    expectRefusal(await withoutTrace(world, () => open({ margin: '101' }, tradeKey)), '409 IDEMPOTENCY_CONFLICT', /key/)
    expect(lasting(await open({ margin: '100.00' }, tradeKey))).toBe(lasting(opened))
    engineData(await world.trader.close(engineData<TradeBody>(opened).tradeId))
  })

  test('without a key, with a wrong one, without a session or with a forged one nobody gets in', async () => {
    const buy = { bankUserId: CUSTOMER, amount: '10.00', currency: 'AZN' }
    for (const key of ['', 'x', `${API_KEY}x`, API_KEY.toUpperCase()]) {
      const answer = await withoutTrace(world, () => bankClient(world.bourse.url, key).post('/trade/buy', buy))
      expectRefusal(
        answer,
        '401 UNAUTHENTICATED',
        /API key is missing, unknown or expired; send a valid one in x-api-key/,
      )
    }
    const forged = `${world.trader.cookie.slice(0, -4)}AAAA`
    for (const cookie of ['', 'authToken=abc', forged]) {
      const answer = await call(`${world.bourse.url}/api/v1/engine`, {
        body: { command: 'GET_BALANCE' },
        headers: { cookie },
      })
      expectRefusal(answer, '401 UNAUTHENTICATED', /sign in/)
    }
    const admin = await call(`${world.bourse.url}/api/v1/admin/partitions`, {
      headers: { authorization: 'Bearer guess' },
    })
    expectRefusal(admin, '401 UNAUTHENTICATED', /admin token/)
  })

  test(
    'a body over the limit and a body that never ends are refused, and the platform goes on',
    async () => {
      const large = JSON.stringify({ command: 'GET_BALANCE', note: 'x'.repeat(BODY_BYTES_MAX) })
      expectRefusal(
        await withoutTrace(world, () => world.trader.raw(large)),
        '413 PAYLOAD_TOO_LARGE',
        /more than 4096 bytes; send less/,
      )
      const slow = await slowPost(`${world.bourse.url}/api/v1/engine`, world.trader.cookie)
      expect(slow).toMatch(/408|REQUEST_TIMEOUT|cut/)
      engineData(await world.trader.engine({ command: 'GET_BALANCE' }))
    },
    LIMIT_MS,
  )
})

/** Sends a body byte by byte, never to its end; resolves with the status and body that came, or `cut`. */
const slowPost = (url: string, cookie: string): Promise<string> =>
  new Promise((resolve) => {
    const headers = { cookie, 'content-type': 'application/json', 'content-length': '1000' }
    const sending = request(url, { method: 'POST', headers })
    const drip = setInterval(() => sending.write(' '), 100)
    const end = (text: string): void => {
      clearInterval(drip)
      sending.destroy()
      resolve(text)
    }
    sending.on('response', (response) => {
      let text = `${response.statusCode} `
      response.setEncoding('utf8').on('data', (part: string) => (text += part))
      response.on('end', () => end(text))
    })
    sending.on('error', () => end('cut'))
  })
