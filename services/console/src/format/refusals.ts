import type { RefusalCode } from '@bourse/common/errors/codes.ts'
import { refusalNumbers } from '@bourse/common/errors/codes.ts'
import { REFUSAL_WORDS, type Words } from './refusal-words.ts'

/** What is known of a refusal besides its code. */
export interface RefusalDetails {
  /** The server's own words, which name the value. */
  readonly message?: string | null
  readonly retryAfterSeconds?: number | null
}

/** A refusal in words: what it is, what happened, what to do. */
export interface RefusalWords {
  readonly title: string
  readonly what: string
  readonly remedy: string
}

/** Codes of the client itself: no answer, or none that can be read. */
export type ClientCode = 'UNREACHABLE' | 'UNREADABLE'

const UNKNOWN: Words = {
  title: 'Refused',
  what: 'The platform refused this for a reason that this console does not know.',
  remedy: 'Load the page again to get the newest console; if it stays, tell support the words above.',
}

const CLIENT_WORDS: Readonly<Record<ClientCode, Words>> = {
  UNREACHABLE: {
    title: 'No answer',
    what: 'The platform did not answer, so it is not known whether this was done.',
    remedy:
      'Wait for the connection; what was done then shows in your trades and balances. Repeating the same request is safe.',
  },
  UNREADABLE: {
    title: 'An answer that is none',
    what: 'Something between here and the platform answered in its place, so it is not known whether this was done.',
    remedy: 'Try again in a moment; if it stays, check the network or proxy you are on.',
  },
}

const isRefusalCode = (code: string): code is RefusalCode => code !== 'OK' && Object.hasOwn(refusalNumbers, code)

const isClientCode = (code: string): code is ClientCode => Object.hasOwn(CLIENT_WORDS, code)

const wordsOf = (code: string): Words => {
  if (isRefusalCode(code)) return REFUSAL_WORDS[code]
  return isClientCode(code) ? CLIENT_WORDS[code] : UNKNOWN
}

/** The words of a refusal. The server's own message says what happened, because it names the value; else this console's do. */
export const refusalWords = (code: string, details: RefusalDetails = {}): RefusalWords => {
  const { title, what, remedy } = wordsOf(code)
  const { message, retryAfterSeconds } = details
  const after =
    retryAfterSeconds === null || retryAfterSeconds === undefined ? '' : ` Possible in ${retryAfterSeconds} s.`
  const said =
    message === null || message === undefined || message === '' || isClientCode(code) ? what : sentence(message)
  return { title, what: said, remedy: `${remedy}${after}` }
}

const sentence = (text: string): string => {
  const first = text.charAt(0).toUpperCase() + text.slice(1)
  return /[.!?]$/.test(first) ? first : `${first}.`
}
