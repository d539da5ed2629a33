/** Integer arithmetic of the auditor, written for itself: nothing of the product's is used to judge the product. */

/** Units in a whole: 1e8. */
export const WHOLE = 100_000_000n

/** The largest integer that is at most a ÷ b; b > 0. */
export const floorOf = (a: bigint, b: bigint): bigint => (a >= 0n ? a / b : -((-a + b - 1n) / b))

/** The smallest integer that is at least a ÷ b; b > 0. */
export const ceilOf = (a: bigint, b: bigint): bigint => -floorOf(-a, b)

/** Units as a decimal number, for messages. */
export const shown = (units: bigint): string => {
  const digits = (units < 0n ? -units : units).toString().padStart(9, '0')
  const fraction = digits.slice(-8).replace(/0+$/, '')
  return `${units < 0n ? '-' : ''}${digits.slice(0, -8)}${fraction === '' ? '' : `.${fraction}`}`
}

/** The units of a decimal number's text; null when it is none. */
export const unitsOf = (text: unknown): bigint | null => {
  const match = typeof text === 'string' ? /^(-?)(\d{1,20})(?:\.(\d{1,8}))?$/.exec(text) : null
  if (match === null) return null
  const units = BigInt(`${match[2] ?? '0'}${(match[3] ?? '').padEnd(8, '0')}`)
  return match[1] === '-' ? -units : units
}
