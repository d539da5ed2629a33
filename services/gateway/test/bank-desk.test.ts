import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { refuse } from '@bourse/common/errors/codes.ts'
import { API_KEY, bank, startTestGateway, type TestGateway } from './support/gateway.ts'

const DAY_MS = 86_400_000
const UNIT = 100_000_000n

let platform: TestGateway

beforeAll(async () => {
  platform = await startTestGateway()
  const demo = bank('demo', { requestsPerSecond: 50 })
  const pair = {
    symbol: 'AZNUSDT',
    baseAsset: 'USDT',
    quoteAsset: 'AZN',
    spreadBps: 150n * UNIT,
    minAmount: UNIT,
    maxAmount: 100_000n * UNIT,
    tickSize: 10_000n,
    lotSize: 1_000_000n,
  }
  const limits = { ...demo.spec.limits, dailyAmount: 1_000n * UNIT }
  platform.banks[0] = { ...demo, spec: { ...demo.spec, displayName: 'Demo Bank', pairs: [pair], limits } }
})
afterAll(() => platform.gateway.stop())

describe('the calling bank', () => {
  test('sees its terms, what is used of its limits, and the age of its key', async () => {
    const bornMs = platform.clock.nowMs() - 3 * DAY_MS - 1_000
    await platform.addKey('demo', 'a key of a known age', bornMs + 90 * DAY_MS, bornMs)
    const { status, json } = await platform.call('GET', '/api/v1/bank', {
      headers: { 'x-api-key': 'a key of a known age' },
    })
    expect(status).toBe(200)
    expect(json).toEqual({
      name: 'demo',
      displayName: 'Demo Bank',
      state: 'Active',
      pairs: [
        {
          symbol: 'AZNUSDT',
          baseAsset: 'USDT',
          quoteAsset: 'AZN',
          spreadBps: '150',
          minAmount: '1',
          maxAmount: '100000',
          tickSize: '0.0001',
          lotSize: '0.01',
        },
      ],
      quotes: { ttlSeconds: 10, slippageBps: '50' },
      limits: {
        requestsPerSecond: 50,
        dailyAmount: '1000.00',
        dailyAmountPerCustomer: null,
        currency: 'AZN',
        usedToday: '125.50',
        day: '2026-01-31',
      },
      key: {
        createdAt: new Date(bornMs).toISOString(),
        expiresAt: new Date(bornMs + 90 * DAY_MS).toISOString(),
        ageDays: 3,
        rotateAfterDays: 90,
      },
      asOf: expect.any(String),
    })
  })

  test('sees no date of a key of which none was noted', async () => {
    const { json } = await platform.bankCall('GET', '/api/v1/bank')
    expect(json.key).toEqual({ createdAt: null, expiresAt: null, ageDays: null, rotateAfterDays: 90 })
  })

  test('is refused while the machine does not know it, and without its key', async () => {
    const { control } = platform.bridge
    const before = control.dayUse
    control.dayUse = refuse('UNAVAILABLE', 'the bank is not known here yet; try again', 1)
    const refused = await platform.bankCall('GET', '/api/v1/bank')
    control.dayUse = before
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1'])
    for (const path of ['/api/v1/bank', '/api/v1/users']) expect((await platform.call('GET', path)).status).toBe(401)
  })
})

describe("a bank's customers", () => {
  test('come page by page, each once', async () => {
    const first = await platform.bankCall('GET', '/api/v1/users?limit=2')
    expect(first.json).toEqual({
      customers: [
        { bankUserId: 'anna', kycLevel: 1, createdAt: '2023-11-14T22:13:20.000Z' },
        { bankUserId: 'bela', kycLevel: 1, createdAt: '2023-11-14T22:13:20.000Z' },
      ],
      nextCursor: 'bela',
      asOf: '2023-11-14T22:13:20.000Z',
    })
    const second = await platform.bankCall('GET', '/api/v1/users?limit=2&cursor=bela')
    expect([second.json.customers, second.json.nextCursor]).toEqual([
      [expect.objectContaining({ bankUserId: 'cyrus' })],
      null,
    ])
  })

  test("are not another bank's", async () => {
    await platform.addKey('other', 'the key of the other bank')
    const headers = { 'x-api-key': 'the key of the other bank' }
    expect((await platform.call('GET', '/api/v1/users', { headers })).json.customers).toEqual([])
    expect(
      (await platform.call('GET', '/api/v1/users', { headers: { 'x-api-key': API_KEY } })).json.customers,
    ).toHaveLength(3)
  })

  test('refuse a page of nothing or of too many', async () => {
    for (const limit of [0, 201, 'all'])
      expect((await platform.bankCall('GET', `/api/v1/users?limit=${limit}`)).status).toBe(400)
  })
})

describe('events once more', () => {
  const path = '/api/v1/events/redelivery'
  const keyed = (key: string = randomUUID()) => ({ 'x-idempotency-key': key })

  test('are taken on with what is sent, once for each key', async () => {
    const key = randomUUID()
    const first = await platform.bankCall('POST', path, { from: 2, to: 4 }, keyed(key))
    expect([first.status, first.json]).toEqual([202, { success: true, data: { from: 2, to: 4, count: 3 } }])
    expect(platform.bridge.calls.at(-1)).toMatchObject({ bank: 'demo', from: 2, to: 4 })
    const before = platform.bridge.calls.length
    expect((await platform.bankCall('POST', path, { to: 4, from: 2 }, keyed(key.toUpperCase()))).text).toBe(first.text)
    expect(platform.bridge.calls).toHaveLength(before)
    const other = await platform.bankCall('POST', path, { from: 2 }, keyed(key))
    expect([other.status, other.json.errorCode]).toEqual([409, 'IDEMPOTENCY_CONFLICT'])
    expect((await platform.bankCall('POST', path, { from: 3 }, keyed())).json.data).toEqual({
      from: 3,
      to: 5,
      count: 3,
    })
  })

  test('are refused when they are not there, are no sequences, or come without a key', async () => {
    const refused = await platform.bankCall('POST', path, { from: 9 }, keyed())
    expect([refused.status, refused.json.errorCode]).toEqual([404, 'NOT_FOUND'])
    for (const body of [{}, { from: 0 }, { from: 1.5 }, { from: '1' }, { from: 1, to: 0 }, { from: 1, all: true }])
      expect((await platform.bankCall('POST', path, body, keyed())).status).toBe(400)
    expect((await platform.bankCall('POST', path, { from: 1 })).status).toBe(400)
    expect((await platform.call('POST', path, { body: { from: 1 }, headers: keyed() })).status).toBe(401)
  })
})
