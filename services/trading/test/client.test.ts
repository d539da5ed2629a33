import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { partitionName, partitionNumber, partitionParts } from '@bourse/common/kernel/partition.ts'
import { formatAmount, parseAmount } from '@bourse/common/money/amount.ts'
import { ledgerPartitionOf, tradingPartitionOf } from '@bourse/common/platform/topology.ts'
import { tradeModel } from '@bourse/common/views/models.ts'
import { insurancePartitionOf } from '@bourse/risk-rules/ledger/accounts.ts'
import { BTC, codeOf, ETH, keyed, openPlatform, specOf, topology, unkeyed, userAt, valueOf } from './support.ts'
import type { Platform } from './support.ts'

const units = parseAmount
const INSURANCE = insurancePartitionOf(BTC, topology.ledgerPartitions)
const OTHER = 1 - INSURANCE
const NO_FEES = { fees: { openBps: '0', closeBps: '0', liquidationBps: '0' } }
/** At 100.00 these are 10 of the base asset, a notional of 1,000 and an open fee of 0.5. */
const LONG = { margin: units('100'), leverage: 10 } as const

let platform: Platform
// Money beside the insurance and away from it; trades in either partition of the market.
const ann = userAt(OTHER)
const bob = userAt(INSURANCE)
beforeEach(async () => {
  platform = await openPlatform()
  await platform.fund(ann, '1000')
  await platform.fund(bob, '1000')
})
// Every test ends with all journals verified, every currency zero-sum, clearing at 0 and every hold a margin.
afterEach(() => platform.end())

const opened = async (...call: Parameters<Platform['open']>) => valueOf(await platform.open(...call))
const closed = async (...call: Parameters<Platform['close']>) => valueOf(await platform.close(...call))
const moneyNow = async (owner: Uint8Array) => {
  await platform.settled()
  return platform.money(owner)
}
const texts = (fields: object): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, typeof value === 'bigint' ? formatAmount(value) : value]),
  )
/** Records of all partitions: a repeat that is answered by the views adds none. */
const recordCounts = async (): Promise<number[]> => {
  await platform.settled()
  const partitions = [partitionNumber('ledger', 0), partitionNumber('ledger', 1), partitionNumber('trading', 0, 1)]
  partitions.push(partitionNumber('trading', 1, 1), partitionNumber('trading', 0, 2))
  return Promise.all(partitions.map(async (partition) => (await platform.records(partition)).length))
}

