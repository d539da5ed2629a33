/** The helpers the edge computes with agree with the machine to the last unit. */
import { describe, expect, test } from '@jest/globals'
import { decodeCloseOutcome, decodeOpenOutcome, directions, encodeSpec } from '@bourse/risk-rules/trading/codec.ts'
import { createTradingMachine } from '@bourse/risk-rules/trading/machine.ts'
import { loadTradingModule } from '@bourse/risk-rules/trading/module.ts'
import {
  feeHoldOf,
  fundingCostOf,
  fundingInstantAfter,
  fundingStepOf,
  pnlOf,
  quoteOf,
} from '@bourse/risk-rules/trading/quote.ts'
import { feeOf, fundingStep, quoteOfFeed } from '@bourse/risk-rules/reference/trading/rules.ts'
import { close, createRandom, open, spec, START, tick, units } from './trading-kit.ts'

describe('the edge’s arithmetic', () => {
  test('quotes half the spread on each side, bid down and ask up to the tick', () => {
    const quote = { bid: units('49995'), ask: units('50005.02') }
    expect(quoteOf(units('50000.01'), units('50000.01'), units('2'), units('0.01'))).toEqual(quote)
    expect(quoteOf(units('1'), units('2'), 0n, units('0.01'))).toEqual({ bid: units('1'), ask: units('2') })
    const random = createRandom(3)
    for (let i = 0; i < 5_000; i++) {
      const bid = 1n + random.bigBelow(10n ** 17n)
      const ask = bid + random.bigBelow(10n)
      const args = [bid, ask, random.bigBelow(units('20000')), random.pick([1n, units('0.01'), units('3')])] as const
      expect(quoteOf(...args)).toEqual(quoteOfFeed(...args))
    }
  })

  test('tells the pnl and the fee’s hold that the machine comes to', () => {
    const machine = createTradingMachine({ wasm: loadTradingModule(), tradesMax: 4, idsMax: 4 })
    machine.apply(
      [encodeSpec({ ...spec, lotSize: 1n, spreadBps: units('2') }), tick('30000.01')],
      START,
      machine.behaviourVersion,
    )
    const words = { id: 'one', margin: '10', leverage: 7, price: '30000.01' }
    const trade = decodeOpenOutcome(machine.apply([open(words)], START, machine.behaviourVersion).outcomes[0]!)
    expect(feeHoldOf(trade.margin, trade.leverage, spec.openBps)).toBeGreaterThanOrEqual(trade.openFee)
    const closed = decodeCloseOutcome(
      machine.apply([close(1n, '29000.03')], START, machine.behaviourVersion).outcomes[0]!,
    )
    const quote = quoteOf(units('29000.03'), units('29000.03'), units('2'), spec.tickSize)
    expect([quote.bid, pnlOf(trade, quote)]).toEqual([closed.exitPrice, closed.pnl])
  })

  test('holds the open fee rounded up: 33.33333333 × 3 × 5 bps = 0.049999999995', () => {
    expect(feeHoldOf(units('33.33333333'), 3, units('5'))).toBe(units('0.05'))
    expect(feeHoldOf(units('100'), 10, 0n)).toBe(0n)
    const random = createRandom(5)
    for (let i = 0; i < 2_000; i++) {
      const [margin, leverage, bps] = [
        random.bigBelow(units('1000')),
        1 + random.below(100),
        random.bigBelow(units('100')),
      ]
      const price = 1n + random.bigBelow(units('90000'))
      const quantity = (margin * BigInt(leverage) * units('1')) / price
      expect(feeHoldOf(margin, leverage, bps)).toBeGreaterThanOrEqual(feeOf(quantity, price, bps))
    }
  })

  test('funding: the step towards zero, the cost up, the next instant strictly after', () => {
    expect(fundingStepOf(units('30000.01'), units('30000.01'), units('-0.3333'), units('75'))).toBe(
      units('-0.99990033'),
    )
    expect(fundingStepOf(1n, 3n, units('99'), units('75'))).toBe(fundingStep(1n, 3n, units('99'), units('75')))
    expect(fundingCostOf(directions.LONG, units('0.00033333'), units('3.000001'), 0n)).toBe(units('0.001'))
    expect(fundingCostOf(directions.SHORT, units('0.00033333'), units('3.000001'), 0n)).toBe(units('-0.00099999'))
    expect(fundingInstantAfter(START, 28_800)).toBe(START + 28_800_000n)
    expect(fundingInstantAfter(START - 1n, 28_800)).toBe(START)
    expect(fundingInstantAfter(START, 0)).toBe(0n)
  })
})
