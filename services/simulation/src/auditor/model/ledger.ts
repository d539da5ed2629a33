import { refusalNumbers, type OutcomeCode } from '@bourse/common/errors/codes.ts'
import { KIND_TIME } from '@bourse/common/kernel/command.ts'
import { partitionName, type PartitionNumber } from '@bourse/common/kernel/partition.ts'
import { accountKinds } from '@bourse/risk-rules/ledger/accounts.ts'
import { decodeInstruction, ledgerKinds } from '@bourse/risk-rules/ledger/codec.ts'
import { decodeLedgerOutcome } from '@bourse/risk-rules/ledger/outcomes.ts'
import { shown } from '../arithmetic/rational.ts'
import {
  accountName,
  holdName,
  instructionOf,
  isInstruction,
  type Instruction,
  type Leg,
} from '../evidence/instruction.ts'
import type { AuditedRecord, Entry } from '../evidence/journals.ts'
import type { Complain } from '../findings.ts'
import { createMemory, keptOfLedger, type Memory } from './memory.ts'

/** An account's money after a record. */
export interface Moment {
  readonly sequence: bigint
  readonly balance: bigint
  readonly locked: bigint
  readonly version: bigint
}

/** An account as the auditor counts it. */
export interface Account {
  readonly key: Omit<Leg, 'amount'>
  balance: bigint
  locked: bigint
  version: bigint
  /** After each record that touched it, oldest first; customers' accounts only. */
  readonly moments: Moment[]
}

/** A hold as the auditor counts it. */
export interface Hold {
  readonly account: string
  readonly amount: bigint
}

/** Something a ledger has done. */
export interface Done {
  readonly entry: Entry
  readonly instruction: Instruction
  /** Number of the transaction, 0 when nothing was posted. */
  readonly number: bigint
  /** INSURANCE_REFUND: what was paid. */
  readonly paid: bigint
  readonly balancesAfter: readonly bigint[]
}

/** What the auditor makes of a ledger partition's journal. */
export interface LedgerBook {
  readonly partition: PartitionNumber
  readonly accounts: ReadonlyMap<string, Account>
  readonly holds: ReadonlyMap<string, Hold>
  /** Everything carried out, in order. */
  readonly done: readonly Done[]
  readonly memory: Memory
}

interface Draft {
  readonly code: OutcomeCode
  readonly accounts: ReadonlyMap<
    string,
    { readonly key: Omit<Leg, 'amount'>; readonly balance: bigint; readonly locked: bigint }
  >
  readonly balancesAfter: readonly bigint[]
  readonly paid: bigint
  readonly existed: boolean
}

const AMOUNT_LIMIT = 10n ** 20n
/** Limits of the tables and faults, which the auditor takes on trust: nothing happens then. */
const trusted: ReadonlySet<number> = new Set([
  refusalNumbers.CAPACITY_EXCEEDED,
  refusalNumbers.UNAVAILABLE,
  refusalNumbers.ENGINE_FAULT,
])

/** The legs that are booked: an insurance refund pays what the fund has. */
const bookedLegs = (instruction: Instruction, paid: bigint): readonly Leg[] => {
  const [first, second] = instruction.legs
  if (instruction.kind !== 'INSURANCE_REFUND' || first === undefined || second === undefined) return instruction.legs
  return [
    { ...first, amount: -paid },
    { ...second, amount: paid },
  ]
}

/**
 * A hold that sends a command on: the command is what is executed once. Where that was not accepted, nothing of it is kept for
 * longer than the window, and the request may come again.
 */
