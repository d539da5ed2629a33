import { describe, expect, test } from '@jest/globals'
import { hasSlipped, promised, priceWithSpread } from '../../src/auditor/arithmetic/bank.ts'
import {
  feeAt,
  fundingMove,
  isDue,
  isLiquidationPrice,
  quantityFor,
  quoteAt,
  settle,
  withAmounts,
} from '../../src/auditor/arithmetic/cfd.ts'
import { ceilOf, floorOf, shown, unitsOf, WHOLE } from '../../src/auditor/arithmetic/rational.ts'

const bps = (text: string): bigint => unitsOf(text)!
const units = bps

describe("the auditor's arithmetic", () => {
  test('rounds towards −∞ and +∞, and reads and shows decimals.', () => {
    expect([floorOf(-1n, 2n), ceilOf(-1n, 2n), floorOf(1n, 2n), ceilOf(1n, 2n)]).toEqual([-1n, 0n, 0n, 1n])
    expect([shown(-150_000_000n), shown(1n), unitsOf('-1.5'), unitsOf('1.123456789')]).toEqual([
      '-1.5',
      '0.00000001',
      -150_000_000n,
      null,
    ])
  })

  test("gives the contract's example of a bank trade: 1.7100, 58.47, and the spread that is left.", () => {
    const pair = { spreadBps: bps('150'), tickSize: units('0.0001'), lotSize: units('0.01') }
    expect(shown(priceWithSpread('BUY', units('1.6847'), pair))).toBe('1.71')
    const deal = promised('BUY', units('1.6847'), units('100'), pair)!
    expect([shown(deal.crypto), shown(deal.fiat), shown(deal.spread)]).toEqual(['58.47', '100', '1.495591'])
    const sale = promised('SELL', units('1.6847'), units('10'), pair)!
    expect([shown(sale.price), shown(sale.fiat), shown(sale.spread)]).toEqual(['1.6594', '16.59', '0.257'])
    expect(promised('BUY', units('1.6847'), units('0.01'), pair)).toBeNull()
  })

  test('lets a ticker move by the slippage and no unit more, against us only.', () => {
    const [quoted, limit] = [units('2'), bps('50')]
    expect(hasSlipped('BUY', quoted, units('2.01'), limit)).toBe(false)
    expect(hasSlipped('BUY', quoted, units('2.01') + 1n, limit)).toBe(true)
    expect(hasSlipped('BUY', quoted, units('1'), limit)).toBe(false)
    expect(hasSlipped('SELL', quoted, units('1.99') - 1n, limit)).toBe(true)
  })

  test('puts half the spread on each side, out of the customer’s favour.', () => {
    expect(quoteAt(units('100'), units('100.01'), bps('2'), units('0.01'))).toEqual({
      bid: units('99.99'),
      ask: units('100.03'),
    })
  })

  test('computes fees, quantities and funding to the last unit.', () => {
    expect(feeAt(1n, 1n, bps('5'))).toBe(1n)
    expect(feeAt(WHOLE, units('100'), bps('5'))).toBe(units('0.05'))
    expect(quantityFor(units('1000'), units('3'), units('0.01'))).toBe(units('333.33'))
    expect(fundingMove(units('100'), units('100'), bps('-1'), bps('75'))).toBe(-units('0.01'))
    expect(fundingMove(1n, 2n, bps('-75'), bps('50'))).toBe(0n)
  })

  test('finds the liquidation price by the rule, and settles a close down to a deficit.', () => {
    const tiers = withAmounts([
      { floor: 0n, rate: units('0.01'), maxLeverage: 50 },
      { floor: units('1000'), rate: units('0.02'), maxLeverage: 20 },
    ])
    expect(tiers[1]!.amount).toBe(units('10'))
    const long = {
      isLong: true,
      margin: units('100'),
      quantity: units('10'),
      entryPrice: units('100'),
      fundingAtOpen: 0n,
      tiers,
    }
    // 100 + 10 (X − 100) ≤ 0.01 × 10 X, so X ≤ 900 ÷ 9.9 = 90.909…
    expect([isDue(long, units('90.90'), 0n), isDue(long, units('90.91'), 0n)]).toEqual([true, false])
    const tick = units('0.01')
    expect(
      [units('90.89'), units('90.90'), units('90.91'), 0n].map((price) => isLiquidationPrice(long, price, 0n, tick)),
    ).toEqual([false, true, false, false])
    expect(settle(long, units('90'), units('0.5'), bps('50'))).toEqual({
      pnl: units('-100'),
      funding: units('5'),
      fee: 0n,
      returned: 0n,
      deficit: units('5'),
    })
    expect(settle(long, units('101'), 0n, bps('5'))).toEqual({
      pnl: units('10'),
      funding: 0n,
      fee: units('0.505'),
      returned: units('109.495'),
      deficit: 0n,
    })
    const short = { ...long, isLong: false }
    expect(
      [units('108.82'), units('108.83'), units('108.84')].map((price) => isLiquidationPrice(short, price, 0n, tick)),
    ).toEqual([false, true, false])
  })
})
