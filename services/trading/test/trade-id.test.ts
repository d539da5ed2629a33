import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { partitionName } from '@bourse/common/kernel/partition.ts'
import { partitionOfTrade, placeOfTradeId, tradeIdOf } from '../src/codec/trade-id.ts'

const places = fc.record({
  market: fc.integer({ min: 1, max: 65_535 }),
  partitionIndex: fc.integer({ min: 0, max: 255 }),
  tradeNumber: fc.bigInt(1n, 2n ** 48n - 1n),
})

describe('public ids of trades', () => {
  test('the id of a trade is the same for ever: clients and views keep it', () => {
    expect(tradeIdOf({ market: 1, partitionIndex: 0, tradeNumber: 1n })).toBe('trade_72057594037927937')
    expect(tradeIdOf({ market: 2, partitionIndex: 3, tradeNumber: 77n })).toBe('trade_144959613005987917')
    expect(partitionName(partitionOfTrade({ market: 2, partitionIndex: 3, tradeNumber: 77n }))).toBe('trading/2/3')
  })

  test('an id names one place and a place has one id', () => {
    fc.assert(
      fc.property(places, places, (one, other) => {
        expect(placeOfTradeId(tradeIdOf(one))).toEqual(one)
        const same = JSON.stringify(one, asText) === JSON.stringify(other, asText)
        expect(tradeIdOf(one) === tradeIdOf(other)).toBe(same)
      }),
    )
  })

  test('whatever text names a place is that place’s id, to the letter', () => {
    const nearly = fc
      .tuple(fc.constantFrom('trade_', 'trade_0', 'trade', 'Trade_', ' trade_', ''), fc.bigInt(0n, 2n ** 75n))
      .map(([before, number]) => `${before}${number}`)
    fc.assert(
      fc.property(fc.oneof(nearly, fc.string()), (text) => {
        const place = placeOfTradeId(text)
        if (place !== null) expect(tradeIdOf(place)).toBe(text)
      }),
      { numRuns: 500 },
    )
  })

  test.each([
    ['', 'trade_', 'trade_x', 'trade_-1', 'trade_1.0', 'trade_1e20', 'trade_ 72057594037927937'],
    ['trade_72057594037927937 ', 'trade_72057594037927937\n', 'TRADE_72057594037927937', '72057594037927937'],
    ['trade_072057594037927937', 'trade_0', 'trade_1', 'trade_\u0661'],
    [`trade_${1n << 56n}`, `trade_${(65_536n << 56n) + 1n}`, `trade_${'9'.repeat(24)}`, `trade_${'9'.repeat(500)}`],
  ])('what is no id is refused: %j …', (...texts) => {
    for (const text of texts) expect(placeOfTradeId(text)).toBeNull()
  })
})

const asText = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? String(value) : value)
