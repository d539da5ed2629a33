/** Money is added exactly, as integers of 1e-8. */

const SCALE = 8

/** Units of a decimal text. */
export const unitsOf = (text: string): bigint => {
  const [, sign = '', whole = '', fraction = ''] = /^(-?)(\d+)(?:\.(\d{1,8}))?$/.exec(text) ?? []
  if (whole === '') throw new Error(`'${text}' is no amount`)
  const units = BigInt(whole + fraction.padEnd(SCALE, '0'))
  return sign === '-' ? -units : units
}

/** Sums by currency. */
export const sumsOf = (
  entries: readonly { readonly currency: string; readonly amount: string }[],
): Readonly<Record<string, bigint>> => {
  const sums: Record<string, bigint> = {}
  for (const { currency, amount } of entries) sums[currency] = (sums[currency] ?? 0n) + unitsOf(amount)
  return sums
}

/** Whether every currency comes to nothing. */
export const isZeroSum = (entries: readonly { readonly currency: string; readonly amount: string }[]): boolean =>
  Object.values(sumsOf(entries)).every((sum) => sum === 0n)