const isPassedOn = ({ header, input }: Entry): boolean =>
  header.kind === ledgerKinds.HOLD && decodeInstruction(input).slip !== null

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

  const draftOf = (instruction: Instruction, id: string): Draft => {
    const changed = new Map<string, { key: Omit<Leg, 'amount'>; balance: bigint; locked: bigint }>()
    const result = (code: OutcomeCode, more: Partial<Draft> = {}): Draft => ({
      code,
      accounts: code === 'OK' ? changed : new Map(),
      balancesAfter: [],
      paid: 0n,
      existed: false,
      ...more,
    })
    const at = (key: Omit<Leg, 'amount'>) => {
      const name = accountName(key)
      const found = changed.get(name) ?? accounts.get(name)
      return found === undefined ? null : { key: found.key, balance: found.balance, locked: found.locked }
    }
    const enter = (leg: Leg): bigint | OutcomeCode => {
      const found = at(leg)
      if (found === null && leg.kind === 'customer' && leg.amount < 0n) return 'ACCOUNT_NOT_FOUND'
      const { key, balance, locked } = found ?? {
        key: { kind: leg.kind, owner: leg.owner, currency: leg.currency },
        balance: 0n,
        locked: 0n,
      }
      const after = balance + leg.amount
      if (after >= AMOUNT_LIMIT || after <= -AMOUNT_LIMIT) return 'AMOUNT_OVERFLOW'
      if (!accountKinds[leg.kind].mayGoBelowZero && after < locked) return 'INSUFFICIENT_FUNDS'
      changed.set(accountName(leg), { key, balance: after, locked })
      return after
    }
    const enterAll = (legs: readonly Leg[], more: Partial<Draft> = {}): Draft => {
      const balancesAfter: bigint[] = []
      for (const leg of legs) {
        const after = enter(leg)
        if (typeof after === 'string') return result(after)
        balancesAfter.push(after)
      }
      return result('OK', { balancesAfter, ...more })
    }
    if (instruction.legs.some(({ amount }) => amount >= AMOUNT_LIMIT || amount <= -AMOUNT_LIMIT))
      return result('AMOUNT_OVERFLOW')
    switch (instruction.kind) {
      case 'HOLD':
        for (const [index, leg] of instruction.legs.entries()) {
          if (holds.has(holdName(id, index))) return result('IDEMPOTENCY_CONFLICT')
          const found = at(leg)
          if (found === null) return result('ACCOUNT_NOT_FOUND')
          if (found.balance - found.locked < leg.amount) return result('INSUFFICIENT_FUNDS')
          changed.set(accountName(leg), { ...found, locked: found.locked + leg.amount })
        }
        return result('OK')
      case 'OPEN_ACCOUNT': {
        const [first] = instruction.legs
        if (first === undefined) return result('INVALID_COMMAND')
        if (accounts.has(accountName(first))) return result('OK', { existed: true })
        changed.set(accountName(first), {
          key: { kind: first.kind, owner: first.owner, currency: first.currency },
          balance: 0n,
          locked: 0n,
        })
        return enterAll(instruction.legs.length === 2 ? instruction.legs : [])
      }
      case 'INSURANCE_REFUND': {
        const [fund] = instruction.legs
        const has = fund === undefined ? 0n : (accounts.get(accountName(fund))?.balance ?? 0n)
        const paid = fund === undefined || has < fund.amount ? has : fund.amount
        return paid === 0n ? result('OK') : enterAll(bookedLegs(instruction, paid), { paid })
      }
      case 'POST':
      case 'SETTLE':
      case 'RELEASE':
      case 'CORRECTION': {
        const sums = new Map<string, bigint>()
        for (const { currency, amount } of instruction.legs) sums.set(currency, (sums.get(currency) ?? 0n) + amount)
        if ([...sums.values()].some((sum) => sum !== 0n)) return result('NOT_ZERO_SUM')
        for (const name of instruction.holds) {
          const hold = holds.get(name)
          const found = hold === undefined ? undefined : (changed.get(hold.account) ?? accounts.get(hold.account))
          if (hold === undefined || found === undefined) return result('HOLD_CLOSED')
          changed.set(hold.account, { key: found.key, balance: found.balance, locked: found.locked - hold.amount })
        }
        return enterAll(instruction.legs)
      }
    }
  }

  const keep = (entry: Entry, instruction: Instruction, draft: Draft, posted: boolean): void => {
    for (const [name, { key, balance, locked }] of draft.accounts) {
      const account = accounts.get(name) ?? { key, balance: 0n, locked: 0n, version: 0n, moments: [] }
      accounts.set(name, account)
      Object.assign(account, { balance, locked, version: account.version + 1n })
      touched.add(account)
    }
    if (posted) transactions += 1n
    if (instruction.kind === 'HOLD')
      instruction.legs.forEach((leg, index) =>
        holds.set(holdName(entry.id ?? '', index), { account: accountName(leg), amount: leg.amount }),
      )
    else for (const name of instruction.holds) holds.delete(name)
    const number = posted ? transactions : 0n
    done.push({ entry, instruction, number, paid: draft.paid, balancesAfter: draft.balancesAfter })
  }

  const compare = (entry: Entry, instruction: Instruction, draft: Draft): void => {
    const where = `${instruction.kind} of record ${entry.sequence} in ${partitionName(partition)}`
    const told = decodeLedgerOutcome(entry.outcome)
    if (told.code !== draft.code) {
      complain('ledger-decides', `${where} is told ${told.code}; by the auditor's book it is ${draft.code}`)
      return
    }
    if (told.code !== 'OK') return
    const posted = draft.balancesAfter.length > 0
    keep(entry, instruction, draft, posted)
    const number = told.transactionNumber ?? 0n
    if (number !== (posted ? transactions : 0n))
      complain('ledger-decides', `${where} is told transaction number ${number}, not ${posted ? transactions : 0n}`)
    if (told.existed !== draft.existed)
      complain('ledger-decides', `${where} is told that the account existed: ${told.existed}`)
    if (told.balancesAfter.join() !== draft.balancesAfter.join())
      complain(
        'ledger-decides',
        `${where} is told balances ${told.balancesAfter.map(shown).join(', ')}, not ${draft.balancesAfter.map(shown).join(', ')}`,
      )
    if ((told.paid ?? 0n) !== draft.paid)
      complain('ledger-decides', `${where} is told it paid ${shown(told.paid ?? 0n)}, not ${shown(draft.paid)}`)
  }

  const follow = (entry: Entry): void => {
    if (entry.header.kind === KIND_TIME || entry.code === refusalNumbers.INVALID_COMMAND) return
    if (!isInstruction(entry.header.kind)) {
      complain(
        'ledger-decides',
        `record ${entry.sequence} of ${partitionName(partition)} took a command of kind ${entry.header.kind}`,
      )
      return
    }
    if (memory.judge(entry) === 'repeated') return
    memory.remember(entry)
    if (trusted.has(entry.code)) return
    const instruction = instructionOf(decodeInstruction(entry.input))
    compare(entry, instruction, draftOf(instruction, entry.id ?? ''))
  }

  for (const { record, entries } of records) {
    for (const entry of entries) follow(entry)
    for (const { key, balance, locked, version, moments } of touched)
      if (key.kind === 'customer') moments.push({ sequence: record.sequence, balance, locked, version })
    touched.clear()
  }
  return { partition, accounts, holds, done, memory }
}
