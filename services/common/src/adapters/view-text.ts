import { PortError } from '../ports/failure.ts'
import type { ViewValue } from '../ports/views.ts'

/* How values that no database holds exactly stand in it as text: integers of any size, nested values. */

/** Digits an integer may have. */
const INTEGER_DIGITS_MAX = 999

const complement = (digits: string): string => digits.replaceAll(/\d/gu, (digit) => String(9 - Number(digit)))

/**
 * An integer of any size as text whose byte order is the order of the numbers, and back: sign (`1` for zero and above, `0`
 * below), the number of digits in three places, the digits; a negative's places and digits are nines' complements, so that
 * the larger amount sorts first. 12345 is `100512345`, −7 is `09982`.
 */
export const encodeInteger = (value: bigint): string => {
  const digits = (value < 0n ? -value : value).toString()
  if (digits.length > INTEGER_DIGITS_MAX) throw new PortError('corrupt', `an integer of ${digits.length} digits`)
  const text = `${digits.length.toString().padStart(3, '0')}${digits}`
  return value < 0n ? `0${complement(text)}` : `1${text}`
}

/** Reads what `encodeInteger` wrote. */
export const decodeInteger = (text: string): bigint => {
  const isNegative = text.startsWith('0')
  const digits = isNegative ? complement(text.slice(4)) : text.slice(4)
  return isNegative ? -BigInt(digits) : BigInt(digits)
}

const BIGINT_KEY = '$integer'

/**
 * What is put into JSON: integers are marked; keys that begin with `$` get another one, so that no document passes for a
 * mark.
 */
export const toTagged = (value: ViewValue): unknown => {
  if (typeof value === 'bigint') return { [BIGINT_KEY]: value.toString() }
  if (value === null || typeof value !== 'object') return value
  if (isList(value)) return value.map(toTagged)
  return Object.fromEntries(
    Object.entries(value).map(([key, part]) => [key.startsWith('$') ? `$${key}` : key, toTagged(part)]),
  )
}

const isList = (value: ViewValue): value is readonly ViewValue[] => Array.isArray(value)

/** Reads what `toTagged` made. */
export const fromTagged = (value: unknown): ViewValue => {
  if (value === null || typeof value !== 'object') return value as ViewValue
  if (Array.isArray(value)) return value.map(fromTagged)
  const entries = Object.entries(value)
  const [first] = entries
  if (first?.[0] === BIGINT_KEY && entries.length === 1) return BigInt(String(first[1]))
  return Object.fromEntries(entries.map(([key, part]) => [key.startsWith('$') ? key.slice(1) : key, fromTagged(part)]))
}
