import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { parseAmount } from '@bourse/common/money/amount.ts'
import type { Result } from '@bourse/common/errors/codes.ts'
import { isSigned } from '../../mock-bank/src/signature.ts'
import { signatureOf } from '../src/adapters/bank-http.ts'
import { askDayUse } from '../src/client/day-use.ts'
import { orderAndWait } from '../src/client/orders.ts'
import { orderRedelivery } from '../src/client/redelivery.ts'
import type { BankOutcome, BankTransaction } from '../src/client/types.ts'
import { startLive, type Live } from './live.ts'
import { BRIDGE } from './world.ts'

// The clock of these tests is theirs; how long they take is not judged.
jest.setTimeout(120_000)

let live: Live
beforeEach(async () => {
  live = await startLive()
  await live.move('deposit')
  await live.quiet()
})
afterEach(async () => {
  await live.stop()
})

const finalOf = (result: Result<BankOutcome>): BankTransaction => {
  if (!result.ok) throw new Error(`${result.refusal.code}: ${result.refusal.message}`)
  if (result.value.kind !== 'final') throw new Error('pending')
  return result.value.transaction
}
const fault = (on: string, kind: string, more: object = { count: 1 }): object => ({ faults: [{ on, kind, ...more }] })
const balances = async (): Promise<unknown> => {
  const found = await live.client.accounts('demo', 'user_123')
  return found.ok
    ? Object.fromEntries(
        found.value.map(({ currency, balance, lockedBalance }) => [currency, `${balance}/${lockedBalance}`]),
      )
    : found.refusal
}
const expectBooksClosed = async (): Promise<void> => {
  await live.quiet()
  for (const sum of live.world.sums().values()) expect(sum).toBe(0n)
  expect(live.world.lockedAnywhere()).toBe(0n)
  const bought = (await live.orders())
    .filter((order) => order['status'] === 'FILLED')
    .reduce((sum, order) => sum + parseAmount(order['executedQty'] as string), 0n)
  expect(live.world.balance('exchange', 'USDT')[0]).toBe(-bought)
}

