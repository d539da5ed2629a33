import type { AuthorizationAnswer, OrderAnswer } from '@bourse/bridge/codec/calls.ts'
import type { OutcomeCode } from '@bourse/common/errors/codes.ts'
import type { LedgerOutcome } from '@bourse/risk-rules/ledger/outcomes.ts'
import { hex } from '../../evidence/bytes.ts'
import type { Entry } from '../../evidence/journals.ts'
import type { BankLife } from './book.ts'
import type { Desk } from './desk.ts'

/** The ledger refused the first thing it was asked: nothing has happened. While it is unavailable it is asked again. */
const refuseFirst = ({ fail }: Desk, entry: Entry, life: BankLife, code: OutcomeCode): void => {
  if (code === 'UNAVAILABLE') return
  const isPoor = code === 'INSUFFICIENT_FUNDS' || code === 'ACCOUNT_NOT_FOUND'
  fail(entry, life, isPoor ? 'INSUFFICIENT_FUNDS' : code, 'failed')
}

/** The ledger's answer to what a transaction asked of it. */
export const followLedgerAnswer = (desk: Desk, entry: Entry, outcome: LedgerOutcome): void => {
  const life = desk.transactions.get(desk.asked.get(entry.id ?? '') ?? '')
  if (life === undefined)
    return desk.complain('bank-saga', `${desk.where(entry)}: the ledger answers ${entry.id}, which nobody asked`)
  const { code } = outcome
  const isOk = code === 'OK'
  if (!isOk && (life.stage === 'holding' || life.stage === 'moving')) refuseFirst(desk, entry, life, code)
  else if (life.stage === 'holding') {
    life.stage = 'authorizing'
    life.isAuthorizationCalled = true
  } else if (life.stage === 'releasing' && (isOk || code === 'HOLD_CLOSED')) desk.finish(entry, life, 'failed')
  else if (isOk && (life.stage === 'posting' || life.stage === 'moving')) {
    life.ledgerNumber = outcome.transactionNumber ?? 0n
    life.balancesAfter = outcome.balancesAfter
    desk.finish(entry, life, 'completed')
  }
}

/** The bank's answer to an authorization: only an acknowledged one goes on to the exchange. */
export const followAuthorization = ({ transactions, fail }: Desk, entry: Entry, answer: AuthorizationAnswer): void => {
  const life = transactions.get(hex(answer.transactionId))
  if (life?.stage !== 'authorizing') return
  if (answer.result === 'acknowledged') {
    life.stage = 'ordering'
    life.isAcknowledged = true
  } else fail(entry, life, answer.result === 'declined' ? 'BANK_DECLINED' : 'BANK_CONNECTION_ERROR', 'releasing')
}

/** The exchange's answer to an order: only a filled one is posted. */
export const followOrder = ({ transactions, fail }: Desk, entry: Entry, answer: OrderAnswer): void => {
  const life = transactions.get(hex(answer.transactionId))
  if (life?.stage !== 'ordering') return
  if (answer.result !== 'filled' || answer.executedPrice <= 0n || answer.executedQuantity <= 0n)
    return fail(entry, life, 'INSUFFICIENT_LIQUIDITY', 'releasing')
  life.executedPrice = answer.executedPrice
  life.executedQuantity = answer.executedQuantity
  life.stage = 'posting'
}
