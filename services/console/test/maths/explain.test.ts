import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { formatAmount, parseAmount } from '@bourse/common/money/amount.ts'
import { feeOf, isLiquidated, settlementOf, tiersOf } from '@bourse/risk-rules/reference/trading/rules.ts'
import { loadTradingModule } from '@bourse/risk-rules/trading/module.ts'
import { directions } from '@bourse/risk-rules/trading/numbers.ts'
import type { ClosedTrade, Direction, Market } from '@bourse/client/shapes.ts'
import { createRiskPreview } from '../../src/maths/preview.ts'
import { specOf } from '../../src/maths/rules.ts'
import { market } from './support.ts'

const preview = createRiskPreview(loadTradingModule())

interface Case {
  readonly direction: Direction
  readonly margin: string
  readonly leverage: number
  readonly entry: bigint
  /** Ticks beyond the liquidation price at which it closes: prices jump. */
  readonly beyond: bigint
  /** What a long has paid per unit. */
  readonly perUnit: bigint
}

/** A trade liquidated by the reference arithmetic, as the platform would list it. */
const liquidated = (
  rules: Market,
  { direction, margin, leverage, entry, beyond, perUnit }: Case,
): ClosedTrade | null => {
  const entryPrice = formatAmount(entry)
  const order = { direction, margin, leverage, stopLossPrice: null, takeProfitPrice: null }
  const opened = preview.open(rules, order, { bid: entryPrice, ask: entryPrice })
  if (!opened.ok) return null
  const spec = specOf(rules)
  const sign = direction === 'LONG' ? 1n : -1n
  const trade = {
    direction: directions[direction],
    margin: parseAmount(margin),
    quantity: parseAmount(opened.quantity),
    entryPrice: entry,
    fundingAtOpen: 0n,
    tiers: tiersOf(spec.tiers),
  }
  let at = entry
  if (isLiquidated(trade, at, perUnit)) return null
  // By halves to the first tick at which the rule holds.
  for (let step = spec.tickSize << 40n; step >= spec.tickSize; step >>= 1n) {
    const next = at - sign * step
    if (next > 0n && !isLiquidated(trade, next, perUnit)) at = next
  }
  const liquidation = at - sign * spec.tickSize
  const exit = liquidation - sign * beyond * spec.tickSize
  if (exit <= 0n || !isLiquidated(trade, liquidation, perUnit)) return null
  const closed = settlementOf(trade, exit, perUnit, spec.liquidationBps)
  return {
    tradeId: 't1',
    asset: rules.symbol,
    direction,
    margin,
    leverage,
    quantity: opened.quantity,
    entryPrice,
    liquidationPrice: formatAmount(liquidation),
    stopLossPrice: null,
    takeProfitPrice: null,
    openedAt: '2026-01-01T00:00:00.000Z',
    exitPrice: formatAmount(exit),
    pnl: formatAmount(closed.pnl),
    fees: formatAmount(feeOf(trade.quantity, entry, spec.openBps) + closed.fee),
    funding: formatAmount(closed.funding),
    returned: formatAmount(closed.returned),
    reason: 'LIQUIDATION',
    closedAt: '2026-01-01T01:00:00.000Z',
  }
}

const BASE: Case = {
  direction: 'LONG',
  margin: '100',
  leverage: 50,
  entry: 6_000_000_000_000n,
  beyond: 0n,
  perUnit: 0n,
}

