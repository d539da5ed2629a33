import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { AMOUNT_MAX_UNITS, formatAmount } from '@bourse/common/money/amount.ts'
import { fitsAvailable, holdsOf } from '../../src/trader/funds.ts'
import { settleAt } from '../../src/trader/settle.ts'
import { EMPTY_DRAFT, orderOf, readTicket } from '../../src/trader/ticket.ts'
import { readTyped } from '../../src/trader/typed.ts'
import { market } from './support/samples.ts'

const amount = fc.bigInt({ min: 0n, max: AMOUNT_MAX_UNITS }).map((units) => formatAmount(units))
const typed = fc.oneof(
  amount,
  fc.string({ maxLength: 24 }),
  fc.constantFrom('', '0', '1e3', '-5', '999999999999.99999999'),
)
const context = {
  market,
  quote: { bid: '59994', ask: '60006' },
  available: '10000',
  parse: (text: string) => readTyped(text, 'en-GB'),
}

describe('whatever is typed', () => {
  test('into a ticket is read: it becomes an order that fits the balance, or words', () => {
    fc.assert(
      fc.property(typed, typed, typed, fc.integer({ min: 1, max: 100 }), (margin, stop, target, leverage) => {
        const draft = { ...EMPTY_DRAFT, margin, stop, target, leverage }
        const read = readTicket(draft, context)
        const order = orderOf(draft, market.symbol, read)
        if (order === null) return
        expect(fitsAvailable('10000', holdsOf(order.margin, leverage, market.fees.openBps).sum)).toBe(true)
      }),
      { numRuns: 2_000 },
    )
  })

  test('as a margin, the largest amount there is says what is available, at any leverage', () => {
    for (const leverage of [1, 30, 100]) {
      const read = readTicket({ ...EMPTY_DRAFT, margin: '999999999999.99999999', leverage }, context)
      expect(read.faults.margin).toContain('is available')
      expect(read.complete).toBe(false)
    }
  })

  test('as a price of an open trade can be settled', () => {
    const trade = {
      direction: 'LONG',
      margin: '1000',
      quantity: '0.2',
      entryPrice: '50000',
      funding: '-0.00000001',
    } as const
    fc.assert(
      fc.property(amount, (price) => {
        expect(settleAt(trade, price, '5').returned).toMatch(/^\d+(\.\d+)?$/)
        expect(settleAt({ ...trade, direction: 'SHORT' }, price, '5').returned).toMatch(/^\d+(\.\d+)?$/)
      }),
    )
  })
})
