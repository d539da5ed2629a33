import type { BankRules } from '@bourse/bridge/codec/bank-rules.ts'
import type { Transaction } from '@bourse/bridge/codec/transaction.ts'
import type { OutcomeCode } from '@bourse/common/errors/codes.ts'
import type { PartitionNumber } from '@bourse/common/kernel/partition.ts'
import type { Promised, Side } from '../../arithmetic/bank.ts'

/** A quote as the auditor remembers it. */
export interface Quote {
  readonly id: string
  readonly bank: string
  readonly customer: string
  readonly side: Side
  readonly amount: bigint
  readonly currency: string
  readonly symbol: string
  readonly ticker: bigint
  readonly promised: Promised
  readonly expiresAt: bigint
  /** The transaction that used it up, in hex. */
  usedBy: string | null
  isCancelled: boolean
}

/** Where a transaction stands. */
export type Stage = 'holding' | 'authorizing' | 'ordering' | 'posting' | 'releasing' | 'moving' | 'completed' | 'failed'

/** A bank transaction as the auditor follows it. */
export interface BankLife {
  /** Its 16 bytes in hex. */
  readonly id: string
  readonly commandId: string
  readonly requestHash: string
  readonly bank: string
  readonly customer: string
  readonly key: string
  readonly type: Transaction['type']
  readonly symbol: string
  readonly fiatCurrency: string
  readonly cryptoCurrency: string
  readonly fiat: bigint
  readonly crypto: bigint
  readonly price: bigint
  readonly ticker: bigint
  readonly spread: bigint
  readonly quoteName: string
  readonly reference: string
  readonly createdAt: bigint
  /** Fiat that counts in the daily limits while it has not failed. */
  readonly reserved: bigint
  readonly startedIn: bigint
  /** The same command was refused before, which is not kept under its key. */
  readonly wasRefused: boolean
  stage: Stage
  code: OutcomeCode
  isAuthorizationCalled: boolean
  isAcknowledged: boolean
  executedPrice: bigint
  executedQuantity: bigint
  eventSequence: bigint
  finishedAt: bigint
  /** Sequence of the record that ended it. */
  finishedIn: bigint
  /** The ledger's number of the transaction with the customer's entries, and the balance after each leg. */
  ledgerNumber: bigint
  balancesAfter: readonly bigint[]
  /** As last told by the machine. */
  told: Transaction | null
}

/** A bank as the auditor follows it. */
export interface BankBook {
  rules: BankRules
  eventSequence: bigint
  /** Transactions in the order of their events: event 1 first. */
  readonly events: BankLife[]
  /** Fiat that counts, by UTC day and by day and customer. */
  readonly byDay: Map<string, bigint>
  /** What all customers have, by currency. */
  readonly totals: Map<string, bigint>
}

/** What the auditor makes of a bridge partition's journal. */
export interface BridgeBook {
  readonly partition: PartitionNumber
  readonly banks: ReadonlyMap<string, BankBook>
  /** By transaction id in hex, in the order they began. */
  readonly transactions: ReadonlyMap<string, BankLife>
  /** By public id. */
  readonly quotes: ReadonlyMap<string, Quote>
}

const DAY_MS = 86_400_000n

/** Keys of the daily counters. */
export const dayKeys = (at: bigint, customer: string): readonly [string, string] => [
  `${at / DAY_MS}`,
  `${at / DAY_MS}/${customer}`,
]