describe('opening', () => {
  test('holds the margin, pays the fee to the last unit and gives the rest of its hold back', async () => {
    await platform.quote(BTC, '100.03')
    const trade = await opened(ann, { margin: units('33.33'), leverage: 7 })
    expect(texts(trade)).toMatchObject({
      ...{ asset: BTC, direction: 'LONG', margin: '33.33', leverage: 7, quantity: '2.3324', entryPrice: '100.03' },
      ...{ openFee: '0.11665499', stopLossPrice: null, takeProfitPrice: null, fundingCost: '0' },
    })
    expect(await moneyNow(ann)).toEqual({ balance: '999.88334501', locked: '33.33' })
    expect(await platform.system('fees')).toBe('0.11665499')
    expect(await platform.holds()).toBe(1)
  })

  test('the trade is listed and viewed as it was answered', async () => {
    const trade = await opened(ann, { ...LONG, stopLossPrice: units('95'), takeProfitPrice: units('120') })
    expect(valueOf(await platform.trading.openTrades(ann))).toEqual([trade])
    expect(valueOf(await platform.trading.openTrades(bob))).toEqual([])
    await platform.settled()
    expect(await platform.views.get(tradeModel, trade.tradeId)).toMatchObject({
      account: Buffer.from(ann).toString('hex'),
      ...{ status: 'open', asset: BTC, quantity: trade.quantity, entryPrice: trade.entryPrice, openFee: trade.openFee },
      ...{ stopLossPrice: units('95'), takeProfitPrice: units('120'), liquidationPrice: trade.liquidationPrice },
      ...{ openedAt: trade.openedAtMs, closedAt: null, returned: null },
    })
  })

  test.each([
    ['LEVERAGE_TOO_HIGH', { leverage: 101 }],
    ['MARGIN_TOO_SMALL', { margin: 1n, leverage: 1 }],
    ['INVALID_STOP_LOSS', { stopLossPrice: units('100') }],
    ['INVALID_TAKE_PROFIT', { takeProfitPrice: units('99') }],
    ['PRICE_MOVED', { worstPrice: units('99.99') }],
    ['PRICE_MOVED', { direction: 'SHORT', worstPrice: units('100.01') }],
  ] as const)('refused %s, both holds are released', async (code, parts) => {
    expect(codeOf(await platform.open(ann, { ...LONG, ...parts }))).toBe(code)
    expect(await moneyNow(ann)).toEqual({ balance: '1000', locked: '0' })
    expect([await platform.holds(), await platform.system('fees')]).toEqual([0, '0'])
    expect(valueOf(await platform.trading.openTrades(ann))).toEqual([])
  })

  test('at exactly its worst price a trade opens', async () => {
    await opened(ann, { ...LONG, worstPrice: units('100') })
    await opened(ann, { ...LONG, direction: 'SHORT', worstPrice: units('100') })
  })

  test('funds are judged on margin and fee together, to the unit', async () => {
    const exact = { margin: units('995.02487562'), leverage: 10 }
    // 995.02487562 × 10 × 5 bps = 4.9751243781: the fee's hold is 4.97512438, in all 1,000.00000000.
    expect(codeOf(await platform.open(ann, { ...exact, margin: exact.margin + 1n }))).toBe('INSUFFICIENT_FUNDS')
    expect(await platform.holds()).toBe(0)
    await opened(ann, exact)
    expect(codeOf(await platform.open(userAt(0, 5), LONG))).toBe('ACCOUNT_NOT_FOUND')
    expect(codeOf(await platform.open(ann, { ...LONG, asset: 'DOT_USDC' }))).toBe('MARKET_NOT_FOUND')
  })

  test('in a pair without fees both holds are closed all the same', async () => {
    await platform.specify(specOf(BTC, NO_FEES))
    const trade = await opened(ann, LONG)
    expect(trade.openFee).toBe(0n)
    expect(await moneyNow(ann)).toEqual({ balance: '1000', locked: '100' })
    expect(await platform.holds()).toBe(1)
    expect(codeOf(await platform.open(ann, { ...LONG, leverage: 101 }))).toBe('LEVERAGE_TOO_HIGH')
    await platform.settled()
    expect(await platform.holds()).toBe(1)
    await closed(ann, trade.tradeId)
    expect(await moneyNow(ann)).toEqual({ balance: '1000', locked: '0' })
    expect(await platform.holds()).toBe(0)
  })

  test('a fee that rose after the hold was made moves the price, and nothing stays locked', async () => {
    const raised = specOf(BTC, { fees: { openBps: '6', closeBps: '5', liquidationBps: '50' } })
    await platform.specify(raised, { termsToo: false })
    expect(codeOf(await platform.open(ann, LONG))).toBe('PRICE_MOVED')
    expect(await moneyNow(ann)).toEqual({ balance: '1000', locked: '0' })
    expect(await platform.holds()).toBe(0)
    await platform.specify(raised)
    expect((await opened(ann, LONG)).openFee).toBe(units('0.6'))
  })

  test('a fee that fell is what is paid, and the rest of the hold comes back', async () => {
    const lowered = specOf(BTC, { fees: { openBps: '1', closeBps: '5', liquidationBps: '50' } })
    await platform.specify(lowered, { termsToo: false })
    await opened(ann, LONG)
    expect(await moneyNow(ann)).toEqual({ balance: '999.9', locked: '100' })
  })
})

