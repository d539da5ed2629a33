import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { formatAmount, parseAmount } from '@bourse/common/money/amount.ts'
import {
  closingPrice,
  distanceBps,
  guardPrice,
  isOnTick,
  levelAtMove,
  levelFault,
  nearestOnTick,
  openingPrice,
  percentText,
} from '../../src/trader/levels.ts'

const quote = { bid: '100.00', ask: '100.10' }
const tickSize = '0.05'

describe('the sides of a quote', () => {
  test('a long opens at the ask and closes at the bid, a short the reverse', () => {
    expect([openingPrice('LONG', quote), closingPrice('LONG', quote)]).toEqual(['100.10', '100.00'])
    expect([openingPrice('SHORT', quote), closingPrice('SHORT', quote)]).toEqual(['100.00', '100.10'])
  })
})

describe('moves from a price', () => {
  test('a stop of a long is below and snapped down, its target above and snapped up', () => {
    const from = { reference: '100.10', bps: 100, tickSize }
    expect(levelAtMove('stop', 'LONG', from)).toBe('99.05')
    expect(levelAtMove('target', 'LONG', from)).toBe('101.15')
  })

  test('a stop of a short is above, its target below', () => {
    const from = { reference: '100.00', bps: 200, tickSize }
    expect(levelAtMove('stop', 'SHORT', from)).toBe('102.00')
    expect(levelAtMove('target', 'SHORT', from)).toBe('98.00')
  })

  test('no price above zero is left by a move of everything', () => {
    expect(levelAtMove('stop', 'LONG', { reference: '100', bps: 10_000, tickSize })).toBeNull()
  })

  test('a move is never nearer than was asked for, and always on the grid', () => {
    const units = fc.bigInt({ min: 1_000_000n, max: 10n ** 14n })
    fc.assert(
      fc.property(
        units,
        fc.integer({ min: 1, max: 9_000 }),
        fc.bigInt({ min: 1n, max: 10n ** 8n }),
        (at, bps, tick) => {
          const reference = formatAmount(at)
          const step = formatAmount(tick)
          const up = levelAtMove('target', 'LONG', { reference, bps, tickSize: step })
          const down = levelAtMove('stop', 'LONG', { reference, bps, tickSize: step })
          expect(up).not.toBeNull()
          expect((parseAmount(up ?? '0') - at) * 10_000n).toBeGreaterThanOrEqual(at * BigInt(bps))
          expect(parseAmount(up ?? '0') % tick).toBe(0n)
          if (down === null) return
          expect((at - parseAmount(down)) * 10_000n).toBeGreaterThanOrEqual(at * BigInt(bps))
          expect(parseAmount(down) % tick).toBe(0n)
        },
      ),
    )
  })
})

describe('the guard', () => {
  test('whoever buys is guarded above the ask, whoever sells below the bid', () => {
    expect(guardPrice('open', 'LONG', { quote, bps: 50, tickSize })).toBe('100.65')
    expect(guardPrice('close', 'SHORT', { quote, bps: 50, tickSize })).toBe('100.65')
    expect(guardPrice('open', 'SHORT', { quote, bps: 50, tickSize })).toBe('99.50')
    expect(guardPrice('close', 'LONG', { quote, bps: 50, tickSize })).toBe('99.50')
  })
})

describe('what is wrong with a level', () => {
  const fault = (kind: 'stop' | 'target', direction: 'LONG' | 'SHORT', price: string) =>
    levelFault(kind, direction, { price, tickSize, quote })

  test('it is judged by the price the trade would close at', () => {
    expect(fault('stop', 'LONG', '99.95')).toBeNull()
    expect(fault('stop', 'LONG', '100.00')).toContain('below the price it closes at, now 100.00')
    expect(fault('target', 'LONG', '100.05')).toBeNull()
    expect(fault('target', 'LONG', '100.00')).toContain('above the price it closes at')
    expect(fault('stop', 'SHORT', '100.15')).toBeNull()
    expect(fault('stop', 'SHORT', '100.10')).toContain('above')
    expect(fault('target', 'SHORT', '100.05')).toBeNull()
    expect(fault('target', 'SHORT', '100.10')).toContain('below')
  })

  test('off the grid the prices around it are named', () => {
    expect(fault('stop', 'LONG', '99.97')).toBe('Prices here go in steps of 0.05: use 99.95 or 100.00.')
    expect(nearestOnTick('0.03', tickSize)).toEqual({ below: null, above: '0.05' })
    expect(isOnTick('99.97', tickSize)).toBe(false)
  })

  test('zero is no level, and says how to have none', () => {
    expect(fault('stop', 'LONG', '0')).toContain('leave the field empty')
  })

  test('without a price only its form is judged', () => {
    expect(levelFault('stop', 'LONG', { price: '1000000', tickSize, quote: null })).toBeNull()
  })
})

describe('distances', () => {
  test('are in basis points towards zero and written exactly', () => {
    expect(distanceBps('98.4', '100')).toBe(-160)
    expect(distanceBps('100.999', '100')).toBe(99)
    expect(percentText(-160)).toBe('−1.60\u00a0%')
    expect(percentText(5)).toBe('+0.05\u00a0%')
    expect(percentText(200, { short: true })).toBe('+2\u00a0%')
    expect(percentText(50, { signed: false, short: true })).toBe('0.5\u00a0%')
  })
})