describe('A buy through the exchange and the bank', () => {
  test('completes with the contract’s example and the bank hears of it, signed and in order.', async () => {
    const transaction = finalOf(await live.trade('buy'))
    expect(transaction.answer?.body).toMatchObject({
      success: true,
      data: { cryptoAmount: '58.47', exchangeRate: '1.7100', status: 'COMPLETED' },
    })
    expect(await balances()).toEqual({ AZN: '900.00/0.00', USDT: '58.47/0.00' })
    await expectBooksClosed()
    const events = await live.bankEvents()
    expect(events.map((event) => [event['sequence'], event['type'], event['duplicates']])).toEqual([
      [1, 'deposit.completed', 0],
      [2, 'transaction.completed', 0],
    ])
    expect(events[1]?.['data']).toMatchObject({
      transactionId: transaction.transactionId,
      cryptoAmount: '58.47',
      feeAmount: '1.495591',
      bankUserId: 'user_123',
    })
    const [order] = await live.orders()
    expect(order).toMatchObject({ clientOrderId: transaction.transactionId, quantity: '58.47', side: 'BUY' })
    const again = finalOf(await live.trade('buy'))
    expect(again).toEqual(transaction)
    expect(await live.orders()).toHaveLength(1)
  })

  test.each([
    ['order', 'reject', 'INSUFFICIENT_LIQUIDITY'],
    ['ticker', 'error', 'INSUFFICIENT_LIQUIDITY'],
    ['ticker', 'hang', 'INSUFFICIENT_LIQUIDITY'],
    ['ticker', 'reject', 'INSUFFICIENT_LIQUIDITY'],
  ])('fails when the exchange answers %s with %s.', async (on, kind, code) => {
    await live.onExchange(fault(on, kind))
    expect(finalOf(await live.trade('buy'))).toMatchObject({ status: 'FAILED', errorCode: code, entries: [] })
    expect(await balances()).toEqual({ AZN: '1000.00/0.00' })
    await expectBooksClosed()
    expect((await live.orders()).filter((order) => order['status'] === 'FILLED')).toEqual([])
  })

  test.each(['drop', 'twice'])(
    'that the exchange does but answers with %s is found by asking and bought once.',
    async (kind) => {
      await live.onExchange(fault('order', kind))
      expect(finalOf(await live.trade('buy')).status).toBe('COMPLETED')
      await expectBooksClosed()
      expect(
        (await live.exchangeLog()).filter((call) => call['method'] === 'POST' && call['path'] === '/order'),
      ).toHaveLength(kind === 'twice' ? 2 : 1)
      expect(await live.orders()).toHaveLength(1)
    },
  )

  test('that the exchange answers late is found by asking.', async () => {
    await live.onExchange(fault('order', 'slow', { count: 1, ms: 2_000 }))
    expect(finalOf(await live.trade('buy')).status).toBe('COMPLETED')
    await expectBooksClosed()
  })

  test.each(['hang', 'error'])(
    'whose order is lost by %s fails once it can’t arrive any more, and is not sent again.',
    async (kind) => {
      await live.onExchange(fault('order', kind))
      const startedMs = live.clock.monotonicMs()
      expect(finalOf(await live.trade('buy'))).toMatchObject({ errorCode: 'INSUFFICIENT_LIQUIDITY' })
      expect(live.clock.monotonicMs() - startedMs).toBeGreaterThanOrEqual(5_000)
      expect(await live.orders()).toEqual([])
      expect(
        (await live.exchangeLog()).filter((call) => call['method'] === 'POST' && call['path'] === '/order'),
      ).toHaveLength(1)
      await expectBooksClosed()
    },
  )

  test('stays unknown while the exchange does not answer questions, and is resolved when it does.', async () => {
    await live.onExchange({
      faults: [
        { on: 'order', kind: 'drop', count: 1 },
        { on: 'order-status', kind: 'reject', count: 2 },
        { on: 'order-status', kind: 'error', count: 1 },
      ],
    })
    expect(finalOf(await live.trade('buy')).status).toBe('COMPLETED')
    await expectBooksClosed()
  })

  test('is declined by the bank, and the reversal is repeated until the bank hears it.', async () => {
    await live.onBank({
      decline: [{ bankUserId: 'user_123', count: 1 }],
      faults: [{ on: 'reversal', kind: 'error', count: 2 }],
    })
    const transaction = finalOf(await live.trade('buy'))
    expect(transaction).toMatchObject({ errorCode: 'BANK_DECLINED', answer: { status: 422 } })
    await expectBooksClosed()
    expect(await live.bankTransaction(transaction.transactionId)).toMatchObject({
      state: 'REVERSED',
      authorizations: 1,
      reversals: 1,
    })
    expect(await live.orders()).toEqual([])
  })

  test.each([
    ['error', 3, 'BANK_CONNECTION_ERROR'],
    ['hang', 3, 'BANK_CONNECTION_ERROR'],
    ['drop', 3, 'BANK_CONNECTION_ERROR'],
    ['error', 2, null],
    ['drop', 2, null],
  ])('asks a bank whose authorization meets %s %i times again, with the same id (%s).', async (kind, count, code) => {
    await live.onBank(fault('authorization', kind, { count }))
    const transaction = finalOf(await live.trade('buy'))
    expect(transaction.errorCode).toBe(code)
    await expectBooksClosed()
    expect(await live.orders()).toHaveLength(code === null ? 1 : 0)
    expect((await live.bankTransaction(transaction.transactionId))['state']).toBe(
      code === null ? 'AUTHORIZED' : 'REVERSED',
    )
  })

  test('fills in part or badly, and the customer gets what was promised.', async () => {
    await live.onExchange({ fills: [{ executedPrice: '1.9', executedQty: '30.00', count: 1 }] })
    expect(finalOf(await live.trade('buy')).status).toBe('COMPLETED')
    expect(await balances()).toEqual({ AZN: '900.00/0.00', USDT: '58.47/0.00' })
    await expectBooksClosed()
  })
})