describe('closing', () => {
  test('by the user: profit from the house, fee to fees, to the last unit', async () => {
    await platform.quote(BTC, '100.03')
    const trade = await opened(ann, { margin: units('33.33'), leverage: 7 })
    await platform.quote(BTC, '100.02')
    const result = await closed(ann, trade.tradeId)
    expect(texts(result)).toMatchObject({
      ...{ exitPrice: '100.02', pnl: '-0.023324', fees: '0.23329832', funding: '0', returned: '33.19003267' },
      ...{ reason: 'USER', tradeId: trade.tradeId, margin: '33.33', openFee: '0.11665499' },
    })
    expect(await moneyNow(ann)).toEqual({ balance: '999.74337768', locked: '0' })
    expect([await platform.system('house', BTC), await platform.system('fees')]).toEqual(['0.023324', '0.23329832'])
    expect(await platform.system('promotion')).toBe('-2000')
  })

  test('short trades win when the price falls, and close at ask', async () => {
    const trade = await opened(bob, { ...LONG, direction: 'SHORT' })
    await platform.quote(BTC, '89.00', '90.00')
    const result = await closed(bob, trade.tradeId, { worstPrice: units('90') })
    expect(texts(result)).toMatchObject({ exitPrice: '90', pnl: '100', fees: '0.95', returned: '199.55' })
    expect(await moneyNow(bob)).toEqual({ balance: '1099.05', locked: '0' })
    expect(await platform.system('house', BTC)).toBe('-100')
  })

  test.each([
    ['STOP_LOSS', '94', { stopLossPrice: units('95') }, '-60', '0.97', '39.53', '939.03', '60'],
    ['TAKE_PROFIT', '106', { takeProfitPrice: units('105') }, '60', '1.03', '159.47', '1058.97', '-60'],
  ] as const)('by %s at the price of the tick', async (reason, price, parts, pnl, fees, returned, balance, house) => {
    const trade = await opened(ann, { ...LONG, ...parts })
    await platform.quote(BTC, price)
    expect(await moneyNow(ann)).toEqual({ balance, locked: '0' })
    expect(valueOf(await platform.trading.openTrades(ann))).toEqual([])
    const view = await platform.views.get(tradeModel, trade.tradeId)
    expect(texts(view!)).toMatchObject({
      status: 'closed',
      reason,
      exitPrice: price,
      pnl,
      fees,
      returned,
      funding: '0',
    })
    expect([await platform.system('house', BTC), await platform.holds()]).toEqual([house, 0])
  })

  test.each([
    ['away from', ann],
    ['at', bob],
  ])('a liquidation %s the insurance’s partition pays its fee to the insurance through clearing', async (_, owner) => {
    const trade = await opened(owner, LONG)
    await platform.quote(BTC, '90.37')
    expect(valueOf(await platform.trading.openTrades(owner))).toHaveLength(1)
    await platform.quote(BTC, '90.36')
    // 3.6 are left; the fee due would be 4.518.
    expect(await moneyNow(owner)).toEqual({ balance: '899.5', locked: '0' })
    const view = await platform.views.get(tradeModel, trade.tradeId)
    const expected = { reason: 'LIQUIDATION', exitPrice: '90.36', pnl: '-96.4', fees: '4.1', returned: '0' }
    expect(texts(view!)).toMatchObject(expected)
    expect(await platform.system('house', BTC)).toBe('96.4')
    expect([await platform.system('insurance', BTC), await platform.system('fees')]).toEqual(['3.6', '0.5'])
    expect(await platform.system('clearing')).toBe('0')
  })

  test('a gap beyond the margin is refunded to the house as far as the insurance goes', async () => {
    valueOf(await platform.ledger.fund(unkeyed(), 'insurance', BTC, units('130.00000001')))
    await opened(ann, LONG)
    await opened(bob, LONG)
    await platform.quote(BTC, '80')
    // Each lost 200 with a margin of 100: the first deficit is refunded whole, the second in part.
    expect(await moneyNow(ann)).toEqual({ balance: '899.5', locked: '0' })
    expect(await moneyNow(bob)).toEqual({ balance: '899.5', locked: '0' })
    expect(await platform.system('insurance', BTC)).toBe('0')
    expect(await platform.system('house', BTC)).toBe('330.00000001')
    expect([await platform.system('clearing'), await platform.system('fees')]).toEqual(['0', '1'])
  })

  test('an insurance that has nothing refunds nothing, and the house bears it', async () => {
    await opened(ann, LONG)
    await platform.quote(BTC, '80')
    expect(await moneyNow(ann)).toEqual({ balance: '899.5', locked: '0' })
    expect([await platform.system('house', BTC), await platform.system('insurance', BTC)]).toEqual(['100', '0'])
  })

  test('funding goes from one side to the other through the house, a cost rounded up', async () => {
    await platform.specify(specOf(BTC, { funding: { intervalSeconds: 3_600, rateBps: '1' } }))
    await platform.quote(BTC, '100.00')
    const long = await opened(ann, { margin: units('33.33'), leverage: 7 })
    const short = await opened(bob, { margin: units('33.33'), leverage: 7, direction: 'SHORT' })
    expect(long.quantity).toBe(units('2.3331'))
    platform.jump(3_600_000)
    await platform.quote(BTC, '100.00')
    const [seen] = valueOf(await platform.trading.openTrades(ann))
    // F rose by 200 × 1 bp ÷ 2 = 0.01 for each unit: 0.023331 either way.
    expect(formatAmount(seen!.fundingCost)).toBe('0.023331')
    const paid = await closed(ann, long.tradeId)
    const received = await closed(bob, short.tradeId)
    expect(texts(paid)).toMatchObject({ funding: '0.023331', pnl: '0', fundingCost: '0.023331' })
    expect(texts(received)).toMatchObject({ funding: '-0.023331', pnl: '0' })
    const fees = paid.fees + received.fees
    expect([await platform.system('house', BTC), await platform.system('fees')]).toEqual(['0', formatAmount(fees)])
  })

  test('beyond the worst price nothing closes; at exactly it does', async () => {
    const trade = await opened(ann, LONG)
    expect(codeOf(await platform.close(ann, trade.tradeId, { worstPrice: units('100.01') }))).toBe('PRICE_MOVED')
    expect(valueOf(await platform.trading.openTrades(ann))).toHaveLength(1)
    await closed(ann, trade.tradeId, { worstPrice: units('100') })
  })

  test('what is closed is closed; a stranger’s trade is not found, open or closed', async () => {
    const stranger = userAt(OTHER, 1)
    const trade = await opened(ann, LONG)
    expect(codeOf(await platform.close(stranger, trade.tradeId))).toBe('TRADE_NOT_FOUND')
    expect(codeOf(await platform.close(bob, trade.tradeId))).toBe('TRADE_NOT_FOUND')
    await closed(ann, trade.tradeId)
    expect(codeOf(await platform.close(ann, trade.tradeId))).toBe('TRADE_CLOSED')
    expect(codeOf(await platform.close(stranger, trade.tradeId))).toBe('TRADE_NOT_FOUND')
    expect(codeOf(await platform.close(ann, trade.tradeId, { identity: keyed('again') }))).toBe('TRADE_CLOSED')
    for (const text of ['', 'trade_1', `${trade.tradeId}9`, trade.tradeId.replace('_', '_0')])
      expect(codeOf(await platform.close(ann, text, { identity: keyed(`of ${text}`) }))).toBe('TRADE_NOT_FOUND')
    expect(await moneyNow(ann)).toEqual({ balance: '999', locked: '0' })
  })

  test('whose closed trade it was is not guessed while the views lag', async () => {
    const trade = await opened(ann, LONG)
    await platform.settled()
    const goOn = await platform.holdViews()
    platform.dials.projectionWaitMs = 10
    await platform.open(ann, LONG)
    const later = valueOf(await platform.trading.openTrades(ann)).at(-1)!
    await closed(ann, later.tradeId)
    expect(codeOf(await platform.close(ann, later.tradeId))).toBe('UNAVAILABLE')
    await closed(ann, trade.tradeId)
    expect(codeOf(await platform.close(ann, trade.tradeId))).toBe('TRADE_CLOSED')
    await goOn()
    await platform.settled()
    expect(codeOf(await platform.close(ann, later.tradeId))).toBe('TRADE_CLOSED')
  })
})

