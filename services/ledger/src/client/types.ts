import type { Result } from '@bourse/common/errors/codes.ts'
import type { Units } from '@bourse/common/money/amount.ts'
import type { CommandIdentity } from '@bourse/common/platform/request.ts'

/** Balance of one account in one currency; `balance` includes `locked`. */
export interface Balance {
  readonly currency: string
  readonly balance: Units
  readonly locked: Units
  readonly version: bigint
}

/** A leg of an administrative posting. */
export interface PostingLeg {
  readonly accountName: string
  readonly currency: string
  readonly amount: Units
}

/** Money as the gateway's administration and the trader API need it. */
export interface LedgerClient {
  /** Opens the trading account; the grant (from `promotion`) is given only at creation. */
  openAccount(
    identity: CommandIdentity,
    owner: Uint8Array,
    currency: string,
    grant: Units,
  ): Promise<Result<{ readonly existed: boolean }>>
  /** Strong read of the owner's customer accounts; `ACCOUNT_NOT_FOUND` when there is none. */
  balances(owner: Uint8Array): Promise<Result<readonly Balance[]>>
  /**
   * Credits (amount > 0) or debits (amount < 0) a customer against `bank:<reference account>`; `reference` is
   * remembered.
   */
  adjust(
    identity: CommandIdentity,
    owner: Uint8Array,
    currency: string,
    amount: Units,
    reference: string,
  ): Promise<Result<{ readonly transactionId: string }>>
  /** Moves capital to `house:<pair>` of every ledger partition in equal parts, or to `insurance:<pair>`. */
  fund(
    identity: CommandIdentity,
    target: 'house' | 'insurance',
    asset: string,
    amount: Units,
  ): Promise<Result<{ readonly transactionIds: readonly string[] }>>
  /** Books the exact opposite of a transaction's entries as a new transaction that names it. */
  correct(identity: CommandIdentity, transactionId: string): Promise<Result<{ readonly transactionId: string }>>
}