describe('A quote', () => {
  const quote = async (): Promise<string> => {
    const made = await live.client.quote({
      bank: 'demo',
      bankUserId: 'user_123',
      side: 'BUY',
      amount: parseAmount('100'),
      currency: 'AZN',
    })
    if (!made.ok) throw new Error(made.refusal.message)
    expect(made.value).toMatchObject({ side: 'BUY', price: '1.7100', cryptoAmount: '58.47', fiatAmount: '100.00' })
    return made.value.quoteId
  }

  test('is used once by two requests at the same moment.', async () => {
    const quoteId = await quote()
    const both = await Promise.all(['a', 'b'].map((key) => live.trade(key, { quoteId })))
    expect(both.map((one) => finalOf(one).errorCode).sort()).toEqual(['QUOTE_USED', null])
    expect(await live.orders()).toHaveLength(1)
    expect(await live.client.cancelQuote('demo', quoteId)).toMatchObject({ ok: false, refusal: { code: 'QUOTE_USED' } })
  })

  test('taken back is not found, and a price that moved is SLIPPAGE.', async () => {
    const gone = await quote()
    expect(await live.client.cancelQuote('other', gone)).toMatchObject({
      ok: false,
      refusal: { code: 'QUOTE_NOT_FOUND' },
    })
    expect((await live.client.cancelQuote('demo', gone)).ok).toBe(true)
    expect(finalOf(await live.trade('gone', { quoteId: gone })).errorCode).toBe('QUOTE_NOT_FOUND')
    const quoteId = await quote()
    await live.onExchange({ prices: { AZNUSDT: '1.7000' } })
    expect(finalOf(await live.trade('slipped', { quoteId })).errorCode).toBe('SLIPPAGE')
  })
})

