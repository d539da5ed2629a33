import type { BankEventBody } from '../codec/present.ts'
import type { BankEntry, BankTransaction } from './types.ts'

/*
 * What the bridge's projection keeps as JSON text in the views, and its clients read back.
 */

/** `payload` of a bank transaction. */
export interface StoredTransaction {
  /** Hex. */
  readonly requestHash: string
  readonly transaction: BankTransaction
}

/** An amount of a currency, a decimal string. */
export interface StoredAmount {
  readonly currency: string
  readonly amount: string
}

/** `payload` of a bank event: the event itself, and what a statement needs of its transaction. */
export interface StoredEvent {
  readonly event: BankEventBody
  readonly bankUserId: string
  readonly type: string
  /** Entries of the customer. */
  readonly entries: readonly BankEntry[]
  /** All customers after it, by currency. */
  readonly totals: readonly StoredAmount[]
  readonly spread: StoredAmount | null
}

/** Reads a stored transaction. */
export const storedTransaction = (payload: string): StoredTransaction => JSON.parse(payload) as StoredTransaction
/** Reads a stored event. */
export const storedEvent = (payload: string): StoredEvent => JSON.parse(payload) as StoredEvent
