import { decodeHeader } from '@bourse/common/kernel/command.ts'
import type { JournalRecord } from '@bourse/common/kernel/record.ts'
import type { ViewWrite } from '@bourse/common/ports/views.ts'
import { bankCustomerModel, bankEventModel, bankTransactionModel, commandModel } from '@bourse/common/views/models.ts'
import { bankCustomerOwner } from '@bourse/risk-rules/ledger/accounts.ts'
import { entriesOf, presentTransaction } from '../client/present-transaction.ts'
import type { StoredEvent, StoredTransaction } from '../client/stored.ts'
import { commandKinds } from '../codec/commands.ts'
import { hexOf, transactionName } from '../codec/identifiers.ts'
import { errorCodeOf, eventOf, formatAtLeast, formatFiat, statusOf } from '../codec/present.ts'
import { decodeReply, encodeReply, type Reply } from '../codec/reply.ts'
import { isFinal, isTrade, steps, type Transaction } from '../codec/transaction.ts'

/** Name of the projection, under which its cursor is kept. */
export const BRIDGE_PROJECTION = 'bridge'

/** Models this projection writes and nobody else, for a rebuild. `commandModel` is shared by all machines. */
export const bridgeModels = [bankTransactionModel, bankEventModel, bankCustomerModel] as const

const DIGITS = 20

const customerWrite = (transaction: Transaction): ViewWrite => {
  const { bank, bankUserId, createdAt } = transaction
  const fields = {
    bank,
    bankUserId,
    owner: hexOf(bankCustomerOwner(bank, bankUserId)),
    kycLevel: 1,
    createdAtMs: Number(createdAt),
  }
  return { kind: 'insert', model: bankCustomerModel, id: `${bank}:${bankUserId}`, fields }
}

const transactionWrite = (transaction: Transaction): ViewWrite => {
  const stored: StoredTransaction = {
    requestHash: hexOf(transaction.requestHash),
    transaction: presentTransaction(transaction),
  }
  return {
    kind: 'merge',
    model: bankTransactionModel,
    id: transactionName(transaction.id),
    fields: {
      bank: transaction.bank,
      bankUserId: transaction.bankUserId,
      idempotencyKey: transaction.idempotencyKey.toLowerCase(),
      type: transaction.type,
      status: statusOf(transaction),
      errorCode: errorCodeOf(transaction),
      payload: JSON.stringify(stored),
      createdAtMs: Number(transaction.createdAt),
      order: transaction.number.toString().padStart(DIGITS, '0'),
    },
  }
}

const storedEventOf = (transaction: Transaction): StoredEvent => {
  const isCompletedTrade = isTrade(transaction) && transaction.step === steps.completed
  return {
    event: eventOf(transaction),
    bankUserId: transaction.bankUserId,
    type: transaction.type,
    entries: entriesOf(transaction).filter((entry) => entry.accountId.startsWith('customer:')),
    totals: transaction.totalsAfter.map(({ currency, amount }) => ({ currency, amount: formatAtLeast(amount, 2) })),
    spread: isCompletedTrade
      ? { currency: transaction.fiatCurrency, amount: formatFiat(transaction.spreadEarned) }
      : null,
  }
}

const eventWrite = (transaction: Transaction): ViewWrite => {
  const stored = storedEventOf(transaction)
  return {
    kind: 'insert',
    model: bankEventModel,
    id: `${transaction.bank}:${transaction.eventSequence}`,
    fields: {
      bank: transaction.bank,
      sequence: Number(transaction.eventSequence),
      type: stored.event.type,
      payload: JSON.stringify(stored),
      createdAtMs: Number(transaction.finishedAt),
    },
  }
}

const transactionWrites = (transaction: Transaction): ViewWrite[] => {
  const writes = [customerWrite(transaction), transactionWrite(transaction)]
  return isFinal(transaction) && transaction.eventSequence > 0n ? [...writes, eventWrite(transaction)] : writes
}

/**
 * The first outcome of a client's id. An order's repeat carries no transaction and writes nothing; a redelivery's is the same as
 * the first, which stays.
 */
const commandWrites = (record: JournalRecord, input: Uint8Array, outcome: Uint8Array, reply: Reply): ViewWrite[] => {
  const header = decodeHeader(input)
  const isOrder = header.kind === commandKinds.trade || header.kind === commandKinds.move
  const isKept = isOrder ? reply.transactions.length > 0 : header.kind === commandKinds.redeliver
  if (!isKept || !reply.recorded) return []
  const kept = encodeReply(header, { ...reply, transactions: [] })
  const fields = {
    partition: record.partition,
    sequence: record.sequence,
    requestHash: hexOf(header.requestHash),
    kind: header.kind,
    code: new DataView(outcome.buffer, outcome.byteOffset).getUint16(4, true),
    atMs: Number(record.now),
    outcome: Buffer.from(kept).toString('base64'),
  }
  return [{ kind: 'insert', model: commandModel, id: hexOf(header.id), fields }]
}

/** What a record of a bridge partition changes in the views. The same record always gives the same writes. */
export const foldBridgeRecord = (record: JournalRecord): readonly ViewWrite[] =>
  record.inputs.flatMap((input, index) => {
    const outcome = record.outcomes[index]
    if (outcome === undefined) throw new Error(`record ${record.sequence} has no outcome for input ${index}`)
    const reply = decodeReply(outcome)
    return [...commandWrites(record, input, outcome, reply), ...reply.transactions.flatMap(transactionWrites)]
  })
