import { AmountError, parseAmount, SCALE } from '@bourse/common/money/amount.ts'
import { DIGITS } from './decimal.ts'

/** What a typed number is, or why it is none; `words` say how to write it. */
export type Input =
  | { readonly ok: true; readonly value: string }
  | { readonly ok: false; readonly fault: InputFault; readonly words: string }

/** Why a text is no amount. */
export type InputFault = 'EMPTY' | 'NOT_A_NUMBER' | 'NEGATIVE' | 'TOO_MANY_DECIMALS' | 'TOO_LARGE'

interface Separators {
  readonly decimal: string
  readonly group: string
}

const separatorsOf = (locale: string | undefined): Separators => {
  const parts = new Intl.NumberFormat(locale, { numberingSystem: DIGITS }).formatToParts(1_234_567.5)
  const find = (type: 'decimal' | 'group'): string => parts.find((part) => part.type === type)?.value ?? ''
  return { decimal: find('decimal') === ',' ? ',' : '.', group: find('group') }
}

/** What separates a number's decimals in the user's writing, as `parseInput` reads it. */
export const decimalSeparator = (locale?: string): string => separatorsOf(locale).decimal

/** The digit zero of the scripts that people type numbers in, Arabic-Indic and Persian to full width; nine more follow each. */
const ZEROS = [
  0x0660, 0x06f0, 0x0966, 0x09e6, 0x0a66, 0x0ae6, 0x0be6, 0x0c66, 0x0ce6, 0x0d66, 0x0e50, 0x0ed0, 0x0f20, 0x1040,
  0x17e0, 0xff10,
] as const

/** A digit of another script as 0 to 9; one of a script that is not known stays, and is no number then. */
const latinDigit = (digit: string): string => {
  const code = digit.codePointAt(0) ?? 0
  const zero = ZEROS.find((known) => code >= known && code < known + 10)
  return zero === undefined ? digit : String(code - zero)
}

/** What a keyboard of another script types: its digits as 0 to 9, the Arabic decimal sign as the locale's, its groups gone. */
const inLatin = (text: string, { decimal }: Separators): string =>
  text
    .replace(/\p{Nd}/gu, latinDigit)
    .replaceAll('\u066b', decimal)
    .replaceAll('\u066c', '')

const fault = (name: InputFault, words: string): Input => ({ ok: false, fault: name, words })

/** Blanks of all kinds, and the apostrophes of Swiss grouping: never a decimal separator anywhere. */
const SPACERS = /[\s'’]/gu

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')

/**
 * Whole groups in front of the decimal separator, as the locale writes them: 1,234,567.5, in India 12,34,567.5. No group
 * begins with a zero: where points group, `0.500` is a half that somebody wrote with a point, not five hundred.
 */
const isGrouped = (text: string, { decimal, group }: Separators): boolean =>
  group !== '' &&
  new RegExp(`^[1-9]\\d{0,2}(${escaped(group)}\\d{2,3})*${escaped(group)}\\d{3}(${escaped(decimal)}\\d*)?$`).test(text)

/**
 * The text as digits with a point. First by the locale's own writing; a comma or point that cannot be the locale's group is
 * then the decimal separator, because it has no other meaning: `0,5` and `0.5` are a half everywhere.
 */
const plainOf = (text: string, separators: Separators): string | null => {
  const { decimal, group } = separators
  if (isGrouped(text, separators)) return text.split(group).join('').replace(decimal, '.')
  const marks = text.match(/[.,]/g) ?? []
  return marks.length <= 1 ? text.replace(',', '.') : null
}

/**
 * Reads what a person typed as a decimal string that the API takes, exactly. Grouping and the decimal comma of the locale are
 * understood; nothing is rounded or cut off.
 */
export const parseInput = (text: string, locale?: string): Input => {
  const separators = separatorsOf(locale)
  const typed = inLatin(text.replace(SPACERS, ''), separators)
  const example = `100${separators.decimal}00`
  if (typed === '') return fault('EMPTY', 'enter an amount')
  if (/^[-−–]/.test(typed)) return fault('NEGATIVE', 'enter an amount above zero')
  const plain = plainOf(typed, separators)
  const digits = plain === null ? null : /^(\d*)\.?(\d*)$/.exec(plain)
  if (digits === null || (digits[1] === '' && digits[2] === ''))
    return fault('NOT_A_NUMBER', `enter digits only, such as ${example}`)
  const [, whole = '', fraction = ''] = digits
  const kept = fraction.replace(/0+$/, '')
  if (kept.length > SCALE) return fault('TOO_MANY_DECIMALS', `enter at most ${SCALE} decimals`)
  const value = `${whole.replace(/^0+(?=\d)/, '') || '0'}${fraction === '' ? '' : `.${fraction.slice(0, SCALE)}`}`
  try {
    parseAmount(value)
    return { ok: true, value }
  } catch (error) {
    if (error instanceof AmountError)
      return fault('TOO_LARGE', 'enter a smaller amount: at most 12 digits before the decimals')
    throw error
  }
}
