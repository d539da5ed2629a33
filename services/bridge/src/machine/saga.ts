import { partitionIndexOf, partitionNumber } from '@bourse/common/kernel/partition.ts'
import { OUTSIDE } from '@bourse/common/kernel/machine.ts'
import { refusalNumbers, type RefusalCode } from '@bourse/common/errors/codes.ts'
import { bankCustomerOwner } from '@bourse/risk-rules/ledger/accounts.ts'
import type { LedgerOutcome } from '@bourse/risk-rules/ledger/outcomes.ts'
import { encodeCall, type AuthorizationAnswer, type BridgeCall, type OrderAnswer } from '../codec/calls.ts'
import { hexOf, stepCommandId } from '../codec/identifiers.ts'
import { encodeLedgerStep } from '../codec/ledger.ts'
import { entryLegs } from '../codec/legs.ts'
import { formatCrypto, formatFiat } from '../codec/present.ts'
import { encodeTransaction, isTrade, steps, type Transaction } from '../codec/transaction.ts'
import { giveBack } from './accept.ts'
import { awaitedCommand, ledgerStepOf, type BankState, type Turn } from './state.ts'

/** How long an order may be on its way before the exchange has to refuse it. */
export const ORDER_VALID_MS = 5_000n
/** First pause before the ledger is asked again; doubles up to RETRY_MS_MAX. */
export const RETRY_MS = 1_000n
/** Longest such pause. */
export const RETRY_MS_MAX = 60_000n

/** What the saga needs beside the turn. */
export interface SagaSetting {
  readonly ledgerPartitions: number
}

const bankOf = (turn: Turn, transaction: Transaction): BankState => {
  const bank = turn.state.banks.get(transaction.bank)
  if (bank === undefined) throw new Error(`transaction of unknown bank ${transaction.bank}`)
  return bank
}

const call = (turn: Turn, outside: BridgeCall): void => {
  turn.effects.push({ to: OUTSIDE, bytes: encodeCall(outside), commandIndex: turn.commandIndex })
}

/** Sends the ledger what the transaction wants where it stands. */
export const askLedger = (turn: Turn, setting: SagaSetting, transaction: Transaction): void => {
  const step = ledgerStepOf(transaction)
  if (step === null) throw new Error(`transaction in step ${transaction.step} wants nothing of the ledger`)
  if (step === 'hold') transaction.holdAttempt = transaction.attempt
  transaction.retryAt = 0n
  const owner = bankCustomerOwner(transaction.bank, transaction.bankUserId)
  turn.state.awaiting.set(hexOf(stepCommandId(transaction.id, step, transaction.attempt)), hexOf(transaction.id))
  turn.effects.push({
    to: partitionNumber('ledger', partitionIndexOf(owner, setting.ledgerPartitions)),
    bytes: encodeLedgerStep(step, transaction),
    commandIndex: turn.commandIndex,
  })
}

const goTo = (turn: Turn, setting: SagaSetting, transaction: Transaction, step: Transaction['step']): void => {
  transaction.step = step
  transaction.attempt = 0
  if (ledgerStepOf(transaction) !== null) askLedger(turn, setting, transaction)
}

/** Sends the first event that waits, unless one is on its way: one at a time keeps their order. */
export const pumpEvents = (turn: Turn, bank: BankState): void => {
  const first = bank.events.entries().next()
  if (bank.eventRunning || first.done === true) return
  const [sequence, transaction] = first.value
  bank.eventRunning = true
  call(turn, {
    kind: 'webhook',
    bank: bank.rules.name,
    callbackUrl: bank.rules.callbackUrl,
    timeoutMs: bank.rules.callbackTimeoutMs,
    sequence,
    transaction,
  })
}

