import { hash } from 'node:crypto'
import { partitionIndexOf } from '@bourse/common/kernel/partition.ts'

/**
 * The chart of accounts, as data: every kind of account with what it may do, how its owner is named, and
 * every kind of transaction. The ledger's module holds the same table of kinds
 * (`assembly/ledger/accounts.ts`; a test compares them); everybody else reads it here.
 */

/**
 * Where an account of a kind lives: by its owner, once in each ledger partition, or once in the platform by
 * its name.
 */
export type AccountPlacement = 'owner' | 'eachPartition' | 'name'

/** What is fixed about a kind of account. */
export interface AccountKindRule {
  /** Number in the ledger's records: append only, never reused. */
  readonly number: number
  readonly mayGoBelowZero: boolean
  readonly placement: AccountPlacement
  /**
   * How the owner of a system account is named; `{}` is the pair or bank. Null: the owner is a person or a
   * bank's customer.
   */
  readonly ownerName: string | null
  readonly purpose: string
}

/** The kinds of accounts. */
export const accountKinds = {
  customer: {
    number: 1,
    mayGoBelowZero: false,
    placement: 'owner',
    ownerName: null,
    purpose: 'money of a trader or of a bank’s customer',
  },
  house: {
    number: 2,
    mayGoBelowZero: true,
    placement: 'eachPartition',
    ownerName: 'house:{}',
    purpose: 'the other side of every trade in a pair',
  },
  omnibus: {
    number: 3,
    mayGoBelowZero: true,
    placement: 'eachPartition',
    ownerName: 'omnibus:{}',
    purpose: 'what the platform and a bank owe each other',
  },
  exchange: {
    number: 4,
    mayGoBelowZero: true,
    placement: 'eachPartition',
    ownerName: 'exchange',
    purpose: 'what the platform holds at, or owes to, exchanges',
  },
  fees: { number: 5, mayGoBelowZero: false, placement: 'eachPartition', ownerName: 'fees', purpose: 'fees earned' },
  spread: {
    number: 6,
    mayGoBelowZero: false,
    placement: 'eachPartition',
    ownerName: 'spread',
    purpose: 'spread earned',
  },
  promotion: {
    number: 7,
    mayGoBelowZero: true,
    placement: 'eachPartition',
    ownerName: 'promotion',
    purpose: 'where grants to new accounts come from',
  },
  clearing: {
    number: 8,
    mayGoBelowZero: true,
    placement: 'eachPartition',
    ownerName: 'clearing',
    purpose: 'money on its way between partitions; zero over all of them once effects have arrived',
  },
  insurance: {
    number: 9,
    mayGoBelowZero: false,
    placement: 'name',
    ownerName: 'insurance:{}',
    purpose: 'pays the house’s deficits as far as it goes',
  },
  bank: {
    number: 10,
    mayGoBelowZero: true,
    placement: 'eachPartition',
    ownerName: 'bank:{}',
    purpose: 'the counter-leg of deposits and withdrawals',
  },
} as const satisfies Record<string, AccountKindRule>

/** Name of a kind of account. */
export type AccountKind = keyof typeof accountKinds

const kindsByNumber = new Map<number, AccountKind>(
  Object.entries(accountKinds).map(([kind, rule]) => [rule.number, kind as AccountKind]),
)

/** The kind of a number read from a record. Throws on a number no release has used. */
export const accountKindOfNumber = (number: number): AccountKind => {
  const kind = kindsByNumber.get(number)
  if (kind === undefined) throw new RangeError(`account kind ${number} is unknown`)
  return kind
}

/** What a transaction was for: numbers in instructions, append only, never reused. */
export const transactionTypes = {
  OPEN_ACCOUNT: 1,
  TRADE_OPEN_FEE: 2,
  TRADE_CLOSE: 3,
  LIQUIDATION_FEE: 4,
  INSURANCE_REFUND: 5,
  BANK_BUY: 6,
  BANK_SELL: 7,
  EXCHANGE_FILL: 8,
  DEPOSIT: 9,
  WITHDRAWAL: 10,
  CREDIT: 11,
  DEBIT: 12,
  FUND_HOUSE: 13,
  FUND_INSURANCE: 14,
  CORRECTION: 15,
  CLEARING: 16,
} as const

