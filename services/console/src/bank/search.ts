/** What a text in the search of transactions names. */
export type Search =
  | { readonly kind: 'transaction'; readonly id: string }
  | { readonly kind: 'key'; readonly key: string }
  | { readonly kind: 'fault'; readonly words: string }

const TRANSACTION = /^tx_[0-9a-f]{32}$/
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** Tells a transaction's id from an idempotency key by its form; what is neither gets words instead of a question. */
export const readSearch = (text: string): Search => {
  const plain = text.trim().toLowerCase()
  if (TRANSACTION.test(plain)) return { kind: 'transaction', id: plain }
  if (UUID.test(plain)) return { kind: 'key', key: plain }
  return {
    kind: 'fault',
    words: 'This is neither a transaction id (tx_ and 32 characters) nor an idempotency key (a UUID).',
  }
}

/** Longest id a bank may give its customer. */
export const CUSTOMER_ID_LENGTH_MAX = 128

/** What is wrong with a customer's id, in words; null when nothing is. */
export const customerIdFault = (text: string): string | null => {
  const plain = text.trim()
  if (plain === '') return 'Enter your own id of the customer.'
  if (plain.length > CUSTOMER_ID_LENGTH_MAX) return `An id has at most ${CUSTOMER_ID_LENGTH_MAX} characters.`
  return /[\p{Cc}]/u.test(plain) ? 'An id has printable characters only.' : null
}
