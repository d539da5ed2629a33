import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { formatAmount, parseAmount } from '@bourse/common/money/amount.ts'
import { settlementOf } from '@bourse/risk-rules/reference/trading/rules.ts'
import { directions } from '@bourse/risk-rules/trading/numbers.ts'
import { settleAt } from '../../src/trader/settle.ts'

describe('what closing at a price would give', () => {
  test('is what the reference arithmetic settles, for any trade, price and funding', () => {
    const price = fc.bigInt({ min: 1n, max: 10n ** 13n })
    fc.assert(
      fc.property(
        fc.record({
          direction: fc.constantFrom('LONG' as const, 'SHORT' as const),
          margin: fc.bigInt({ min: 1n, max: 10n ** 13n }),
          quantity: fc.bigInt({ min: 1n, max: 10n ** 11n }),
          entryPrice: price,
          exit: price,
          paidPerUnit: fc.bigInt({ min: -(10n ** 9n), max: 10n ** 9n }),
          bps: fc.bigInt({ min: 0n, max: 10n ** 11n }),
        }),
        ({ direction, margin, quantity, entryPrice, exit, paidPerUnit, bps }) => {
          const trade = { direction: directions[direction], margin, quantity, entryPrice, fundingAtOpen: 0n, tiers: [] }
          const expected = settlementOf(trade, exit, paidPerUnit, bps)
          const settled = settleAt(
            {
              direction,
              margin: formatAmount(margin),
              quantity: formatAmount(quantity),
              entryPrice: formatAmount(entryPrice),
              funding: formatAmount(expected.funding),
            },
            formatAmount(exit),
            formatAmount(bps),
          )
          expect(parseAmount(settled.pnl)).toBe(expected.pnl)
          expect(parseAmount(settled.fee)).toBe(expected.fee)
          expect(parseAmount(settled.returned)).toBe(expected.returned)
          expect(parseAmount(settled.change)).toBe(expected.returned - margin)
        },
      ),
    )
  })
})