describe('the explanation of a liquidation', () => {
  test('is proved by the machine for longs and shorts, at jumps beyond the price, with funding paid and received', () => {
    let proved = 0
    fc.assert(
      fc.property(
        fc.record({
          direction: fc.constantFrom<Direction>('LONG', 'SHORT'),
          margin: fc.integer({ min: 5, max: 4_000 }).map(String),
          leverage: fc.integer({ min: 2, max: 50 }),
          entry: fc.integer({ min: 100, max: 9_000_000 }).map((ticks) => BigInt(ticks) * 1_000_000n),
          beyond: fc.bigInt({ min: 0n, max: 50n }),
          perUnit: fc.oneof(fc.constant(0n), fc.bigInt({ min: -20_000_000n, max: 20_000_000n })),
        }),
        (given) => {
          const rules = market()
          const trade = liquidated(rules, given)
          if (trade === null) return
          const { proof, lines } = preview.explain(rules, trade)
          const sign = trade.direction === 'LONG' ? 1n : -1n
          const better = formatAmount(parseAmount(trade.liquidationPrice!) + sign * 1_000_000n)
          expect({ trade, proof }).toEqual({ trade, proof: { verdict: 'PROVED', leavesOpenAt: better } })
          expect(lines.at(-1)).toMatchObject({ name: 'returned', value: trade.returned })
          proved += 1
        },
      ),
      { numRuns: 400, seed: 3 },
    )
    expect(proved).toBeGreaterThan(200)
  })

  test('shows the formula, the numbers and what comes out, from the price to what is returned', () => {
    const trade = liquidated(market(), { ...BASE, perUnit: 10_000_000n })
    const { lines } = preview.explain(market(), trade!)
    expect(lines.map(({ name, numbers, value }) => [name, numbers, value])).toEqual([
      ['pnl', '0.08333 × (59036.19 − 60000)', '-80.3142873'],
      ['funding', '0.008333', '0.008333'],
      ['equity', '100 + (-80.3142873) − 0.008333', '19.6773797'],
      ['maintenance', '0.004 × 0.08333 × 59036.19', '19.6779428508'],
      ['rule', '19.6773797 ≤ 19.6779428508', 'liquidated'],
      ['exitFee', '0.08333 × 59036.19 × 50 ÷ 10000', '19.6773797'],
      ['openFee', '0.08333 × 60000 × 5 ÷ 10000', '2.4999'],
      ['returned', '19.6773797 − 19.6773797', '0'],
    ])
  })

  test('says so when the present rules no longer give it: other tiers, other fees, less leverage', () => {
    const trade = liquidated(market(), BASE)!
    const differenceUnder = (changes: Partial<Market>): string => {
      const { proof } = preview.explain(market(changes), trade)
      return proof?.verdict === 'RULES_CHANGED' ? proof.difference : 'none'
    }
    const tiers = (maintenanceRate: string, maxLeverage: number): Partial<Market> => ({
      margin: { maxLeverage, tiers: [{ notionalFloor: '0', maintenanceRate, maxLeverage }] },
    })
    expect(differenceUnder(tiers('0.002', 100))).toBe('the exit price does not liquidate the trade')
    expect(differenceUnder(tiers('0.006', 100))).toContain('liquidates the trade too')
    expect(differenceUnder(tiers('0.004', 20))).toBe('opening it is refused LEVERAGE_TOO_HIGH')
    expect(differenceUnder({ fees: { openBps: '6', closeBps: '5', liquidationBps: '50' } })).toContain('fees is')
    // What limits new trades only says nothing about an old one.
    expect(
      differenceUnder({ state: 'Halted', limits: { maxOpenTrades: 1, maxNotional: '1', minMargin: '1000' } }),
    ).toBe('none')
  })

  test('of any other close has the money and no proof', () => {
    const trade: ClosedTrade = { ...liquidated(market(), BASE)!, reason: 'USER', exitPrice: '60000', pnl: '0' }
    const { lines, proof } = preview.explain(market(), { ...trade, fees: '4.9998', returned: '97.5001' })
    expect(proof).toBeNull()
    expect(lines.map(({ name, value }) => [name, value])).toEqual([
      ['pnl', '0'],
      ['equity', '100'],
      ['exitFee', '2.4999'],
      ['openFee', '2.4999'],
      ['returned', '97.5001'],
    ])
  })
})

describe('a valuation', () => {
  const trade = { direction: 'LONG', quantity: '0.5', entryPrice: '100', liquidationPrice: '90' } as const

  test.each([
    ['at the entry', '100', { pnl: '0', marginHealth: 1_000, wayLeft: 10_000 }],
    ['in profit', '110', { pnl: '5', marginHealth: 2_000, wayLeft: 10_000 }],
    ['half way to liquidation', '95', { pnl: '-2.5', marginHealth: 500, wayLeft: 5_000 }],
    ['rounded down, never up', '90.00999', { pnl: '-4.995005', marginHealth: 0, wayLeft: 9 }],
    ['at liquidation', '90', { pnl: '-5', marginHealth: 0, wayLeft: 0 }],
    ['beyond it', '80', { pnl: '-10', marginHealth: 0, wayLeft: 0 }],
  ])('of a long %s', (_, bid, expected) => {
    expect(preview.valuation(market(), trade, { bid, ask: '200' })).toMatchObject({ closingPrice: bid, ...expected })
  })

  test('of a short looks at the ask', () => {
    const short = { ...trade, direction: 'SHORT', liquidationPrice: '110' } as const
    expect(preview.valuation(market(), short, { bid: '1', ask: '105' })).toEqual({
      closingPrice: '105',
      pnl: '-2.5',
      marginHealth: 500,
      wayLeft: 5_000,
    })
  })

  test('without a price is nothing, without a liquidation price has no health', () => {
    const nothing = { closingPrice: null, pnl: null, marginHealth: null, wayLeft: null }
    expect(preview.valuation(market(), trade, null)).toEqual(nothing)
    expect(preview.valuation(market(), trade, { bid: '', ask: '1' })).toEqual(nothing)
    const safe = preview.valuation(market(), { ...trade, liquidationPrice: null }, { bid: '100', ask: '100' })
    expect(safe).toMatchObject({ pnl: '0', marginHealth: null, wayLeft: null })
  })

  test('of a trade whose liquidation funding has carried past its entry says whether it is reached, and no share', () => {
    const carried = { ...trade, liquidationPrice: '101' }
    const left = (bid: string) => preview.valuation(market(), carried, { bid, ask: '200' }).wayLeft
    expect([left('102'), left('101'), left('100.5')]).toEqual([10_000, 0, 0])
  })
})
