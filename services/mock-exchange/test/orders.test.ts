import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { NOW_MS, type SimulatorHarness } from '../../common/test/simulator/harness.ts'
import { startExchangeHarness } from './exchangeHarness.ts'

let exchange: SimulatorHarness
beforeEach(async () => {
  exchange = await startExchangeHarness()
})
afterEach(async () => {
  await exchange.stop()
})

const order = { symbol: 'AZNUSDT', side: 'BUY', quantity: '50.00', type: 'MARKET' }
const ordersOf = async (): Promise<unknown[]> => (await exchange.call('GET', '/control/orders')).body as unknown[]

describe('ticker', () => {
  test('AZNUSDT starts at 1.7050 and the timestamp is in seconds', async () => {
    expect(await exchange.call('GET', '/ticker?symbol=AZNUSDT')).toEqual({
      status: 200,
      body: { symbol: 'AZNUSDT', price: '1.7050', timestamp: 1_715_000_000 },
    })
  })

  test('a price that was set is answered as the text it was set as, also after a restart', async () => {
    await exchange.call('PUT', '/control', { prices: { AZNUSDT: '1.6847', EURUSDT: '0.92000' } })
    await exchange.restart()
    expect((await exchange.call('GET', '/ticker?symbol=AZNUSDT')).body).toMatchObject({ price: '1.6847' })
    expect((await exchange.call('GET', '/ticker?symbol=EURUSDT')).body).toMatchObject({ price: '0.92000' })
  })

  test('an unknown symbol and a missing one are refused', async () => {
    expect(await exchange.call('GET', '/ticker?symbol=XXXUSDT')).toMatchObject({
      status: 400,
      body: { code: 'UNKNOWN_SYMBOL' },
    })
    for (const query of ['', '?symbol=', '?symbol=A&symbol=B', '?symbol=AZNUSDT&more=1']) {
      expect(await exchange.call('GET', `/ticker${query}`)).toMatchObject({
        status: 400,
        body: { code: 'INVALID_REQUEST' },
      })
    }
  })
})

