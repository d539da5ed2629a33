import { describe, expect, test } from '@jest/globals'
import { Decimal } from 'decimal.js'
import fc from 'fast-check'
import { formatAmount, parseAmount, type Units } from '@bourse/common/money/amount.ts'
import { dealAt } from '../src/machine/pricing.ts'
import { demoRules } from './world.ts'

/** Wide enough that nothing is rounded before the contract rounds it. */
const Exact = Decimal.clone({ precision: 120 })
const decimal = (units: Units): Decimal => new Exact(formatAmount(units))
const downTo = (value: Decimal, step: Decimal): Decimal => value.div(step).floor().times(step)
const upTo = (value: Decimal, step: Decimal): Decimal => value.div(step).ceil().times(step)

const pair = demoRules().pairs[0]!
const tick = decimal(pair.tickSize)
const lot = decimal(pair.lotSize)
const spread = decimal(pair.spreadBps).div(10_000)
const fiatStep = new Exact('0.01')

/** The contract's "Rules, Price" and "Rounding", in decimals and in its own words. */
const contractDeal = (side: 'BUY' | 'SELL', ticker: Decimal, amount: Decimal): readonly [Decimal, Decimal] => {
  if (side === 'BUY') {
    const price = upTo(ticker.times(spread.plus(1)), tick)
    return [price, downTo(amount.div(price), lot)]
  }
  const price = downTo(ticker.times(new Exact(1).minus(spread)), tick)
  return [price, downTo(amount.times(price), fiatStep)]
}

describe('prices and amounts of bank trades', () => {
  test('are to the last unit what the contract gives in exact decimals', () => {
    const tickers = fc.bigInt(parseAmount('0.5'), parseAmount('90'))
    const amounts = fc.bigInt(parseAmount('0.01') / 1_000_000n, parseAmount('100000') / 1_000_000n)
    fc.assert(
      fc.property(fc.constantFrom('BUY', 'SELL'), tickers, amounts, (side, ticker, hundredths) => {
        const amount = hundredths * 1_000_000n
        const [price, gained] = contractDeal(side, decimal(ticker), decimal(amount))
        const deal = dealAt(side, ticker, amount, pair)
        if (gained.lte(0)) {
          expect(deal).toBeNull()
          return
        }
        const own = side === 'BUY' ? deal!.cryptoAmount : deal!.fiatAmount
        expect([formatAmount(deal!.price), formatAmount(own)]).toEqual([price.toFixed(), gained.toFixed()])
      }),
      { numRuns: 2_000 },
    )
  })
})
