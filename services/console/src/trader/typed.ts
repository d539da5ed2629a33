/** Between what fields hold (the user's writing of numbers) and decimal strings. */
import { decimalSeparator, parseInput } from '../format/input.ts'
import type { Parsed } from './ticket.ts'

/** A decimal string as the user would type it: without it `60.123` would be read as 60,123 where points group. */
export const typedText = (decimal: string, locale?: string): string => decimal.replace('.', decimalSeparator(locale))

/** What was typed as a decimal string, or what is wrong with it as a sentence. */
export const readTyped = (text: string, locale?: string): Parsed => {
  const input = parseInput(text, locale)
  if (input.ok) return input
  return { ok: false, fault: `${input.words.charAt(0).toUpperCase()}${input.words.slice(1)}.` }
}
