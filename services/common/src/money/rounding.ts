/**
 * The named roundings. Every division of money goes through one of these, so that the name at the call
 * says which way it goes; the caller says whom that favours.
 */

/** Quotient rounded towards −∞. The divisor is positive. */
export const divFloor = (dividend: bigint, divisor: bigint): bigint => {
  const quotient = dividend / divisor
  return dividend % divisor < 0n ? quotient - 1n : quotient
}

/** Quotient rounded towards +∞. The divisor is positive. */
export const divCeil = (dividend: bigint, divisor: bigint): bigint => {
  const quotient = dividend / divisor
  return dividend % divisor > 0n ? quotient + 1n : quotient
}

/** Quotient rounded towards zero. The divisor is positive. */
export const divTruncate = (dividend: bigint, divisor: bigint): bigint => dividend / divisor

/** `value` rounded towards −∞ to a multiple of `step` (> 0). */
export const floorTo = (value: bigint, step: bigint): bigint => divFloor(value, step) * step

/** `value` rounded towards +∞ to a multiple of `step` (> 0). */
export const ceilTo = (value: bigint, step: bigint): bigint => divCeil(value, step) * step

/** `a × b ÷ divisor`, exact before it is rounded once towards −∞. */
export const mulDivFloor = (a: bigint, b: bigint, divisor: bigint): bigint => divFloor(a * b, divisor)

/** `a × b ÷ divisor`, exact before it is rounded once towards +∞. */
export const mulDivCeil = (a: bigint, b: bigint, divisor: bigint): bigint => divCeil(a * b, divisor)
