import { Schema } from 'mongoose'
import type { ViewModel } from '../ports/views.ts'

/*
 * The models of the query side, declared once; every adapter of the Views port follows them. Amounts and prices are
 * BigInt units of 1e-8, moments are whole milliseconds. Sequences are BigInt. Fields with `index: true` can be filtered
 * and sorted.
 */

/** A CFD trade of a trader, open or closed. `_id` is the public trade id. */
export interface TradeView {
  readonly _id: string
  readonly account: string
  readonly asset: string
  readonly status: 'open' | 'closed'
  readonly direction: 'LONG' | 'SHORT'
  readonly margin: bigint
  readonly leverage: number
  readonly quantity: bigint
  readonly entryPrice: bigint
  readonly liquidationPrice: bigint | null
  readonly stopLossPrice: bigint | null
  readonly takeProfitPrice: bigint | null
  readonly openFee: bigint
  readonly openedAt: number
  readonly exitPrice: bigint | null
  readonly pnl: bigint | null
  readonly fees: bigint | null
  readonly funding: bigint | null
  readonly returned: bigint | null
  readonly reason: string | null
  readonly closedAt: number | null
  /** Rises with every change: openedAt order made total; pages sort by it. */
  readonly order: string
}

/**
 * An executed client command: the answer to "did it happen?" after its id has left the machine. `_id` is the id in hex.
 */
export interface CommandView {
  readonly _id: string
  readonly partition: number
  readonly sequence: bigint
  readonly requestHash: string
  readonly kind: number
  readonly code: number
  readonly atMs: number
  /** The whole outcome, base64. */
  readonly outcome: string
}

/** A ledger transaction. `_id` is `<partition>:<transactionNumber>`. */
export interface LedgerTransactionView {
  readonly _id: string
  readonly partition: number
  readonly transactionNumber: bigint
  readonly transactionType: number
  /** 16 bytes in hex: what the transaction belongs to (trade, bank transaction, corrected transaction). */
  readonly reference: string
  readonly commandId: string
  readonly atMs: number
}

/** An immutable ledger entry. `_id` is `<partition>:<transactionNumber>:<leg>`. */
export interface LedgerEntryView {
  readonly _id: string
  readonly transaction: string
  readonly partition: number
  readonly owner: string
  readonly accountKind: number
  readonly currency: string
  readonly amount: bigint
  readonly balanceAfter: bigint
  readonly reference: string
  readonly transactionType: number
  readonly atMs: number
  /** Order within all entries of the partition, zero padded text. */
  readonly order: string
}

/** A trader's event for the `trades` channel; `_id` is `<account>:<sequence>`. */
export interface TradeEventView {
  readonly _id: string
  readonly account: string
  /** 1, 2, 3 … per account, without gaps. */
  readonly sequence: number
  /** Sequence of the ledger record the event comes from: a record that is folded again does not count its own events. */
  readonly recordSequence: bigint
  readonly type: 'trade.opened' | 'trade.updated' | 'trade.closed'
  readonly tradeId: string
  readonly atMs: number
  /** The event as clients see it, JSON text. */
  readonly payload: string
}

/** A bank transaction as the bank sees it. `_id` is the transaction id. */
export interface BankTransactionView {
  readonly _id: string
  readonly bank: string
  readonly bankUserId: string
  readonly idempotencyKey: string
  readonly type: 'BUY' | 'SELL' | 'DEPOSIT' | 'WITHDRAWAL'
  readonly status: 'PENDING' | 'COMPLETED' | 'FAILED'
  readonly errorCode: string | null
  /** Everything the API answers about it, JSON text. */
  readonly payload: string
  readonly createdAtMs: number
  /** Order within the bank, zero padded text. */
  readonly order: string
}

/** An event for a bank; `_id` is `<bank>:<sequence>`. */
export interface BankEventView {
  readonly _id: string
  readonly bank: string
  readonly sequence: number
  readonly type: string
  readonly payload: string
  readonly createdAtMs: number
}

/** A bank's customer. `_id` is `<bank>:<bankUserId>`. */
export interface BankCustomerView {
  readonly _id: string
  readonly bank: string
  readonly bankUserId: string
  readonly owner: string
  readonly kycLevel: number
  readonly createdAtMs: number
}

/**
 * What the shard that serves a partition last said of it; gateways read it. `_id` is the partition's number in decimal. Rows
 * are rewritten about once a second, so one with an old `atMs` speaks for nobody any more. No part of it is folded from the
 * journal: a rebuild of the views does without it until the next beat.
 */
export interface PartitionStateView {
  readonly _id: string
  readonly shard: string
  /** The epoch under which the shard has the partition; of two shards the higher one's word stands. */
  readonly epoch: number
  readonly state: string
  readonly reason: string | null
  /** Sequence of the last journaled record. */
  readonly sequence: bigint
  /** Sequence of the newest snapshot that the shard knows of. */
  readonly snapshotSequence: bigint | null
  /** When that snapshot was taken, ms. */
  readonly snapshotAtMs: number | null
  /** Sequence that the views have reached. */
  readonly viewSequence: bigint
  /** The moment up to which the views of this partition are complete. */
  readonly viewsAsOfMs: number
  readonly atMs: number
  readonly controlUrl: string
}

