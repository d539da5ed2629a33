import { answerKinds, decodeAnswer, decodeCall, type BridgeCall } from '@bourse/bridge/codec/calls.ts'
import { commandKinds, decodeClientCommand } from '@bourse/bridge/codec/commands.ts'
import { decodeReply } from '@bourse/bridge/codec/reply.ts'
import { decodeTransaction, steps, type Transaction } from '@bourse/bridge/codec/transaction.ts'
import { codeOfNumber, refusalNumbers } from '@bourse/common/errors/codes.ts'
import { bodyOf, commandOrigins, decodeHeader, KIND_TIME } from '@bourse/common/kernel/command.ts'
import { decodeOutcomeHeader } from '@bourse/common/kernel/outcome.ts'
import { partitionParts, type MachineName } from '@bourse/common/kernel/partition.ts'
import { transactionTypeOfNumber } from '@bourse/risk-rules/ledger/accounts.ts'
import { decodeInstruction, KIND_LEDGER_OUTCOME, ledgerKinds } from '@bourse/risk-rules/ledger/codec.ts'
import { decodeLedgerOutcome, decodeLedgerOutcomeCommand } from '@bourse/risk-rules/ledger/outcomes.ts'
import {
  closeReasons,
  decodeClose,
  decodeCloseKept,
  decodeCloseOutcome,
  decodeFunding,
  decodeFundingOutcome,
  decodeOpen,
  decodeOpenKept,
  decodeOpenOutcome,
  decodeSpec,
  decodeState,
  decodeTick,
  decodeTickOutcome,
  decodeTradeEvent,
  decodeUpdate,
  decodeUpdateKept,
  decodeUpdateOutcome,
  directions,
  isKeptOutcome,
  marketStates,
  tradeReferenceLayout,
  tradingKinds,
  KEEP_AS_IT_IS,
  type UpdateCommand,
} from '@bourse/risk-rules/trading/codec.ts'
import { tradeIdOf } from '@bourse/trading/codec/trade-id.ts'
import { show, showFields, type Shown } from './show.ts'

/** Decoded fields by name. */
export type Fields = { readonly [name: string]: Shown }

/** A command or call, decoded. */
export interface Decoded {
  /** `OPEN`, `SETTLE`, `TRADE`, `TIME`, … */
  readonly kind: string
  readonly fields: Fields
}

/** An outcome, decoded. `code` is `OK` or the code of the refusal. */
export interface DecodedOutcome {
  readonly code: string
  readonly fields: Fields
}

const nameIn = (names: Readonly<Record<string, number>>, number: number): string =>
  Object.keys(names).find((name) => names[name] === number) ?? `unknown (${number})`
const kindName = (names: Readonly<Record<string, number>>, number: number): string =>
  nameIn(names, number)
    .replace(/[A-Z]/g, (letter) => `_${letter}`)
    .toUpperCase()

/** With numbers of directions, reasons and states by their names. */
const tradeFields = (record: object): Fields => {
  const fields: Record<string, Shown> = { ...showFields(record) }
  const rename = (name: string, names: Readonly<Record<string, number>>): void => {
    const value = fields[name]
    if (typeof value === 'number') fields[name] = nameIn(names, value)
  }
  rename('direction', directions)
  rename('reason', closeReasons)
  rename('state', marketStates)
  return fields
}

/** The trade that a posting belongs to, as its public id; null where the reference names no trade. */
export const tradeOfReference = (reference: Uint8Array): string | null => {
  const { marketNumber, partitionIndex, tradeNumber } = tradeReferenceLayout.decode(reference)
  const isTrade = marketNumber > 0 && marketNumber <= 65_535 && partitionIndex < 256 && tradeNumber > 0n
  return isTrade && tradeNumber < 1n << 48n ? tradeIdOf({ market: marketNumber, partitionIndex, tradeNumber }) : null
}

const memoFields = (memo: Uint8Array): Fields => {
  if (memo.length === 0) return {}
  const { type, trade } = decodeTradeEvent(memo)
  return { event: `trade.${type}`, tradeNumber: String(trade.tradeNumber) }
}

