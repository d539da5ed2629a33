import { createHash } from 'node:crypto'
import { BinaryError } from '@bourse/common/codec/binary.ts'
import {
  bodyOf,
  commandOrigins,
  decodeHeader,
  isCommand,
  KIND_TIME,
  NO_ID,
  type CommandHeader,
} from '@bourse/common/kernel/command.ts'
import type { Applied, Machine } from '@bourse/common/kernel/machine.ts'
import { OUTCOME_HEADER_BYTES } from '@bourse/common/kernel/outcome.ts'
import { KIND_LEDGER_OUTCOME } from '@bourse/risk-rules/ledger/codec.ts'
import { decodeLedgerOutcome, type LedgerOutcome } from '@bourse/risk-rules/ledger/outcomes.ts'
import { answerKinds, decodeAnswer, type BridgeAnswer } from '../codec/calls.ts'
import { commandKinds, decodeClientCommand, type ClientCommand } from '../codec/commands.ts'
import { hexOf } from '../codec/identifiers.ts'
import { EMPTY_REPLY, encodeReply, type Reply } from '../codec/reply.ts'
import { steps, type Transaction } from '../codec/transaction.ts'
import { cancelQuote, configure, FAULT_MESSAGE, move, quote, recordFault, trade } from './orders.ts'
import { answerQuestion } from './queries.ts'
import { onRedelivery, redeliver } from './redelivery.ts'
import {
  fail,
  onAuthorization,
  onLedgerOutcome,
  onOrder,
  pumpEvents,
  pumpReversals,
  retryDue,
  type SagaSetting,
} from './saga.ts'
import { decodeState, encodeState, SCHEMA_VERSION } from './snapshot.ts'
import { emptyBridgeState, expire, type BridgeState, type Turn } from './state.ts'

/**
 * Newest behaviour of the bridge; 2: a cancelled quote is remembered until it would be forgotten; 3: redeliveries. Journals of
 * before have none: what would be one today was no command then.
 */
export const BEHAVIOUR_VERSION = 3
const BEHAVIOUR_WITH_REDELIVERIES = 3

/** What a command is, decoded. */
type Input =
  | { readonly kind: 'client'; readonly command: ClientCommand }
  | { readonly kind: 'answer'; readonly answer: BridgeAnswer }
  | { readonly kind: 'ledger'; readonly outcome: LedgerOutcome }
  | { readonly kind: 'time' }

const invalid: Reply = { ...EMPTY_REPLY, code: 'INVALID_COMMAND', message: 'not a command of the bridge' }

/** Whether a kind of command came with redeliveries. */
const isOfRedelivery = (kind: number): boolean => kind === commandKinds.redeliver || kind === answerKinds.redelivery

const inputOf = (header: CommandHeader, body: Uint8Array, behaviour: number): Input | null => {
  if (behaviour < BEHAVIOUR_WITH_REDELIVERIES && isOfRedelivery(header.kind)) return null
  if (header.kind === KIND_TIME) return { kind: 'time' }
  if (header.kind === KIND_LEDGER_OUTCOME) {
    const whole = header.origin === commandOrigins.partition && body.length >= OUTCOME_HEADER_BYTES
    return whole ? { kind: 'ledger', outcome: decodeLedgerOutcome(body) } : null
  }
  if (header.kind >= answerKinds.authorization && header.kind <= answerKinds.redelivery) {
    return header.origin === commandOrigins.outside ? { kind: 'answer', answer: decodeAnswer(header.kind, body) } : null
  }
  if (header.origin !== commandOrigins.client && header.origin !== commandOrigins.runner) return null
  const command = decodeClientCommand(header.kind, body)
  return command === null ? null : { kind: 'client', command }
}

/** The command, or null for bytes that are none: nothing was touched yet. */
const decodeInput = (
  bytes: Uint8Array,
  behaviour: number,
): { readonly header: CommandHeader; readonly input: Input } | null => {
  if (!isCommand(bytes)) return null
  const header = decodeHeader(bytes)
  try {
    const input = inputOf(header, bodyOf(bytes), behaviour)
    return input === null ? null : { header, input }
  } catch (error) {
    if (error instanceof BinaryError || error instanceof RangeError) return null
    throw error
  }
}

const applyClient = (turn: Turn, setting: SagaSetting, header: CommandHeader, command: ClientCommand): Reply => {
  switch (command.kind) {
    case 'config':
      return configure(turn, command.rules)
    case 'trade':
      return trade(turn, setting, header, command.trade)
    case 'move':
      return move(turn, setting, header, command.move)
    case 'quote':
      return quote(turn, header, command.quote)
    case 'cancelQuote':
      return cancelQuote(turn, command.cancel)
    case 'redeliver':
      return redeliver(turn, header, command.redeliver)
  }
}

