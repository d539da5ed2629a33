import { refusalWords, type RefusalDetails, type RefusalWords } from '../format/refusals.ts'
import { refusalOf } from '../session/queries.ts'

/** What a bank's staff does about a refusal, where that is another thing than what a trader does. */
const REMEDIES: Readonly<Record<string, string>> = {
  UNAUTHENTICATED:
    'Open the desk with a key that is in force; a key that was replaced stops working after its overlap.',
  FORBIDDEN: 'Ask the platform to open this to your bank, or call from an address that it allows.',
  INSUFFICIENT_FUNDS: 'Deposit for the customer first, or use a smaller amount. Amounts in pending trades are locked.',
  ACCOUNT_NOT_FOUND: 'Check the customer’s id; a first deposit creates the customer.',
  IDEMPOTENCY_CONFLICT: 'Look the key up under Transactions; for another request use a new key.',
  LIMIT_EXCEEDED: 'See “Limits” in the overview: use a smaller amount, or wait for the next UTC day.',
}

const TITLES: Readonly<Record<string, string>> = { UNAUTHENTICATED: 'Key not accepted' }

const AGAIN = 'Ask again with the same key: it never does anything twice, and says what became of it.'

/** After these nobody knows whether something that has a key was done. */
const KEYED_REMEDIES: Readonly<Record<string, string>> = {
  UNREACHABLE: AGAIN,
  UNREADABLE: AGAIN,
  UNAVAILABLE: AGAIN,
  REQUEST_TIMEOUT: AGAIN,
  CONSOLE_FAULT: AGAIN,
  INTERNAL_ERROR: 'Ask again with the same key; if it stays, give the platform’s support the request number.',
}

/** Without an answer to what changes no money, nothing is in doubt. */
const NO_ANSWER: Readonly<Record<string, Pick<RefusalWords, 'what' | 'remedy'>>> = {
  UNREACHABLE: { what: 'The platform did not answer.', remedy: 'Check the connection, then try again.' },
  UNREADABLE: {
    what: 'Something between here and the platform answered in its place.',
    remedy: 'Try again in a moment; if it stays, check the network or proxy you are on.',
  },
}

/** A refusal in words for a bank's staff. */
export const deskWords = (code: string, details: RefusalDetails = {}): RefusalWords => {
  const words = refusalWords(code, details)
  return { ...words, title: TITLES[code] ?? words.title, remedy: REMEDIES[code] ?? words.remedy }
}

/** The same of what was sent under an idempotency key: where its end is in doubt, the key finds it out. */
export const keyedWords = (code: string, details: RefusalDetails = {}): RefusalWords => {
  const words = deskWords(code, details)
  return { ...words, remedy: KEYED_REMEDIES[code] ?? words.remedy }
}

/** What a call without a key threw, as a bank's staff is told. */
export const explain = (error: unknown) => {
  const { code, message, retryAfterSeconds, requestId } = refusalOf(error)
  return { words: { ...deskWords(code, { message, retryAfterSeconds }), ...NO_ANSWER[code] }, code, requestId }
}

/** What a call under a key threw. */
export const explainKeyed = (error: unknown) => {
  const { code, message, retryAfterSeconds, requestId } = refusalOf(error)
  return { words: keyedWords(code, { message, retryAfterSeconds }), code, requestId }
}