const ledgerCommand = (bytes: Uint8Array): Fields => {
  const { transactionType, holds, legs, reference, memo, slip } = decodeInstruction(bytes)
  const trade = tradeOfReference(reference)
  return {
    ...(transactionType === 0 ? {} : { transactionType: transactionTypeOfNumber(transactionType) }),
    ...(trade === null ? { reference: show('reference', reference) } : { trade }),
    holds: holds.map(({ id, index }) => `${String(show('id', id))}:${index}`),
    legs: legs.map(({ kind, owner, currency, amount }) => ({
      account: kind,
      owner: show('owner', owner),
      currency,
      amount: show('amount', amount),
    })),
    ...memoFields(memo),
    ...(slip === null || slip.command.length === 0
      ? {}
      : { sendsOn: { to: slip.target, ...flat(decodeCommand(partitionParts(slip.target).machine, slip.command)) } }),
  }
}

const flat = ({ kind, fields }: Decoded): Fields => ({ kind, ...fields })

/** What stays as it is is said so: −1 would look like a price. */
const updateFields = (update: UpdateCommand): Fields => {
  const told = (name: 'stopLoss' | 'takeProfit'): Shown =>
    update[name] === KEEP_AS_IT_IS ? 'as it is' : show(name, update[name])
  return { ...tradeFields(update), stopLoss: told('stopLoss'), takeProfit: told('takeProfit') }
}

const tradingCommand = (kind: number, bytes: Uint8Array): Fields => {
  switch (kind) {
    case tradingKinds.spec:
      return tradeFields(decodeSpec(bytes))
    case tradingKinds.open:
      return tradeFields(decodeOpen(bytes))
    case tradingKinds.close:
      return tradeFields(decodeClose(bytes))
    case tradingKinds.update:
      return updateFields(decodeUpdate(bytes))
    case tradingKinds.tick:
      return tradeFields(decodeTick(bytes))
    case tradingKinds.funding:
      return tradeFields(decodeFunding(bytes))
    case tradingKinds.state:
      return { state: nameIn(marketStates, decodeState(bytes)) }
    default:
      return {}
  }
}

/** A transaction of a bank with its step by name. */
export const transactionFields = (transaction: Transaction): Fields => ({
  ...showFields(transaction),
  step: nameIn(steps, transaction.step),
  code: codeOfNumber(transaction.code),
})

const bridgeCommand = (kind: number, bytes: Uint8Array): Fields => {
  if (kind === KIND_LEDGER_OUTCOME) {
    const { code, transactionNumber, balancesAfter } = decodeLedgerOutcomeCommand(bytes)
    return { answers: show('id', decodeHeader(bytes).id), code, ...showFields({ transactionNumber, balancesAfter }) }
  }
  if (Object.values<number>(answerKinds).includes(kind)) return showFields(decodeAnswer(kind, bodyOf(bytes)))
  const command = decodeClientCommand(kind, bodyOf(bytes))
  if (command === null) return {}
  const { kind: _, ...parts } = command
  return showFields(Object.values(parts)[0] as object)
}

const kindNames: Readonly<Record<MachineName, Readonly<Record<string, number>>>> = {
  ledger: ledgerKinds,
  trading: tradingKinds,
  bridge: {
    ...commandKinds,
    ledgerOutcome: KIND_LEDGER_OUTCOME,
    authorizationAnswer: answerKinds.authorization,
    orderAnswer: answerKinds.order,
    reversalAnswer: answerKinds.reversal,
    webhookAnswer: answerKinds.webhook,
    redeliveryAnswer: answerKinds.redelivery,
  },
}

/** Runs a decoder; bytes that it can't read are told as that, since a journal holds refused garbage too. */
const readable = (decode: () => Fields): Fields => {
  try {
    return decode()
  } catch (error) {
    return { unreadable: error instanceof Error ? error.message : String(error) }
  }
}

