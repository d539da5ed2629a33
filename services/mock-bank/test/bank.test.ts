import { createHmac } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import {
  NOW_MS,
  startSimulatorHarness,
  type Reply,
  type SimulatorHarness,
} from '../../common/test/simulator/harness.ts'
import { startMockBank } from '../src/service.ts'

const OLD_SECRET = 'old-webhook-secret'
const SECRET = 'webhook-secret'

let bank: SimulatorHarness
beforeEach(async () => {
  bank = await startSimulatorHarness((options) => startMockBank({ ...options, webhookSecrets: [SECRET] }))
})
afterEach(async () => {
  await bank.stop()
})

const authorization = { transactionId: 'tx_1', bankUserId: 'user_1', type: 'BUY', amount: '100.00', currency: 'AZN' }
const event = {
  sequence: 1,
  id: 'ev_1',
  type: 'transaction.completed',
  createdAt: '2024-05-06T12:53:20.123Z',
  data: { transactionId: 'tx_1', cryptoAmount: '58.47' },
}
const sign = (body: string, secret: string, unixSeconds = 1_715_000_000): string =>
  createHmac('sha256', secret).update(`${unixSeconds}.${body}`).digest('hex')
const header = (...signatures: string[]): Record<string, string> => ({
  'x-bourse-signature': ['t=1715000000', ...signatures.map((signature) => `v1=${signature}`)].join(','),
})
const sendEvent = (told: object, secret = SECRET): Promise<Reply> => {
  const body = JSON.stringify(told)
  return bank.call('POST', '/webhooks', body, header(sign(body, secret)))
}
const eventsOf = async (): Promise<Record<string, unknown>[]> =>
  (await bank.call('GET', '/control/events')).body as Record<string, unknown>[]
const transactionOf = async (id: string): Promise<unknown> =>
  (await bank.call('GET', `/control/transactions/${id}`)).body
const logOf = async (): Promise<unknown[]> => (await bank.call('GET', '/control/log?after=0')).body as unknown[]
const control = async (body: object): Promise<void> => {
  expect((await bank.call('PUT', '/control', body)).status).toBe(200)
}
const acknowledged = (value: boolean): Reply => ({ status: 200, body: { acknowledged: value } })

describe('authorization and reversal', () => {
  test('an authorization is acknowledged and counted once per call, also after a restart', async () => {
    expect(await bank.call('POST', '/authorizations', authorization)).toEqual(acknowledged(true))
    await bank.restart()
    expect(await bank.call('POST', '/authorizations', authorization)).toEqual(acknowledged(true))
    expect(await transactionOf('tx_1')).toEqual({
      ...authorization,
      state: 'AUTHORIZED',
      authorizedAt: NOW_MS,
      authorizations: 2,
      reversedAt: null,
      reversals: 0,
    })
  })

  test('the same transactionId for something else is refused', async () => {
    await bank.call('POST', '/authorizations', authorization)
    expect(await bank.call('POST', '/authorizations', { ...authorization, amount: '100.01' })).toMatchObject({
      status: 409,
      body: { code: 'TRANSACTION_ID_REUSED' },
    })
  })

  test('a declined customer or transaction is told so and stays declined', async () => {
    await control({ decline: [{ bankUserId: 'user_1', count: 1 }, { transactionId: 'tx_2' }] })
    expect(await bank.call('POST', '/authorizations', authorization)).toEqual(acknowledged(false))
    await control({ decline: [{ transactionId: 'tx_2' }] })
    expect(await bank.call('POST', '/authorizations', authorization)).toEqual(acknowledged(false))
    const other = { ...authorization, bankUserId: 'user_2' }
    expect(await bank.call('POST', '/authorizations', { ...other, transactionId: 'tx_2' })).toEqual(acknowledged(false))
    expect(await bank.call('POST', '/authorizations', { ...other, transactionId: 'tx_3' })).toEqual(acknowledged(true))
    expect(await transactionOf('tx_1')).toMatchObject({ state: 'DECLINED', authorizations: 2 })
  })

  test('a reversal is acknowledged, twice as well as once', async () => {
    await bank.call('POST', '/authorizations', authorization)
    for (const _ of [1, 2]) {
      expect(await bank.call('POST', '/reversals', { transactionId: 'tx_1' })).toEqual(acknowledged(true))
    }
    expect(await transactionOf('tx_1')).toMatchObject({ state: 'REVERSED', authorizations: 1, reversals: 2 })
  })

  test('a reversal of an id never seen is acknowledged, and the authorization that arrives after it is not', async () => {
    expect(await bank.call('POST', '/reversals', { transactionId: 'tx_1' })).toEqual(acknowledged(true))
    expect(await bank.call('POST', '/authorizations', authorization)).toEqual(acknowledged(false))
    expect(await transactionOf('tx_1')).toMatchObject({ state: 'REVERSED', authorizations: 1, reversals: 1 })
  })

  test.each([
    ['a number as amount', { amount: 100 }],
    ['a negative amount', { amount: '-1' }],
    ['no customer', { bankUserId: '' }],
    ['a deposit', { type: 'DEPOSIT' }],
    ['an unknown field', { more: 1 }],
  ])('%s is refused and leaves no transaction', async (_name, change) => {
    expect((await bank.call('POST', '/authorizations', { ...authorization, ...change })).status).toBe(400)
    expect((await bank.call('GET', '/control/transactions/tx_1')).status).toBe(404)
  })
})

