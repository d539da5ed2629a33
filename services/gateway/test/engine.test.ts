import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { startTestGateway, type TestGateway } from './support/gateway.ts'

let platform: TestGateway
let cookie: string

const UNIT = 100_000_000n
const trade = { command: 'CREATE_TRADE', asset: 'BTC_USDC', direction: 'LONG', margin: '1000', leverage: 10 }

beforeAll(async () => {
  platform = await startTestGateway({ limits: { perUser: { perSecond: 10_000, burst: 10_000 } } })
  ;({ cookie } = await platform.signUp())
  await platform.engine(cookie, { command: 'CREATE_ACCOUNT' })
  platform.prices.publish({
    symbol: 'BTC_USDC',
    feedBid: 101_000n * UNIT,
    feedAsk: 101_000n * UNIT,
    last: 101_000n * UNIT,
    exchangeTimeMs: 0,
    receiveTimeMs: 0,
    sequence: 1,
  })
})
afterAll(() => platform.gateway.stop())

describe('commands', () => {
  test('opening an account gives the demo balance once and says the second time that it was open', async () => {
    const user = await platform.signUp()
    const first = await platform.engine(user.cookie, { command: 'CREATE_ACCOUNT' })
    expect(first.status).toBe(200)
    expect(first.json).toMatchObject({
      success: true,
      engineResponse: { status: 'success', data: { accountId: user.userId, asset: 'USDC', openedBefore: false } },
    })
    expect(first.json.latency).toBeGreaterThanOrEqual(0)
    const second = await platform.engine(user.cookie, { command: 'CREATE_ACCOUNT' })
    expect(second.json.engineResponse?.data?.['openedBefore']).toBe(true)
    expect((await platform.engine(user.cookie, { command: 'GET_BALANCE' })).json.engineResponse?.data).toEqual({
      balances: [{ asset: 'USDC', available: '10000', locked: '0' }],
      trades: [],
    })
  })

  test('a trade reaches the engine in units, whichever way its numbers were written', async () => {
    const sent =
      '{"command":"CREATE_TRADE","asset":"BTC_USDC","direction":"SHORT",' +
      '"margin":0.1,"leverage":"50","stopLossPrice":110000.12345678,"takeProfitPrice":"9e4"}'
    const refused = await platform.engine(cookie, sent)
    expect(refused.json.message).toContain('takeProfitPrice')
    const before = platform.trading.requests.length
    const done = await platform.engine(cookie, sent.replace('"9e4"', '9.0e4'))
    expect(done.status).toBe(200)
    expect(platform.trading.requests).toHaveLength(before + 1)
    expect(platform.trading.requests.at(-1)).toMatchObject({
      direction: 'SHORT',
      margin: 10_000_000n,
      leverage: 50,
      stopLossPrice: 11_000_012_345_678n,
      takeProfitPrice: 90_000n * UNIT,
      worstPrice: null,
    })
    expect(done.json.engineResponse?.data).toMatchObject({
      margin: '0.1',
      leverage: 50,
      stopLossPrice: '110000.12345678',
      direction: 'SHORT',
    })
  })

  test('open trades are valued at the price their side closes at', async () => {
    const user = await platform.signUp()
    await platform.engine(user.cookie, { command: 'CREATE_ACCOUNT' })
    await platform.engine(user.cookie, trade)
    platform.trading.control.reads.length = 0
    const balance = await platform.engine(user.cookie, { command: 'GET_BALANCE' })
    // bid = 101000 × (1 − 2/20000) = 100989.90; 0.1 × (100989.90 − 100000)
    expect((balance.json.engineResponse?.data as unknown as { trades: object[] }).trades[0]).toMatchObject({
      pnl: '98.99',
      entryPrice: '100000',
      liquidationPrice: '90400',
    })
    expect(platform.trading.control.reads).toEqual(['balances', 'trades', 'balances'])
    expect((await platform.engine(user.cookie, { command: 'GET_USD_BALANCE' })).json.engineResponse?.data).toEqual({
      available: '9000',
      locked: '1000',
      unrealizedPnl: '98.99',
      equity: '10098.99',
    })
  })

  test('an account with nothing locked is read from the ledger alone: it can have no trade', async () => {
    const user = await platform.signUp()
    await platform.engine(user.cookie, { command: 'CREATE_ACCOUNT' })
    platform.trading.control.reads.length = 0
    const balance = await platform.engine(user.cookie, { command: 'GET_BALANCE' })
    expect(balance.json.engineResponse?.data).toMatchObject({ trades: [] })
    expect(platform.trading.control.reads).toEqual(['balances'])
  })

  test('equity is refused while an asset has no price, and the balance then shows no pnl', async () => {
    const user = await platform.signUp()
    await platform.engine(user.cookie, { command: 'CREATE_ACCOUNT' })
    await platform.engine(user.cookie, { ...trade, asset: 'ETH_USDC' })
    const usd = await platform.engine(user.cookie, { command: 'GET_USD_BALANCE' })
    expect([usd.status, usd.json.errorCode]).toEqual([503, 'PRICE_STALE'])
    const balance = await platform.engine(user.cookie, { command: 'GET_BALANCE' })
    expect((balance.json.engineResponse?.data as unknown as { trades: object[] }).trades[0]).toMatchObject({
      pnl: null,
    })
  })

  test('a trade closes with what it earned', async () => {
    const opened = await platform.engine(cookie, trade)
    const tradeId = (opened.json.engineResponse?.data as unknown as { tradeId: string }).tradeId
    const closed = await platform.engine(cookie, { command: 'CLOSE_TRADE', tradeId })
    expect(closed.json.engineResponse?.data).toMatchObject({
      tradeId,
      exitPrice: '101000',
      pnl: '100',
      fees: '10',
      returned: '1095',
      reason: 'USER',
    })
    const stranger = await platform.signUp()
    const refused = await platform.engine(stranger.cookie, { command: 'CLOSE_TRADE', tradeId })
    expect([refused.status, refused.json.errorCode]).toEqual([404, 'TRADE_NOT_FOUND'])
  })
})

