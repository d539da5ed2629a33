import { describe, expect, test } from '@jest/globals'
import { formatAmount, parseAmount } from '@bourse/common/money/amount.ts'
import { decodeInstruction } from '@bourse/risk-rules/ledger/codec.ts'
import { presentTransaction } from '../src/client/present-transaction.ts'
import { encodeAnswer } from '../src/codec/calls.ts'
import { eventOf } from '../src/codec/present.ts'
import { quoteName, transactionName } from '../src/codec/identifiers.ts'
import { decodeTransaction, type Transaction } from '../src/codec/transaction.ts'
import { bytes16, createWorld, demoRules, moveOf, tradeOf, ticker, type World } from './world.ts'

const units = parseAmount
const shown = ([balance, locked]: readonly [bigint, bigint]): string =>
  `${formatAmount(balance)}/${formatAmount(locked)}`

const funded = (options: Parameters<typeof createWorld>[0] = {}): World => {
  const world = createWorld(options)
  world.move(moveOf())
  world.webhook(true)
  return world
}

const expectClean = (world: World): void => {
  for (const [currency, sum] of world.sums()) expect([currency, sum]).toEqual([currency, 0n])
  expect(world.lockedAnywhere()).toBe(0n)
}

const expectZeroSum = (world: World): void => {
  for (const command of world.instructions) {
    const instruction = decodeInstruction(command)
    if (instruction.kind === 'HOLD') continue
    const sums = new Map<string, bigint>()
    for (const leg of instruction.legs) sums.set(leg.currency, (sums.get(leg.currency) ?? 0n) + leg.amount)
    for (const sum of sums.values()) expect(sum).toBe(0n)
  }
}

const codeOf = (transaction: Transaction): string | null => presentTransaction(transaction).errorCode

