import { request } from 'node:http'
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

const order = { symbol: 'AZNUSDT', side: 'BUY', quantity: '50.00', type: 'MARKET', clientOrderId: 'tx_1' }
const fault = (kind: string, more: object = {}): object => ({ faults: [{ on: 'order', kind, count: 1, ...more }] })
const logOf = async (): Promise<Record<string, unknown>[]> =>
  (await exchange.call('GET', '/control/log?after=0')).body as Record<string, unknown>[]
const ordersOf = async (): Promise<unknown[]> => (await exchange.call('GET', '/control/orders')).body as unknown[]
const control = async (body: object): Promise<void> => {
  expect((await exchange.call('PUT', '/control', body)).status).toBe(200)
}

/** Sends an order that may be left; resolves with the error that ended it. */
const send = (signal?: AbortSignal): Promise<unknown> =>
  fetch(`${exchange.url()}/order`, {
    method: 'POST',
    body: JSON.stringify(order),
    ...(signal === undefined ? {} : { signal }),
  }).then(
    (response) => response.status,
    (error: unknown) => (error as Error).name,
  )
const logged = async (count: number): Promise<void> => {
  while ((await logOf()).length < count) await exchange.clock.sleep(10)
}
/** Sends an order and leaves without an answer once it has been the log's entry number `count` for a while. */
const leave = async (count: number): Promise<unknown> => {
  const leaving = new AbortController()
  const sent = send(leaving.signal)
  await logged(count)
  await exchange.clock.sleep(100)
  leaving.abort()
  return sent
}

describe('faults', () => {
  test('reject refuses in the order form, once, and buys nothing; the id stays rejected', async () => {
    await control(fault('reject'))
    const reply = await exchange.call('POST', '/order', order)
    expect(reply).toEqual({
      status: 200,
      body: { orderId: 'ex_1', status: 'REJECTED', reason: 'REJECTED_BY_EXCHANGE' },
    })
    expect(await exchange.call('GET', '/order?clientOrderId=tx_1')).toEqual(reply)
    expect(await exchange.call('POST', '/order', order)).toEqual(reply)
    expect((await exchange.call('POST', '/order', { ...order, clientOrderId: 'tx_2' })).body).toMatchObject({
      status: 'FILLED',
    })
  })

  test('reject does not change an order that was filled before', async () => {
    const first = await exchange.call('POST', '/order', order)
    await control(fault('reject'))
    expect(await exchange.call('POST', '/order', order)).toEqual(first)
  })

  test('reject of ticker and order-status is a refusal that is no 404', async () => {
    await control({
      faults: [
        { on: 'ticker', kind: 'reject' },
        { on: 'order-status', kind: 'reject' },
      ],
    })
    expect(await exchange.call('GET', '/ticker?symbol=AZNUSDT')).toMatchObject({
      status: 422,
      body: { code: 'REJECTED' },
    })
    expect(await exchange.call('GET', '/order?clientOrderId=x')).toMatchObject({
      status: 422,
      body: { code: 'REJECTED' },
    })
  })

  test('error answers 500 and buys nothing', async () => {
    await control(fault('error'))
    expect((await exchange.call('POST', '/order', order)).status).toBe(500)
    expect(await ordersOf()).toEqual([])
  })

  test('hang never answers, buys nothing, is logged without an answer, and does not hold up a stop', async () => {
    await control(fault('hang', { count: 2 }))
    expect(await leave(1)).toBe('AbortError')
    expect(await ordersOf()).toEqual([])
    expect(await logOf()).toMatchObject([{ path: '/order', body: order, answer: null }])
    const hanging = send()
    await logged(2)
    await exchange.restart()
    expect(await hanging).toBe('TypeError')
  })

  test('slow does the work on arrival and answers after ms', async () => {
    await control(fault('slow', { ms: 200 }))
    const over = exchange.clock.hold(200)
    let isAnswered = false
    const pending = exchange.call('POST', '/order', { ...order, validUntil: NOW_MS }).finally(() => (isAnswered = true))
    while ((await ordersOf()).length === 0) await exchange.clock.sleep(5)
    await exchange.clock.sleep(50)
    expect(isAnswered).toBe(false)
    over()
    expect((await pending).body).toMatchObject({ status: 'FILLED' })
  })

  test('a slow answer whose client left, or that a stop cuts, is work done', async () => {
    await control(fault('slow', { ms: 60_000, count: 2 }))
    expect(await leave(1)).toBe('AbortError')
    const pending = send()
    await logged(2)
    await exchange.restart()
    expect(await pending).toBe('TypeError')
    expect(await ordersOf()).toHaveLength(1)
  })

  test('drop does the work and cuts the connection', async () => {
    await control(fault('drop'))
    await expect(exchange.call('POST', '/order', order)).rejects.toThrow('fetch failed')
    expect((await exchange.call('GET', '/order?clientOrderId=tx_1')).body).toMatchObject({ status: 'FILLED' })
    expect((await logOf())[0]).toMatchObject({ path: '/order', answer: { status: 'FILLED' } })
  })

  test('twice with a clientOrderId buys once, without one twice', async () => {
    await control(fault('twice', { count: 2 }))
    await exchange.call('POST', '/order', order)
    expect(await ordersOf()).toHaveLength(1)
    const { clientOrderId: _, ...unnamed } = order
    expect((await exchange.call('POST', '/order', unnamed)).body).toMatchObject({ orderId: 'ex_2' })
    expect(await ordersOf()).toHaveLength(3)
    expect((await logOf()).map((entry) => (entry['answer'] as { orderId: string }).orderId)).toEqual([
      'ex_1',
      'ex_1',
      'ex_2',
      'ex_3',
    ])
  })

  test('count is used up by its own well-formed calls only; without count a fault lasts, also over a restart', async () => {
    await control({
      faults: [
        { on: 'order', kind: 'error', count: 1 },
        { on: 'ticker', kind: 'error' },
      ],
    })
    expect((await exchange.call('POST', '/order', { ...order, quantity: 'x' })).status).toBe(400)
    for (let index = 0; index < 3; index += 1) {
      expect((await exchange.call('GET', '/ticker?symbol=AZNUSDT')).status).toBe(500)
    }
    await exchange.restart()
    expect((await exchange.call('GET', '/ticker?symbol=AZNUSDT')).status).toBe(500)
    expect((await exchange.call('POST', '/order', order)).status).toBe(500)
    expect((await exchange.call('POST', '/order', order)).status).toBe(200)
    expect((await exchange.call('GET', '/control')).body).toMatchObject({ faults: [{ on: 'ticker', kind: 'error' }] })
  })

  test('faults of one call apply in the order of the list', async () => {
    await control({
      faults: [
        { on: 'order', kind: 'error', count: 1 },
        { on: 'order', kind: 'reject', count: 1 },
      ],
    })
    const statuses: unknown[] = []
    for (const clientOrderId of ['a', 'b', 'c']) {
      const { status, body } = await exchange.call('POST', '/order', { ...order, clientOrderId })
      statuses.push((body as { status?: string }).status ?? status)
    }
    expect(statuses).toEqual([500, 'REJECTED', 'FILLED'])
  })
})

