import type { Result } from '@bourse/common/errors/codes.ts'
import type { Units } from '@bourse/common/money/amount.ts'
import type { PartitionNumber } from '@bourse/common/kernel/partition.ts'
import type { CommandIdentity } from '@bourse/common/platform/request.ts'

/** BUY: the customer pays fiat; SELL: the customer pays crypto. */
export type Side = 'BUY' | 'SELL'

/** A quote as answered: decimal strings have the tick's, lot's or currency's decimals. */
export interface BankQuote {
  readonly quoteId: string
  readonly side: Side
  readonly price: string
  readonly cryptoAmount: string
  readonly fiatAmount: string
  readonly expiresAtMs: number
}

/** One ledger entry of a bank transaction. */
export interface BankEntry {
  readonly id: string
  readonly transactionId: string
  readonly accountId: string
  readonly currency: string
  readonly amount: string
  readonly balanceAfter: string
}

/** A transaction as the bank sees it. */
export interface BankTransaction {
  readonly transactionId: string
  readonly idempotencyKey: string
  readonly bankUserId: string
  readonly type: 'BUY' | 'SELL' | 'DEPOSIT' | 'WITHDRAWAL'
  readonly status: 'PENDING' | 'COMPLETED' | 'FAILED'
  readonly amountIn: string | null
  readonly amountOut: string | null
  readonly currencyIn: string | null
  readonly currencyOut: string | null
  readonly feeAmount: string | null
  readonly exchangeRate: string | null
  readonly errorCode: string | null
  readonly message: string | null
  readonly createdAtMs: number
  readonly entries: readonly BankEntry[]
  /** The HTTP status and body that the original call got; null while pending. */
  readonly answer: { readonly status: number; readonly body: unknown } | null
}

/** The outcome of a trade, deposit or withdrawal: the recorded answer (success or refusal), or pending after the wait. */
export type BankOutcome =
  | { readonly kind: 'final'; readonly transaction: BankTransaction }
  | { readonly kind: 'pending'; readonly transactionId: string }

/** A customer's account in one currency; `balance` includes `lockedBalance`. */
export interface BankAccount {
  readonly currency: string
  readonly balance: string
  readonly lockedBalance: string
  readonly version: number
}

/** A customer of a bank, known since the first call that named them. */
export interface BankCustomer {
  readonly bankUserId: string
  readonly kycLevel: number
  readonly createdAtMs: number
}

/** What a bank has used of its daily limit. */
export interface BankDayUse {
  /** UTC day, `2026-01-31`. */
  readonly day: string
  /** Fiat of the day's buys and sells, reserved at acceptance and given back on failure; a decimal string. */
  readonly used: string
}

/** Acknowledged events to be sent again: `from` up to `to`, or as many as there are and one redelivery may have. */
export interface BankRedeliveryRequest {
  readonly identity: CommandIdentity
  readonly bank: string
  readonly from: number
  readonly to: number | null
}

/** What is sent again: sequences of the first and the last event, and how many they are. */
export interface BankRedelivery {
  readonly from: number
  readonly to: number
  readonly count: number
}

/** Events of a bank after a sequence. */
export interface BankEventPage {
  readonly events: readonly {
    readonly sequence: number
    readonly id: string
    readonly type: string
    readonly createdAt: string
    readonly data: unknown
  }[]
  readonly asOfMs: number
}

/** A page; `asOfMs` says how current the view was. */
export interface BankPage<Item> {
  readonly items: readonly Item[]
  readonly nextCursor: string | null
  readonly asOfMs: number
}

/** A statement of a bank's entries. Balances are per currency, over all the bank's customers. */
export interface BankStatement {
  readonly fromMs: number
  readonly toMs: number
  readonly opening: readonly { readonly currency: string; readonly balance: string }[]
  readonly closing: readonly { readonly currency: string; readonly balance: string }[]
  readonly spreadEarned: readonly { readonly currency: string; readonly amount: string }[]
  readonly entries: readonly (BankEntry & {
    readonly bankUserId: string
    readonly type: string
    readonly atMs: number
  })[]
  readonly asOfMs: number
}

/** A trade request: `amount` is fiat on BUY, crypto on SELL. */
export interface BankTradeRequest {
  readonly identity: CommandIdentity
  readonly idempotencyKey: string
  readonly bank: string
  readonly side: Side
  readonly bankUserId: string
  readonly quoteId: string | null
  readonly amount: Units
  readonly currency: string
}

/** A deposit or withdrawal. */
export interface BankMoveRequest {
  readonly identity: CommandIdentity
  readonly idempotencyKey: string
  readonly bank: string
  readonly type: 'DEPOSIT' | 'WITHDRAWAL'
  readonly bankUserId: string
  readonly amount: Units
  readonly currency: string
  readonly reference: string
}

/**
 * How current the views of a partition are: everything up to the moment it gives (ms) is in them; the present moment when
 * nothing waits to be projected.
 */
export type ViewFreshness = (partition: PartitionNumber) => Promise<number>

/**
 * The bank API's use of the bridge. A refusal of `trade`/`move` here was not recorded under the key; recorded ones are
 * `final`.
 */
export interface BridgeClient {
  quote(request: {
    readonly bank: string
    readonly bankUserId: string
    readonly side: Side
    readonly amount: Units
    readonly currency: string
  }): Promise<Result<BankQuote>>
  cancelQuote(bank: string, quoteId: string): Promise<Result<void>>
  /** Waits up to 15 s for the end. */
  trade(request: BankTradeRequest): Promise<Result<BankOutcome>>
  move(request: BankMoveRequest): Promise<Result<BankOutcome>>
  accounts(bank: string, bankUserId: string): Promise<Result<readonly BankAccount[]>>
  transaction(bank: string, transactionId: string): Promise<Result<BankTransaction>>
  transactionByKey(bank: string, idempotencyKey: string): Promise<Result<BankTransaction>>
  transactions(
    bank: string,
    query: { readonly bankUserId: string | null; readonly cursor: string | null; readonly limit: number },
  ): Promise<Result<BankPage<BankTransaction>>>
  /** In the order of their ids; each page sees everybody who was there when the first was read. */
  customers(
    bank: string,
    query: { readonly cursor: string | null; readonly limit: number },
  ): Promise<Result<BankPage<BankCustomer>>>
  /** As the machine counts it now, every outcome already answered included. */
  dayUse(bank: string): Promise<Result<BankDayUse>>
  statement(bank: string, fromMs: number, toMs: number): Promise<Result<BankStatement>>
  events(bank: string, after: number, limit: number): Promise<Result<BankEventPage>>
  /** Sends acknowledged events again, in order, beside the regular ones; the same key does it once. */
  redeliver(request: BankRedeliveryRequest): Promise<Result<BankRedelivery>>
}