describe('A buy', () => {
  test('of 100.00 AZN at ticker 1.6847 gives 58.47 USDT at 1.7100 in four entries, as the contract says.', () => {
    const world = funded()
    const accepted = world.trade(tradeOf())
    expect(accepted).toMatchObject({ code: 'OK', recorded: true })
    expect(shown(world.balance('user_123', 'AZN'))).toBe('100/100')
    expect(world.waiting('authorize').call).toMatchObject({
      type: 'BUY',
      amount: '100.00',
      currency: 'AZN',
      bankUserId: 'user_123',
      retries: 3,
      timeoutMs: 2_000,
    })
    world.authorization('acknowledged')
    expect(world.waiting('order').call).toMatchObject({
      symbol: 'AZNUSDT',
      side: 'BUY',
      quantity: '58.47',
      validUntil: world.now() + 5_000n,
    })
    world.fill('filled', '1.6847', '58.47')
    const transaction = presentTransaction(world.transaction('key-1'))
    expect(transaction.answer).toEqual({
      status: 201,
      body: {
        success: true,
        data: {
          transactionId: transaction.transactionId,
          status: 'COMPLETED',
          cryptoAmount: '58.47',
          cryptoCurrency: 'USDT',
          exchangeRate: '1.7100',
        },
      },
    })
    expect(transaction.entries.map(({ accountId, amount, balanceAfter }) => [accountId, amount, balanceAfter])).toEqual(
      [
        ['customer:demo:user_123:AZN', '-100.00', '0.00'],
        ['omnibus:demo:AZN', '100.00', '100.00'],
        ['omnibus:demo:USDT', '-58.47', '-58.47'],
        ['customer:demo:user_123:USDT', '58.47', '58.47'],
      ],
    )
    expect(transaction).toMatchObject({
      amountIn: '100.00',
      amountOut: '58.47',
      feeAmount: '1.495591',
      currencyIn: 'AZN',
      currencyOut: 'USDT',
    })
    expectClean(world)
    expectZeroSum(world)
  })

  test('books the fill and the gain apart: the spread earned, and the difference to the executed price for the house.', () => {
    const world = funded()
    world.trade(tradeOf())
    world.authorization('acknowledged')
    world.fill('filled', '1.6800', '58.47')
    expect(shown(world.balance('exchange', 'AZN'))).toBe('98.2296/0')
    expect(shown(world.balance('exchange', 'USDT'))).toBe('-58.47/0')
    expect(shown(world.balance('spread', 'AZN'))).toBe('1.495591/0')
    expect(shown(world.balance('house:AZNUSDT', 'AZN'))).toBe('0.274809/0')
    expect(shown(world.balance('omnibus:demo', 'AZN'))).toBe('0/0')
    expect(shown(world.balance('omnibus:demo', 'USDT'))).toBe('0/0')
    expect(shown(world.balance('bank:demo', 'AZN'))).toBe('-100/0')
    // The gain of the contract: 100.00 − 58.47 × executed price.
    expect(units('1.495591') + units('0.274809')).toBe(units('100') - units('98.2296'))
    const names = world.instructions.map((command) => Buffer.from(decodeInstruction(command).reference).toString('hex'))
    expect(names.slice(1)).toEqual(Array(3).fill(Buffer.from(world.transaction('key-1').id).toString('hex')))
    expectClean(world)
  })

  test.each([
    ['part of what was ordered', '1.7050', '50.00'],
    ['a price much worse than the ticker', '1.9000', '58.47'],
    ['more than was ordered', '1.6847', '60.00'],
    ['a cost with more decimals than a unit', '1.68471234', '58.47000001'],
  ])(
    'that the exchange fills with %s gives the customer what was promised; the house bears the difference.',
    (_, price, quantity) => {
      const world = funded()
      world.trade(tradeOf())
      world.authorization('acknowledged')
      world.fill('filled', price, quantity)
      expect(world.transaction('key-1').step).toBe(7)
      expect(shown(world.balance('user_123', 'AZN'))).toBe('0/0')
      expect(shown(world.balance('user_123', 'USDT'))).toBe('58.47/0')
      expect(shown(world.balance('house:AZNUSDT', 'USDT'))).toBe(`${formatAmount(units(quantity) - units('58.47'))}/0`)
      expect(shown(world.balance('omnibus:demo', 'USDT'))).toBe('0/0')
      expect(shown(world.balance('omnibus:demo', 'AZN'))).toBe('0/0')
      expectClean(world)
      expectZeroSum(world)
    },
  )

  test('of a customer without the money fails INSUFFICIENT_FUNDS; the bank is not asked.', () => {
    const world = funded()
    world.trade(tradeOf({ amount: units('100.01') }))
    world.trade(tradeOf({ bankUserId: 'user_new', idempotencyKey: 'key-2' }))
    for (const key of ['key-1', 'key-2']) {
      const transaction = presentTransaction(world.transaction(key))
      expect(transaction).toMatchObject({
        status: 'FAILED',
        errorCode: 'INSUFFICIENT_FUNDS',
        message: 'User AZN balance is too low.',
      })
      expect(transaction.answer).toEqual({
        status: 422,
        body: { success: false, errorCode: 'INSUFFICIENT_FUNDS', message: 'User AZN balance is too low.' },
      })
    }
    expect(world.callKinds()).toEqual(['webhook'])
    expect(shown(world.balance('user_123', 'AZN'))).toBe('100/0')
    expectClean(world)
  })
})