const applyAnswer = (turn: Turn, setting: SagaSetting, answer: BridgeAnswer): void => {
  if (answer.kind === 'authorization' || answer.kind === 'order') {
    const transaction = turn.state.transactions.get(hexOf(answer.transactionId))
    if (transaction === undefined) return
    if (answer.kind === 'authorization') onAuthorization(turn, setting, transaction, answer)
    else onOrder(turn, setting, transaction, answer)
    return
  }
  const bank = turn.state.banks.get(answer.bank)
  if (bank === undefined) return
  if (answer.kind === 'webhook') {
    bank.eventRunning = false
    if (answer.acknowledged) bank.events.delete(answer.sequence)
    pumpEvents(turn, bank)
  } else if (answer.kind === 'redelivery') {
    onRedelivery(turn, bank, answer)
  } else {
    bank.reversalRunning = false
    if (answer.acknowledged) bank.reversals.delete(hexOf(answer.transactionId))
    pumpReversals(turn, bank)
  }
}

const awaitingTransaction = (turn: Turn, header: CommandHeader): Transaction | undefined => {
  const hex = turn.state.awaiting.get(hexOf(header.id))
  return hex === undefined ? undefined : turn.state.transactions.get(hex)
}

const applyLedger = (turn: Turn, setting: SagaSetting, header: CommandHeader, outcome: LedgerOutcome): void => {
  const transaction = awaitingTransaction(turn, header)
  if (transaction === undefined) return
  onLedgerOutcome(turn, setting, transaction, outcome)
}

const applyInput = (turn: Turn, setting: SagaSetting, header: CommandHeader, input: Input): Reply => {
  switch (input.kind) {
    case 'client':
      return applyClient(turn, setting, header, input.command)
    case 'answer':
      applyAnswer(turn, setting, input.answer)
      break
    case 'ledger':
      applyLedger(turn, setting, header, input.outcome)
      break
    case 'time':
      retryDue(turn, setting)
      break
  }
  return { ...EMPTY_REPLY, transactions: [...turn.changed] }
}

/** A command that trapped twice: recorded as failed, and what it would have moved on is released as far as that is safe. */
const refuseInput = (turn: Turn, setting: SagaSetting, header: CommandHeader, input: Input): Reply => {
  if (input.kind === 'client' && input.command.kind === 'trade') return recordFault(turn, header, input.command.trade)
  if (input.kind === 'client' && input.command.kind === 'move') return recordFault(turn, header, input.command.move)
  const answered =
    input.kind === 'answer' && input.answer.kind === 'authorization'
      ? turn.state.transactions.get(hexOf(input.answer.transactionId))
      : undefined
  if (answered?.step === steps.authorizing) fail(turn, setting, answered, 'ENGINE_FAULT', FAULT_MESSAGE)
  return { ...EMPTY_REPLY, code: 'ENGINE_FAULT', message: FAULT_MESSAGE, transactions: [...turn.changed] }
}

const earliestRetry = (state: BridgeState): bigint | null => {
  let earliest: bigint | null = null
  for (const hex of state.retries) {
    const retryAt = state.transactions.get(hex)?.retryAt
    if (retryAt !== undefined && (earliest === null || retryAt < earliest)) earliest = retryAt
  }
  return earliest
}

/** Makes the machine of a bridge partition. `ledgerPartitions` never changes in the life of the data. */
export const createBridgeMachine = (setting: SagaSetting): Machine => {
  let state = emptyBridgeState()

  const applyOne = (turn: Turn, bytes: Uint8Array, refused: boolean): Uint8Array => {
    turn.changed = []
    const decoded = decodeInput(bytes, turn.behaviour)
    if (decoded === null)
      return encodeReply({ kind: isCommand(bytes) ? decodeHeader(bytes).kind : 0, id: NO_ID }, invalid)
    const { header, input } = decoded
    return encodeReply(
      header,
      refused ? refuseInput(turn, setting, header, input) : applyInput(turn, setting, header, input),
    )
  }

  const apply = (
    batch: readonly Uint8Array[],
    now: bigint,
    behaviour: number,
    refused?: ReadonlySet<number>,
  ): Applied => {
    if (behaviour < 1 || behaviour > BEHAVIOUR_VERSION)
      throw new RangeError(`behaviour ${behaviour} is unknown to the bridge`)
    expire(state, now)
    const turn: Turn = { state, now, behaviour, commandIndex: 0, effects: [], settledIds: [], changed: [] }
    const outcomes = batch.map((bytes, index) => {
      turn.commandIndex = index
      return applyOne(turn, bytes, refused?.has(index) ?? false)
    })
    return { outcomes, effects: turn.effects, settledIds: turn.settledIds }
  }

  return {
    schemaVersion: SCHEMA_VERSION,
    behaviourVersion: BEHAVIOUR_VERSION,
    apply,
    continuation: () => null,
    nextDeadline: () => earliestRetry(state),
    query: (question) => answerQuestion(state, question),
    snapshot: () => encodeState(state),
    restore: (bytes) => {
      state = decodeState(bytes)
    },
    stateHash: () => createHash('sha256').update(encodeState(state)).digest('hex').slice(0, 32),
  }
}
