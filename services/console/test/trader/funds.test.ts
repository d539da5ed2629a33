import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { formatAmount, parseAmount } from '@bourse/common/money/amount.ts'
import { feeHoldOf } from '@bourse/risk-rules/trading/quote.ts'
import { fitsAvailable, holdsOf, leverageFault, leverageMax, marginFor } from '../../src/trader/funds.ts'
import { market } from './support/samples.ts'

const CENT = 1_000_000n

describe('holds', () => {
  test('are the margin and the fee hold of the engine', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: 1n, max: 10n ** 16n }),
        fc.integer({ min: 1, max: 200 }),
        fc.bigInt({ min: 0n, max: 10n ** 10n }),
        (margin, leverage, bps) => {
          const holds = holdsOf(formatAmount(margin), leverage, formatAmount(bps))
          expect(parseAmount(holds.fee)).toBe(feeHoldOf(margin, leverage, bps))
          expect(parseAmount(holds.sum)).toBe(margin + feeHoldOf(margin, leverage, bps))
        },
      ),
    )
  })
})

describe('all available', () => {
  test('leaves room for the fee hold, and one cent more would not fit', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: 0n, max: 10n ** 14n }),
        fc.integer({ min: 1, max: 100 }),
        fc.bigInt({ min: 0n, max: 10n ** 10n }),
        (available, leverage, bps) => {
          const openBps = formatAmount(bps)
          const text = formatAmount(available)
          const margin = parseAmount(marginFor(text, 100, { leverage, openBps }))
          expect(margin % CENT).toBe(0n)
          const sumOf = (units: bigint) => holdsOf(formatAmount(units), leverage, openBps).sum
          if (margin > 0n) expect(fitsAvailable(text, sumOf(margin))).toBe(true)
          expect(fitsAvailable(text, sumOf(margin + CENT))).toBe(false)
        },
      ),
    )
  })

  test('a quarter is a quarter of what is there, and of nothing nothing', () => {
    expect(marginFor('10000', 25, { leverage: 10, openBps: '5' })).toBe('2487.56')
    expect(marginFor('0', 100, { leverage: 10, openBps: '5' })).toBe('0')
  })
})

describe('leverage', () => {
  test('is bounded by the tier that the notional would be in', () => {
    expect(leverageMax(market, null)).toBe(100)
    expect(leverageMax(market, '2499')).toBe(100)
    // 2500 × 100 = 250000 is in the second tier already; 99 × 2500 is not.
    expect(leverageMax(market, '2500')).toBe(99)
    expect(leverageMax(market, '10000')).toBe(50)
  })

  test('beyond it says what would do', () => {
    expect(leverageFault(market, '10000', 50)).toBeNull()
    expect(leverageFault(market, '10000', 51)).toContain('Use 50× or a smaller margin')
    expect(leverageFault(market, '10000', 51)).toContain('250,000.00\u00a0USDC')
  })
})