describe('A sell', () => {
  test('takes crypto and pays fiat down to 0.01 at a price down to the tick.', () => {
    const world = funded()
    world.trade(tradeOf())
    world.authorization('acknowledged')
    world.fill('filled', '1.6847', '58.47')
    world.trade(tradeOf({ idempotencyKey: 'key-2', side: 'SELL', amount: units('10.00'), currency: 'USDT' }))
    expect(world.waiting('authorize').call).toMatchObject({ type: 'SELL', amount: '10.00', currency: 'USDT' })
    world.authorization('acknowledged')
    expect(world.waiting('order').call).toMatchObject({ side: 'SELL', quantity: '10.00' })
    world.fill('filled', '1.6900', '10.00')
    const transaction = presentTransaction(world.transaction('key-2'))
    // 1.6847 × 0.985 = 1.6594295 → 1.6594; × 10 = 16.594 → 16.59; fee = 16.847 − 16.59.
    expect(transaction.answer?.body).toEqual({
      success: true,
      data: {
        transactionId: transaction.transactionId,
        status: 'COMPLETED',
        fiatAmount: '16.59',
        fiatCurrency: 'AZN',
        cryptoAmount: '10.00',
        cryptoCurrency: 'USDT',
        exchangeRate: '1.6594',
      },
    })
    expect(transaction.feeAmount).toBe('0.257')
    expect(transaction.entries.map((entry) => entry.amount)).toEqual(['-10.00', '10.00', '-16.59', '16.59'])
    expect(shown(world.balance('house:AZNUSDT', 'AZN'))).toBe('0.053/0')
    expect(shown(world.balance('user_123', 'AZN'))).toBe('16.59/0')
    expect(shown(world.balance('user_123', 'USDT'))).toBe('48.47/0')
    expectClean(world)
    expectZeroSum(world)
  })
})

describe('A trade that fails', () => {
  const failures = [
    {
      name: 'the bank declines',
      code: 'BANK_DECLINED',
      status: 422,
      play: (world: World) => {
        world.authorization('declined')
      },
    },
    {
      name: 'the bank is down',
      code: 'BANK_CONNECTION_ERROR',
      status: 502,
      play: (world: World) => {
        world.authorization('unreachable')
      },
    },
    {
      name: 'the exchange rejects',
      code: 'INSUFFICIENT_LIQUIDITY',
      status: 503,
      play: (world: World) => {
        world.authorization('acknowledged')
        world.fill('rejected')
      },
    },
    {
      name: 'the order never arrives',
      code: 'INSUFFICIENT_LIQUIDITY',
      status: 503,
      play: (world: World) => {
        world.authorization('acknowledged')
        world.fill('absent')
      },
    },
  ] as const

  test.each(failures)(
    'because $name releases the hold, gives the limits back and tells the bank until it hears.',
    ({ code, status, play }) => {
      const world = funded({ rules: demoRules({ dailyAmountPerCustomer: units('100') }) })
      world.trade(tradeOf())
      play(world)
      expect(presentTransaction(world.transaction('key-1'))).toMatchObject({
        status: 'FAILED',
        errorCode: code,
        answer: { status },
      })
      expect(shown(world.balance('user_123', 'AZN'))).toBe('100/0')
      expect(world.callKinds()).toEqual(['reverse', 'webhook'])
      world.reversal(false)
      expect(world.callKinds()).toEqual(['reverse', 'webhook'])
      world.reversal(true)
      expect(world.callKinds()).toEqual(['webhook'])
      world.trade(tradeOf({ idempotencyKey: 'again' }))
      expect(world.transaction('again').step).toBe(2)
    },
  )

  test('ignores an acknowledgement and a fill that come late.', () => {
    const world = funded()
    world.trade(tradeOf())
    const { id } = world.transaction('key-1')
    world.authorization('unreachable')
    const before = world.machine().stateHash()
    world.say(encodeAnswer({ kind: 'authorization', transactionId: id, result: 'acknowledged' }))
    world.say(
      encodeAnswer({ kind: 'order', transactionId: id, result: 'filled', executedPrice: 1n, executedQuantity: 1n }),
    )
    expect(world.machine().stateHash()).toBe(before)
    expect(codeOf(world.transaction('key-1'))).toBe('BANK_CONNECTION_ERROR')
  })

  test('without a ticker is recorded INSUFFICIENT_LIQUIDITY and nothing is held or reversed.', () => {
    const world = funded()
    world.trade(tradeOf({ ticker: { state: 'unavailable', price: 0n } }))
    expect(codeOf(world.transaction('key-1'))).toBe('INSUFFICIENT_LIQUIDITY')
    expect(world.callKinds()).toEqual(['webhook'])
  })

  test('holds reversals back one after the other, so that a bank that is down has one call running.', () => {
    const world = funded()
    for (const key of ['a', 'b', 'c']) {
      world.trade(tradeOf({ idempotencyKey: key, amount: units('10') }))
      world.authorization('declined')
    }
    expect(world.callKinds()).toEqual(['reverse', 'webhook'])
    for (let count = 0; count < 3; count++) world.reversal(true)
    expect(world.callKinds()).toEqual(['webhook'])
  })
})