describe('an update of a trade', () => {
  const opened = async (): Promise<string> => {
    const answer = await platform.engine(cookie, { ...trade, stopLossPrice: '99000', takeProfitPrice: '120000' })
    return (answer.json.engineResponse?.data as unknown as { tradeId: string }).tradeId
  }
  const sent = (tradeId: string, prices: object, headers: Record<string, string> = {}) =>
    platform.engine(cookie, { command: 'UPDATE_TRADE', tradeId, ...prices }, headers)

  test('leaves what is absent, takes away what is null, sets what is given, and answers the open trade', async () => {
    const tradeId = await opened()
    const first = await sent(tradeId, { stopLossPrice: 98_000.5 })
    expect([first.status, first.json.engineResponse?.message]).toEqual([200, 'Trade updated'])
    expect(first.json.engineResponse?.data).toMatchObject({
      tradeId,
      stopLossPrice: '98000.5',
      takeProfitPrice: '120000',
    })
    expect(platform.trading.updates.at(-1)).toMatchObject({
      tradeId,
      stopLossPrice: 9_800_050_000_000n,
      takeProfitPrice: undefined,
    })
    const second = await sent(tradeId, { stopLossPrice: null, takeProfitPrice: '130000' })
    expect(second.json.engineResponse?.data).toMatchObject({ stopLossPrice: null, takeProfitPrice: '130000' })
  })

  test('that changes nothing is refused, with what to give', async () => {
    const before = platform.trading.updates.length
    const refused = await sent(await opened(), {})
    expect([refused.status, refused.json.errorCode]).toEqual([400, 'VALIDATION_ERROR'])
    expect(refused.json.message).toContain('give stopLossPrice, takeProfitPrice or both (null takes one away)')
    for (const prices of [
      { stopLossPrice: 0 },
      { takeProfitPrice: '-1' },
      { stopLossPrice: '9e99' },
      { worstPrice: 1 },
    ])
      expect((await sent('trade_1', prices)).status).toBe(400)
    expect(platform.trading.updates).toHaveLength(before)
  })

  test('with a key is done once; absent and null are two requests', async () => {
    const tradeId = await opened()
    const headers = { 'x-idempotency-key': randomUUID() }
    const before = platform.trading.updates.length
    const first = await sent(tradeId, { stopLossPrice: '98000' }, headers)
    const again = await sent(tradeId, { stopLossPrice: 98_000 }, headers)
    expect(again.json.engineResponse).toEqual(first.json.engineResponse)
    expect(again.json.orderId).toBe(first.json.orderId)
    expect(platform.trading.updates).toHaveLength(before + 1)
    const other = await sent(tradeId, { stopLossPrice: '98000', takeProfitPrice: null }, headers)
    expect([other.status, other.json.errorCode]).toEqual([409, 'IDEMPOTENCY_CONFLICT'])
  })

  test('of another user’s trade is not found', async () => {
    const stranger = await platform.signUp()
    const body = { command: 'UPDATE_TRADE', tradeId: await opened(), stopLossPrice: '98000' }
    expect((await platform.engine(stranger.cookie, body)).json.errorCode).toBe('TRADE_NOT_FOUND')
  })
})

