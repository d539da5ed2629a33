import { httpAnswerOf, errorCodeOf, formatAtLeast, formatCrypto, formatFiat, statusOf } from '../codec/present.ts'
import { transactionName } from '../codec/identifiers.ts'
import { entryLegs } from '../codec/legs.ts'
import { isTrade, steps, type Transaction } from '../codec/transaction.ts'
import type { BankEntry, BankTransaction } from './types.ts'

/** The ledger entries of a completed transaction, in the ledger's order; none before and none when it failed. */
export const entriesOf = (transaction: Transaction): readonly BankEntry[] => {
  if (transaction.step !== steps.completed) return []
  const transactionId = transactionName(transaction.id)
  return entryLegs(transaction).map((leg, index) => {
    const decimals = leg.currency === transaction.cryptoCurrency ? transaction.cryptoDecimals : 2
    return {
      id: `${transactionId}:${index}`,
      transactionId,
      accountId: `${leg.account}:${leg.currency}`,
      currency: leg.currency,
      amount: formatAtLeast(leg.amount, decimals),
      balanceAfter: formatAtLeast(transaction.balancesAfter[index] ?? 0n, decimals),
    }
  })
}

interface Side {
  readonly amount: string | null
  readonly currency: string | null
}

const NOTHING: Side = { amount: null, currency: null }

const sidesOf = (transaction: Transaction): { readonly paid: Side; readonly got: Side } => {
  const { fiatAmount, fiatCurrency, cryptoAmount, cryptoCurrency } = transaction
  const fiat = { amount: fiatAmount === 0n ? null : formatFiat(fiatAmount), currency: fiatCurrency }
  const crypto = { amount: cryptoAmount === 0n ? null : formatCrypto(transaction), currency: cryptoCurrency }
  switch (transaction.type) {
    case 'BUY':
      return { paid: fiat, got: crypto }
    case 'SELL':
      return { paid: crypto, got: fiat }
    case 'DEPOSIT':
      return { paid: fiat, got: NOTHING }
    case 'WITHDRAWAL':
      return { paid: NOTHING, got: fiat }
  }
}

/** A transaction as the bank sees it. */
export const presentTransaction = (transaction: Transaction): BankTransaction => {
  const { paid, got } = sidesOf(transaction)
  const isCompletedTrade = isTrade(transaction) && transaction.step === steps.completed
  return {
    transactionId: transactionName(transaction.id),
    idempotencyKey: transaction.idempotencyKey,
    bankUserId: transaction.bankUserId,
    type: transaction.type,
    status: statusOf(transaction),
    amountIn: paid.amount,
    amountOut: got.amount,
    currencyIn: paid.currency,
    currencyOut: got.currency,
    feeAmount: isCompletedTrade ? formatFiat(transaction.spreadEarned) : null,
    exchangeRate: transaction.price === 0n ? null : formatAtLeast(transaction.price, transaction.priceDecimals),
    errorCode: errorCodeOf(transaction),
    message: transaction.message === '' ? null : transaction.message,
    createdAtMs: Number(transaction.createdAt),
    entries: entriesOf(transaction),
    answer: httpAnswerOf(transaction),
  }
}