describe('A key', () => {
  test('gets its first result again, refusals included, and another body is a conflict.', () => {
    const world = funded()
    world.trade(tradeOf())
    const again = world.trade(tradeOf({ ticker: ticker('9.9999') }))
    expect(again).toMatchObject({ code: 'OK', recorded: true, transactions: [] })
    expect(world.trade(tradeOf(), 'other')).toMatchObject({ code: 'IDEMPOTENCY_CONFLICT', recorded: false })
    expect(world.move(moveOf({ idempotencyKey: 'key-1' }), 'move')).toMatchObject({ code: 'IDEMPOTENCY_CONFLICT' })
    world.authorization('declined')
    world.trade(tradeOf())
    expect(codeOf(world.transaction('key-1'))).toBe('BANK_DECLINED')
    expect(world.instructions.map((command) => decodeInstruction(command).kind)).toEqual(['POST', 'HOLD', 'RELEASE'])
  })

  test('that was refused before acceptance is free: suspended, unknown pair, a bad amount, no ticker yet.', () => {
    const world = funded()
    const refused = [
      [tradeOf({ currency: 'EUR' }), 'VALIDATION_ERROR'],
      [tradeOf({ side: 'SELL', amount: units('1.005'), currency: 'USDT' }), 'VALIDATION_ERROR'],
      [tradeOf({ amount: units('1.005') }), 'VALIDATION_ERROR'],
      [tradeOf({ amount: 0n }), 'VALIDATION_ERROR'],
      [tradeOf({ amount: -100n }), 'VALIDATION_ERROR'],
      [tradeOf({ bankUserId: '' }), 'VALIDATION_ERROR'],
      [tradeOf({ ticker: { state: 'none', price: 0n } }), 'UNAVAILABLE'],
      [tradeOf({ bank: 'other' }), 'UNAVAILABLE'],
    ] as const
    const before = world.machine().stateHash()
    for (const [trade, code] of refused) expect(world.trade(trade)).toMatchObject({ code, recorded: false })
    expect(world.machine().stateHash()).toBe(before)
    world.configure(demoRules({ suspended: true }))
    expect(world.trade(tradeOf())).toMatchObject({ code: 'BANK_SUSPENDED', recorded: false })
    world.configure(demoRules())
    expect(world.trade(tradeOf())).toMatchObject({ code: 'OK', recorded: true })
  })

  test('is forgotten by the machine ten minutes after its end, and not before the books are closed.', () => {
    const world = funded()
    world.trade(tradeOf())
    world.authorization('declined')
    world.later(599_999n)
    world.machine().apply([], world.now(), 1)
    expect(codeOf(world.transaction('key-1'))).toBe('BANK_DECLINED')
    world.later(1n)
    world.machine().apply([], world.now(), 1)
    expect(() => world.transaction('key-1')).toThrow('no transaction')
  })
})