describe('idempotency keys', () => {
  test('a repeated key gets the first answer, order id included, and trades once', async () => {
    const key = randomUUID()
    const before = platform.trading.requests.length
    const first = await platform.engine(cookie, trade, { 'x-idempotency-key': key })
    const second = await platform.engine(
      cookie,
      { ...trade, margin: 1000, leverage: '10' },
      { 'x-idempotency-key': key.toUpperCase() },
    )
    expect(second.json.engineResponse).toEqual(first.json.engineResponse)
    expect(second.json.orderId).toBe(first.json.orderId)
    expect(platform.trading.requests).toHaveLength(before + 1)
  })

  test("the same key with other fields is a conflict, and another user's same key is not", async () => {
    const key = randomUUID()
    await platform.engine(cookie, trade, { 'x-idempotency-key': key })
    const conflict = await platform.engine(cookie, { ...trade, leverage: 11 }, { 'x-idempotency-key': key })
    expect([conflict.status, conflict.json.errorCode]).toEqual([409, 'IDEMPOTENCY_CONFLICT'])
    const other = await platform.signUp()
    expect((await platform.engine(other.cookie, { ...trade, leverage: 11 }, { 'x-idempotency-key': key })).status).toBe(
      200,
    )
  })

  test('two calls without a key are two trades', async () => {
    const before = platform.trading.requests.length
    await platform.engine(cookie, trade)
    await platform.engine(cookie, trade)
    expect(platform.trading.requests).toHaveLength(before + 2)
  })

  test('a key that is no UUID is refused', async () => {
    const refused = await platform.engine(cookie, trade, { 'x-idempotency-key': 'abc' })
    expect([refused.status, refused.json.errorCode]).toEqual([400, 'VALIDATION_ERROR'])
    expect(refused.json.message).toContain('x-idempotency-key "abc"')
  })
})