/** Sends the first reversal that waits, unless one is on its way: a bank that is down holds up one call, not all. */
export const pumpReversals = (turn: Turn, bank: BankState): void => {
  const first = bank.reversals.values().next()
  if (bank.reversalRunning || first.done === true) return
  bank.reversalRunning = true
  call(turn, {
    kind: 'reverse',
    bank: bank.rules.name,
    transactionId: first.value,
    callbackUrl: bank.rules.callbackUrl,
    timeoutMs: bank.rules.callbackTimeoutMs,
  })
}

/** Ends a transaction: event, view, parked reads. The step says how it ended. */
export const finish = (turn: Turn, transaction: Transaction): void => {
  const bank = bankOf(turn, transaction)
  transaction.finishedAt = turn.now
  bank.inFlight -= 1
  if (transaction.step === steps.completed) {
    const moved = entryLegs(transaction).filter((leg) => leg.kind === 'customer')
    for (const leg of moved) bank.totals.set(leg.currency, (bank.totals.get(leg.currency) ?? 0n) + leg.amount)
  }
  transaction.totalsAfter = [...bank.totals].map(([currency, amount]) => ({ currency, amount }))
  if (isTrade(transaction) || transaction.step === steps.completed) {
    bank.eventSequence += 1n
    transaction.eventSequence = bank.eventSequence
    bank.events.set(bank.eventSequence, encodeTransaction(transaction))
    pumpEvents(turn, bank)
  }
  turn.state.ended.add(hexOf(transaction.id))
  turn.settledIds.push(transaction.commandId)
  turn.changed.push(transaction)
}

/** Fails a transaction: limits given back, what is held released first, the bank told when it may have heard of it. */
export const fail = (
  turn: Turn,
  setting: SagaSetting,
  transaction: Transaction,
  code: RefusalCode,
  message: string,
): void => {
  const bank = bankOf(turn, transaction)
  transaction.code = refusalNumbers[code]
  transaction.message = message
  giveBack(bank, transaction.bankUserId, transaction.reserved, transaction.createdAt)
  transaction.reserved = 0n
  if (transaction.authorizationCalled) {
    bank.reversals.set(hexOf(transaction.id), transaction.id)
    pumpReversals(turn, bank)
  }
  const held = transaction.step === steps.authorizing || transaction.step === steps.ordering
  if (held) {
    goTo(turn, setting, transaction, steps.releasing)
    return
  }
  transaction.step = steps.failed
  finish(turn, transaction)
}

const retryLater = (turn: Turn, transaction: Transaction): void => {
  const doubled = RETRY_MS << BigInt(Math.min(transaction.attempt, 10))
  transaction.attempt += 1
  transaction.retryAt = turn.now + (doubled < RETRY_MS_MAX ? doubled : RETRY_MS_MAX)
  turn.state.retries.add(hexOf(transaction.id))
}

/** Asks the ledger again for transactions whose pause is over. */
export const retryDue = (turn: Turn, setting: SagaSetting): void => {
  for (const hex of [...turn.state.retries].sort()) {
    const transaction = turn.state.transactions.get(hex)
    if (transaction !== undefined && transaction.retryAt > turn.now) continue
    turn.state.retries.delete(hex)
    if (transaction !== undefined) askLedger(turn, setting, transaction)
  }
}

const authorize = (turn: Turn, transaction: Transaction): void => {
  const { rules } = bankOf(turn, transaction)
  const isBuy = transaction.type === 'BUY'
  transaction.step = steps.authorizing
  transaction.attempt = 0
  transaction.authorizationCalled = true
  call(turn, {
    kind: 'authorize',
    transactionId: transaction.id,
    callbackUrl: rules.callbackUrl,
    timeoutMs: rules.callbackTimeoutMs,
    retries: rules.callbackRetries,
    bankUserId: transaction.bankUserId,
    type: isBuy ? 'BUY' : 'SELL',
    amount: isBuy ? formatFiat(transaction.fiatAmount) : formatCrypto(transaction),
    currency: isBuy ? transaction.fiatCurrency : transaction.cryptoCurrency,
  })
}