describe('a request with a key', () => {
  test('is executed once and answered the same, by the machines and, when they forgot, by the views', async () => {
    const request = { ...LONG, stopLossPrice: units('95'), identity: keyed('open') }
    const first = await opened(ann, request)
    expect(await opened(ann, request)).toEqual(first)
    await platform.quote(BTC, '101')
    const end = await closed(ann, first.tradeId, { identity: keyed('close') })
    expect(await closed(ann, first.tradeId, { identity: keyed('close') })).toEqual(end)
    expect(await opened(ann, request)).toEqual(first)
    await platform.forgetIds()
    const before = await recordCounts()
    expect(await opened(ann, request)).toEqual(first)
    expect(await closed(ann, first.tradeId, { identity: keyed('close') })).toEqual(end)
    expect(await recordCounts()).toEqual(before)
    expect(await platform.holds()).toBe(0)
  })

  test('is answered the same when the views were made anew from the journals', async () => {
    const first = await opened(ann, { ...LONG, identity: keyed('open') })
    const end = await closed(ann, first.tradeId, { identity: keyed('close') })
    await platform.forgetIds()
    await platform.rebuildViews()
    expect(await opened(ann, { ...LONG, identity: keyed('open') })).toEqual(first)
    expect(await closed(ann, first.tradeId, { identity: keyed('close') })).toEqual(end)
  })

  test('is answered whole though the views stand still, the first time and again', async () => {
    const request = { ...LONG, stopLossPrice: units('95'), identity: keyed('open') }
    const goOn = await platform.holdViews()
    platform.dials.projectionWaitMs = 10
    const first = await opened(ann, request)
    expect(await opened(ann, request)).toEqual(first)
    expect(valueOf(await platform.trading.openTrades(ann))).toEqual([first])
    await platform.quote(BTC, '101')
    const end = await closed(ann, first.tradeId, { identity: keyed('close') })
    expect(texts(end)).toMatchObject({ reason: 'USER', exitPrice: '101', stopLossPrice: '95', funding: '0' })
    // Of a closed trade the machine keeps a part only: what is missing waits for the views.
    expect(codeOf(await platform.close(ann, first.tradeId, { identity: keyed('close') }))).toBe('UNAVAILABLE')
    expect(codeOf(await platform.open(ann, request))).toBe('UNAVAILABLE')
    await goOn()
    await platform.settled()
    expect(await opened(ann, request)).toEqual(first)
    expect(await closed(ann, first.tradeId, { identity: keyed('close') })).toEqual(end)
  })

  test('is answered with the funding it cost, as its repeat is', async () => {
    await platform.specify(specOf(BTC, { funding: { intervalSeconds: 3_600, rateBps: '1' } }))
    await platform.quote(BTC, '100.00')
    const first = await opened(ann, { margin: units('33.33'), leverage: 7, identity: keyed('open') })
    platform.jump(3_600_000)
    await platform.quote(BTC, '100.00')
    const end = await closed(ann, first.tradeId, { identity: keyed('close') })
    expect(end.funding).toBeGreaterThan(0n)
    expect(await closed(ann, first.tradeId, { identity: keyed('close') })).toEqual(end)
    expect(await opened(ann, { margin: units('33.33'), leverage: 7, identity: keyed('open') })).toEqual(first)
  })

  test('that was refused is refused the same, though it could succeed by now', async () => {
    const request = { ...LONG, margin: units('2000'), identity: keyed('too much') }
    expect(codeOf(await platform.open(ann, request))).toBe('INSUFFICIENT_FUNDS')
    const beyond = { ...LONG, worstPrice: units('99'), identity: keyed('beyond') }
    expect(codeOf(await platform.open(ann, beyond))).toBe('PRICE_MOVED')
    valueOf(await platform.ledger.adjust(unkeyed(), ann, 'USDC', units('5000'), 'more'))
    await platform.quote(BTC, '98')
    for (const pass of ['the machines know', 'only the views know']) {
      expect([pass, codeOf(await platform.open(ann, request))]).toEqual([pass, 'INSUFFICIENT_FUNDS'])
      expect([pass, codeOf(await platform.open(ann, beyond))]).toEqual([pass, 'PRICE_MOVED'])
      await platform.forgetIds()
    }
    expect(await platform.holds()).toBe(0)
  })

  test('keeps its key from every other request: of another market, of closing, of opening', async () => {
    const trade = await opened(ann, { ...LONG, identity: keyed('a') })
    const conflicts = async (): Promise<string[]> => [
      codeOf(await platform.open(ann, { ...LONG, leverage: 9, identity: keyed('a', 'more') })),
      codeOf(await platform.open(ann, { ...LONG, asset: ETH, identity: keyed('a', 'elsewhere') })),
      codeOf(await platform.close(ann, trade.tradeId, { identity: keyed('a', 'close') })),
      codeOf(await platform.open(ann, { ...LONG, identity: keyed('b', 'open') })),
    ]
    await opened(ann, { ...LONG, margin: units('50') })
    expect(codeOf(await platform.close(ann, 'trade_72057594037928000', { identity: keyed('b') }))).toBe(
      'TRADE_NOT_FOUND',
    )
    const four = Array.from({ length: 4 }, () => 'IDEMPOTENCY_CONFLICT')
    expect(await conflicts()).toEqual(four)
    await platform.forgetIds()
    expect(await conflicts()).toEqual(four)
    expect(valueOf(await platform.trading.openTrades(ann))).toHaveLength(2)
  })

  test('is judged before the trade it names: what is nowhere does not hide a conflict', async () => {
    await opened(ann, { ...LONG, identity: keyed('a') })
    await platform.settled()
    for (const nowhere of ['trade_123456789', 'nothing'])
      expect(codeOf(await platform.close(ann, nowhere, { identity: keyed('a', nowhere) }))).toBe('IDEMPOTENCY_CONFLICT')
    expect(codeOf(await platform.close(ann, 'nothing', { identity: keyed('b') }))).toBe('TRADE_NOT_FOUND')
  })

  test('belongs to the first request for good, though that closed nothing: a trade that is nowhere', async () => {
    const trade = await opened(ann, LONG)
    expect(codeOf(await platform.close(ann, 'nothing', { identity: keyed('a') }))).toBe('TRADE_NOT_FOUND')
    const other = { identity: keyed('a', 'other body') }
    expect(codeOf(await platform.close(ann, trade.tradeId, other))).toBe('IDEMPOTENCY_CONFLICT')
    expect(codeOf(await platform.close(ann, 'nothing', { identity: keyed('a') }))).toBe('TRADE_NOT_FOUND')
    await platform.forgetIds()
    expect(codeOf(await platform.close(ann, trade.tradeId, other))).toBe('IDEMPOTENCY_CONFLICT')
    expect(codeOf(await platform.close(ann, 'nothing', { identity: keyed('a') }))).toBe('TRADE_NOT_FOUND')
  })

  test('waits for fresh views of ledger and market alike; one without a key does not', async () => {
    const trade = await opened(ann, LONG)
    const market = tradingPartitionOf(topology.markets.get(BTC)!, ann)
    for (const lagging of [partitionNumber('ledger', OTHER), market]) {
      platform.dials.viewsAreFresh = (partition) => partition !== lagging
      const name = partitionName(lagging)
      const close = await platform.close(ann, trade.tradeId, { identity: keyed(`close ${name}`) })
      const open = await platform.open(ann, { ...LONG, identity: keyed(`open ${name}`) })
      expect([name, codeOf(close), codeOf(open)]).toEqual([name, 'UNAVAILABLE', 'UNAVAILABLE'])
    }
    platform.dials.viewsAreFresh = () => false
    await opened(ann, LONG)
    await closed(ann, trade.tradeId)
    expect(valueOf(await platform.trading.openTrades(ann))).toHaveLength(1)
  })
})

