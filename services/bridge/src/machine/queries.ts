import { BinaryError } from '@bourse/common/codec/binary.ts'
import { bodyOf, decodeHeader, isCommand, NO_ID } from '@bourse/common/kernel/command.ts'
import type { QueryAnswer } from '@bourse/common/kernel/machine.ts'
import { currencyDecimals } from '../codec/bank-rules.ts'
import { decodeClientCommand } from '../codec/commands.ts'
import { hexOf, transactionIdOf } from '../codec/identifiers.ts'
import { decodeQuestion, type Question } from '../codec/questions.ts'
import { encodeBacklog, type BankBacklog } from '../codec/backlog.ts'
import { encodeDayUse, type DayUse } from '../codec/day-use.ts'
import { EMPTY_REPLY, encodeReply, type Reply } from '../codec/reply.ts'
import { isFinal, type Transaction } from '../codec/transaction.ts'
import { pairOf } from './accept.ts'
import { keyOf, type BridgeState } from './state.ts'

const missing = (message: string): Reply => ({ ...EMPTY_REPLY, code: 'NOT_FOUND', message })

/** The symbol whose ticker a trade or quote needs, empty when none: the id is known, or it will be refused anyway. */
const symbolToAsk = (state: BridgeState, command: Uint8Array): string => {
  const header = decodeHeader(command)
  const decoded = decodeClientCommand(header.kind, bodyOf(command))
  if (decoded === null || (decoded.kind !== 'trade' && decoded.kind !== 'quote')) return ''
  const request = decoded.kind === 'trade' ? decoded.trade : decoded.quote
  const known =
    decoded.kind === 'trade'
      ? state.transactions.has(hexOf(transactionIdOf(header.id)))
      : state.quotes.has(hexOf(header.id))
  const bank = state.banks.get(request.bank)
  if (known || bank === undefined || bank.rules.suspended) return ''
  return pairOf(bank, request.side, request.currency)?.symbol ?? ''
}

const transactionReply = (transaction: Transaction | undefined, bank: string): Reply =>
  transaction === undefined || transaction.bank !== bank
    ? missing('there is no such transaction')
    : { ...EMPTY_REPLY, transactions: [transaction] }

/**
 * What waits, bank by bank. Transactions lie in the order of their acceptance, so the first of a bank that has not ended is its
 * oldest, and the search ends once every bank with something under way has its own.
 */
const backlogOf = (state: BridgeState): BankBacklog[] => {
  const oldest = new Map<string, bigint>()
  let missing = [...state.banks.values()].filter(({ inFlight }) => inFlight > 0).length
  for (const transaction of missing === 0 ? [] : state.transactions.values()) {
    if (isFinal(transaction) || oldest.has(transaction.bank)) continue
    oldest.set(transaction.bank, transaction.createdAt)
    missing -= 1
    if (missing === 0) break
  }
  return [...state.banks].map(([bank, { inFlight, events, reversals }]) => ({
    bank,
    inFlight,
    oldestAt: oldest.get(bank) ?? 0n,
    eventsWaiting: events.size,
    reversalsWaiting: reversals.size,
  }))
}

const dayUseOf = (state: BridgeState, name: string): DayUse | null => {
  const bank = state.banks.get(name)
  return bank === undefined ? null : { day: bank.day, total: bank.dayTotal }
}

/** Questions whose answers have a layout of their own. */
type OwnLayout = Extract<Question, { readonly kind: 'backlog' | 'dayUse' }>

const hasOwnLayout = (question: Question): question is OwnLayout =>
  question.kind === 'backlog' || question.kind === 'dayUse'

const replyTo = (state: BridgeState, question: Exclude<Question, OwnLayout>): Reply => {
  switch (question.kind) {
    case 'transaction':
      return transactionReply(state.transactions.get(hexOf(question.transactionId)), question.bank)
    case 'transactionByKey': {
      const hex = state.keys.get(keyOf(question.bank, question.idempotencyKey))
      return transactionReply(hex === undefined ? undefined : state.transactions.get(hex), question.bank)
    }
    case 'customer': {
      const bank = state.banks.get(question.bank)
      if (bank === undefined || !bank.customers.has(question.bankUserId)) return missing('there is no such customer')
      const currencies = [...currencyDecimals(bank.rules)].map(([currency, decimals]) => ({ currency, decimals }))
      return { ...EMPTY_REPLY, currencies }
    }
    case 'bank': {
      const bank = state.banks.get(question.bank)
      return bank === undefined
        ? missing('there is no such bank')
        : { ...EMPTY_REPLY, eventSequence: bank.eventSequence }
    }
    case 'symbolToAsk':
      return { ...EMPTY_REPLY, message: symbolToAsk(state, question.command) }
    case 'inFlight':
      return { ...EMPTY_REPLY, transactions: [...state.transactions.values()].filter((one) => !isFinal(one)) }
  }
}

const invalidQuestion: Reply = { ...EMPTY_REPLY, code: 'INVALID_COMMAND', message: 'not a question of the bridge' }

interface Asked {
  readonly question: Question | null
  readonly reply: Reply
}

const ask = (state: BridgeState, bytes: Uint8Array): Asked => {
  if (!isCommand(bytes)) return { question: null, reply: invalidQuestion }
  try {
    const question = decodeQuestion(decodeHeader(bytes).kind, bodyOf(bytes))
    if (question === null) return { question, reply: invalidQuestion }
    return { question, reply: hasOwnLayout(question) ? EMPTY_REPLY : replyTo(state, question) }
  } catch (error) {
    if (error instanceof BinaryError || error instanceof RangeError) return { question: null, reply: invalidQuestion }
    throw error
  }
}

/** Answers a question from state alone. A transaction that has not ended is pending until its command's id is settled. */
export const answerQuestion = (state: BridgeState, bytes: Uint8Array): QueryAnswer => {
  const { question, reply } = ask(state, bytes)
  const header = isCommand(bytes) ? decodeHeader(bytes) : { kind: 0, id: NO_ID }
  if (question?.kind === 'backlog') return { bytes: encodeBacklog(header, backlogOf(state)), pending: false }
  if (question?.kind === 'dayUse')
    return { bytes: encodeDayUse(header, dayUseOf(state, question.bank)), pending: false }
  const answer = encodeReply(header, reply)
  const isAboutOne = question?.kind === 'transaction' || question?.kind === 'transactionByKey'
  const asked = isAboutOne ? reply.transactions[0] : undefined
  if (asked === undefined || isFinal(asked)) return { bytes: answer, pending: false }
  return { bytes: answer, pending: true, wakeId: asked.commandId }
}
