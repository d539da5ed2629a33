import { decimalsOfStep, parseAmount } from '@bourse/common/money/amount.ts'

/** How a decimal string is shown. */
export interface DecimalOptions {
  /** Zeros are added up to so many decimals. Default 0. */
  readonly minDecimals?: number
  /** Zeros beyond so many are left out. A digit other than zero is always shown: nothing is rounded. Default: `minDecimals`. */
  readonly maxDecimals?: number
  /** A plus in front of what is more than zero. */
  readonly sign?: boolean
  /** Default: the user's. */
  readonly locale?: string | undefined
}

/** A true minus sign, where a locale writes a hyphen: both have the width of a digit in tabular figures. */
const MINUS = '−'

const DECIMAL = /^(-?)(\d+)(?:\.(\d+))?$/

const formatters = new Map<string, Intl.NumberFormat>()

/**
 * Digits of every script are written 0 to 9, grouped and separated as the locale does: the words around them are written from
 * left to right, and among those `bid / ask` in Arabic-Indic digits would be drawn with its sides exchanged.
 */
export const DIGITS = 'latn'

/** Formatters are dear to make and there are few of them: one for each locale, count of decimals and sign. */
const formatterOf = (locale: string | undefined, decimals: number, sign: boolean): Intl.NumberFormat => {
  const name = `${locale ?? ''}|${decimals}|${sign}`
  const known = formatters.get(name)
  if (known !== undefined) return known
  const made = new Intl.NumberFormat(locale, {
    numberingSystem: DIGITS,
    minimumFractionDigits: decimals,
    maximumFractionDigits: decimals,
    signDisplay: sign ? 'exceptZero' : 'negative',
  })
  formatters.set(name, made)
  return made
}

/**
 * A decimal string in the user's grouping and separators, digit by digit: it never passes through a float and is never rounded.
 * What is no decimal string is shown as it is.
 */
export const formatDecimal = (text: string, options: DecimalOptions = {}): string => {
  const match = DECIMAL.exec(text)
  if (match === null) return text
  const fraction = match[3] ?? ''
  const significant = fraction.replace(/0+$/, '').length
  const { minDecimals = 0, sign = false, locale } = options
  const most = Math.max(minDecimals, options.maxDecimals ?? minDecimals)
  const decimals = Math.max(minDecimals, significant, Math.min(fraction.length, most))
  // The formatter takes the digits themselves (ECMA-402, "ToIntlMathematicalValue"); its type knows numbers in text form only.
  const shown = formatterOf(locale, decimals, sign).format(text as `${number}`)
  return shown.replace('-', MINUS)
}

/** A price in its tick's decimals; more when it has more. */
export const formatPrice = (text: string, tickSize: string, options: DecimalOptions = {}): string =>
  formatDecimal(text, { ...options, minDecimals: decimalsOfStep(parseAmount(tickSize)) })

/** Currencies that people count in hundredths; of others as many decimals are shown as there are. */
const HUNDREDTHS = new Set(['USD', 'USDC', 'USDT', 'EUR', 'GBP', 'AZN', 'TRY'])

/** An amount with its currency: `1,234.50 USDC`. */
export const formatMoney = (text: string, asset: string, options: DecimalOptions = {}): string =>
  `${formatDecimal(text, { minDecimals: HUNDREDTHS.has(asset) ? 2 : 0, ...options })}\u00a0${asset}`

/** Basis points as per cent: `150` is `1.5 %` in the locale's form; exact. */
export const formatBps = (bps: string, locale?: string): string => {
  const match = DECIMAL.exec(bps)
  if (match === null) return bps
  const [, minus = '', whole = '', fraction = ''] = match
  const digits = whole.padStart(3, '0')
  return `${formatDecimal(`${minus}${digits.slice(0, -2)}.${digits.slice(-2)}${fraction}`, { locale })}\u00a0%`
}

/** Whether a decimal string is below, at or above zero. */
export const signOf = (text: string): -1 | 0 | 1 => {
  const match = DECIMAL.exec(text)
  if (match === null || /^[0.]*$/.test(`${match[2]}${match[3] ?? ''}`)) return 0
  return match[1] === '-' ? -1 : 1
}