describe('The client', () => {
  test('answers an old key from the view when the machine has forgotten it, and a conflict as one.', async () => {
    const transaction = finalOf(await live.trade('buy'))
    await live.quiet()
    await live.project()
    live.world.machine().apply([], BigInt(live.clock.nowMs()) + 700_000n, 1)
    expect(finalOf(await live.trade('buy'))).toEqual(transaction)
    expect(await live.trade('buy', { identity: live.identity('buy', 'another body') })).toMatchObject({
      ok: false,
      refusal: { code: 'IDEMPOTENCY_CONFLICT' },
    })
    for (const found of [
      await live.client.transaction('demo', transaction.transactionId),
      await live.client.transactionByKey('demo', 'BUY'),
    ]) {
      expect(found).toEqual({ ok: true, value: transaction })
    }
    expect(await live.client.transaction('other', transaction.transactionId)).toMatchObject({
      ok: false,
      refusal: { code: 'NOT_FOUND' },
    })
    expect(await live.orders()).toHaveLength(1)
  })

  test('refuses new orders UNAVAILABLE while the view of old keys is half a window behind.', async () => {
    live.setLag(300_001)
    expect(await live.trade('buy')).toMatchObject({ ok: false, refusal: { code: 'UNAVAILABLE' } })
    live.setLag(300_000)
    expect((await live.trade('buy')).ok).toBe(true)
  })

  test('pages transactions, lists events without gaps and balances its statement.', async () => {
    for (const key of ['one', 'two', 'three']) await live.trade(key, { amount: parseAmount('10') })
    await live.move('out', { type: 'WITHDRAWAL', amount: parseAmount('12.50') })
    await live.trade('nobody', { bankUserId: 'user_new' })
    const middleMs = live.clock.nowMs() + 1
    await live.clock.sleep(5)
    await live.trade('sell', { side: 'SELL', amount: parseAmount('5'), currency: 'USDT' })
    await live.quiet()
    await live.project()
    const keys: string[] = []
    for (let cursor: string | null = null; ;) {
      const page = await live.client.transactions('demo', { bankUserId: null, cursor, limit: 2 })
      if (!page.ok) throw new Error(page.refusal.message)
      keys.push(...page.value.items.map((item) => item.idempotencyKey))
      cursor = page.value.nextCursor
      if (cursor === null) break
    }
    expect(keys).toEqual(['sell', 'nobody', 'out', 'three', 'two', 'one', 'deposit'])
    expect(await live.client.transactions('demo', { bankUserId: null, cursor: 'x', limit: 2 })).toMatchObject({
      ok: false,
    })
    const own = await live.client.transactions('demo', { bankUserId: 'user_new', cursor: null, limit: 10 })
    expect(own.ok && own.value.items.map((item) => item.idempotencyKey)).toEqual(['nobody'])
    const events = await live.client.events('demo', 2, 3)
    expect(events.ok && events.value.events.map((event) => [event.sequence, event.type])).toEqual([
      [3, 'transaction.completed'],
      [4, 'transaction.completed'],
      [5, 'withdrawal.completed'],
    ])
    const statement = await live.client.statement('demo', middleMs, live.clock.nowMs() + 1_000)
    if (!statement.ok) throw new Error(statement.refusal.message)
    const { opening, closing, entries, spreadEarned } = statement.value
    expect(entries.map((entry) => [entry.currency, entry.amount])).toEqual([
      ['USDT', '-5.00'],
      ['AZN', '8.29'],
    ])
    const opened = new Map(opening.map((one) => [one.currency, parseAmount(one.balance)]))
    for (const entry of entries)
      opened.set(entry.currency, (opened.get(entry.currency) ?? 0n) + parseAmount(entry.amount))
    expect(new Map(closing.map((one) => [one.currency, parseAmount(one.balance)]))).toEqual(opened)
    expect(opening).toEqual([
      { currency: 'AZN', balance: '957.50' },
      { currency: 'USDT', balance: '17.52' },
    ])
    expect(spreadEarned).toEqual([{ currency: 'AZN', amount: '0.1335' }])
  })

  test('pages customers in the order of their ids, each once, whoever comes meanwhile; of no other bank.', async () => {
    const ids = ['user_b', 'user_a', 'user é', 'User']
    for (const bankUserId of ids) await live.move(`of ${bankUserId}`, { bankUserId })
    await live.project()
    const page = async (bank: string, cursor: string | null) => {
      const found = await live.client.customers(bank, { cursor, limit: 2 })
      if (!found.ok) throw new Error(found.refusal.message)
      return found.value
    }
    const first = await page('demo', null)
    expect(first.items.map(({ bankUserId }) => bankUserId)).toEqual(['User', 'user é'])
    expect(first.items[0]).toMatchObject({ kycLevel: 1, createdAtMs: expect.any(Number) })
    await live.move('late', { bankUserId: 'A' })
    await live.project()
    const second = await page('demo', first.nextCursor)
    const third = await page('demo', second.nextCursor)
    expect([...second.items, ...third.items].map(({ bankUserId }) => bankUserId)).toEqual([
      'user_123',
      'user_a',
      'user_b',
    ])
    expect(third.nextCursor).toBeNull()
    expect((await page('other', null)).items).toEqual([])
    for (const cursor of ['', '=', '%'])
      expect(await live.client.customers('demo', { cursor, limit: 2 })).toMatchObject({
        refusal: { code: 'VALIDATION_ERROR' },
      })
  })

  test('tells what is used of the day: reserved at acceptance, given back on failure, nothing on the next day.', async () => {
    const used = async (bank = 'demo') => live.client.dayUse(bank)
    const today = new Date(live.clock.nowMs()).toISOString().slice(0, 10)
    expect(await used()).toEqual({ ok: true, value: { day: today, used: '0.00' } })
    await live.trade('counts', { amount: parseAmount('10.50') })
    expect(await used()).toEqual({ ok: true, value: { day: today, used: '10.50' } })
    await live.onBank(fault('authorization', 'reject'))
    await live.trade('declined', { amount: parseAmount('20') })
    expect(await used()).toEqual({ ok: true, value: { day: today, used: '10.50' } })
    const tomorrowMs = live.clock.nowMs() + 86_400_000
    const tomorrow = new Date(tomorrowMs).toISOString().slice(0, 10)
    expect(await askDayUse(live.partitions, BRIDGE, 'demo', tomorrowMs)).toEqual({
      ok: true,
      value: { day: tomorrow, used: '0.00' },
    })
    expect(await used('stranger')).toMatchObject({ refusal: { code: 'UNAVAILABLE', retryAfterSeconds: 1 } })
    await live.quiet()
  })

  test('says NOT_FOUND for a customer nobody named, and answers no accounts for one whose first call failed.', async () => {
    expect(await live.client.accounts('demo', 'stranger')).toMatchObject({ ok: false, refusal: { code: 'NOT_FOUND' } })
    await live.move('fails', { type: 'WITHDRAWAL', bankUserId: 'poor' })
    expect(await live.client.accounts('demo', 'poor')).toEqual({ ok: true, value: [] })
  })
})