const tooLow = (transaction: Transaction): string => {
  const paysFiat = transaction.type !== 'SELL'
  return `User ${paysFiat ? transaction.fiatCurrency : transaction.cryptoCurrency} balance is too low.`
}

/** The ledger refused the first step: the customer's balance, or a limit of the ledger. */
const refusedByLedger = (turn: Turn, setting: SagaSetting, transaction: Transaction, code: RefusalCode): void => {
  if (code === 'UNAVAILABLE') retryLater(turn, transaction)
  else if (code === 'INSUFFICIENT_FUNDS' || code === 'ACCOUNT_NOT_FOUND') {
    fail(turn, setting, transaction, 'INSUFFICIENT_FUNDS', tooLow(transaction))
  } else fail(turn, setting, transaction, code, `the ledger refused it (${code})`)
}

const complete = (turn: Turn, setting: SagaSetting, transaction: Transaction, posted: LedgerOutcome): void => {
  transaction.settled = true
  transaction.ledgerNumber = posted.transactionNumber ?? 0n
  transaction.balancesAfter = posted.balancesAfter
  if (!isTrade(transaction)) transaction.fillBooked = true
  transaction.step = steps.completed
  transaction.attempt = 0
  finish(turn, transaction)
  if (!transaction.fillBooked) askLedger(turn, setting, transaction)
}

/** The ledger's answer to what a transaction wanted. */
export const onLedgerOutcome = (
  turn: Turn,
  setting: SagaSetting,
  transaction: Transaction,
  outcome: LedgerOutcome,
): void => {
  const { code } = outcome
  const awaited = awaitedCommand(transaction)
  if (awaited !== null) turn.state.awaiting.delete(awaited)
  const step = ledgerStepOf(transaction)
  const released = step === 'release' && (code === 'OK' || code === 'HOLD_CLOSED')
  if (released) {
    transaction.step = steps.failed
    finish(turn, transaction)
  } else if (code !== 'OK') {
    if (step === 'hold' || step === 'move') refusedByLedger(turn, setting, transaction, code)
    else retryLater(turn, transaction)
  } else if (step === 'hold') authorize(turn, transaction)
  else if (step === 'fill') transaction.fillBooked = true
  else complete(turn, setting, transaction, outcome)
}

/** The bank's answer. A late one finds the transaction elsewhere and changes nothing. */
export const onAuthorization = (
  turn: Turn,
  setting: SagaSetting,
  transaction: Transaction,
  answer: AuthorizationAnswer,
): void => {
  if (transaction.step !== steps.authorizing) return
  if (answer.result === 'declined')
    fail(turn, setting, transaction, 'BANK_DECLINED', 'the bank declined the transaction')
  else if (answer.result === 'unreachable') {
    fail(turn, setting, transaction, 'BANK_CONNECTION_ERROR', 'the bank did not acknowledge the transaction')
  } else {
    transaction.step = steps.ordering
    call(turn, {
      kind: 'order',
      transactionId: transaction.id,
      symbol: transaction.symbol,
      side: transaction.type === 'BUY' ? 'BUY' : 'SELL',
      quantity: formatCrypto(transaction),
      validUntil: turn.now + ORDER_VALID_MS,
    })
  }
}

/** The exchange's answer. Whatever it filled, the customer gets what was promised. */
export const onOrder = (turn: Turn, setting: SagaSetting, transaction: Transaction, answer: OrderAnswer): void => {
  if (transaction.step !== steps.ordering) return
  if (answer.result !== 'filled' || answer.executedPrice <= 0n || answer.executedQuantity <= 0n) {
    const why =
      answer.result === 'absent' ? 'the order did not reach the exchange in time' : 'the exchange rejected the order'
    fail(turn, setting, transaction, 'INSUFFICIENT_LIQUIDITY', why)
    return
  }
  transaction.executedPrice = answer.executedPrice
  transaction.executedQuantity = answer.executedQuantity
  goTo(turn, setting, transaction, steps.posting)
}
