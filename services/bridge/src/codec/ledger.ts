import { FLAG_WANTS_OUTCOME } from '@bourse/common/kernel/command.ts'
import { transactionTypes } from '@bourse/risk-rules/ledger/accounts.ts'
import { encodeLedgerCommand, type HoldId, type Instruction } from '@bourse/risk-rules/ledger/codec.ts'
import { stepCommandId } from './identifiers.ts'
import { entryLegs, fillLegs, holdLegs } from './legs.ts'
import type { Transaction } from './transaction.ts'

/** What a transaction can want of the ledger. */
export type LedgerStep = 'hold' | 'settle' | 'release' | 'move' | 'fill'

const postedAs = {
  BUY: transactionTypes.BANK_BUY,
  SELL: transactionTypes.BANK_SELL,
  DEPOSIT: transactionTypes.DEPOSIT,
  WITHDRAWAL: transactionTypes.WITHDRAWAL,
} as const

/** The hold of a trade: the command that made it made one. */
export const holdOf = (transaction: Transaction): HoldId => ({
  id: stepCommandId(transaction.id, 'hold', transaction.holdAttempt),
  index: 0,
})

const instructionOf = (step: LedgerStep, transaction: Transaction): Instruction => {
  const transactionType = postedAs[transaction.type]
  switch (step) {
    case 'hold':
      return { kind: 'HOLD', legs: holdLegs(transaction) }
    case 'settle':
      return { kind: 'SETTLE', transactionType, holds: [holdOf(transaction)], legs: entryLegs(transaction) }
    case 'release':
      return { kind: 'RELEASE', holds: [holdOf(transaction)] }
    case 'move':
      return { kind: 'POST', transactionType, legs: entryLegs(transaction) }
    case 'fill':
      return { kind: 'POST', transactionType: transactionTypes.EXCHANGE_FILL, legs: fillLegs(transaction) }
  }
}

/** The command that takes a transaction's step in the ledger. It names the transaction and wants its outcome. */
export const encodeLedgerStep = (step: LedgerStep, transaction: Transaction): Uint8Array => {
  const id = stepCommandId(transaction.id, step, transaction.attempt)
  const header = { flags: FLAG_WANTS_OUTCOME, id, requestHash: id }
  return encodeLedgerCommand(header, { ...instructionOf(step, transaction), reference: transaction.id })
}