/** Name of a type of transaction. */
export type TransactionType = keyof typeof transactionTypes

const typesByNumber = new Map<number, TransactionType>(
  Object.entries(transactionTypes).map(([type, number]) => [number, type as TransactionType]),
)

/**
 * The type of a number read from a record; null for 0 (a hold or a release posts nothing). Throws on a number
 * no release has used.
 */
export const transactionTypeOfNumber = (number: number): TransactionType | null => {
  if (number === 0) return null
  const type = typesByNumber.get(number)
  if (type === undefined) throw new RangeError(`transaction type ${number} is unknown`)
  return type
}

/** Names whose owner is kept: pairs, banks and the customers that were lately asked for; beyond it the oldest is hashed anew. */
export const OWNERS_KEPT_MAX = 10_000

const ownersKept = new Map<string, Uint8Array>()

const hashedOwner = (name: string): Uint8Array => hash('sha256', name, 'buffer').subarray(0, 16)

/**
 * The owner (16 bytes) of the system account with this name (`house:BTC_USDC`): the first 16 bytes of the
 * name's SHA-256. The bytes are the caller's own.
 */
export const systemAccount = (name: string): Uint8Array => {
  const known = ownersKept.get(name)
  if (known !== undefined) return new Uint8Array(known)
  const owner = hashedOwner(name)
  const oldest = ownersKept.keys().next().value
  if (ownersKept.size >= OWNERS_KEPT_MAX && oldest !== undefined) ownersKept.delete(oldest)
  ownersKept.set(name, owner)
  return new Uint8Array(owner)
}

/** Which account: owner (16 bytes), currency code, kind. */
export interface AccountKey {
  readonly owner: Uint8Array
  readonly currency: string
  readonly kind: AccountKind
}

/** Kinds of system accounts. */
export type SystemAccountKind = Exclude<AccountKind, 'customer'>

/** Name of a system account: `systemAccountName('house', 'BTC_USDC')` is `house:BTC_USDC`. */
export const systemAccountName = (kind: SystemAccountKind, of = ''): string => {
  const { ownerName } = accountKinds[kind]
  if (ownerName.includes('{}') !== (of !== '')) {
    throw new RangeError(`an account of kind ${kind} is named ${ownerName}; got '${of}'`)
  }
  return ownerName.replace('{}', of)
}

/** Key of a system account. `of` is the pair or the bank where the kind has one. */
export const systemAccountKey = (kind: SystemAccountKind, currency: string, of = ''): AccountKey => ({
  owner: systemAccount(systemAccountName(kind, of)),
  currency,
  kind,
})

/** Key of a person's account. */
export const customerAccountKey = (owner: Uint8Array, currency: string): AccountKey => ({
  owner,
  currency,
  kind: 'customer',
})

/** Owner (16 bytes) of the accounts of a bank's customer. */
export const bankCustomerOwner = (bank: string, bankUserId: string): Uint8Array =>
  systemAccount(`bank-user:${bank}:${bankUserId}`)

/** Index of the ledger partition that has the insurance account of a pair. */
export const insurancePartitionOf = (pair: string, ledgerPartitions: number): number =>
  partitionIndexOf(systemAccount(systemAccountName('insurance', pair)), ledgerPartitions)

const CURRENCY = /^[A-Z0-9]{1,8}$/

/**
 * A currency code (`USDC`: up to 8 capitals and digits) as the ledger has it: ASCII bytes, zero padded, as a
 * u64 little endian.
 */
export const currencyNumber = (code: string): bigint => {
  if (!CURRENCY.test(code)) throw new RangeError(`'${code}' is no currency code: 1 to 8 of A-Z and 0-9`)
  let number = 0n
  for (let i = code.length - 1; i >= 0; i--) number = number * 256n + BigInt(code.charCodeAt(i))
  return number
}

/** The code of a currency number. Throws when the number is none. */
export const currencyCode = (number: bigint): string => {
  let code = ''
  for (let rest = number; rest !== 0n; rest >>= 8n) code += String.fromCharCode(Number(rest & 0xffn))
  if (!CURRENCY.test(code)) throw new RangeError(`${number} is no currency`)
  return code
}