describe('Events that are sent again', () => {
  const again = (key: string, from: number, to: number | null = null, hash = 'again') =>
    live.client.redeliver({ identity: live.identity(key, hash), bank: 'demo', from, to })
  const received = async () =>
    (await live.bankEvents()).map(({ sequence, duplicates }) => [sequence, duplicates] as const)

  test('reach the bank with their first bytes, signed anew, in order; new events go on beside them.', async () => {
    for (const key of ['one', 'two']) await live.trade(key, { amount: parseAmount('10') })
    await live.quiet()
    await live.project()
    expect(await received()).toEqual([
      [1, 0],
      [2, 0],
      [3, 0],
    ])
    // The simulator refuses an id that comes with another content, and a signature that is none.
    expect(await again('key', 2)).toEqual({ ok: true, value: { from: 2, to: 3, count: 2 } })
    await live.quiet()
    expect(await received()).toEqual([
      [1, 0],
      [2, 1],
      [3, 1],
    ])
    expect(await again('key', 2)).toEqual({ ok: true, value: { from: 2, to: 3, count: 2 } })
    expect(await again('key', 1, null, 'other')).toMatchObject({ refusal: { code: 'IDEMPOTENCY_CONFLICT' } })
    expect(await again('none', 4)).toMatchObject({ refusal: { code: 'NOT_FOUND' } })
    await live.quiet()
    expect((await received()).map(([, duplicates]) => duplicates)).toEqual([0, 1, 1])
  })

  test('are tried again while the bank fails, and while the views lack them; a crash loses none.', async () => {
    // Not projected yet: nothing is there to be sent, and nothing is made up.
    expect(await again('early', 1)).toMatchObject({ ok: true, value: { count: 1 } })
    await live.clock.sleep(150)
    expect(await received()).toEqual([[1, 0]])
    await live.onBank(fault('webhook', 'error', { count: 2 }))
    await live.crashed()
    await live.project()
    live.resume()
    await live.quiet()
    expect(await received()).toEqual([[1, 1]])
  })

  test('have their first outcome under their key when the machine has forgotten it.', async () => {
    await live.project()
    const first = await again('old', 1)
    await live.quiet()
    await live.project()
    const nobody = (): never => {
      throw new Error('the machine is not to be asked')
    }
    const deps = {
      conversation: { command: nobody, ask: nobody },
      views: live.views,
      clock: live.clock,
      viewFreshness: async () => live.clock.nowMs(),
    }
    const request = { identity: live.identity('old', 'again'), bank: 'demo', from: 1, to: null }
    expect(await orderRedelivery(deps, BRIDGE, request)).toEqual(first)
    const other = { ...request, identity: live.identity('old', 'other') }
    expect(await orderRedelivery(deps, BRIDGE, other)).toMatchObject({ refusal: { code: 'IDEMPOTENCY_CONFLICT' } })
    const deposit = { ...request, identity: live.identity('deposit', 'move') }
    expect(await orderRedelivery(deps, BRIDGE, deposit)).toMatchObject({ refusal: { code: 'IDEMPOTENCY_CONFLICT' } })
    // And no order takes the key either, of whatever kind and with whatever hash.
    for (const hash of ['again', 'trade']) {
      const order = { identity: live.identity('old', hash), bank: 'demo', partition: BRIDGE, command: new Uint8Array() }
      expect(await orderAndWait(deps, order)).toMatchObject({ refusal: { code: 'IDEMPOTENCY_CONFLICT' } })
    }
  })
})

describe('A crash while calls are under way', () => {
  test.each([
    ['order', 'slow', 'COMPLETED'],
    ['authorization', 'slow', 'COMPLETED'],
    ['webhook', 'slow', 'COMPLETED'],
  ])('in %s (%s) asks before it repeats: one outcome, one order.', async (on, kind, status) => {
    await (on === 'order' ? live.onExchange : live.onBank)(fault(on, kind, { count: 1, ms: 250 }))
    const asked = live.trade('buy')
    while (live.world.transactionStep('buy') < (on === 'webhook' ? 7 : on === 'order' ? 3 : 2))
      await live.clock.sleep(5)
    await live.clock.sleep(60)
    await live.crashed()
    live.resume()
    expect(finalOf(await asked).status).toBe(status)
    await expectBooksClosed()
    expect(await live.orders()).toHaveLength(1)
    const events = await live.bankEvents()
    expect(events.map((event) => event['sequence'])).toEqual([1, 2])
  })
})

describe('Signatures', () => {
  test('carry one v1 for each secret while they are being changed.', () => {
    const header = signatureOf(1_715_000_000, '{"a":1}', ['new', 'old'])
    expect(header).toMatch(/^t=1715000000,v1=[0-9a-f]{64},v1=[0-9a-f]{64}$/)
    const body = Buffer.from('{"a":1}')
    expect([['new'], ['old'], ['other']].map((secrets) => isSigned(header, body, secrets))).toEqual([true, true, false])
  })
})
