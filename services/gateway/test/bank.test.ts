import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { ok, refuse } from '@bourse/common/errors/codes.ts'
import { httpStatusOf } from '@bourse/common/errors/http.ts'
import { bankErrorClasses, bankErrorOf } from '../src/bank/errors.ts'
import { bankTransaction } from './support/clients.ts'
import { API_KEY, bank, startTestGateway, type BankChange, type TestGateway } from './support/gateway.ts'

let platform: TestGateway

beforeAll(async () => {
  platform = await startTestGateway()
})
afterAll(() => platform.gateway.stop())

const buyBody = { bankUserId: 'user_123', amount: '100.00', currency: 'AZN' }
const keyed = (key: string = randomUUID()) => ({ 'x-idempotency-key': key })
const buy = (body: unknown = buyBody, headers: Readonly<Record<string, string>> = keyed()) =>
  platform.bankCall('POST', '/api/v1/trade/buy', body, headers)

describe('trades', () => {
  test("a buy is answered 201 with the contract's fields and reaches the bridge in units", async () => {
    const bought = await buy({ ...buyBody, amount: 100.0, quoteId: 'q_1' })
    expect(bought.status).toBe(201)
    expect(bought.json).toEqual({
      success: true,
      data: {
        transactionId: 'tx_1',
        status: 'COMPLETED',
        cryptoAmount: '58.47',
        cryptoCurrency: 'USDT',
        exchangeRate: '1.7100',
      },
    })
    expect(platform.bridge.calls.at(-1)).toMatchObject({
      bank: 'demo',
      side: 'BUY',
      amount: 10_000_000_000n,
      currency: 'AZN',
      quoteId: 'q_1',
    })
  })

  test('the same key gets the same answer once done; another body, or another call, is a conflict', async () => {
    const key = randomUUID()
    const first = await buy(buyBody, keyed(key))
    const before = platform.bridge.calls.length
    expect((await buy({ ...buyBody, amount: '100.0' }, keyed(key.toUpperCase()))).text).toBe(first.text)
    expect(platform.bridge.calls).toHaveLength(before)
    for (const conflict of [
      await buy({ ...buyBody, amount: '100.01' }, keyed(key)),
      await platform.bankCall('POST', '/api/v1/trade/sell', buyBody, keyed(key)),
      await platform.bankCall('POST', '/api/v1/deposits', { ...buyBody, reference: 'r' }, keyed(key)),
    ])
      expect([conflict.status, conflict.json.errorCode]).toEqual([409, 'IDEMPOTENCY_CONFLICT'])
  })

  test('a recorded refusal is answered word for word, and what is not at its end 202', async () => {
    const body = { success: false, errorCode: 'BANK_DECLINED', message: 'the bank said no' }
    platform.bridge.control.trade = ok(bankTransaction({ status: 'FAILED', answer: { status: 422, body } }))
    const declined = await buy()
    platform.bridge.control.trade = 'pending'
    const pending = await buy()
    platform.bridge.control.trade = ok(bankTransaction())
    expect([declined.status, declined.json]).toEqual([422, body])
    expect([pending.status, pending.json]).toEqual([
      202,
      { success: true, data: { transactionId: 'tx_1', status: 'PENDING' } },
    ])
  })

  test('a refusal before acceptance has its status and the time to wait', async () => {
    platform.bridge.control.trade = refuse('UNAVAILABLE', 'the bridge is starting', 3)
    const refused = await buy()
    platform.bridge.control.trade = ok(bankTransaction())
    expect([refused.status, refused.json, refused.headers.get('retry-after')]).toEqual([
      503,
      { success: false, errorCode: 'UNAVAILABLE', message: 'the bridge is starting' },
      '3',
    ])
  })

  test.each([
    ['no key', buyBody, {}, 'x-idempotency-key is missing'],
    ['a key that is no UUID', buyBody, { 'x-idempotency-key': 'urn:uuid:nope' }, 'x-idempotency-key'],
    ['1e400', '{"bankUserId":"u","amount":1e400,"currency":"AZN"}', keyed(), "'1e400'"],
    ['nine decimals', { ...buyBody, amount: '0.000000001' }, keyed(), 'at most 8'],
    ['a negative amount', { ...buyBody, amount: '-1' }, keyed(), 'more than zero'],
    ['a zero amount', { ...buyBody, amount: '0.00' }, keyed(), 'more than zero'],
    ['an amount that is an object', { ...buyBody, amount: {} }, keyed(), 'amount'],
    ['a lower-case currency', { ...buyBody, currency: 'azn' }, keyed(), 'currency "azn"'],
    ['an empty customer', { ...buyBody, bankUserId: '' }, keyed(), 'bankUserId'],
    ['a field nobody knows', { ...buyBody, price: '1' }, keyed(), 'price is not known'],
    ['malformed JSON', '{', keyed(), 'not JSON'],
  ])('%s is refused and never reaches the bridge', async (_name, body, headers, words) => {
    const before = platform.bridge.calls.length
    const refused = await buy(body, headers)
    expect([refused.status, refused.json.errorCode]).toEqual([400, 'VALIDATION_ERROR'])
    expect(refused.json.message).toContain(words)
    expect(platform.bridge.calls).toHaveLength(before)
  })
})