describe('Limits', () => {
  test('of the pair and of the day are LIMIT_EXCEEDED, recorded under the key.', () => {
    const world = funded({ rules: demoRules({ dailyAmount: units('60'), dailyAmountPerCustomer: units('50') }) })
    const outcome = (key: string, amount: string, bankUserId = 'user_123'): string | null => {
      world.trade(tradeOf({ idempotencyKey: key, amount: units(amount), bankUserId }))
      return codeOf(world.transaction(key))
    }
    expect(outcome('tiny', '0.99')).toBe('LIMIT_EXCEEDED')
    expect(outcome('huge', '100000.01')).toBe('LIMIT_EXCEEDED')
    expect(outcome('fifty', '50')).toBeNull()
    expect(outcome('beyond', '1')).toBe('LIMIT_EXCEEDED')
    expect(outcome('ofBank', '11', 'user_2')).toBe('LIMIT_EXCEEDED')
    expect(world.trade(tradeOf({ idempotencyKey: 'huge', amount: units('100000.01') }))).toMatchObject({
      recorded: true,
      transactions: [],
    })
    world.later(86_400_000n)
    expect(outcome('tomorrow', '50')).toBeNull()
  })

  test('of a day are not given back to the next one.', () => {
    const world = funded({ rules: demoRules({ dailyAmountPerCustomer: units('50') }) })
    world.trade(tradeOf({ amount: units('40') }))
    world.later(86_400_000n)
    world.trade(tradeOf({ idempotencyKey: 'key-2', amount: units('40') }))
    world.authorization('declined')
    world.trade(tradeOf({ idempotencyKey: 'key-3', amount: units('20') }))
    expect(codeOf(world.transaction('key-3'))).toBe('LIMIT_EXCEEDED')
  })
})

describe('A quote', () => {
  const quoted = (world: World, name = 'q1'): string => {
    const reply = world.quote(name)
    if (reply.quote === null) throw new Error(reply.message)
    return quoteName(reply.quote.quoteId)
  }

  test('holds its price, and the trade that uses it gets it whatever the ticker says within the slippage.', () => {
    const world = funded()
    const quote = world.quote('q1').quote
    expect(quote).toMatchObject({
      price: units('1.71'),
      cryptoAmount: units('58.47'),
      fiatAmount: units('100'),
      expiresAt: world.now() + 10_000n,
    })
    world.trade(tradeOf({ quoteName: quoteName(bytes16('q1')), ticker: ticker('1.6931') }))
    expect(world.transaction('key-1')).toMatchObject({ price: units('1.71'), spreadEarned: units('1.495591') })
  })

  test.each([
    ['dearer on a buy', 'BUY', '1.6931235', null],
    ['dearer on a buy by a unit more', 'BUY', '1.69312351', 'SLIPPAGE'],
    ['cheaper on a buy', 'BUY', '1.0000', null],
    ['cheaper on a sell', 'SELL', '1.6762765', null],
    ['cheaper on a sell by a unit more', 'SELL', '1.67627649', 'SLIPPAGE'],
    ['dearer on a sell', 'SELL', '2.0000', null],
  ] as const)('is judged by the slippage to the unit: %s.', (_, side, now, code) => {
    const world = funded()
    world.move(moveOf({ idempotencyKey: 'more', amount: units('1000') }))
    const what =
      side === 'BUY'
        ? ({ side, amount: units('100'), currency: 'AZN' } as const)
        : ({ side, amount: units('10'), currency: 'USDT' } as const)
    const reply = world.quote('q1', what)
    expect(reply.code).toBe('OK')
    world.trade(tradeOf({ ...what, quoteName: quoteName(bytes16('q1')), ticker: ticker(now) }))
    const transaction = world.transaction('key-1')
    expect(side === 'SELL' && code === null ? null : codeOf(transaction)).toBe(code)
  })

  test('is used at most once, by the first accepted trade whatever its outcome.', () => {
    const world = funded()
    const name = quoted(world)
    world.trade(tradeOf({ idempotencyKey: 'first', quoteName: name }))
    world.trade(tradeOf({ idempotencyKey: 'second', quoteName: name }))
    world.authorization('declined')
    world.trade(tradeOf({ idempotencyKey: 'third', quoteName: name }))
    expect(['first', 'second', 'third'].map((key) => codeOf(world.transaction(key)))).toEqual([
      'BANK_DECLINED',
      'QUOTE_USED',
      'QUOTE_USED',
    ])
  })

  test('is used up by a trade that found no ticker, and not by one that slipped.', () => {
    const world = funded()
    const name = quoted(world)
    world.trade(tradeOf({ idempotencyKey: 'slipped', quoteName: name, ticker: ticker('1.8') }))
    world.trade(tradeOf({ idempotencyKey: 'blind', quoteName: name, ticker: { state: 'unavailable', price: 0n } }))
    world.trade(tradeOf({ idempotencyKey: 'late', quoteName: name }))
    expect(['slipped', 'blind', 'late'].map((key) => codeOf(world.transaction(key)))).toEqual([
      'SLIPPAGE',
      'INSUFFICIENT_LIQUIDITY',
      'QUOTE_USED',
    ])
  })

  test('of another user, side or amount is a VALIDATION_ERROR that leaves it unused; an unknown one is QUOTE_NOT_FOUND.', () => {
    const world = funded()
    const name = quoted(world)
    for (const change of [
      { bankUserId: 'user_2' },
      { amount: units('99') },
      { side: 'SELL', currency: 'USDT' },
    ] as const) {
      expect(world.trade(tradeOf({ quoteName: name, ...change }))).toMatchObject({
        code: 'VALIDATION_ERROR',
        recorded: false,
      })
    }
    world.configure(demoRules({ name: 'second' }))
    expect(
      world.trade(tradeOf({ bank: 'second', idempotencyKey: 'foreign', quoteName: name })).transactions[0]?.code,
    ).toBe(100)
    world.trade(tradeOf({ idempotencyKey: 'unknown', quoteName: quoteName(bytes16('never')) }))
    world.trade(tradeOf({ idempotencyKey: 'garbage', quoteName: 'q' }))
    expect(['unknown', 'garbage'].map((key) => codeOf(world.transaction(key)))).toEqual([
      'QUOTE_NOT_FOUND',
      'QUOTE_NOT_FOUND',
    ])
    world.trade(tradeOf({ quoteName: name }))
    expect(codeOf(world.transaction('key-1'))).toBeNull()
  })

  test('that was taken back is gone, and stays gone when the command that made it comes a second time.', () => {
    const world = funded()
    const name = quoted(world)
    expect(world.cancelQuote('demo', name).code).toBe('OK')
    expect(world.cancelQuote('demo', name).code).toBe('QUOTE_NOT_FOUND')
    world.quote('q1')
    world.trade(tradeOf({ quoteName: name }))
    expect(codeOf(world.transaction('key-1'))).toBe('QUOTE_NOT_FOUND')
    expectClean(world)
  })

  test('expires after its time.', () => {
    const world = funded()
    const name = quoted(world)
    world.later(9_999n)
    expect(world.ask({ kind: 'bank', bank: 'demo' }).code).toBe('OK')
    world.later(1n)
    world.trade(tradeOf({ quoteName: name }))
    expect(codeOf(world.transaction('key-1'))).toBe('QUOTE_EXPIRED')
  })

  test('is refused 503 without a ticker, and 403 for a suspended bank.', () => {
    const world = funded({ rules: demoRules() })
    expect(world.quote('q1', { ticker: { state: 'unavailable', price: 0n } })).toMatchObject({
      code: 'INSUFFICIENT_LIQUIDITY',
      recorded: false,
    })
    world.configure(demoRules({ suspended: true }))
    expect(world.quote('q2')).toMatchObject({ code: 'BANK_SUSPENDED' })
  })
})