describe('refusals', () => {
  test.each([
    ['malformed JSON', '{"command":', 'not JSON'],
    ['an empty body', ' ', 'not JSON'],
    ['a body that is no object', '[]', 'must be'],
    ['NaN', '{"command":"CREATE_TRADE","asset":"BTC_USDC","direction":"LONG","margin":NaN,"leverage":10}', 'not JSON'],
    ['a name given twice', '{"command":"GET_BALANCE","command":"GET_BALANCE"}', 'twice'],
    ['a prototype', '{"command":"GET_BALANCE","__proto__":{}}', '__proto__'],
    ['an unknown command', { command: 'WITHDRAW' }, 'command "WITHDRAW" is not known'],
    ['no command', {}, 'command'],
    ['a field nobody knows', { ...trade, stopLoss: '1' }, 'stopLoss is not known'],
    ['a missing field', { ...trade, margin: undefined }, 'margin is missing'],
    ['a wrong type', { ...trade, margin: true }, 'margin true must be of type'],
    [
      '1e400',
      '{"command":"CREATE_TRADE","asset":"BTC_USDC","direction":"LONG","margin":1e400,"leverage":10}',
      "margin: '1e400'",
    ],
    ['"NaN" as text', { ...trade, margin: 'NaN' }, "margin: 'NaN'"],
    ['21 digits', { ...trade, margin: '1234567890123.12345678' }, "margin: '1234567890123.12345678' is too large"],
    ['nine decimals', { ...trade, margin: '1.123456789' }, 'at most 8'],
    ['a negative margin', { ...trade, margin: '-1' }, 'margin "-1" must be more than zero'],
    ['a zero margin', { ...trade, margin: 0 }, 'margin 0 must be more than zero'],
    ['more than trading can count', { ...trade, margin: '99999999999' }, 'margin 99999999999 is too large'],
    ['leverage 0', { ...trade, leverage: 0 }, 'leverage 0 must be a whole number'],
    ['leverage 1.5', { ...trade, leverage: 1.5 }, 'leverage 1.5 must be a whole number'],
    [
      "leverage of a float's last digit",
      '{"command":"CREATE_TRADE","asset":"BTC_USDC","direction":"LONG","margin":1,"leverage":10.00000001}',
      'leverage 10.00000001',
    ],
    ['a zero stop', { ...trade, stopLossPrice: '0' }, 'stopLossPrice "0" must be more than zero'],
    ['an unknown asset', { ...trade, asset: 'DOGE_USDC' }, 'use one of BTC_USDC, ETH_USDC'],
    ['an unknown direction', { ...trade, direction: 'UP' }, 'direction "UP" is not one of LONG, SHORT'],
    ['a trade id that is no text', { command: 'CLOSE_TRADE', tradeId: 7 }, 'tradeId 7'],
  ])('%s is refused with field, value and remedy, and nothing is ordered', async (_name, body, words) => {
    const before = platform.trading.requests.length
    const refused = await platform.engine(cookie, body)
    expect([refused.status, refused.json.errorCode]).toEqual([400, 'VALIDATION_ERROR'])
    expect(refused.json.message).toContain(words)
    expect(refused.json.engineResponse).toMatchObject({
      status: 'error',
      errorCode: 'VALIDATION_ERROR',
      message: refused.json.message,
    })
    expect(platform.trading.requests).toHaveLength(before)
  })

  test.each([
    ['LEVERAGE_TOO_HIGH', 400],
    ['INVALID_STOP_LOSS', 400],
    ['MARKET_HALTED', 409],
    ['PRICE_MOVED', 409],
    ['WOULD_LIQUIDATE', 409],
    ['INSUFFICIENT_FUNDS', 422],
    ['TOO_MANY_TRADES', 422],
    ['EXPOSURE_LIMIT', 422],
    ['PRICE_STALE', 503],
    ['UNAVAILABLE', 503],
    ['ENGINE_FAULT', 503],
  ] as const)('%s of the engine is answered %i with code and message at both levels', async (code, status) => {
    platform.trading.control.refusal = { code, message: 'why, and what to do' }
    const refused = await platform.engine(cookie, trade)
    platform.trading.control.refusal = null
    expect(refused.status).toBe(status)
    expect(refused.json).toMatchObject({
      success: false,
      errorCode: code,
      message: 'why, and what to do',
      engineResponse: { status: 'error', errorCode: code },
    })
    expect(refused.headers.get('retry-after')).toBe(code === 'UNAVAILABLE' ? '1' : null)
  })

  test("without a session the engine's own envelope says so", async () => {
    const refused = await platform.call('POST', '/api/v1/engine', { body: trade })
    expect([refused.status, refused.json.errorCode]).toEqual([401, 'UNAUTHENTICATED'])
    expect(refused.json.orderId).toMatch(/^[0-9a-f-]{36}$/)
  })

  test('production gives nothing away and marks the cookie Secure', async () => {
    const production = await startTestGateway({ config: { profile: 'production' } })
    try {
      const up = await production.call('POST', '/api/v1/auth/signup', {
        body: { email: 'a@example.com', password: 'correct horse' },
      })
      expect(up.headers.get('set-cookie')).toMatch(/^authToken=.*; HttpOnly; SameSite=Lax; Secure;/)
      await production.engine(production.cookieOf(up), { command: 'CREATE_ACCOUNT' })
      expect(production.ledger.grants).toEqual([0n])
    } finally {
      await production.gateway.stop()
    }
  })
})
