/**
 * Checked 128-bit arithmetic, the only arithmetic that money, prices and quantities go through.
 *
 * WebAssembly has no 128-bit value, so a result travels as its low half (returned) and its high half
 * (`high128`, valid until the next call). Signed values are two's complement: `low` u64, `high` read as i64.
 * Every function traps when its result does not fit: an overflow is a bug of the caller's limits, never a
 * wrong amount.
 */

/** High half of the last 128-bit result. */
export let high128: u64 = 0
/** Remainder of the last division. */
let remainder: u64 = 0

/** One whole in units: the scale of every amount, price and quantity. */
export const WHOLE: i64 = 100_000_000

/** |value| as unsigned, right for the lowest i64 too. */
@inline
function magnitude(value: i64): u64 {
  return value < 0 ? 0 - <u64>value : <u64>value
}

/** a + b; traps beyond i64. */
export function addChecked(a: i64, b: i64): i64 {
  const sum = a + b
  assert(((a ^ sum) & (b ^ sum)) >= 0)
  return sum
}

/** a − b; traps beyond i64. */
export function subChecked(a: i64, b: i64): i64 {
  const difference = a - b
  assert(((a ^ b) & (a ^ difference)) >= 0)
  return difference
}

/** a × b; traps beyond i64. */
export function mulChecked(a: i64, b: i64): i64 {
  return narrow(multiply(a, b), <i64>high128)
}

/** Unsigned 64 × 64 → 128. */
export function multiplyUnsigned(a: u64, b: u64): u64 {
  const aLow = a & 0xffffffff
  const aHigh = a >> 32
  const bLow = b & 0xffffffff
  const bHigh = b >> 32
  const lowLow = aLow * bLow
  const middle = aHigh * bLow + (lowLow >> 32)
  const cross = aLow * bHigh + (middle & 0xffffffff)
  high128 = aHigh * bHigh + (middle >> 32) + (cross >> 32)
  return (cross << 32) | (lowLow & 0xffffffff)
}

/** Signed 64 × 64 → 128; always fits. */
export function multiply(a: i64, b: i64): u64 {
  const low = multiplyUnsigned(<u64>a, <u64>b)
  if (a < 0) high128 -= <u64>b
  if (b < 0) high128 -= <u64>a
  return low
}

/** a + b of signed 128-bit values. */
export function add128(aLow: u64, aHigh: i64, bLow: u64, bHigh: i64): u64 {
  const low = aLow + bLow
  const high = aHigh + bHigh + <i64>(low < aLow)
  assert(((aHigh ^ high) & (bHigh ^ high)) >= 0)
  high128 = <u64>high
  return low
}

/** a − b of signed 128-bit values. */
export function sub128(aLow: u64, aHigh: i64, bLow: u64, bHigh: i64): u64 {
  const high = aHigh - bHigh - <i64>(aLow < bLow)
  assert(((aHigh ^ bHigh) & (aHigh ^ high)) >= 0)
  high128 = <u64>high
  return aLow - bLow
}

/** −a of a signed 128-bit value. */
export function negate128(low: u64, high: i64): u64 {
  return sub128(0, 0, low, high)
}

/** −1, 0 or 1 as a is less than, equal to or greater than b (signed 128-bit values). */
export function compare128(aLow: u64, aHigh: i64, bLow: u64, bHigh: i64): i32 {
  if (aHigh != bHigh) return aHigh < bHigh ? -1 : 1
  return aLow == bLow ? 0 : aLow < bLow ? -1 : 1
}

/** The sign of a × b − c × d, exact. */
export function compareProducts(a: i64, b: i64, c: i64, d: i64): i32 {
  const leftLow = multiply(a, b)
  const leftHigh = <i64>high128
  const rightLow = multiply(c, d)
  return compare128(leftLow, leftHigh, rightLow, <i64>high128)
}

/** The value as i64; traps when it does not fit. */
export function narrow(low: u64, high: i64): i64 {
  assert(high == (<i64>low) >> 63)
  return <i64>low
}

/** (high × 2^64 + low) ÷ divisor for high < divisor: quotient of 64 bits, remainder beside it (Knuth's algorithm D). */
function divideStep(high: u64, low: u64, divisor: u64): u64 {
  const shift = clz(divisor)
  const d = divisor << shift
  const dHigh = d >> 32
  const dLow = d & 0xffffffff
  const n32 = shift == 0 ? high : (high << shift) | (low >> (64 - shift))
  const n10 = low << shift
  const n1 = n10 >> 32
  const n0 = n10 & 0xffffffff
  let q1 = n32 / dHigh
  let r = n32 - q1 * dHigh
  while (q1 > 0xffffffff || q1 * dLow > ((r << 32) | n1)) {
    q1 -= 1
    r += dHigh
    if (r > 0xffffffff) break
  }
  const n21 = (n32 << 32) + n1 - q1 * d
  let q0 = n21 / dHigh
  r = n21 - q0 * dHigh
  while (q0 > 0xffffffff || q0 * dLow > ((r << 32) | n0)) {
    q0 -= 1
    r += dHigh
    if (r > 0xffffffff) break
  }
  remainder = ((n21 << 32) + n0 - q0 * d) >> shift
  return (q1 << 32) + q0
}

