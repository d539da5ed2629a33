import type { PartitionNumber } from '@bourse/common/kernel/partition.ts'
import type { Instruction, Leg } from '../../evidence/instruction.ts'
import type { Entry } from '../../evidence/journals.ts'
import type { Memory } from '../memory.ts'

/** An account's money after a record. */
export interface Moment {
  readonly sequence: bigint
  readonly balance: bigint
  readonly locked: bigint
  readonly version: bigint
}

/** What names an account. */
export type AccountKey = Omit<Leg, 'amount'>

/** An account as the auditor counts it. */
export interface Account {
  readonly key: AccountKey
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