describe('keys', () => {
  test('a missing, unknown or expired key is refused, a new one works at once', async () => {
    const withKey = (key: string) => platform.call('GET', '/api/v1/events', { headers: { 'x-api-key': key } })
    await platform.addKey('demo', 'expired-key', Date.now() - 1)
    expect((await withKey(API_KEY)).status).toBe(200)
    for (const key of ['', 'unknown', 'expired-key', 'x'.repeat(5_000)]) {
      const refused = await withKey(key)
      expect([refused.status, refused.json.errorCode]).toEqual([401, 'UNAUTHENTICATED'])
    }
    await platform.addKey('demo', 'rotated-key', Date.now() + 3_600_000)
    expect((await withKey('rotated-key')).status).toBe(200)
  })

  test('guessing keys is limited per address, a valid key is not', async () => {
    const guarded = await startTestGateway({ limits: { failedKeysPerAddress: { perSecond: 0.01, burst: 2 } } })
    const statuses: number[] = []
    for (let guess = 0; guess < 3; guess += 1) {
      statuses.push(
        (await guarded.call('GET', '/api/v1/events', { headers: { 'x-api-key': `guess ${guess}` } })).status,
      )
    }
    const valid = await guarded.bankCall('GET', '/api/v1/events')
    await guarded.gateway.stop()
    expect([statuses, valid.status]).toEqual([[401, 401, 429], 200])
  })

  test('a suspended bank, a foreign address and too many requests are refused', async () => {
    const other = await startTestGateway()
    const change = (fields: BankChange) => {
      other.banks[0] = bank('demo', fields)
    }
    change({ state: 'Suspended' })
    const suspended = await other.bankCall('GET', '/api/v1/events')
    change({ allowedCidrs: ['10.0.0.0/8', '2001:db8::/32'] })
    const foreign = await other.bankCall('GET', '/api/v1/events')
    change({ allowedCidrs: ['127.0.0.0/8'], requestsPerSecond: 1 })
    const first = await other.bankCall('GET', '/api/v1/events')
    const second = await other.bankCall('GET', '/api/v1/events')
    await other.gateway.stop()
    expect([suspended.status, suspended.json.errorCode]).toEqual([403, 'BANK_SUSPENDED'])
    expect([foreign.status, foreign.json.errorCode]).toEqual([403, 'FORBIDDEN'])
    expect([first.status, second.status, second.json.errorCode, second.headers.get('retry-after')]).toEqual([
      200,
      429,
      'RATE_LIMITED',
      '1',
    ])
  })

  test('every code of the contract has its class, and every class its status', () => {
    for (const [code, Class] of Object.entries(bankErrorClasses)) {
      const error = bankErrorOf({ code: code as keyof typeof bankErrorClasses, message: 'm' })
      expect(error).toBeInstanceOf(Class)
      expect(error.name).toBe(Class.name)
      expect(httpStatusOf[error.code]).toBeGreaterThanOrEqual(400)
    }
  })
})

