/** The 128-bit arithmetic against bigint, at random and at every edge: right to the last unit, or a trap. */
import { describe, expect, test } from '@jest/globals'
import { divCeil, divFloor } from '@bourse/common/money/rounding.ts'
import { compile } from './assembly-kit.ts'
import { createRandom } from './trading-kit.ts'

type Binary = (a: bigint, b: bigint) => bigint
type Ternary = (a: bigint, b: bigint, c: bigint) => bigint
type Wide = (aLow: bigint, aHigh: bigint, bLow: bigint, bHigh: bigint) => bigint

const int128 = compile<{
  readonly high: () => bigint
  readonly addChecked: Binary
  readonly subChecked: Binary
  readonly mulChecked: Binary
  readonly multiply: Binary
  readonly multiplyUnsigned: Binary
  readonly narrow: Binary
  readonly negate128: Binary
  readonly mulDivFloor: Ternary
  readonly mulDivCeil: Ternary
  readonly mulDivTruncate: Ternary
  readonly divideFloor128: Ternary
  readonly divideCeil128: Ternary
  readonly divideUnsigned: Ternary
  readonly divideUp: Ternary
  readonly multiply128: Ternary
  readonly add128: Wide
  readonly sub128: Wide
  readonly compare128: (aLow: bigint, aHigh: bigint, bLow: bigint, bHigh: bigint) => number
  readonly compareProducts: (a: bigint, b: bigint, c: bigint, d: bigint) => number
}>(`
  import { high128 } from '@assembly/shared/int128'
  export * from '@assembly/shared/int128'
  export function high(): u64 { return high128 }
`)

const MAX64 = (1n << 63n) - 1n
const MIN64 = -(1n << 63n)
const MAX128 = (1n << 127n) - 1n
const MIN128 = -(1n << 127n)
const low = (value: bigint): bigint => BigInt.asUintN(64, value)
const high = (value: bigint): bigint => value >> 64n
const fits64 = (value: bigint): boolean => value >= MIN64 && value <= MAX64
const fits128 = (value: bigint): boolean => value >= MIN128 && value <= MAX128

const random = createRandom(42)
const halves64 = [1n << 32n, (1n << 32n) - 1n, -(1n << 32n)]
const edges64 = [0n, 1n, -1n, 2n, MAX64, MAX64 - 1n, MIN64, MIN64 + 1n, ...halves64, 100_000_000n, 10n ** 16n]
const value64 = (): bigint => {
  if (random.chance(25)) return random.pick(edges64)
  const magnitude = random.bigBelow(1n << BigInt(1 + random.below(63)))
  return random.chance(50) ? magnitude : -magnitude
}
const positive64 = (): bigint => {
  const value = value64()
  return value === MIN64 ? MAX64 : value === 0n ? 1n : value < 0n ? -value : value
}
const value128 = (): bigint => {
  if (random.chance(15))
    return random.pick([MAX128, MIN128, MAX128 - 1n, 1n << 64n, -(1n << 64n), (1n << 64n) - 1n, 0n])
  return value64() * (random.chance(60) ? value64() : 1n)
}

/** The value, or 'trap'. */
const outcome = (run: () => bigint): bigint | 'trap' => {
  try {
    return run()
  } catch (error) {
    if (error instanceof WebAssembly.RuntimeError || String(error).includes('RuntimeError')) return 'trap'
    throw error
  }
}
const wide = (run: () => bigint): bigint | 'trap' =>
  outcome(() => {
    const lowHalf = low(run())
    return (BigInt.asIntN(64, int128.high()) << 64n) | lowHalf
  })

type Compared = readonly [found: bigint | 'trap', expected: bigint | 'trap', of: readonly bigint[]]

const agree = (times: number, step: () => Compared): void => {
  for (let i = 0; i < times; i++) {
    const [found, expected, of] = step()
    if (found !== expected) expect({ of, found }).toEqual({ of, found: expected })
  }
}
const orTrap = (value: bigint, fits: (value: bigint) => boolean): bigint | 'trap' => (fits(value) ? value : 'trap')