const text = { type: String, required: true } as const
const optionalText = { type: String, default: null } as const
const whole = { type: Number, required: true } as const
const optionalWhole = { type: Number, default: null } as const
const units = { type: BigInt, required: true } as const
const optionalUnits = { type: BigInt, default: null } as const
const id = { _id: text } as const
const indexed = { index: true } as const

const model = <Document extends { _id: string }>(name: string, schema: Schema): ViewModel<Document> => ({
  name,
  schema,
})

/** Trades of all markets. */
export const tradeModel = model<TradeView>(
  'trades',
  new Schema({
    ...id,
    account: { ...text, ...indexed },
    asset: text,
    status: { ...text, ...indexed },
    direction: text,
    margin: units,
    leverage: whole,
    quantity: units,
    entryPrice: units,
    liquidationPrice: optionalUnits,
    stopLossPrice: optionalUnits,
    takeProfitPrice: optionalUnits,
    openFee: units,
    openedAt: whole,
    exitPrice: optionalUnits,
    pnl: optionalUnits,
    fees: optionalUnits,
    funding: optionalUnits,
    returned: optionalUnits,
    reason: optionalText,
    closedAt: optionalWhole,
    order: { ...text, ...indexed },
  }),
)

/** Executed client commands of all machines. */
export const commandModel = model<CommandView>(
  'commands',
  new Schema({
    ...id,
    partition: whole,
    sequence: units,
    requestHash: text,
    kind: whole,
    code: whole,
    atMs: { ...whole, ...indexed },
    outcome: text,
  }),
)

/** Ledger transactions. */
export const ledgerTransactionModel = model<LedgerTransactionView>(
  'ledgertransactions',
  new Schema({
    ...id,
    partition: whole,
    transactionNumber: units,
    transactionType: whole,
    reference: { ...text, ...indexed },
    commandId: { ...text, ...indexed },
    atMs: { ...whole, ...indexed },
  }),
)

/** Ledger entries. */
export const ledgerEntryModel = model<LedgerEntryView>(
  'ledgerentries',
  new Schema({
    ...id,
    transaction: { ...text, ...indexed },
    partition: whole,
    owner: { ...text, ...indexed },
    accountKind: whole,
    currency: text,
    amount: units,
    balanceAfter: units,
    reference: { ...text, ...indexed },
    transactionType: whole,
    atMs: { ...whole, ...indexed },
    order: { ...text, ...indexed },
  }),
)

/** Events of the `trades` channel. */
export const tradeEventModel = model<TradeEventView>(
  'tradeevents',
  new Schema({
    ...id,
    account: { ...text, ...indexed },
    sequence: { ...whole, ...indexed },
    recordSequence: units,
    type: text,
    tradeId: text,
    atMs: whole,
    payload: text,
  }),
)

/** Bank transactions. */
export const bankTransactionModel = model<BankTransactionView>(
  'banktransactions',
  new Schema({
    ...id,
    bank: { ...text, ...indexed },
    bankUserId: { ...text, ...indexed },
    idempotencyKey: { ...text, ...indexed },
    type: text,
    status: { ...text, ...indexed },
    errorCode: optionalText,
    payload: text,
    createdAtMs: { ...whole, ...indexed },
    order: { ...text, ...indexed },
  }),
)

/** Events for banks. */
export const bankEventModel = model<BankEventView>(
  'bankevents',
  new Schema({
    ...id,
    bank: { ...text, ...indexed },
    sequence: { ...whole, ...indexed },
    type: text,
    payload: text,
    createdAtMs: whole,
  }),
)

/** Customers of banks. */
export const bankCustomerModel = model<BankCustomerView>(
  'bankcustomers',
  new Schema({
    ...id,
    bank: { ...text, ...indexed },
    bankUserId: text,
    owner: { ...text, ...indexed },
    kycLevel: whole,
    createdAtMs: whole,
  }),
)

/** What shards say of the partitions they serve. */
export const partitionStateModel = model<PartitionStateView>(
  'partitionstates',
  new Schema({
    ...id,
    shard: { ...text, ...indexed },
    epoch: whole,
    state: text,
    reason: optionalText,
    sequence: units,
    snapshotSequence: optionalUnits,
    snapshotAtMs: optionalWhole,
    viewSequence: units,
    viewsAsOfMs: whole,
    atMs: { ...whole, ...indexed },
    controlUrl: text,
  }),
)

/** Every model, for adapters that make tables or collections. */
export const viewModels = [
  tradeModel,
  commandModel,
  ledgerTransactionModel,
  ledgerEntryModel,
  tradeEventModel,
  bankTransactionModel,
  bankEventModel,
  bankCustomerModel,
  partitionStateModel,
] as const
