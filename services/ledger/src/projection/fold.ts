import { decodeHeader } from '@bourse/common/kernel/command.ts'
import { decodeOutcomeHeader } from '@bourse/common/kernel/outcome.ts'
import type { JournalRecord } from '@bourse/common/kernel/record.ts'
import { hexOf } from '@bourse/common/platform/identity.ts'
import type { ViewWrite } from '@bourse/common/ports/views.ts'
import { commandWrites } from '@bourse/common/views/commands.ts'
import { ledgerEntryModel, ledgerTransactionModel } from '@bourse/common/views/models.ts'
import { accountKinds } from '@bourse/risk-rules/ledger/accounts.ts'
import { decodeInstruction, ledgerKinds, type DecodedInstruction, type Leg } from '@bourse/risk-rules/ledger/codec.ts'
import { decodeLedgerOutcome, type LedgerOutcome } from '@bourse/risk-rules/ledger/outcomes.ts'

const instructionKinds: ReadonlySet<number> = new Set(Object.values(ledgerKinds))

/** An order that sorts as text: transaction number and leg, zero padded. */
const orderOf = (transactionNumber: bigint, leg: number): string =>
  `${transactionNumber.toString().padStart(20, '0')}.${leg.toString().padStart(2, '0')}`

/** The legs as posted: an insurance refund pays what the fund had. */
const postedLegs = (instruction: DecodedInstruction, outcome: LedgerOutcome): readonly Leg[] => {
  const [insurance, clearing] = instruction.legs
  if (instruction.kind !== 'INSURANCE_REFUND' || insurance === undefined || clearing === undefined)
    return instruction.legs
  const paid = outcome.paid ?? 0n
  return [
    { ...insurance, amount: -paid },
    { ...clearing, amount: paid },
  ]
}

const transactionWrites = (record: JournalRecord, input: Uint8Array, bytes: Uint8Array): ViewWrite[] => {
  const outcome = decodeLedgerOutcome(bytes)
  // A repeat answers the number of the first execution without balances: nothing was posted again.
  if (outcome.code !== 'OK' || outcome.transactionNumber === null || outcome.balancesAfter.length === 0) return []
  const instruction = decodeInstruction(input)
  const { transactionType } = instruction
  const transaction = `${record.partition}:${outcome.transactionNumber}`
  const reference = hexOf(instruction.reference)
  const atMs = Number(record.now)
  const entries = postedLegs(instruction, outcome).map((leg, index): ViewWrite => ({
    kind: 'insert',
    model: ledgerEntryModel,
    id: `${transaction}:${index}`,
    fields: {
      transaction,
      partition: record.partition,
      owner: hexOf(leg.owner),
      accountKind: accountKinds[leg.kind].number,
      currency: leg.currency,
      amount: leg.amount,
      balanceAfter: outcome.balancesAfter[index] ?? 0n,
      reference,
      transactionType,
      atMs,
      order: orderOf(outcome.transactionNumber!, index),
    },
  }))
  const commandId = hexOf(decodeHeader(input).id)
  return [
    {
      kind: 'insert',
      model: ledgerTransactionModel,
      id: transaction,
      fields: {
        partition: record.partition,
        transactionNumber: outcome.transactionNumber,
        transactionType,
        reference,
        commandId,
        atMs,
      },
    },
    ...entries,
  ]
}

/** A hold that sent a command on is answered by whoever executes that command. */
const isFinal = (input: Uint8Array, outcome: Uint8Array): boolean => {
  const { kind } = decodeHeader(input)
  if (!instructionKinds.has(kind)) return false
  return kind !== ledgerKinds.HOLD || decodeOutcomeHeader(outcome).code !== 0 || decodeInstruction(input).slip === null
}

/** Folds a ledger record into transactions, entries and executed commands. */
export const foldLedgerRecord = (record: JournalRecord): ViewWrite[] => [
  ...record.inputs.flatMap((input, index) =>
    instructionKinds.has(decodeHeader(input).kind) ? transactionWrites(record, input, record.outcomes[index]!) : [],
  ),
  ...commandWrites(record, isFinal),
]