describe('the checked 128-bit arithmetic', () => {
  test('adds, subtracts and multiplies 64 bits, and traps beyond them', () => {
    agree(60_000, () => {
      const [a, b] = [value64(), value64()]
      const [found, expected] = random.pick([
        () => [outcome(() => int128.addChecked(a, b)), orTrap(a + b, fits64)] as const,
        () => [outcome(() => int128.subChecked(a, b)), orTrap(a - b, fits64)] as const,
        () => [outcome(() => int128.mulChecked(a, b)), orTrap(a * b, fits64)] as const,
        () => [wide(() => int128.multiply(a, b)), a * b] as const,
        () => [BigInt.asUintN(128, wide(() => int128.multiplyUnsigned(a, b)) as bigint), low(a) * low(b)] as const,
      ])()
      return [found, expected, [a, b]]
    })
  })

  test('multiplies and divides, exact before it rounds once, and traps beyond 64 bits or on a divisor below 1', () => {
    agree(150_000, () => {
      const [a, b] = [value64(), value64()]
      const divisor = random.chance(5) ? random.pick([0n, -1n, MIN64]) : positive64()
      const product = a * b
      const expected = (value: () => bigint): bigint | 'trap' => (divisor < 1n ? 'trap' : orTrap(value(), fits64))
      const [found, wanted] = random.pick([
        () => [outcome(() => int128.mulDivFloor(a, b, divisor)), expected(() => divFloor(product, divisor))] as const,
        () => [outcome(() => int128.mulDivCeil(a, b, divisor)), expected(() => divCeil(product, divisor))] as const,
        // −2^63 is left out of the truncating one's range: its magnitude has no i64.
        () =>
          [outcome(() => int128.mulDivTruncate(a, b, divisor)), expected(() => truncated(product, divisor))] as const,
      ])()
      return [found, wanted, [a, b, divisor]]
    })
  })

  test('divides 128 by 64 bits both ways', () => {
    agree(150_000, () => {
      const [a, divisor] = [value128(), positive64()]
      const [of, isFloor] = [[a, divisor], random.chance(50)]
      if (isFloor) return [wide(() => int128.divideFloor128(low(a), high(a), divisor)), divFloor(a, divisor), of]
      return [wide(() => int128.divideCeil128(low(a), high(a), divisor)), divCeil(a, divisor), of]
    })
    // Divisors on both sides of 2^32: they are divided by in different ways.
    const word = (): bigint => BigInt.asUintN(32, value64()) || 1n
    agree(40_000, () => {
      const [a, divisor] = [BigInt.asUintN(128, value128()), random.chance(50) ? word() : low(value64()) || 1n]
      const isUp = random.chance(50)
      const found = wide(() => (isUp ? int128.divideUp : int128.divideUnsigned)(low(a), high(a), divisor)) as bigint
      return [BigInt.asUintN(128, found), isUp ? divCeil(a, divisor) : a / divisor, [a, divisor]]
    })
  })

  test('adds, subtracts, negates, compares and scales 128 bits, and traps beyond them', () => {
    agree(80_000, () => {
      const [a, b] = [value128(), value128()]
      const factor = positive64()
      const magnitude = a < 0n ? -(a + 1n) : a
      const [found, expected] = random.pick([
        () => [wide(() => int128.add128(low(a), high(a), low(b), high(b))), orTrap(a + b, fits128)] as const,
        () => [wide(() => int128.sub128(low(a), high(a), low(b), high(b))), orTrap(a - b, fits128)] as const,
        () => [wide(() => int128.negate128(low(a), high(a))), orTrap(-a, fits128)] as const,
        () => [BigInt(int128.compare128(low(a), high(a), low(b), high(b))), a < b ? -1n : a > b ? 1n : 0n] as const,
        () => {
          const found = wide(() => int128.multiply128(low(magnitude), high(magnitude), factor))
          return [found, orTrap(magnitude * factor, fits128)] as const
        },
        () => [outcome(() => int128.narrow(low(a), high(a))), orTrap(a, fits64)] as const,
      ])()
      return [found, expected, [a, b]]
    })
    agree(20_000, () => {
      const [a, b, c, d] = [value64(), value64(), value64(), value64()]
      const difference = a * b - c * d
      return [
        BigInt(int128.compareProducts(a, b, c, d)),
        difference < 0n ? -1n : difference > 0n ? 1n : 0n,
        [a, b, c, d],
      ]
    })
  })
})

const truncated = (product: bigint, divisor: bigint): bigint => {
  const quotient = product / divisor
  return quotient === MIN64 ? MIN64 - 1n : quotient
}
