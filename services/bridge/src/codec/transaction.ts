import { createBinaryReader, createBinaryWriter } from '@bourse/common/codec/binary.ts'
import type { Units } from '@bourse/common/money/amount.ts'

/** Kinds of transaction and their numbers. */
export const transactionTypes = { BUY: 1, SELL: 2, DEPOSIT: 3, WITHDRAWAL: 4 } as const
/** Kind of a bank transaction. */
export type TransactionType = keyof typeof transactionTypes
const typeNames = Object.keys(transactionTypes) as TransactionType[]

/**
 * Where a transaction stands. A trade goes holding → authorizing → ordering → posting → completed; the contract's saga
 * names the moments between them (held, authorized, filled, posted). Whatever fails after the hold goes through
 * `releasing`. A deposit or withdrawal is `moving` until the ledger has answered.
 */
export const steps = {
  holding: 1,
  authorizing: 2,
  ordering: 3,
  posting: 4,
  releasing: 5,
  moving: 6,
  completed: 7,
  failed: 8,
} as const
/** Number of a step. */
export type Step = (typeof steps)[keyof typeof steps]
const stepNumbers = new Set<number>(Object.values(steps))

/** A balance of all customers of a bank in one currency. */
export interface CurrencyTotal {
  readonly currency: string
  readonly amount: Units
}

/** A transaction as the bridge keeps it. Amounts are units of 1e-8; 0 in a price or amount means "not known (yet)". */
export interface Transaction {
  /** 16 bytes, derived from `commandId`. */
  readonly id: Uint8Array
  readonly commandId: Uint8Array
  readonly requestHash: Uint8Array
  readonly bank: string
  readonly bankUserId: string
  readonly idempotencyKey: string
  readonly type: TransactionType
  /** The quote's public id, or empty. */
  readonly quoteName: string
  /** What the bank calls a deposit or withdrawal, else empty. */
  readonly reference: string
  readonly symbol: string
  readonly fiatCurrency: string
  readonly cryptoCurrency: string
  readonly fiatAmount: Units
  readonly cryptoAmount: Units
  readonly price: Units
  /** The market price that `price` was computed from. */
  readonly tickerPrice: Units
  readonly spreadEarned: Units
  readonly priceDecimals: number
  readonly cryptoDecimals: number
  /** Rising by 1 within the bank: the order of acceptance. */
  readonly number: bigint
  readonly createdAt: bigint
  step: Step
  /** Fiat reserved of the daily limits of the UTC day `createdAt` lies in; 0 when nothing is. */
  reserved: Units
  authorizationCalled: boolean
  executedPrice: Units
  executedQuantity: Units
  /** Attempts the ledger refused without a reason of the trade's own; part of the next attempt's id. */
  attempt: number
  /** The attempt that made the hold: part of the hold's id. */
  holdAttempt: number
  /** When the ledger is asked again (ms), 0 when nothing waits. */
  retryAt: bigint
  settled: boolean
  fillBooked: boolean
  /** Number of a refusal code, 0 while there is none. */
  code: number
  message: string
  finishedAt: bigint
  /** The ledger's number of the transaction with the customer's entries, and the balance after each of its legs. */
  ledgerNumber: bigint
  balancesAfter: readonly Units[]
  /** Number of the bank's event that tells the end, 0 when there is none. */
  eventSequence: bigint
  /** What all customers of the bank have after this transaction, by currency. */
  totalsAfter: readonly CurrencyTotal[]
}

/** Whether a transaction has come to its end. */
export const isFinal = (transaction: Pick<Transaction, 'step'>): boolean =>
  transaction.step === steps.completed || transaction.step === steps.failed

/** Whether it is a trade (a buy or a sell). */
export const isTrade = (transaction: Pick<Transaction, 'type'>): boolean =>
  transaction.type === 'BUY' || transaction.type === 'SELL'

/** Encodes a transaction whole. */
export const encodeTransaction = (transaction: Transaction): Uint8Array => {
  const writer = createBinaryWriter(768)
  writer.bytes(transaction.id).bytes(transaction.commandId).bytes(transaction.requestHash)
  writer.text(transaction.bank).text(transaction.bankUserId).text(transaction.idempotencyKey)
  writer.u8(transactionTypes[transaction.type]).text(transaction.quoteName).text(transaction.reference)
  writer.text(transaction.symbol).text(transaction.fiatCurrency).text(transaction.cryptoCurrency)
  writer.i128(transaction.fiatAmount).i128(transaction.cryptoAmount).i128(transaction.price)
  writer.i128(transaction.tickerPrice).i128(transaction.spreadEarned)
  writer.u8(transaction.priceDecimals).u8(transaction.cryptoDecimals)
  writer.u64(transaction.number).i64(transaction.createdAt)
  writer.u8(transaction.step).i128(transaction.reserved).flag(transaction.authorizationCalled)
  writer.i128(transaction.executedPrice).i128(transaction.executedQuantity)
  writer.u32(transaction.attempt).u32(transaction.holdAttempt)
  writer.i64(transaction.retryAt).flag(transaction.settled).flag(transaction.fillBooked)
  writer.u16(transaction.code).text(transaction.message).i64(transaction.finishedAt)
  writer.u64(transaction.ledgerNumber)
  writer.list(transaction.balancesAfter, (balance) => {
    writer.i128(balance)
  })
  writer.u64(transaction.eventSequence)
  writer.list(transaction.totalsAfter, (total) => {
    writer.text(total.currency).i128(total.amount)
  })
  return writer.finish()
}

const known = <Value>(value: Value | undefined, what: string): Value => {
  if (value === undefined) throw new RangeError(`a transaction with an unknown ${what}`)
  return value
}

/** Decodes a transaction. Throws BinaryError or RangeError on bytes that are none. */
export const decodeTransaction = (bytes: Uint8Array): Transaction => {
  const reader = createBinaryReader(bytes)
  const transaction: Transaction = {
    id: reader.bytes(16),
    commandId: reader.bytes(16),
    requestHash: reader.bytes(16),
    bank: reader.text(),
    bankUserId: reader.text(),
    idempotencyKey: reader.text(),
    type: known(typeNames[reader.u8() - 1], 'type'),
    quoteName: reader.text(),
    reference: reader.text(),
    symbol: reader.text(),
    fiatCurrency: reader.text(),
    cryptoCurrency: reader.text(),
    fiatAmount: reader.i128(),
    cryptoAmount: reader.i128(),
    price: reader.i128(),
    tickerPrice: reader.i128(),
    spreadEarned: reader.i128(),
    priceDecimals: reader.u8(),
    cryptoDecimals: reader.u8(),
    number: reader.u64(),
    createdAt: reader.i64(),
    step: stepOf(reader.u8()),
    reserved: reader.i128(),
    authorizationCalled: reader.flag(),
    executedPrice: reader.i128(),
    executedQuantity: reader.i128(),
    attempt: reader.u32(),
    holdAttempt: reader.u32(),
    retryAt: reader.i64(),
    settled: reader.flag(),
    fillBooked: reader.flag(),
    code: reader.u16(),
    message: reader.text(),
    finishedAt: reader.i64(),
    ledgerNumber: reader.u64(),
    balancesAfter: reader.list(16, () => reader.i128()),
    eventSequence: reader.u64(),
    totalsAfter: reader.list(256, () => ({ currency: reader.text(), amount: reader.i128() })),
  }
  reader.end()
  return transaction
}

const stepOf = (number: number): Step => {
  if (!stepNumbers.has(number)) throw new RangeError(`a transaction with an unknown step ${number}`)
  return number as Step
}