describe('order', () => {
  test('a market order is filled at the ticker price with the decimals of its quantity', async () => {
    const reply = await exchange.call('POST', '/order', order)
    expect(reply).toEqual({
      status: 200,
      body: { orderId: 'ex_1', status: 'FILLED', executedPrice: '1.7050', executedQty: '50.00' },
    })
  })

  test('a repeated clientOrderId gets the first answer and buys nothing, also after a price change and a restart', async () => {
    const first = await exchange.call('POST', '/order', { ...order, clientOrderId: 'tx_1', validUntil: NOW_MS + 5_000 })
    await exchange.call('PUT', '/control', { prices: { AZNUSDT: '9.9999' } })
    exchange.clock.setMs(NOW_MS + 60_000)
    await exchange.restart()
    const again = await exchange.call('POST', '/order', { ...order, clientOrderId: 'tx_1', validUntil: NOW_MS + 5_000 })
    expect(again).toEqual(first)
    expect(await exchange.call('GET', '/order?clientOrderId=tx_1')).toEqual(first)
    expect(await ordersOf()).toHaveLength(1)
  })

  test('concurrent orders with one clientOrderId buy once', async () => {
    const replies = await Promise.all(
      Array.from({ length: 20 }, () => exchange.call('POST', '/order', { ...order, clientOrderId: 'tx_race' })),
    )
    for (const reply of replies) expect(reply).toEqual(replies[0])
    expect(await ordersOf()).toHaveLength(1)
  })

  test.each([
    ['symbol', { symbol: 'EURUSDT' }],
    ['side', { side: 'SELL' }],
    ['quantity', { quantity: '50.01' }],
  ])('the same clientOrderId with another %s is refused and the first order stands', async (_name, change) => {
    await exchange.call('PUT', '/control', { prices: { EURUSDT: '0.9' } })
    await exchange.call('POST', '/order', { ...order, clientOrderId: 'tx_1' })
    expect(await exchange.call('POST', '/order', { ...order, ...change, clientOrderId: 'tx_1' })).toMatchObject({
      status: 409,
      body: { code: 'CLIENT_ORDER_ID_REUSED' },
    })
    expect(await ordersOf()).toHaveLength(1)
  })

  test('an order at validUntil is filled, one a millisecond later is rejected for good', async () => {
    const inTime = await exchange.call('POST', '/order', { ...order, validUntil: NOW_MS })
    expect(inTime.body).toMatchObject({ status: 'FILLED' })
    const late = await exchange.call('POST', '/order', { ...order, clientOrderId: 'tx_late', validUntil: NOW_MS - 1 })
    expect(late).toEqual({ status: 200, body: { orderId: 'ex_2', status: 'REJECTED', reason: 'EXPIRED' } })
    expect(await exchange.call('GET', '/order?clientOrderId=tx_late')).toEqual(late)
    expect(await exchange.call('POST', '/order', { ...order, clientOrderId: 'tx_late' })).toEqual(late)
  })

  test('an order that has not arrived is a 404', async () => {
    expect(await exchange.call('GET', '/order?clientOrderId=tx_none')).toMatchObject({
      status: 404,
      body: { code: 'ORDER_NOT_FOUND' },
    })
  })

  test('a fill rule changes price and quantity, never above what was ordered, as often as it says', async () => {
    await exchange.call('PUT', '/control', {
      fills: [
        { executedPrice: '1.80', executedQty: '20.5', count: 1 },
        { executedQty: '999', count: 1 },
      ],
    })
    const bodies: unknown[] = []
    for (let index = 0; index < 3; index += 1) bodies.push((await exchange.call('POST', '/order', order)).body)
    expect(bodies).toMatchObject([
      { executedPrice: '1.80', executedQty: '20.50' },
      { executedPrice: '1.7050', executedQty: '50.00' },
      { executedPrice: '1.7050', executedQty: '50.00' },
    ])
  })

  test.each([
    ['a quantity that is a number', { quantity: 50 }],
    ['a zero quantity', { quantity: '0.00' }],
    ['a negative quantity', { quantity: '-1' }],
    ['nine decimals', { quantity: '1.000000001' }],
    ['21 digits', { quantity: '1000000000000.00000000' }],
    ['an exponent', { quantity: '1e2' }],
    ['NaN', { quantity: 'NaN' }],
    ['a leading zero', { quantity: '050.00' }],
    ['a limit order', { type: 'LIMIT' }],
    ['an unknown side', { side: 'HOLD' }],
    ['a fractional validUntil', { validUntil: 1.5 }],
    ['an unknown field', { price: '1' }],
    ['an empty clientOrderId', { clientOrderId: '' }],
    ['no symbol', { symbol: undefined }],
  ])('%s is refused, logged, and leaves no order', async (_name, change) => {
    expect(await exchange.call('POST', '/order', { ...order, ...change })).toMatchObject({
      status: 400,
      body: { code: 'INVALID_REQUEST', message: expect.any(String) },
    })
    expect(await ordersOf()).toEqual([])
    expect((await exchange.call('GET', '/control/log?after=0')).body).toHaveLength(1)
  })

  test('a body that is no JSON, no object, no UTF-8 or too large is refused', async () => {
    for (const body of ['{"symbol":', '', '{"quantity": NaN}', '\u0000']) {
      expect(await exchange.call('POST', '/order', body)).toMatchObject({
        status: 400,
        body: { code: 'MALFORMED_JSON' },
      })
    }
    for (const body of ['[]', 'null', '"x"', '1e400', '{"__proto__": {"symbol": "AZNUSDT"}}']) {
      expect(await exchange.call('POST', '/order', body)).toMatchObject({
        status: 400,
        body: { code: 'INVALID_REQUEST' },
      })
    }
    const invalid = await fetch(`${exchange.url()}/order`, { method: 'POST', body: new Uint8Array([0x22, 0xff, 0x22]) })
    expect(await invalid.json()).toMatchObject({ code: 'MALFORMED_JSON' })
    const padded = (bytes: number): string => JSON.stringify(order).padEnd(bytes, ' ')
    expect((await exchange.call('POST', '/order', padded(65_536))).status).toBe(200)
    expect(await exchange.call('POST', '/order', padded(65_537))).toMatchObject({
      status: 413,
      body: { code: 'BODY_TOO_LARGE' },
    })
  })

  test('an unknown path or method is a 404', async () => {
    expect((await exchange.call('GET', '/nothing')).status).toBe(404)
    expect((await exchange.call('DELETE', '/order')).status).toBe(404)
    expect((await exchange.call('GET', '/livez')).status).toBe(200)
  })
})
