import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { ceilTo, divCeil, divFloor, divTruncate, floorTo, mulDivCeil, mulDivFloor } from '../../src/money/rounding.ts'

const wide = fc.oneof(fc.bigInt(-100n, 100n), fc.bigInt(-(10n ** 40n), 10n ** 40n))
const positive = fc.oneof(fc.bigInt(1n, 20n), fc.bigInt(1n, 10n ** 30n))

/** The largest integer whose product with the divisor is not above the dividend, found by its definition. */
const isFloor = (quotient: bigint, dividend: bigint, divisor: bigint): boolean =>
  quotient * divisor <= dividend && dividend < (quotient + 1n) * divisor
const isCeil = (quotient: bigint, dividend: bigint, divisor: bigint): boolean =>
  (quotient - 1n) * divisor < dividend && dividend <= quotient * divisor

describe('the named roundings', () => {
  test.each([
    [7n, 2n, 3n, 4n, 3n],
    [-7n, 2n, -4n, -3n, -3n],
    [6n, 2n, 3n, 3n, 3n],
    [-6n, 2n, -3n, -3n, -3n],
    [0n, 5n, 0n, 0n, 0n],
    [1n, 5n, 0n, 1n, 0n],
    [-1n, 5n, -1n, 0n, 0n],
    [4n, 5n, 0n, 1n, 0n],
    [-4n, 5n, -1n, 0n, 0n],
    [9n, 1n, 9n, 9n, 9n],
    [-9n, 1n, -9n, -9n, -9n],
  ])('%s ÷ %s: %s down, %s up, %s towards zero', (dividend, divisor, floor, ceil, truncated) => {
    expect(divFloor(dividend, divisor)).toBe(floor)
    expect(divCeil(dividend, divisor)).toBe(ceil)
    expect(divTruncate(dividend, divisor)).toBe(truncated)
    expect(floorTo(dividend, divisor)).toBe(floor * divisor)
    expect(ceilTo(dividend, divisor)).toBe(ceil * divisor)
  })

  test('down, up and towards zero are what the words say, for every sign', () => {
    fc.assert(
      fc.property(wide, positive, (dividend, divisor) => {
        const floor = divFloor(dividend, divisor)
        const ceil = divCeil(dividend, divisor)
        expect(isFloor(floor, dividend, divisor)).toBe(true)
        expect(isCeil(ceil, dividend, divisor)).toBe(true)
        expect(divTruncate(dividend, divisor)).toBe(dividend < 0n ? ceil : floor)
        expect(divCeil(dividend, divisor)).toBe(-divFloor(-dividend, divisor))
      }),
      { numRuns: 500 },
    )
  })

  test('to a step: the nearest multiple on the named side, and a multiple stays', () => {
    fc.assert(
      fc.property(wide, positive, (value, step) => {
        const [down, up] = [floorTo(value, step), ceilTo(value, step)]
        expect(down % step).toBe(0n)
        expect(up % step).toBe(0n)
        expect(down <= value && value < down + step && up - step < value && value <= up).toBe(true)
        expect(up - down).toBe(value % step === 0n ? 0n : step)
        expect([floorTo(down, step), ceilTo(up, step)]).toEqual([down, up])
      }),
      { numRuns: 500 },
    )
  })

  test('a product is exact before it is rounded once', () => {
    fc.assert(
      fc.property(wide, wide, positive, (a, b, divisor) => {
        expect(isFloor(mulDivFloor(a, b, divisor), a * b, divisor)).toBe(true)
        expect(isCeil(mulDivCeil(a, b, divisor), a * b, divisor)).toBe(true)
      }),
    )
    // Rounding a factor first would give 0 and 2.
    expect(mulDivFloor(5n, 3n, 10n)).toBe(1n)
    expect(mulDivCeil(-5n, 3n, 10n)).toBe(-1n)
  })

  test('a division by nothing throws', () => {
    for (const divide of [divFloor, divCeil, divTruncate, floorTo, ceilTo])
      expect(() => divide(1n, 0n)).toThrow(RangeError)
  })
})