describe('Deposits and withdrawals', () => {
  test('move fiat against the bank, and a withdrawal beyond the balance is INSUFFICIENT_FUNDS under its key.', () => {
    const world = funded()
    world.move(moveOf({ idempotencyKey: 'out', type: 'WITHDRAWAL', amount: units('30.50') }))
    world.move(moveOf({ idempotencyKey: 'too much', type: 'WITHDRAWAL', amount: units('69.51') }))
    world.move(moveOf({ idempotencyKey: 'nobody', type: 'WITHDRAWAL', bankUserId: 'user_new' }))
    expect(presentTransaction(world.transaction('out')).answer).toEqual({
      status: 201,
      body: {
        success: true,
        data: { transactionId: transactionName(world.transaction('out').id), status: 'COMPLETED' },
      },
    })
    expect(['too much', 'nobody'].map((key) => codeOf(world.transaction(key)))).toEqual([
      'INSUFFICIENT_FUNDS',
      'INSUFFICIENT_FUNDS',
    ])
    expect(shown(world.balance('user_123', 'AZN'))).toBe('69.5/0')
    expect(shown(world.balance('bank:demo', 'AZN'))).toBe('-69.5/0')
    expect(world.ask({ kind: 'customer', bank: 'demo', bankUserId: 'user_new' }).currencies).toEqual([
      { currency: 'USDT', decimals: 2 },
      { currency: 'AZN', decimals: 2 },
    ])
    expect(world.move(moveOf({ idempotencyKey: 'x', currency: 'USDT' }))).toMatchObject({ code: 'VALIDATION_ERROR' })
    expect(world.move(moveOf({ idempotencyKey: 'x', amount: units('1.001') }))).toMatchObject({
      code: 'VALIDATION_ERROR',
    })
    expectClean(world)
    expectZeroSum(world)
  })
})