/** Decodes a command of a machine. */
export const decodeCommand = (machine: MachineName, bytes: Uint8Array): Decoded => {
  const { kind } = decodeHeader(bytes)
  if (kind === KIND_TIME) return { kind: 'TIME', fields: {} }
  const decoders = {
    ledger: () => ledgerCommand(bytes),
    trading: () => tradingCommand(kind, bytes),
    bridge: () => bridgeCommand(kind, bytes),
  }
  const name = machine === 'ledger' ? nameIn(ledgerKinds, kind) : kindName(kindNames[machine], kind)
  return { kind: name, fields: readable(decoders[machine]) }
}

const tradingOutcome = (kind: number, outcome: Uint8Array): Fields => {
  switch (kind) {
    case tradingKinds.open:
      return tradeFields(isKeptOutcome(outcome) ? decodeOpenKept(outcome) : decodeOpenOutcome(outcome))
    case tradingKinds.close:
      return tradeFields(isKeptOutcome(outcome) ? decodeCloseKept(outcome) : decodeCloseOutcome(outcome))
    case tradingKinds.update:
      return tradeFields(isKeptOutcome(outcome) ? decodeUpdateKept(outcome) : decodeUpdateOutcome(outcome))
    case tradingKinds.tick:
    case tradingKinds.continue: {
      const { closed, ...head } = decodeTickOutcome(outcome)
      return { ...showFields(head), closed: closed.map(tradeFields) }
    }
    case tradingKinds.funding:
      return showFields(decodeFundingOutcome(outcome))
    default:
      return {}
  }
}

const bridgeOutcome = (outcome: Uint8Array): Fields => {
  const { code: _, transactions, message, quote, recorded } = decodeReply(outcome)
  return {
    ...(message === '' ? {} : { message }),
    ...(recorded ? { recorded } : {}),
    ...(quote === null ? {} : { quote: showFields(quote) }),
    ...(transactions.length === 0 ? {} : { transactions: transactions.map(transactionFields) }),
  }
}

const ledgerOutcome = (outcome: Uint8Array): Fields => {
  const { transactionNumber, existed, balancesAfter, paid } = decodeLedgerOutcome(outcome)
  return {
    ...(transactionNumber === null ? {} : { transactionNumber: String(transactionNumber) }),
    ...(existed ? { existed } : {}),
    ...(balancesAfter.length === 0 ? {} : { balancesAfter: show('balancesAfter', balancesAfter) }),
    ...(paid === null ? {} : { paid: show('paid', paid) }),
  }
}

/** Decodes the outcome of a command. */
export const decodeOutcome = (machine: MachineName, outcome: Uint8Array): DecodedOutcome => {
  const { code, kind } = decodeOutcomeHeader(outcome)
  if (code !== refusalNumbers.OK && machine !== 'bridge') return { code: codeOfNumber(code), fields: {} }
  if (kind === KIND_TIME) return { code: codeOfNumber(code), fields: {} }
  const decoders = {
    ledger: () => ledgerOutcome(outcome),
    trading: () => tradingOutcome(kind, outcome),
    bridge: () => bridgeOutcome(outcome),
  }
  return { code: codeOfNumber(code), fields: readable(decoders[machine]) }
}

const callFields = (call: BridgeCall): Fields => {
  const { kind: _, ...fields } = call
  if (call.kind !== 'webhook') return showFields(fields)
  return { ...showFields(fields), transaction: transactionFields(decodeTransaction(call.transaction)) }
}

/** Decodes a call to the outside. Only the bridge makes any. */
export const decodeOutsideCall = (bytes: Uint8Array): Decoded => {
  try {
    const call = decodeCall(bytes)
    return { kind: `CALL_${call.kind.toUpperCase()}`, fields: callFields(call) }
  } catch (error) {
    return { kind: 'CALL', fields: { unreadable: error instanceof Error ? error.message : String(error) } }
  }
}

/** Who put a command in order, in words. */
export const originName = (bytes: Uint8Array): string => nameIn(commandOrigins, decodeHeader(bytes).origin)
