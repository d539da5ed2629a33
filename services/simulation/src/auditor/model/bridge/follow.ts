import type { BankRules } from '@bourse/bridge/codec/bank-rules.ts'
import { answerKinds, decodeAnswer } from '@bourse/bridge/codec/calls.ts'
import { commandKinds, decodeClientCommand } from '@bourse/bridge/codec/commands.ts'
import { decodeReply, type Reply } from '@bourse/bridge/codec/reply.ts'
import { refusalNumbers } from '@bourse/common/errors/codes.ts'
import { bodyOf, decodeHeader } from '@bourse/common/kernel/command.ts'
import type { PartitionNumber } from '@bourse/common/kernel/partition.ts'
import { decodeInstruction, KIND_LEDGER_OUTCOME } from '@bourse/risk-rules/ledger/codec.ts'
import { decodeLedgerOutcomeCommand } from '@bourse/risk-rules/ledger/outcomes.ts'
import { hex } from '../../evidence/bytes.ts'
import type { AuditedRecord, Entry } from '../../evidence/journals.ts'
import type { Complain } from '../../findings.ts'
import type { BridgeBook } from './book.ts'
import { checkCall } from './calls.ts'
import { createDesk, type Desk } from './desk.ts'
import { followMove, followTrade } from './orders.ts'
import { followCancel, followQuote } from './quotes.ts'
import { followAuthorization, followLedgerAnswer, followOrder } from './saga.ts'
import { checkTold } from './told.ts'

const clientKinds: ReadonlySet<number> = new Set(Object.values(commandKinds))
const outsideKinds: ReadonlySet<number> = new Set(Object.values(answerKinds))

/** CONFIG: a bank's rules from here on. */
const followConfig = ({ banks }: Desk, rules: BankRules): void => {
  const known = banks.get(rules.name)
  if (known !== undefined) known.rules = rules
  else banks.set(rules.name, { rules, eventSequence: 0n, events: [], byDay: new Map(), totals: new Map() })
}

const followClient = (desk: Desk, entry: Entry, reply: Reply): void => {
  const command = decodeClientCommand(entry.header.kind, bodyOf(entry.input))
  if (command === null || entry.code === refusalNumbers.INVALID_COMMAND) return
  switch (command.kind) {
    case 'config':
      if (reply.code === 'OK') followConfig(desk, command.rules)
      return
    case 'trade':
      return followTrade(desk, entry, command.trade, reply)
    case 'move':
      return followMove(desk, entry, command.move, reply)
    case 'quote':
      return followQuote(desk, entry, command.quote, reply)
    case 'cancelQuote':
      return followCancel(desk, entry, command.cancel.bank, command.cancel.quoteName, reply)
    case 'redeliver':
      // Moves nothing; what the bank then gets is judged as every webhook is.
      return
  }
}

const followOutside = (desk: Desk, entry: Entry): void => {
  const answer = decodeAnswer(entry.header.kind, bodyOf(entry.input))
  if (answer.kind === 'authorization') followAuthorization(desk, entry, answer)
  if (answer.kind === 'order') followOrder(desk, entry, answer)
}

const follow = (desk: Desk, entry: Entry): void => {
  const { kind } = entry.header
  const reply = decodeReply(entry.outcome)
  if (entry.wasFaulted) return
  if (clientKinds.has(kind)) followClient(desk, entry, reply)
  else if (kind === KIND_LEDGER_OUTCOME) followLedgerAnswer(desk, entry, decodeLedgerOutcomeCommand(entry.input))
  else if (outsideKinds.has(kind)) followOutside(desk, entry)
  checkTold(desk, entry, reply)
}

/** Follows a bridge partition's journal: acceptances, promises, quotes, limits, sagas and events by the auditor's own rules. */
export const followBridge = (
  partition: PartitionNumber,
  records: readonly AuditedRecord[],
  complain: Complain,
): BridgeBook => {
  const desk = createDesk(partition, complain)
  for (const { record, entries } of records) {
    for (const entry of entries) follow(desk, entry)
    for (const { receiver, bytes } of record.effects) {
      if (receiver === 0) checkCall(desk, record, bytes)
      else desk.asked.set(hex(decodeHeader(bytes).id), hex(decodeInstruction(bytes).reference))
    }
  }
  const { banks, transactions, quotes } = desk
  return { partition, banks, transactions, quotes }
}
