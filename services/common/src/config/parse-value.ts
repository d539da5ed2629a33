import { AmountError, parseAmount } from '../money/amount.ts'
import type { Units } from '../money/amount.ts'
import { createSecret } from './secret.ts'
import type { Secret } from './secret.ts'
import type { Profile, Variable, VariableKind } from './variables.ts'

/** What each kind of variable is read into. */
export interface ValueOfKind {
  readonly text: string
  readonly name: string
  readonly whole: number
  readonly ratio: number
  readonly 'power-of-two': number
  readonly boolean: boolean
  readonly amount: Units
  readonly choice: string
  readonly url: string
  readonly server: Secret
  readonly list: readonly string[]
  readonly secret: Secret
}

/** A value, or what is wrong with the text, in words that follow the variable's name. Secrets are never quoted. */
export type Read<Value> = { readonly value: Value } | { readonly fault: string }

const LIST_MAX = 256
const TEXT_LENGTH_MAX = 4_096

const shown = (text: string): string => (text.length > 40 ? `${text.slice(0, 40)}…` : text)

const readWhole = (text: string, { minimum = 0, maximum = Number.MAX_SAFE_INTEGER }: Variable): Read<number> => {
  const value = Number(text)
  return /^\d{1,15}$/.test(text) && value >= minimum && value <= maximum
    ? { value }
    : { fault: `is '${shown(text)}'; give a whole number from ${minimum} to ${maximum}` }
}

const readPowerOfTwo = (text: string, variable: Variable): Read<number> => {
  const read = readWhole(text, variable)
  if ('fault' in read || (read.value & (read.value - 1)) === 0) return read
  return { fault: `is '${shown(text)}'; give a power of two from ${variable.minimum} to ${variable.maximum}` }
}

const readRatio = (text: string): Read<number> =>
  /^(?:0(?:\.\d{1,9})?|1(?:\.0{1,9})?)$/.test(text)
    ? { value: Number(text) }
    : { fault: `is '${shown(text)}'; give a number from 0 to 1` }

const readAmount = (text: string): Read<Units> => {
  try {
    const value = parseAmount(text)
    return value >= 0n ? { value } : { fault: `is '${shown(text)}'; give an amount of 0 or more` }
  } catch (error) {
    if (!(error instanceof AmountError)) throw error
    return { fault: error.message }
  }
}

const readUrl = (text: string): Read<string> => {
  const protocol = URL.canParse(text) ? new URL(text).protocol : ''
  return protocol === 'http:' || protocol === 'https:'
    ? { value: text.replace(/\/+$/, '') }
    : { fault: `is '${shown(text)}'; give an http or https URL` }
}

/** A URL with its password is a secret: not even a wrong one is quoted. */
const readServer = (text: string, { protocols = [] }: Variable): Read<Secret> => {
  const protocol = text.slice(0, Math.max(text.indexOf('://'), 0))
  return protocols.includes(protocol) && text.length > `${protocol}://`.length && !/\s/.test(text)
    ? { value: createSecret(text) }
    : {
        fault: `is not a URL of its server; give one that begins with ${protocols.map((one) => `${one}://`).join(' or ')}`,
      }
}

const NAME = /^[a-z][a-z0-9-]{0,62}$/

const readName = (text: string): Read<string> =>
  NAME.test(text)
    ? { value: text }
    : { fault: `is '${shown(text)}'; give small letters, digits and hyphens, a letter first, at most 63` }

const readList = (text: string): Read<readonly string[]> => {
  const value = text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
  return value.length <= LIST_MAX ? { value } : { fault: `has more than ${LIST_MAX} entries; remove some` }
}

const readSecret = (text: string, { lengthMin }: Variable, profile: Profile): Read<Secret> => {
  const least = lengthMin?.[profile] ?? 1
  return text.length >= least
    ? { value: createSecret(text) }
    : { fault: `has ${text.length} characters; give ${least} or more` }
}

type Reader<Kind extends VariableKind> = (text: string, variable: Variable, profile: Profile) => Read<ValueOfKind[Kind]>

const readers: { readonly [Kind in VariableKind]: Reader<Kind> } = {
  text: (text) => ({ value: text }),
  name: readName,
  whole: readWhole,
  ratio: readRatio,
  'power-of-two': readPowerOfTwo,
  boolean: (text) =>
    text === 'true' || text === 'false'
      ? { value: text === 'true' }
      : { fault: `is '${shown(text)}'; give true or false` },
  amount: readAmount,
  choice: (text, { choices = [] }) =>
    choices.includes(text) ? { value: text } : { fault: `is '${shown(text)}'; give one of ${choices.join(', ')}` },
  url: readUrl,
  server: readServer,
  list: readList,
  secret: readSecret,
}

/** Reads the text of a variable as its kind says. */
export const readValue = (text: string, variable: Variable, profile: Profile): Read<ValueOfKind[VariableKind]> =>
  text.length > TEXT_LENGTH_MAX
    ? { fault: `is longer than ${TEXT_LENGTH_MAX} characters; shorten it` }
    : readers[variable.kind](text, variable, profile)
