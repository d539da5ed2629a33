/** UPDATE_TRADE as the edge calls it: real machines, ledger and views. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { formatAmount, parseAmount } from '@bourse/common/money/amount.ts'
import { BTC, codeOf, keyed, openPlatform, specOf, userAt, valueOf, type Platform } from './support.ts'

const units = parseAmount
const LONG = { margin: units('100'), leverage: 10 } as const
let platform: Platform
const ann = userAt(0)
const bob = userAt(1)
beforeEach(async () => {
  platform = await openPlatform()
  await platform.fund(ann, '1000')
  await platform.fund(bob, '1000')
})
// Every test ends with all journals verified, every currency zero-sum, clearing at 0 and every hold a margin.
afterEach(() => platform.end())

const opened = async (...call: Parameters<Platform['open']>) => valueOf(await platform.open(...call))
const updated = async (...call: Parameters<Platform['update']>) => valueOf(await platform.update(...call))
const openNow = async (account: Uint8Array) => valueOf(await platform.trading.openTrades(account))

describe('an update', () => {
  test('answers the open trade with its new stops, moves no money, and the trade is listed with them', async () => {
    const trade = await opened(ann, { ...LONG, stopLossPrice: units('95') })
    await platform.settled()
    const before = await platform.money(ann)
    const answer = await updated(ann, trade.tradeId, { takeProfitPrice: units('120') })
    expect(answer).toEqual({ ...trade, takeProfitPrice: units('120') })
    expect(await updated(ann, trade.tradeId, { stopLossPrice: units('94'), takeProfitPrice: null })).toEqual({
      ...trade,
      stopLossPrice: units('94'),
    })
    expect(await openNow(ann)).toEqual([{ ...trade, stopLossPrice: units('94') }])
    await platform.settled()
    expect(await platform.money(ann)).toEqual(before)
    expect(await platform.holds()).toBe(1)
  })

  test('decides when the trade closes: the old stop does nothing, the new one closes', async () => {
    const trade = await opened(ann, { ...LONG, stopLossPrice: units('98') })
    await updated(ann, trade.tradeId, { stopLossPrice: units('95') })
    await platform.quote(BTC, '96')
    expect(await openNow(ann)).toHaveLength(1)
    await updated(ann, trade.tradeId, { stopLossPrice: units('95.5') })
    await platform.quote(BTC, '95.5')
    expect(await openNow(ann)).toEqual([])
  })

  test.each([
    ['INVALID_STOP_LOSS', { stopLossPrice: units('100') }],
    ['INVALID_TAKE_PROFIT', { takeProfitPrice: units('99.999') }],
  ] as const)('refused %s changes nothing', async (code, parts) => {
    const trade = await opened(ann, { ...LONG, stopLossPrice: units('95'), takeProfitPrice: units('120') })
    expect(codeOf(await platform.update(ann, trade.tradeId, parts))).toBe(code)
    expect(await openNow(ann)).toEqual([trade])
  })

  test('of a halted market can only take away', async () => {
    const trade = await opened(ann, { ...LONG, stopLossPrice: units('95') })
    valueOf(await platform.trading.setMarketState(keyed('halt'), BTC, 'Halted'))
    expect(codeOf(await platform.update(ann, trade.tradeId, { stopLossPrice: units('94') }))).toBe('MARKET_HALTED')
    expect((await updated(ann, trade.tradeId, { stopLossPrice: null })).stopLossPrice).toBeNull()
  })

  test('of what is closed, a stranger’s or nowhere is refused as closing it is', async () => {
    const trade = await opened(ann, LONG)
    const stop = { stopLossPrice: units('95') }
    expect(codeOf(await platform.update(bob, trade.tradeId, stop))).toBe('TRADE_NOT_FOUND')
    expect(codeOf(await platform.update(userAt(0, 1), trade.tradeId, stop))).toBe('TRADE_NOT_FOUND')
    for (const text of ['', 'nothing', `${trade.tradeId}9`])
      expect(codeOf(await platform.update(ann, text, { ...stop, identity: keyed(`of ${text}`) }))).toBe(
        'TRADE_NOT_FOUND',
      )
    valueOf(await platform.close(ann, trade.tradeId))
    expect(codeOf(await platform.update(ann, trade.tradeId, stop))).toBe('TRADE_CLOSED')
    expect(codeOf(await platform.update(ann, trade.tradeId, { ...stop, identity: keyed('late') }))).toBe('TRADE_CLOSED')
    expect(codeOf(await platform.update(userAt(0, 1), trade.tradeId, stop))).toBe('TRADE_NOT_FOUND')
  })
})

describe('with a key', () => {
  test('it is done once and answered the same, after other updates, after the close, by machine and views', async () => {
    const open = { ...LONG, stopLossPrice: units('95'), identity: keyed('open') }
    const trade = await opened(ann, open)
    const request = { stopLossPrice: units('94'), takeProfitPrice: units('130'), identity: keyed('update') }
    const first = await updated(ann, trade.tradeId, request)
    expect(first).toEqual({ ...trade, stopLossPrice: units('94'), takeProfitPrice: units('130') })
    const now = await updated(ann, trade.tradeId, { stopLossPrice: units('93') })
    const repeats = async (): Promise<void> => {
      expect(await updated(ann, trade.tradeId, request)).toEqual(first)
      // The opening is told as it was, too, though the trade has other stops by now.
      expect(await opened(ann, open)).toEqual(trade)
    }
    await repeats()
    expect(await openNow(ann)).toEqual([now])
    await platform.forgetIds()
    await repeats()
    expect(await openNow(ann)).toEqual([now])
    valueOf(await platform.close(ann, trade.tradeId, { identity: keyed('close') }))
    await repeats()
    await platform.forgetIds()
    await platform.rebuildViews()
    await repeats()
  })

  test('it keeps the liquidation price that it was told, though funding has moved it since', async () => {
    await platform.specify(specOf(BTC, { funding: { intervalSeconds: 3_600, rateBps: '10' } }))
    await platform.quote(BTC, '100.00')
    const trade = await opened(ann, LONG)
    platform.jump(3_600_000)
    await platform.quote(BTC, '100.00')
    const request = { stopLossPrice: units('95'), identity: keyed('update') }
    const first = await updated(ann, trade.tradeId, request)
    expect(first.liquidationPrice! > trade.liquidationPrice!).toBe(true)
    platform.jump(300_000)
    expect(await updated(ann, trade.tradeId, request)).toEqual(first)
    platform.jump(3_600_000)
    await platform.quote(BTC, '100.00')
    expect(await updated(ann, trade.tradeId, request)).toEqual(first)
    const [seen] = await openNow(ann)
    expect(seen!.liquidationPrice! > first.liquidationPrice!).toBe(true)
    expect(formatAmount(seen!.stopLossPrice!)).toBe('95')
  })

  test('a refusal stays, another request is a conflict, and so is a close under the same key', async () => {
    const trade = await opened(ann, LONG)
    const wrong = { stopLossPrice: units('101'), identity: keyed('a') }
    expect(codeOf(await platform.update(ann, trade.tradeId, wrong))).toBe('INVALID_STOP_LOSS')
    await platform.quote(BTC, '102')
    for (const pass of ['the machines know', 'only the views know']) {
      expect([pass, codeOf(await platform.update(ann, trade.tradeId, wrong))]).toEqual([pass, 'INVALID_STOP_LOSS'])
      const other = { stopLossPrice: units('95'), identity: keyed('a', 'other') }
      expect([pass, codeOf(await platform.update(ann, trade.tradeId, other))]).toEqual([pass, 'IDEMPOTENCY_CONFLICT'])
      const close = await platform.close(ann, trade.tradeId, { identity: keyed('a', 'close') })
      expect([pass, codeOf(close)]).toEqual([pass, 'IDEMPOTENCY_CONFLICT'])
      await platform.forgetIds()
    }
    expect(await openNow(ann)).toEqual([trade])
  })

  test('it waits for fresh views; without one it does not', async () => {
    const trade = await opened(ann, LONG)
    platform.dials.viewsAreFresh = () => false
    const parts = { stopLossPrice: units('95') }
    expect(codeOf(await platform.update(ann, trade.tradeId, { ...parts, identity: keyed('a') }))).toBe('UNAVAILABLE')
    expect((await updated(ann, trade.tradeId, parts)).stopLossPrice).toBe(units('95'))
  })
})