/** (high × 2^64 + low) ÷ divisor for high < divisor < 2^32: digit by digit, base 2^32; remainder beside it. */
@inline
function divideByWord(high: u64, low: u64, divisor: u64): u64 {
  const upper = (high << 32) | (low >> 32)
  const first = upper / divisor
  const lower = ((upper - first * divisor) << 32) | (low & 0xffffffff)
  const second = lower / divisor
  remainder = lower - second * divisor
  return (first << 32) | second
}

/** Unsigned 128 ÷ 64 → 128, rounded down; the divisor is not 0. */
export function divideUnsigned(low: u64, high: u64, divisor: u64): u64 {
  assert(divisor != 0)
  if (high == 0) {
    high128 = 0
    const quotient = low / divisor
    remainder = low - quotient * divisor
    return quotient
  }
  // Hardware divides by 64 bits at most, and slowly: mostly there is nothing to divide in the high half.
  const quotientHigh = high < divisor ? 0 : high / divisor
  const rest = high - quotientHigh * divisor
  const quotientLow = divisor >> 32 == 0 ? divideByWord(rest, low, divisor) : divideStep(rest, low, divisor)
  high128 = quotientHigh
  return quotientLow
}

/** Unsigned 128 ÷ 64 → 128, rounded up; the divisor is not 0. */
export function divideUp(low: u64, high: u64, divisor: u64): u64 {
  const quotient = divideUnsigned(low, high, divisor)
  if (remainder == 0) return quotient
  high128 += u64(quotient == u64.MAX_VALUE)
  return quotient + 1
}

/** Signed 128 ÷ positive i64 → 128: towards −∞ when `up` is false, towards +∞ when it is true. */
function divideTowards(low: u64, high: i64, divisor: i64, up: bool): u64 {
  assert(divisor > 0)
  if (high >= 0) {
    const quotient = divideUnsigned(low, <u64>high, <u64>divisor)
    if (!up || remainder == 0) return quotient
    return add128(quotient, <i64>high128, 1, 0)
  }
  // The magnitude of the lowest value fits the unsigned division.
  const quotient = divideUnsigned(0 - low, 0 - <u64>high - u64(low != 0), <u64>divisor)
  const away = !up && remainder != 0
  const negated = 0 - quotient
  high128 = 0 - high128 - u64(quotient != 0)
  if (!away) return negated
  return sub128(negated, <i64>high128, 1, 0)
}

/** Signed 128 ÷ positive i64 → 128, towards −∞. */
export function divideFloor128(low: u64, high: i64, divisor: i64): u64 {
  return divideTowards(low, high, divisor, false)
}

/** Signed 128 ÷ positive i64 → 128, towards +∞. */
export function divideCeil128(low: u64, high: i64, divisor: i64): u64 {
  return divideTowards(low, high, divisor, true)
}

/** Whether a × b of values ≥ 0 surely fits 63 bits: then the machine's own instructions do. */
@inline
function isSmallProduct(a: i64, b: i64): bool {
  return (a | b) >= 0 && clz(a) + clz(b) >= 65
}

/** floor(a × b ÷ divisor), the product exact; divisor > 0; traps when the result does not fit i64. */
export function mulDivFloor(a: i64, b: i64, divisor: i64): i64 {
  if (isSmallProduct(a, b) && divisor > 0) return (a * b) / divisor
  const low = multiply(a, b)
  return narrow(divideTowards(low, <i64>high128, divisor, false), <i64>high128)
}

/** ceil(a × b ÷ divisor), the product exact; divisor > 0; traps when the result does not fit i64. */
export function mulDivCeil(a: i64, b: i64, divisor: i64): i64 {
  if (isSmallProduct(a, b) && divisor > 0) {
    const product = a * b
    const quotient = product / divisor
    return quotient + i64(quotient * divisor != product)
  }
  const low = multiply(a, b)
  return narrow(divideTowards(low, <i64>high128, divisor, true), <i64>high128)
}

/** a × b ÷ divisor towards zero, the product exact; divisor > 0; traps when the result does not fit i64. */
export function mulDivTruncate(a: i64, b: i64, divisor: i64): i64 {
  assert(divisor > 0)
  const negative = (a ^ b) < 0
  const low = multiplyUnsigned(magnitude(a), magnitude(b))
  const quotient = divideUnsigned(low, high128, <u64>divisor)
  assert(high128 == 0 && quotient <= <u64>i64.MAX_VALUE)
  return negative ? -(<i64>quotient) : <i64>quotient
}

/** Non-negative 128 × non-negative 64 → 128; traps beyond 127 bits. */
export function multiply128(low: u64, high: i64, factor: i64): u64 {
  assert(high >= 0 && factor >= 0)
  const upper = multiplyUnsigned(<u64>high, <u64>factor)
  assert(high128 == 0)
  const lower = multiplyUnsigned(low, <u64>factor)
  const sum = upper + high128
  assert(sum >= upper && <i64>sum >= 0)
  high128 = sum
  return lower
}