describe('reading', () => {
  test('balances read after the trades include every fee and return that was answered', async () => {
    platform.dials.effectDelayMs = 3
    let expected = units('1000')
    let trade = null as Awaited<ReturnType<typeof opened>> | null
    for (let round = 0; round < 200; round++) {
      if (trade === null) {
        trade = await opened(ann, { margin: units('10'), leverage: 3 })
        expected -= trade.openFee
      } else {
        const { returned, margin } = await closed(ann, trade.tradeId)
        expected += returned - margin
        trade = null
      }
      const trades = valueOf(await platform.trading.openTrades(ann))
      const money = await platform.money(ann)
      expect(trades).toHaveLength(trade === null ? 0 : 1)
      expect(money).toEqual({ balance: formatAmount(expected), locked: trade === null ? '0' : '10' })
    }
  })

  test('open trades of all markets come in the order of their opening', async () => {
    const ids: string[] = []
    for (const asset of [ETH, BTC, BTC, ETH, BTC]) {
      ids.push((await opened(ann, { ...LONG, asset, margin: units('10') })).tradeId)
      await platform.clock.sleep(2)
    }
    const trades = valueOf(await platform.trading.openTrades(ann))
    expect(trades.map(({ tradeId }) => tradeId)).toEqual(ids)
  })
})