describe('around the trade', () => {
  test('quotes are given and taken back', async () => {
    const quote = await platform.bankCall('POST', '/api/v1/quotes', {
      bankUserId: 'u',
      side: 'BUY',
      amount: '100',
      currency: 'AZN',
    })
    expect([quote.status, quote.json]).toEqual([
      201,
      {
        quoteId: 'q_1',
        side: 'BUY',
        price: '1.7100',
        cryptoAmount: '58.47',
        fiatAmount: '100.00',
        expiresAt: new Date(1_700_000_010_000).toISOString(),
      },
    ])
    expect((await platform.bankCall('DELETE', '/api/v1/quotes/q_1')).status).toBe(200)
    expect((await platform.bankCall('DELETE', '/api/v1/quotes/q_2')).json.errorCode).toBe('QUOTE_NOT_FOUND')
  })

  test('deposits and withdrawals need a reference and are answered 201', async () => {
    const body = { bankUserId: 'u', amount: '5', currency: 'AZN' }
    expect((await platform.bankCall('POST', '/api/v1/deposits', body, keyed())).json.message).toContain(
      'reference is missing',
    )
    const done = await platform.bankCall('POST', '/api/v1/withdrawals', { ...body, reference: 'r-1' }, keyed())
    expect([done.status, done.json]).toEqual([
      201,
      { success: true, data: { transactionId: 'tx_2', status: 'COMPLETED' } },
    ])
  })

  test("accounts and transactions are the bank's own; others are 404", async () => {
    expect((await platform.bankCall('GET', '/api/v1/users/user_123/accounts')).json).toEqual([
      { currency: 'AZN', balance: '100.00', lockedBalance: '0.00', version: 3 },
    ])
    expect((await platform.bankCall('GET', '/api/v1/users/stranger/accounts')).status).toBe(404)
    expect((await platform.bankCall('GET', '/api/v1/transactions/tx_1')).json).toMatchObject({
      id: 'tx_1',
      feeAmount: '1.50',
      entries: [{ amount: '-100.00' }],
    })
    await platform.addKey('other', 'other-key')
    expect(
      (await platform.call('GET', '/api/v1/transactions/tx_1', { headers: { 'x-api-key': 'other-key' } })).status,
    ).toBe(404)
  })

  test('"did it happen?" is asked by key; the list carries asOf', async () => {
    const key = randomUUID()
    expect((await platform.bankCall('GET', `/api/v1/transactions?idempotencyKey=${key}`)).json.idempotencyKey).toBe(key)
    expect((await platform.bankCall('GET', '/api/v1/transactions?idempotencyKey=x')).status).toBe(400)
    expect((await platform.bankCall('GET', '/api/v1/transactions?limit=2')).json).toMatchObject({
      nextCursor: null,
      asOf: new Date(1_700_000_000_000).toISOString(),
    })
  })

  test('the statement is JSON or CSV, and a cell never runs in a spreadsheet', async () => {
    const path = '/api/v1/statement?from=2026-01-01&to=2026-02-01T00:00:00Z'
    const json = await platform.bankCall('GET', path)
    expect(json.json).toMatchObject({
      from: '2026-01-01T00:00:00.000Z',
      to: '2026-02-01T00:00:00.000Z',
      spreadEarned: [{ currency: 'AZN', amount: '1.50' }],
    })
    const csv = await platform.bankCall('GET', path, undefined, { accept: 'text/csv' })
    expect(csv.headers.get('content-type')).toContain('text/csv')
    expect(csv.text.split('\r\n')).toEqual([
      'record,createdAt,id,transactionId,accountId,bankUserId,type,currency,amount,balanceAfter',
      'opening,2026-01-01T00:00:00.000Z,,,,,,AZN,,0.00',
      "entry,2026-01-01T00:00:00.000Z,0:1:0,tx_1,a,'=cmd|x,DEPOSIT,AZN,100.00,100.00",
      'closing,2026-02-01T00:00:00.000Z,,,,,,AZN,,100.00',
      'spread,2026-02-01T00:00:00.000Z,,,,,,AZN,1.50,',
      '',
    ])
  })

  test.each([
    '/api/v1/statement',
    '/api/v1/statement?from=yesterday',
    '/api/v1/statement?from=2026-02-01&to=2026-01-01',
    '/api/v1/statement?from=2020-01-01&to=2026-01-01',
  ])('%s is refused', async (path) => {
    expect((await platform.bankCall('GET', path)).json.errorCode).toBe('VALIDATION_ERROR')
  })

  test('events are read again after a sequence', async () => {
    expect((await platform.bankCall('GET', '/api/v1/events')).json.events).toHaveLength(1)
    expect((await platform.bankCall('GET', '/api/v1/events?after=1')).json.events).toEqual([])
  })
})
