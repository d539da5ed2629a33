/**
 * Money is an integer count of units of 1e-8 (`bigint`). This file is the only door between text and units:
 * nothing on the way is a binary float.
 */

/** Decimals of every amount, price and quantity. */
export const SCALE = 8
/** Units in one whole. */
export const UNITS_PER_WHOLE = 100_000_000n
/** Largest magnitude of an amount: 20 digits of which 8 are decimals. */
export const AMOUNT_MAX_UNITS = 10n ** 20n - 1n

/** An amount, price or quantity in units of 1e-8. */
export type Units = bigint

/** Why a text is not an amount; the message names the value and the remedy. */
export class AmountError extends Error {
  override readonly name = 'AmountError'
}

const PLAIN = /^(-?)(\d{1,64})(?:\.(\d{1,64}))?$/
const JSON_NUMBER = /^(-?)(0|[1-9]\d*)(?:\.(\d+))?(?:[eE]([+-]?\d{1,4}))?$/

/** Texts longer than this are refused before any work is done on them. */
export const AMOUNT_TEXT_LENGTH_MAX = 64

const shown = (text: string): string => (text.length > 40 ? `${text.slice(0, 40)}…` : text)

const toUnits = (text: string, sign: string, whole: string, fraction: string): Units => {
  const trimmed = fraction.replace(/0+$/, '')
  if (trimmed.length > SCALE) {
    throw new AmountError(`'${shown(text)}' has more than ${SCALE} decimals; send at most ${SCALE}`)
  }
  const units = BigInt(whole) * UNITS_PER_WHOLE + BigInt(trimmed.padEnd(SCALE, '0'))
  if (units > AMOUNT_MAX_UNITS) {
    throw new AmountError(`'${shown(text)}' is too large; an amount has at most 20 digits, 8 of them decimals`)
  }
  return sign === '-' ? -units : units
}

/**
 * Reads a decimal string (`"100.00"`) exactly. Refuses exponents, signs other than a leading minus, blanks,
 * more than 8 significant decimals and more than 20 digits.
 * @throws {AmountError}
 */
export const parseAmount = (text: string): Units => {
  if (text.length > AMOUNT_TEXT_LENGTH_MAX) throw new AmountError(`'${shown(text)}' is longer than an amount can be`)
  const match = PLAIN.exec(text)
  if (match === null) throw new AmountError(`'${shown(text)}' is not a decimal number such as "100.00"`)
  return toUnits(text, match[1] ?? '', match[2] ?? '', match[3] ?? '')
}

/**
 * Reads the source text of a JSON number exactly, exponents included (`1e3` is 1000).
 * @throws {AmountError}
 */
export const parseJsonNumber = (text: string): Units => {
  if (text.length > AMOUNT_TEXT_LENGTH_MAX) throw new AmountError(`'${shown(text)}' is longer than an amount can be`)
  const match = JSON_NUMBER.exec(text)
  if (match === null) throw new AmountError(`'${shown(text)}' is not a number`)
  const [, sign = '', whole = '', fraction = '', exponentText = '0'] = match
  const exponent = Number(exponentText)
  const digits = whole + fraction
  const point = whole.length + exponent
  if (/^0*$/.test(digits)) return 0n
  if (point > 32 || point < -32) throw new AmountError(`'${shown(text)}' is out of range; use at most 20 digits`)
  const padded = point <= 0 ? '0'.repeat(1 - point) + digits : digits.padEnd(point, '0')
  const at = point <= 0 ? 1 : point
  return toUnits(text, sign, padded.slice(0, at), padded.slice(at))
}

/**
 * Writes units as a decimal string with exactly `decimals` decimals (default: as many as needed, none when whole).
 * Promises exactness: throws when digits would be lost.
 */
export const formatAmount = (units: Units, decimals?: number): string => {
  const negative = units < 0n
  const magnitude = negative ? -units : units
  const whole = (magnitude / UNITS_PER_WHOLE).toString()
  const digits = (magnitude % UNITS_PER_WHOLE).toString().padStart(SCALE, '0')
  const significant = digits.replace(/0+$/, '')
  if (decimals !== undefined && significant.length > decimals) {
    throw new AmountError(`${units} units do not fit ${decimals} decimals`)
  }
  const fraction = decimals === undefined ? significant : significant.padEnd(decimals, '0')
  return `${negative ? '-' : ''}${whole}${fraction === '' ? '' : `.${fraction}`}`
}

/** Decimals that a multiple of `step` can have: 2 for a step of 0.01. */
export const decimalsOfStep = (step: Units): number => {
  const fraction = (step % UNITS_PER_WHOLE).toString().padStart(SCALE, '0').replace(/0+$/, '')
  return fraction.length
}
