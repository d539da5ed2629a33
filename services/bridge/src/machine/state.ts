import type { Effect } from '@bourse/common/kernel/machine.ts'
import type { Units } from '@bourse/common/money/amount.ts'
import type { BankRules } from '../codec/bank-rules.ts'
import { hexOf, stepCommandId } from '../codec/identifiers.ts'
import type { LedgerStep } from '../codec/ledger.ts'
import { steps, type Transaction } from '../codec/transaction.ts'
import type { Deal, Side } from './pricing.ts'

/** Banks in one partition. */
export const BANKS_MAX = 64
/** Trades, deposits and withdrawals of one bank that have not come to their end. */
export const IN_FLIGHT_MAX = 1_000
/** Transactions a partition keeps: those in flight and those of the window. */
export const TRANSACTIONS_MAX = 500_000
/** Quotes a partition keeps. */
export const QUOTES_MAX = 200_000
/** Events of one bank that wait for its acknowledgement. */
export const EVENTS_WAITING_MAX = 100_000
/** Reversals of one bank that wait for its acknowledgement. */
export const REVERSALS_WAITING_MAX = 100_000
/** Redeliveries of one bank that are remembered: those under way and those of the window. */
export const REDELIVERIES_MAX = 200
/** Customers of one bank. */
export const CUSTOMERS_MAX = 1_000_000
/** How long the end of a transaction, and a quote that has ended, are remembered here; older ones are in the views. */
export const WINDOW_MS = 600_000n

/** A held price. */
export interface Quote extends Deal {
  readonly id: Uint8Array
  readonly bank: string
  readonly bankUserId: string
  readonly side: Side
  readonly amount: Units
  readonly currency: string
  readonly symbol: string
  readonly expiresAt: bigint
  used: boolean
}

/** Acknowledged events that are sent again, in order. */
export interface Redelivery {
  readonly id: Uint8Array
  readonly requestHash: Uint8Array
  /** Of the first and the last event. */
  readonly first: bigint
  readonly through: bigint
  /** Of the event that is next; above `through` when it has come to its end. */
  next: bigint
  readonly acceptedAt: bigint
}

/** Everything of one bank. */
export interface BankState {
  rules: BankRules
  /** Transactions accepted so far. */
  accepted: bigint
  inFlight: number
  /** UTC day (days since the epoch) that the counters below belong to. */
  day: bigint
  dayTotal: Units
  readonly dayByCustomer: Map<string, Units>
  readonly customers: Set<string>
  /** What all customers have, by currency. */
  readonly totals: Map<string, Units>
  /** Number of the last event. */
  eventSequence: bigint
  /** Events not yet acknowledged, in order: the encoded transaction by event number. */
  readonly events: Map<bigint, Uint8Array>
  /** Whether the first of `events` is being sent. */
  eventRunning: boolean
  /** Reversals not yet acknowledged, in order, by transaction id in hex. */
  readonly reversals: Map<string, Uint8Array>
  reversalRunning: boolean
  /** In the order of their acceptance, by id in hex. */
  readonly redeliveries: Map<string, Redelivery>
  redeliveryRunning: boolean
}

/** All state of a bridge partition. `awaiting`, `keys` and `retries` follow from the transactions. */
export interface BridgeState {
  readonly banks: Map<string, BankState>
  /** In order of acceptance, by id in hex. */
  readonly transactions: Map<string, Transaction>
  /** Ended transactions in the order they ended, by id in hex. */
  readonly ended: Set<string>
  readonly quotes: Map<string, Quote>
  /** Commands to the ledger without an answer, by id in hex: the transaction's id in hex. */
  readonly awaiting: Map<string, string>
  /** Transactions by bank and idempotency key. */
  readonly keys: Map<string, string>
  /** Transactions that wait to ask the ledger again. */
  readonly retries: Set<string>
}

/** What a batch collects. */
export interface Turn {
  readonly state: BridgeState
  readonly now: bigint
  /** The rules under which the commands are applied: those they were journaled with. */
  readonly behaviour: number
  commandIndex: number
  readonly effects: Effect[]
  readonly settledIds: Uint8Array[]
  /** Transactions changed by the current command that others must hear of. */
  changed: Transaction[]
}

/** An empty state. */
export const emptyBridgeState = (): BridgeState => ({
  banks: new Map(),
  transactions: new Map(),
  ended: new Set(),
  quotes: new Map(),
  awaiting: new Map(),
  keys: new Map(),
  retries: new Set(),
})

/** A bank before its first transaction. */
export const emptyBank = (rules: BankRules): BankState => ({
  rules,
  accepted: 0n,
  inFlight: 0,
  day: 0n,
  dayTotal: 0n,
  dayByCustomer: new Map(),
  customers: new Set(),
  totals: new Map(),
  eventSequence: 0n,
  events: new Map(),
  eventRunning: false,
  reversals: new Map(),
  reversalRunning: false,
  redeliveries: new Map(),
  redeliveryRunning: false,
})

/** Key of `keys`. */
export const keyOf = (bank: string, idempotencyKey: string): string => `${bank}\n${idempotencyKey.toLowerCase()}`

/** UTC day of a moment. */
export const dayOf = (now: bigint): bigint => now / 86_400_000n

/** What a transaction wants of the ledger where it stands, or null when nothing. */
export const ledgerStepOf = (transaction: Transaction): LedgerStep | null => {
  switch (transaction.step) {
    case steps.holding:
      return 'hold'
    case steps.posting:
      return 'settle'
    case steps.releasing:
      return 'release'
    case steps.moving:
      return 'move'
    case steps.completed:
      return transaction.fillBooked ? null : 'fill'
    case steps.authorizing:
    case steps.ordering:
    case steps.failed:
      return null
  }
}

/** Id in hex of the ledger command that a transaction waits for, or null. */
export const awaitedCommand = (transaction: Transaction): string | null => {
  const step = ledgerStepOf(transaction)
  return step === null || transaction.retryAt !== 0n
    ? null
    : hexOf(stepCommandId(transaction.id, step, transaction.attempt))
}

/** Adds a transaction to the state and to what follows from it. */
export const addTransaction = (state: BridgeState, transaction: Transaction): void => {
  const hex = hexOf(transaction.id)
  state.transactions.set(hex, transaction)
  state.keys.set(keyOf(transaction.bank, transaction.idempotencyKey), hex)
  const awaited = awaitedCommand(transaction)
  if (awaited !== null) state.awaiting.set(awaited, hex)
  if (transaction.retryAt !== 0n) state.retries.add(hex)
}

/** Forgets what the window no longer holds. Transactions whose books are not closed stay. */
export const expire = (state: BridgeState, now: bigint): void => {
  for (const hex of state.ended) {
    const transaction = state.transactions.get(hex)
    if (transaction !== undefined && transaction.finishedAt + WINDOW_MS > now) break
    if (transaction !== undefined && ledgerStepOf(transaction) !== null) continue
    state.ended.delete(hex)
    if (transaction === undefined) continue
    state.transactions.delete(hex)
    state.keys.delete(keyOf(transaction.bank, transaction.idempotencyKey))
  }
  for (const [hex, quote] of state.quotes) {
    if (quote.expiresAt + WINDOW_MS > now) break
    state.quotes.delete(hex)
  }
  for (const { redeliveries } of state.banks.values()) {
    for (const [hex, redelivery] of redeliveries) {
      if (redelivery.next <= redelivery.through || redelivery.acceptedAt + WINDOW_MS > now) break
      redeliveries.delete(hex)
    }
  }
}
