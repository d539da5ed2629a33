import { describe, expect, test } from '@jest/globals'
import { isBehindLiquidation, readEdit, setsPrice, updateOf } from '../../src/trader/changes.ts'
import { EMPTY_DRAFT, orderOf, readTicket, type Draft, type TicketContext } from '../../src/trader/ticket.ts'
import { readTyped, typedText } from '../../src/trader/typed.ts'
import { market, openTrade } from './support/samples.ts'

const quote = { bid: '49990.00', ask: '50000.00' }
const context: TicketContext = { market, quote, available: '10000', parse: (text) => readTyped(text, 'en-US') }
const read = (change: Partial<Draft>, more: Partial<TicketContext> = {}) =>
  readTicket({ ...EMPTY_DRAFT, ...change }, { ...context, ...more })

describe('a ticket', () => {
  test('without a margin is not complete, and nothing is wrong with it yet', () => {
    const ticket = read({})
    expect(ticket.complete).toBe(false)
    expect(Object.values(ticket.faults)).toEqual([null, null, null, null])
    expect(orderOf(EMPTY_DRAFT, 'BTC_USDC', ticket)).toBeNull()
  })

  test('that is complete becomes the order, with the guard at the price of now', () => {
    const draft: Draft = { ...EMPTY_DRAFT, margin: '1,000.50', leverage: 20, stop: '49000', target: '52000' }
    const ticket = read(draft)
    expect(ticket.faults).toEqual({ margin: null, leverage: null, stop: null, target: null })
    expect(orderOf(draft, 'BTC_USDC', ticket)).toEqual({
      asset: 'BTC_USDC',
      direction: 'LONG',
      margin: '1000.50',
      leverage: 20,
      stopLossPrice: '49000',
      takeProfitPrice: '52000',
      worstPrice: '50250.00',
    })
  })

  test('leaves out what was not asked for', () => {
    const draft: Draft = { ...EMPTY_DRAFT, margin: '10', guardBps: null, direction: 'SHORT' }
    expect(orderOf(draft, 'BTC_USDC', read(draft))).toEqual({
      asset: 'BTC_USDC',
      direction: 'SHORT',
      margin: '10',
      leverage: 10,
    })
  })

  test('says what is wrong with each field, and is then no order', () => {
    expect(read({ margin: 'ten' }).faults.margin).toContain('Enter digits only')
    expect(read({ margin: '0' }).faults.margin).toBe('A margin is above zero.')
    expect(read({ margin: '0.5' }).faults.margin).toContain('1.00\u00a0USDC at least')
    expect(read({ margin: '10000' }).faults.margin).toContain('10,050.00\u00a0USDC would be held')
    expect(read({ margin: '3000', leverage: 100 }, { available: null }).faults.leverage).toContain('at most 50×')
    expect(read({ margin: '10', stop: '50001' }).faults.stop).toContain('below the price it closes at')
    expect(read({ margin: '10', target: '52000.001' }).faults.target).toContain('steps of 0.01')
    const draft = { ...EMPTY_DRAFT, margin: '10', stop: '50001' }
    expect(orderOf(draft, 'BTC_USDC', readTicket(draft, context))).toBeNull()
  })

  test('with an unknown balance does not guess that it is too much', () => {
    expect(read({ margin: '10000' }, { available: null }).faults.margin).toBeNull()
  })
})

describe('what a helper writes into a field', () => {
  test.each(['en-US', 'de-DE', 'fr-FR', 'en-IN', 'de-CH', 'pl-PL'])(
    'is read back as the same number in %s',
    (locale) => {
      for (const price of ['60.123', '1234.56', '60123', '0.00012345', '123456.789']) {
        expect(readTyped(typedText(price, locale), locale)).toEqual({ ok: true, value: price })
      }
    },
  )
})

describe('an edit of stop and target', () => {
  const edit = { trade: openTrade, market, quote, parse: context.parse }

  test('sends only what was changed', () => {
    const kept = readEdit('stop', '49,000.00', edit)
    expect(kept).toEqual({ price: '49000', changed: false, fault: null })
    const set = readEdit('target', '51000', edit)
    expect(updateOf('trade_1', kept, set)).toEqual({ tradeId: 'trade_1', takeProfitPrice: '51000' })
    expect(updateOf('trade_1', kept, readEdit('target', '', edit))).toBeNull()
  })

  test('takes a level away by an empty field, which needs no price', () => {
    const update = updateOf('trade_1', readEdit('stop', ' ', edit), readEdit('target', '', edit))
    expect(update).toEqual({ tradeId: 'trade_1', stopLossPrice: null })
    expect(update === null ? null : setsPrice(update)).toBe(false)
    expect(setsPrice({ tradeId: 'trade_1', stopLossPrice: null, takeProfitPrice: '51000' })).toBe(true)
  })

  test('warns of a stop that liquidation comes before', () => {
    expect(isBehindLiquidation(openTrade, '45180.72')).toBe(true)
    expect(isBehindLiquidation(openTrade, '45180.73')).toBe(false)
    expect(isBehindLiquidation({ direction: 'SHORT', liquidationPrice: '55000' }, '55000')).toBe(true)
    expect(isBehindLiquidation({ direction: 'SHORT', liquidationPrice: '55000' }, '54999.99')).toBe(false)
    expect(isBehindLiquidation({ direction: 'SHORT', liquidationPrice: null }, '1')).toBe(false)
  })

  test('does not judge a stop that stays, and judges one that is set', () => {
    const beyond = { ...edit, quote: { bid: '48000.00', ask: '48010.00' } }
    expect(readEdit('stop', '49000', beyond).fault).toBeNull()
    expect(readEdit('stop', '49500', beyond).fault).toContain('below the price')
    expect(updateOf('trade_1', readEdit('stop', '49500', beyond), readEdit('target', '', beyond))).toBeNull()
  })
})
