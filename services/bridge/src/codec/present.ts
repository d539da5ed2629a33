import { codeOfNumber, type RefusalCode } from '@bourse/common/errors/codes.ts'
import { httpStatusOf } from '@bourse/common/errors/http.ts'
import { formatAmount, type Units } from '@bourse/common/money/amount.ts'
import { FIAT_DECIMALS } from './bank-rules.ts'
import { hexOf, transactionName } from './identifiers.ts'
import { isTrade, steps, type Transaction } from './transaction.ts'

/*
 * What a bank sees of a transaction: the answer to its call and the event about its end. Both are functions of the
 * transaction alone, so that they have the same bytes whenever they are made.
 */

/** An HTTP answer: status and JSON body. */
export interface HttpAnswer {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>
}

/** An amount with at least `decimals` decimals, and more when it has more: nothing is rounded away. */
export const formatAtLeast = (units: Units, decimals: number): string => {
  const exact = formatAmount(units)
  const present = exact.split('.')[1]?.length ?? 0
  return present > decimals ? exact : formatAmount(units, decimals)
}

/** A fiat amount as answered. */
export const formatFiat = (units: Units): string => formatAtLeast(units, FIAT_DECIMALS)

/** The transaction's crypto amount as answered: the lot's decimals. */
export const formatCrypto = (transaction: Pick<Transaction, 'cryptoAmount' | 'cryptoDecimals'>): string =>
  formatAtLeast(transaction.cryptoAmount, transaction.cryptoDecimals)

/** The refusal code of a failed transaction, null otherwise. */
export const errorCodeOf = (transaction: Pick<Transaction, 'code'>): RefusalCode | null => {
  const code = codeOfNumber(transaction.code)
  return code === 'OK' ? null : code
}

/** The public status. */
export const statusOf = (transaction: Pick<Transaction, 'step'>): 'PENDING' | 'COMPLETED' | 'FAILED' =>
  transaction.step === steps.completed ? 'COMPLETED' : transaction.step === steps.failed ? 'FAILED' : 'PENDING'

/** The contract's `data` of a transaction's answer, for its type. */
export const answerData = (transaction: Transaction): Readonly<Record<string, string>> => {
  const head = { transactionId: transactionName(transaction.id), status: statusOf(transaction) }
  if (!isTrade(transaction)) return head
  const crypto = { cryptoAmount: formatCrypto(transaction), cryptoCurrency: transaction.cryptoCurrency }
  const rate = { exchangeRate: formatAtLeast(transaction.price, transaction.priceDecimals) }
  if (transaction.type === 'BUY') return { ...head, ...crypto, ...rate }
  const fiat = { fiatAmount: formatFiat(transaction.fiatAmount), fiatCurrency: transaction.fiatCurrency }
  return { ...head, ...fiat, ...crypto, ...rate }
}

/** The answer that the original call got and every repeat gets; null while pending. */
export const httpAnswerOf = (transaction: Transaction): HttpAnswer | null => {
  if (transaction.step === steps.completed)
    return { status: 201, body: { success: true, data: answerData(transaction) } }
  const errorCode = errorCodeOf(transaction)
  if (transaction.step !== steps.failed || errorCode === null) return null
  return { status: httpStatusOf[errorCode], body: { success: false, errorCode, message: transaction.message } }
}

const eventTypeOf = (transaction: Transaction): string => {
  const end = transaction.step === steps.completed ? 'completed' : 'failed'
  if (isTrade(transaction)) return `transaction.${end}`
  return `${transaction.type === 'DEPOSIT' ? 'deposit' : 'withdrawal'}.${end}`
}

const eventData = (transaction: Transaction): Readonly<Record<string, unknown>> => {
  const who = { bankUserId: transaction.bankUserId, type: transaction.type, idempotencyKey: transaction.idempotencyKey }
  const errorCode = errorCodeOf(transaction)
  const failure = errorCode === null ? {} : { errorCode, message: transaction.message }
  if (!isTrade(transaction)) {
    const money = { amount: formatFiat(transaction.fiatAmount), currency: transaction.fiatCurrency }
    return { ...answerData(transaction), ...who, ...money, reference: transaction.reference, ...failure }
  }
  if (errorCode !== null) {
    return { transactionId: transactionName(transaction.id), status: 'FAILED', ...who, ...failure }
  }
  const fiat = { fiatAmount: formatFiat(transaction.fiatAmount), fiatCurrency: transaction.fiatCurrency }
  return { ...answerData(transaction), ...fiat, feeAmount: formatFiat(transaction.spreadEarned), ...who }
}

/** An event as the bank gets it. */
export interface BankEventBody {
  readonly sequence: number
  readonly id: string
  readonly type: string
  /** ISO 8601, UTC. */
  readonly createdAt: string
  readonly data: Readonly<Record<string, unknown>>
}

/** The event about the end of a transaction. */
export const eventOf = (transaction: Transaction): BankEventBody => ({
  sequence: Number(transaction.eventSequence),
  id: `evt_${hexOf(transaction.id)}`,
  type: eventTypeOf(transaction),
  createdAt: new Date(Number(transaction.finishedAt)).toISOString(),
  data: eventData(transaction),
})