describe('the state of a market', () => {
  test('is set in every partition, tells the strictest, and counts the open trades of all', async () => {
    const { trading } = platform
    const state = async (asset = BTC) => valueOf(await trading.marketState(asset))
    const [mine, other] = [await opened(ann, LONG), await opened(bob, LONG)]
    expect(await state()).toEqual({ state: 'Open', openTrades: 2 })
    valueOf(await trading.setMarketState(keyed('reduce'), BTC, 'ReduceOnly'))
    expect([codeOf(await platform.open(ann, LONG)), codeOf(await platform.open(bob, LONG))]).toEqual([
      'MARKET_REDUCE_ONLY',
      'MARKET_REDUCE_ONLY',
    ])
    await closed(ann, mine.tradeId)
    valueOf(await trading.setMarketState(keyed('halt'), BTC, 'Halted'))
    expect(await state()).toEqual({ state: 'Halted', openTrades: 1 })
    expect([codeOf(await platform.open(ann, LONG)), codeOf(await platform.close(bob, other.tradeId))]).toEqual([
      'MARKET_HALTED',
      'MARKET_HALTED',
    ])
    expect(await state(ETH)).toEqual({ state: 'Open', openTrades: 0 })
    // The first tick after reopening triggers what it triggers; none before it does.
    await platform.quote(BTC, '90')
    expect(await state()).toEqual({ state: 'Halted', openTrades: 1 })
    valueOf(await trading.setMarketState(keyed('open'), BTC, 'Open'))
    await platform.quote(BTC, '90')
    expect(await state()).toEqual({ state: 'Open', openTrades: 0 })
    expect((await moneyNow(bob)).locked).toBe('0')
  })

  test('the same act twice is one act', async () => {
    const { trading } = platform
    valueOf(await trading.setMarketState(keyed('halt'), BTC, 'Halted'))
    valueOf(await trading.setMarketState(keyed('open'), BTC, 'Open'))
    // The same act again is the same act: it does not halt a market that was opened since.
    valueOf(await trading.setMarketState(keyed('halt'), BTC, 'Halted'))
    expect(valueOf(await trading.marketState(BTC)).state).toBe('Open')
  })

  test('a market that is not there is not found', async () => {
    expect(codeOf(await platform.trading.marketState('DOT_USDC'))).toBe('MARKET_NOT_FOUND')
    expect(codeOf(await platform.trading.setMarketState(keyed('x'), 'DOT_USDC', 'Halted'))).toBe('MARKET_NOT_FOUND')
  })
})

test('the users of these tests are where the tests need them', () => {
  const place = topology.markets.get(BTC)!
  expect([ann, bob].map((owner) => partitionParts(ledgerPartitionOf(topology, owner)).index)).toEqual([
    OTHER,
    INSURANCE,
  ])
  expect(tradingPartitionOf(place, ann)).not.toBe(tradingPartitionOf(place, bob))
})
