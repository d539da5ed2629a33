import type { JsonDocument } from '@bourse/common/json/parse.ts'
import { AmountError, UNITS_PER_WHOLE, parseAmount, parseJsonNumber, type Units } from '@bourse/common/money/amount.ts'
import { invalid } from './api-error.ts'

/** Reads the fields of a body that passed its schema. */
export interface BodyFields {
  text(name: string): string
  optionalText(name: string): string | null
  /** More than zero, else `VALIDATION_ERROR`. */
  amount(name: string): Units
  /** As `amount`; null when absent or null. */
  optionalAmount(name: string): Units | null
  /** As `optionalAmount`; undefined when absent. */
  changedAmount(name: string): Units | null | undefined
  /** A whole number from 1, as number or digits in a string. */
  count(name: string): number
}

const readUnits = (name: string, value: unknown, source: string | undefined): Units => {
  try {
    if (typeof value === 'string') return parseAmount(value)
    if (typeof value === 'number' && source !== undefined) return parseJsonNumber(source)
  } catch (error) {
    if (error instanceof AmountError) throw invalid(`${name}: ${error.message}`)
    throw error
  }
  throw invalid(`${name} must be a decimal string such as "100.00" or a number`)
}

/** The fields of an object; the schema was checked before, so a missing one is a bug. */
export const fieldsOf = (document: JsonDocument): BodyFields => {
  const body = document.value as Record<string, unknown>
  const units = (name: string): Units => readUnits(name, body[name], document.numberText(body, name))
  const shown = (name: string): string => document.numberText(body, name) ?? JSON.stringify(body[name]) ?? 'nothing'
  const amount = (name: string): Units => {
    const read = units(name)
    if (read <= 0n) throw invalid(`${name} ${shown(name)} must be more than zero`)
    return read
  }
  const optionalText = (name: string): string | null => {
    const value = body[name]
    return typeof value === 'string' ? value : null
  }
  return {
    text: (name) => {
      const value = optionalText(name)
      if (value === null) throw new Error(`field ${name} passed the schema without being text`)
      return value
    },
    optionalText,
    amount,
    optionalAmount: (name) => (body[name] === undefined || body[name] === null ? null : amount(name)),
    changedAmount: (name) => (body[name] === undefined ? undefined : body[name] === null ? null : amount(name)),
    count: (name) => {
      const read = units(name)
      const whole = read / UNITS_PER_WHOLE
      if (read % UNITS_PER_WHOLE !== 0n || whole < 1n || whole > 0xffff_ffffn) {
        throw invalid(`${name} ${shown(name)} must be a whole number from 1`)
      }
      return Number(whole)
    },
  }
}
