import type { BankTransaction } from './shapes.ts'

/** What a transaction is, in a word. */
export const TYPE_WORDS: Readonly<Record<BankTransaction['type'], string>> = {
  BUY: 'Buy',
  SELL: 'Sell',
  DEPOSIT: 'Deposit',
  WITHDRAWAL: 'Withdrawal',
}

/** The same of a text; one that is not known is shown as it is. */
export const kindWords = (type: string): string =>
  Object.hasOwn(TYPE_WORDS, type) ? TYPE_WORDS[type as BankTransaction['type']] : type

/** Where it stands, in words and by tone. */
export const STATUS_WORDS = {
  PENDING: { words: 'Pending', tone: 'warn' },
  COMPLETED: { words: 'Completed', tone: 'good' },
  FAILED: { words: 'Failed', tone: 'danger' },
} as const satisfies Readonly<Record<BankTransaction['status'], { words: string; tone: string }>>

/** What moved, from the customer's side; a transaction that failed or is pending has moved nothing yet. */
export const sideWords = ({ type, status }: Pick<BankTransaction, 'type' | 'status'>): { in: string; out: string } => {
  if (status === 'FAILED') return { in: 'Would have paid', out: 'Would have got' }
  if (status === 'PENDING') return { in: 'Is to pay', out: 'Is to get' }
  if (type === 'DEPOSIT' || type === 'WITHDRAWAL') return { in: 'Paid in', out: 'Paid out' }
  return { in: 'Customer paid', out: 'Customer got' }
}

const OWNERS: Readonly<Record<string, string>> = {
  customer: 'Customer',
  omnibus: 'Omnibus of the system',
  bank: 'Your bank',
}

/** Whose account an entry is on, by the first word of the account's id; a word that is not known is shown as it is. */
export const ownerWords = (accountId: string): string => {
  const kind = accountId.split(':', 1)[0] ?? ''
  return Object.hasOwn(OWNERS, kind) ? (OWNERS[kind] ?? kind) : accountId
}
