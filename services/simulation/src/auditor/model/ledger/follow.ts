import { refusalNumbers } from '@bourse/common/errors/codes.ts'
import { KIND_TIME } from '@bourse/common/kernel/command.ts'
import { partitionName, type PartitionNumber } from '@bourse/common/kernel/partition.ts'
import { decodeInstruction, ledgerKinds } from '@bourse/risk-rules/ledger/codec.ts'
import { decodeLedgerOutcome } from '@bourse/risk-rules/ledger/outcomes.ts'
import { shown } from '../../arithmetic/rational.ts'
import { accountName, holdName, instructionOf, isInstruction, type Instruction } from '../../evidence/instruction.ts'
import type { AuditedRecord, Entry } from '../../evidence/journals.ts'
import type { Complain } from '../../findings.ts'
import { createMemory, keptOfLedger } from '../memory.ts'
import type { Account, Done, Hold, LedgerBook } from './book.ts'
import { decide } from './decide.ts'
import type { Draft } from './draft.ts'

const STATEMENT = 'ledger-decides'

/** Limits of the tables and faults, which the auditor takes on trust: nothing happens then. */
const trusted: ReadonlySet<number> = new Set([
  refusalNumbers.CAPACITY_EXCEEDED,
  refusalNumbers.UNAVAILABLE,
  refusalNumbers.ENGINE_FAULT,
])

/**
 * A hold that sends a command on: the command is what is executed once. Where that was not accepted, nothing of it is kept for
 * longer than the window, and the request may come again.
 */
const isPassedOn = ({ header, input }: Entry): boolean =>
  header.kind === ledgerKinds.HOLD && decodeInstruction(input).slip !== null

/** What is wrong in how an instruction that was carried out is told, with the number its transaction has. */
const faultsOfOutcome = (entry: Entry, draft: Draft, number: bigint): readonly string[] => {
  const told = decodeLedgerOutcome(entry.outcome)
  const faults: string[] = []
  const toldNumber = told.transactionNumber ?? 0n
  const toldPaid = told.paid ?? 0n
  if (toldNumber !== number) faults.push(`transaction number ${toldNumber}, not ${number}`)
  if (told.existed !== draft.existed) faults.push(`that the account existed: ${told.existed}`)
  if (told.balancesAfter.join() !== draft.balancesAfter.join()) {
    const [toldBalances, due] = [told.balancesAfter, draft.balancesAfter].map((all) => all.map(shown).join(', '))
    faults.push(`balances ${toldBalances}, not ${due}`)
  }
  if (toldPaid !== draft.paid) faults.push(`it paid ${shown(toldPaid)}, not ${shown(draft.paid)}`)
  return faults
}

/** Follows a ledger's journal with an account book of its own; every outcome must be what that book gives. */
export const followLedger = (
  partition: PartitionNumber,
  records: readonly AuditedRecord[],
  complain: Complain,
): LedgerBook => {
  const accounts = new Map<string, Account>()
  const holds = new Map<string, Hold>()
  const done: Done[] = []
  const memory = createMemory(complain, keptOfLedger, isPassedOn)
  const touched = new Set<Account>()
  let transactions = 0n

  const keep = (entry: Entry, instruction: Instruction, draft: Draft): Done => {
    for (const [name, { key, balance, locked }] of draft.accounts) {
      const account = accounts.get(name) ?? { key, balance: 0n, locked: 0n, version: 0n, moments: [] }
      accounts.set(name, account)
      Object.assign(account, { balance, locked, version: account.version + 1n })
      touched.add(account)
    }
    if (instruction.kind === 'HOLD')
      instruction.legs.forEach((leg, index) =>
        holds.set(holdName(entry.id ?? '', index), { account: accountName(leg), amount: leg.amount }),
      )
    else for (const name of instruction.holds) holds.delete(name)
    const { paid, balancesAfter } = draft
    const isPosted = balancesAfter.length > 0
    if (isPosted) transactions += 1n
    return { entry, instruction, number: isPosted ? transactions : 0n, paid, balancesAfter }
  }

  const carryOut = (entry: Entry, instruction: Instruction): void => {
    const where = `${instruction.kind} of record ${entry.sequence} in ${partitionName(partition)}`
    const draft = decide({ accounts, holds }, instruction, entry.id ?? '')
    const { code } = decodeLedgerOutcome(entry.outcome)
    if (code !== draft.code)
      return complain(STATEMENT, `${where} is told ${code}; by the auditor's book it is ${draft.code}`)
    if (code !== 'OK') return
    const one = keep(entry, instruction, draft)
    done.push(one)
    for (const fault of faultsOfOutcome(entry, draft, one.number)) complain(STATEMENT, `${where} is told ${fault}`)
  }

  const follow = (entry: Entry): void => {
    const { kind } = entry.header
    if (kind === KIND_TIME || entry.code === refusalNumbers.INVALID_COMMAND) return
    if (!isInstruction(kind)) {
      const where = `record ${entry.sequence} of ${partitionName(partition)}`
      return complain(STATEMENT, `${where} took a command of kind ${kind}`)
    }
    if (memory.judge(entry) === 'repeated') return
    memory.remember(entry)
    if (!trusted.has(entry.code)) carryOut(entry, instructionOf(decodeInstruction(entry.input)))
  }

  for (const { record, entries } of records) {
    for (const entry of entries) follow(entry)
    for (const { key, balance, locked, version, moments } of touched)
      if (key.kind === 'customer') moments.push({ sequence: record.sequence, balance, locked, version })
    touched.clear()
  }
  return { partition, accounts, holds, done, memory }
}
