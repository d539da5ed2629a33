import { UNITS_PER_WHOLE, type Units } from '@bourse/common/money/amount.ts'
import { mulDivCeil, mulDivFloor } from '@bourse/common/money/rounding.ts'
import {
  bankCustomerOwner,
  customerAccountKey,
  systemAccountKey,
  systemAccountName,
  type AccountKey,
  type SystemAccountKind,
} from '@bourse/risk-rules/ledger/accounts.ts'
import type { Transaction } from './transaction.ts'

/*
 * Who gets what, at each step of a bank transaction. Positive is credit, negative debit; each list sums to zero in each
 * currency. F fiat, C crypto promised, T the ticker's price behind the executed price; Q, P what the exchange did
 * (executedQty, executedPrice).
 *
 *   step        account            BUY fiat      BUY crypto   SELL fiat     SELL crypto
 *   settle      customer           −F            +C           +F            −C
 *   (the hold)  omnibus:<bank>     +F            −C           −F            +C
 *   fill        omnibus:<bank>     −F            +C           +F            −C
 *               exchange           +Q·P          −Q           −Q·P          +Q
 *               spread             +fee          ·            +fee          ·
 *               house:<pair>       F−Q·P−fee     Q−C          Q·P−F−fee     C−Q
 *   deposit     bank:<name> −F, customer +F;  withdrawal  customer −F, bank:<name> +F
 *
 * fee = F − C·T on a buy and C·T − F on a sell. After settle and fill the omnibus account is where it was; whatever the
 * exchange gave more or less than promised is the house's. spread + house = 100.00 − 58.47 × executed price in the
 * contract's example.
 */

/** One leg of an instruction to the ledger, with the account's name for people. */
export interface BankLeg extends AccountKey {
  readonly account: string
  readonly amount: Units
}

const customer = (transaction: Transaction, currency: string, amount: Units): BankLeg => ({
  ...customerAccountKey(bankCustomerOwner(transaction.bank, transaction.bankUserId), currency),
  account: `customer:${transaction.bank}:${transaction.bankUserId}`,
  amount,
})

const system = (kind: SystemAccountKind, of: string, currency: string, amount: Units): BankLeg => ({
  ...systemAccountKey(kind, currency, of),
  account: systemAccountName(kind, of),
  amount,
})

/** What the customer pays with, as a hold: one leg above zero. */
export const holdLegs = (transaction: Transaction): readonly BankLeg[] => [
  transaction.type === 'BUY'
    ? customer(transaction, transaction.fiatCurrency, transaction.fiatAmount)
    : customer(transaction, transaction.cryptoCurrency, transaction.cryptoAmount),
]

/** The four entries of a trade, in the contract's order: customer pays, omnibus takes; omnibus gives, customer gets. */
const settleLegs = (transaction: Transaction): readonly BankLeg[] => {
  const { bank, fiatCurrency, cryptoCurrency, fiatAmount, cryptoAmount } = transaction
  const fiat = { currency: fiatCurrency, amount: fiatAmount }
  const crypto = { currency: cryptoCurrency, amount: cryptoAmount }
  const [paid, got] = transaction.type === 'BUY' ? [fiat, crypto] : [crypto, fiat]
  const omnibus = (currency: string, amount: Units): BankLeg => system('omnibus', bank, currency, amount)
  return [
    customer(transaction, paid.currency, -paid.amount),
    omnibus(paid.currency, paid.amount),
    omnibus(got.currency, -got.amount),
    customer(transaction, got.currency, got.amount),
  ]
}

const depositLegs = (transaction: Transaction): readonly BankLeg[] => [
  system('bank', transaction.bank, transaction.fiatCurrency, -transaction.fiatAmount),
  customer(transaction, transaction.fiatCurrency, transaction.fiatAmount),
]

const withdrawalLegs = (transaction: Transaction): readonly BankLeg[] => [
  customer(transaction, transaction.fiatCurrency, -transaction.fiatAmount),
  system('bank', transaction.bank, transaction.fiatCurrency, transaction.fiatAmount),
]

/** The entries the customer sees: of a trade's settlement, a deposit or a withdrawal. */
export const entryLegs = (transaction: Transaction): readonly BankLeg[] => {
  switch (transaction.type) {
    case 'BUY':
    case 'SELL':
      return settleLegs(transaction)
    case 'DEPOSIT':
      return depositLegs(transaction)
    case 'WITHDRAWAL':
      return withdrawalLegs(transaction)
  }
}

/**
 * Fiat that the fill cost (a buy) or brought (a sell): Q·P, rounded up or down to a unit of 1e-8, against the house: the
 * exchange is never booked to have got less or given more than it did.
 */
export const fillFiat = (transaction: Transaction): Units => {
  const { type, executedQuantity, executedPrice } = transaction
  const rounded = type === 'BUY' ? mulDivCeil : mulDivFloor
  return rounded(executedQuantity, executedPrice, UNITS_PER_WHOLE)
}

/** What the fill moves between omnibus, exchange, spread and house. Legs of zero are left out. */
export const fillLegs = (transaction: Transaction): readonly BankLeg[] => {
  const { bank, symbol, fiatCurrency, cryptoCurrency, fiatAmount, cryptoAmount, spreadEarned, executedQuantity } =
    transaction
  const sign = transaction.type === 'BUY' ? 1n : -1n
  const fiat = fillFiat(transaction)
  return [
    system('omnibus', bank, fiatCurrency, -sign * fiatAmount),
    system('exchange', '', fiatCurrency, sign * fiat),
    system('spread', '', fiatCurrency, spreadEarned),
    system('house', symbol, fiatCurrency, sign * (fiatAmount - fiat) - spreadEarned),
    system('omnibus', bank, cryptoCurrency, sign * cryptoAmount),
    system('exchange', '', cryptoCurrency, -sign * executedQuantity),
    system('house', symbol, cryptoCurrency, sign * (executedQuantity - cryptoAmount)),
  ].filter((leg) => leg.amount !== 0n)
}