describe('control', () => {
  test('faults replaces the whole list and a field left out changes nothing', async () => {
    await control({
      faults: [
        { on: 'order', kind: 'error' },
        { on: 'ticker', kind: 'error' },
      ],
      prices: { AAA: '1' },
    })
    await control({ prices: { BBB: '2.50' } })
    const faults = [
      { on: 'order', kind: 'error' },
      { on: 'ticker', kind: 'error' },
    ]
    expect((await exchange.call('GET', '/control')).body).toEqual({
      prices: { AAA: '1', AZNUSDT: '1.7050', BBB: '2.50' },
      fills: [],
      faults,
    })
    await control({ faults: [] })
    expect((await exchange.call('GET', '/control')).body).toMatchObject({ faults: [] })
  })

  test.each([
    ['an unknown field', { nothing: 1 }],
    ['an unknown call', { faults: [{ on: 'webhook', kind: 'error' }] }],
    ['an unknown kind', { faults: [{ on: 'order', kind: 'explode' }] }],
    ['count 0', { faults: [{ on: 'order', kind: 'error', count: 0 }] }],
    ['slow without ms', { faults: [{ on: 'order', kind: 'slow' }] }],
    ['ms on another kind', { faults: [{ on: 'order', kind: 'error', ms: 5 }] }],
    ['a price that is a number', { prices: { AZNUSDT: 1.7 } }],
    ['a zero price', { prices: { AZNUSDT: '0.0' } }],
    ['an impossible symbol', { prices: { 'azn/usdt': '1' } }],
    ['an empty fill', { fills: [{}] }],
    [
      'too many symbols',
      { prices: Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [`S${index}`, '1'])) },
    ],
  ])('%s is refused and nothing of the request is applied', async (_name, body) => {
    const before = await exchange.call('GET', '/control')
    const valid = { prices: { CCC: '3' }, faults: [{ on: 'ticker', kind: 'error' }] }
    expect(await exchange.call('PUT', '/control', { ...valid, ...body })).toMatchObject({
      status: 400,
      body: { code: 'INVALID_REQUEST' },
    })
    expect(await exchange.call('GET', '/control')).toEqual(before)
  })
})

describe('log', () => {
  test("has the contract's shape, survives a restart and goes on counting", async () => {
    await exchange.call('POST', '/order', order)
    await exchange.restart()
    await exchange.call('GET', '/ticker?symbol=AZNUSDT')
    expect(await logOf()).toEqual([
      {
        seq: 1,
        at: NOW_MS,
        method: 'POST',
        path: '/order',
        body: order,
        answer: { orderId: 'ex_1', status: 'FILLED', executedPrice: '1.7050', executedQty: '50.00' },
      },
      {
        seq: 2,
        at: NOW_MS,
        method: 'GET',
        path: '/ticker',
        body: { symbol: 'AZNUSDT' },
        answer: { symbol: 'AZNUSDT', price: '1.7050', timestamp: 1_715_000_000 },
      },
    ])
  })

  test('after and limit page through it, and a page that is no number is refused', async () => {
    await Promise.all(Array.from({ length: 10 }, () => exchange.call('GET', '/ticker?symbol=AZNUSDT')))
    const page = (await exchange.call('GET', '/control/log?after=3&limit=4')).body as { seq: number }[]
    expect(page.map((entry) => entry.seq)).toEqual([4, 5, 6, 7])
    expect((await exchange.call('GET', '/control/log?after=x')).status).toBe(400)
    expect((await exchange.call('GET', '/control/log?after=-1')).status).toBe(400)
  })
})

test('a client that leaves in the middle of its body leaves no trace and the next is served', async () => {
  const half = request(`${exchange.url()}/order`, { method: 'POST', headers: { 'content-length': 100 } })
  half.on('error', () => {
    half.destroy()
  })
  const closed = new Promise((resolve) => half.once('close', resolve))
  half.write('{"symbol":')
  await exchange.clock.sleep(50)
  half.destroy()
  await closed
  expect((await exchange.call('POST', '/order', order)).status).toBe(200)
  expect(await logOf()).toHaveLength(1)
})