describe('webhooks', () => {
  test('a signed event is kept in order of receipt and its repeats are counted, also over a restart', async () => {
    expect(await sendEvent({ ...event, id: 'ev_2', sequence: 2 })).toEqual(acknowledged(true))
    expect(await sendEvent(event)).toEqual(acknowledged(true))
    await bank.restart()
    expect(await sendEvent(event)).toEqual(acknowledged(true))
    expect(await eventsOf()).toEqual([
      { ...event, id: 'ev_2', sequence: 2, receipt: 1, receivedAt: NOW_MS, duplicates: 0 },
      { ...event, receipt: 2, receivedAt: NOW_MS, duplicates: 1 },
    ])
    expect((await bank.call('GET', '/control/events?after=1&limit=1')).body).toMatchObject([{ id: 'ev_1' }])
  })

  test('one of two signatures is enough while a secret is rotated, on either side', async () => {
    const body = JSON.stringify(event)
    const both = header(sign(body, OLD_SECRET), sign(body, SECRET))
    expect((await bank.call('POST', '/webhooks', body, both)).status).toBe(200)
    await control({ webhookSecrets: [OLD_SECRET, 'newest-secret'] })
    expect((await bank.call('POST', '/webhooks', body, both)).status).toBe(200)
    expect((await sendEvent(event, SECRET)).status).toBe(401)
    expect((await bank.call('GET', '/control')).body).toMatchObject({ webhookSecrets: 2 })
  })

  test('the signature is over the bytes as they came', async () => {
    const body = JSON.stringify(event, undefined, 2)
    expect((await bank.call('POST', '/webhooks', body, header(sign(body, SECRET)))).status).toBe(200)
    const compact = JSON.stringify(event)
    expect((await bank.call('POST', '/webhooks', compact, header(sign(body, SECRET)))).status).toBe(401)
  })

  const body = JSON.stringify(event)
  const good = sign(body, SECRET)
  test.each([
    ['none', {}],
    ['of another secret', header(sign(body, OLD_SECRET))],
    ['of another time', header(sign(body, SECRET, 1_715_000_001))],
    ['cut short', header(good.slice(0, 62))],
    ['that is no hex', header('z'.repeat(64))],
    ['without a time', { 'x-bourse-signature': `v1=${good}` }],
    ['among three', header(good, good, good)],
  ])('a signature %s is a 401, logged and not kept', async (_name, headers) => {
    expect(await bank.call('POST', '/webhooks', body, headers)).toMatchObject({
      status: 401,
      body: { code: 'BAD_SIGNATURE' },
    })
    expect(await eventsOf()).toEqual([])
    expect(await logOf()).toMatchObject([{ path: '/webhooks', body: event, answer: { code: 'BAD_SIGNATURE' } }])
  })

  test('the same event id with another content is refused', async () => {
    await sendEvent(event)
    for (const change of [{ sequence: 2 }, { data: {} }, { type: 'transaction.failed' }]) {
      expect(await sendEvent({ ...event, ...change })).toMatchObject({ status: 409, body: { code: 'EVENT_ID_REUSED' } })
    }
    expect(await eventsOf()).toMatchObject([{ sequence: 1, duplicates: 0 }])
  })
})