describe('Events', () => {
  test('have one sequence without gaps, are sent one at a time in order, and wait for the acknowledgement.', () => {
    const world = createWorld()
    world.move(moveOf())
    world.trade(tradeOf())
    world.authorization('acknowledged')
    world.fill('filled', '1.6847', '58.47')
    world.trade(tradeOf({ idempotencyKey: 'key-2' }))
    const sent: unknown[] = []
    for (const acknowledged of [false, true, true, false, true]) {
      const { call } = world.waiting('webhook')
      if (call.kind !== 'webhook') throw new Error('not a webhook')
      const { sequence, type } = eventOf(decodeTransaction(call.transaction))
      sent.push([sequence, type])
      expect(BigInt(sequence)).toBe(call.sequence)
      world.webhook(acknowledged)
    }
    expect(sent).toEqual([
      [1, 'deposit.completed'],
      [1, 'deposit.completed'],
      [2, 'transaction.completed'],
      [3, 'transaction.failed'],
      [3, 'transaction.failed'],
    ])
    expect(world.callKinds()).toEqual([])
  })
})

describe('A crash', () => {
  const play = (world: World): void => {
    world.move(moveOf({ amount: units('500') }))
    const name = world.quote('q1').quote?.quoteId ?? bytes16('none')
    world.trade(tradeOf({ idempotencyKey: 'bought', quoteName: quoteName(name) }))
    world.authorization('acknowledged')
    world.fill('filled', '1.7', '50')
    world.trade(tradeOf({ idempotencyKey: 'declined' }))
    world.authorization('declined')
    world.trade(tradeOf({ idempotencyKey: 'sold', side: 'SELL', amount: units('20'), currency: 'USDT' }))
    world.authorization('acknowledged')
    world.trade(tradeOf({ idempotencyKey: 'lost' }))
    world.authorization('acknowledged')
    world.fill('filled', '1.69', '20')
    world.fill('absent')
    for (let count = 0; count < 2; count++) world.reversal(true)
    for (let count = 0; count < 5; count++) world.webhook(true)
    world.later(700_000n)
    world.trade(tradeOf({ idempotencyKey: 'after' }))
  }

  test('before every single command ends with the same money, the same calls and the same state.', () => {
    const steady = createWorld()
    const crashing = createWorld({ crashing: true })
    play(steady)
    play(crashing)
    expect(crashing.machine().stateHash()).toBe(steady.machine().stateHash())
    expect(crashing.calls()).toEqual(steady.calls())
    for (const account of ['user_123', 'house:AZNUSDT', 'spread', 'exchange', 'omnibus:demo', 'bank:demo']) {
      for (const currency of ['AZN', 'USDT'])
        expect(crashing.balance(account, currency)).toEqual(steady.balance(account, currency))
    }
    expectZeroSum(steady)
  })

  test('and a replay of the commands from the beginning give the same outcomes and the same state.', () => {
    const world = createWorld()
    play(world)
    const replayed = createWorld({ rules: demoRules() }).machine()
    for (const record of world.records.slice(1)) {
      expect(replayed.apply(record.inputs, record.now, 1).outcomes).toEqual(record.outcomes)
    }
    expect(replayed.stateHash()).toBe(world.machine().stateHash())
  })
})