describe('faults', () => {
  const faults = (on: string, kind: string, more: object = {}): Promise<void> =>
    control({ faults: [{ on, kind, count: 1, ...more }] })

  test("reject is the contract's refusal on each call and its work is not done", async () => {
    await faults('authorization', 'reject')
    expect(await bank.call('POST', '/authorizations', authorization)).toEqual(acknowledged(false))
    expect(await transactionOf('tx_1')).toMatchObject({ state: 'DECLINED' })
    await faults('reversal', 'reject')
    expect(await bank.call('POST', '/reversals', { transactionId: 'tx_1' })).toEqual(acknowledged(false))
    expect(await transactionOf('tx_1')).toMatchObject({ reversals: 0 })
    await faults('webhook', 'reject')
    expect((await sendEvent(event)).status).toBe(422)
    expect(await eventsOf()).toEqual([])
  })

  test('error leaves nothing, drop does the work, twice does it twice', async () => {
    await faults('authorization', 'error')
    expect((await bank.call('POST', '/authorizations', authorization)).status).toBe(500)
    expect((await bank.call('GET', '/control/transactions/tx_1')).status).toBe(404)
    await faults('authorization', 'drop')
    await expect(bank.call('POST', '/authorizations', authorization)).rejects.toThrow('fetch failed')
    expect(await transactionOf('tx_1')).toMatchObject({ state: 'AUTHORIZED', authorizations: 1 })
    await faults('webhook', 'twice')
    expect(await sendEvent(event)).toEqual(acknowledged(true))
    expect(await eventsOf()).toMatchObject([{ duplicates: 1 }])
  })

  test('hang does not do the work and slow does it before it answers', async () => {
    await faults('reversal', 'hang')
    const leaving = new AbortController()
    const hanging = fetch(`${bank.url()}/reversals`, {
      method: 'POST',
      body: JSON.stringify({ transactionId: 'tx_1' }),
      signal: leaving.signal,
    })
    while ((await logOf()).length === 0) await bank.clock.sleep(5)
    await bank.clock.sleep(100)
    leaving.abort()
    await expect(hanging).rejects.toThrow('aborted')
    expect((await bank.call('GET', '/control/transactions/tx_1')).status).toBe(404)
    await faults('webhook', 'slow', { ms: 100 })
    const over = bank.clock.hold(100)
    let isAnswered = false
    const pending = sendEvent(event).finally(() => (isAnswered = true))
    while ((await eventsOf()).length === 0) await bank.clock.sleep(5)
    await bank.clock.sleep(50)
    expect(isAnswered).toBe(false)
    over()
    expect(await pending).toEqual(acknowledged(true))
  })

  test('a fault of the exchange, two ways to decline in one rule and prices are refused', async () => {
    for (const body of [
      { faults: [{ on: 'order', kind: 'error' }] },
      { decline: [{ bankUserId: 'a', transactionId: 'b' }] },
      { decline: [{ count: 1 }] },
      { prices: { AZNUSDT: '1' } },
      { webhookSecrets: [''] },
    ])
      expect((await bank.call('PUT', '/control', body)).status).toBe(400)
  })
})
