import type { OutcomeCode } from '@bourse/common/errors/codes.ts'
import { accountKinds } from '@bourse/risk-rules/ledger/accounts.ts'
import { accountName, type Leg } from '../../evidence/instruction.ts'
import type { Account, AccountKey } from './book.ts'

/** An account's money as an instruction would leave it. */
export interface DraftedAccount {
  readonly key: AccountKey
  readonly balance: bigint
  readonly locked: bigint
}

/** What an instruction comes to; with a code other than OK nothing changes. */
export interface Draft {
  readonly code: OutcomeCode
  /** The accounts that change, by name. */
  readonly accounts: ReadonlyMap<string, DraftedAccount>
  /** The balance after each booked leg; empty when nothing is posted. */
  readonly balancesAfter: readonly bigint[]
  /** INSURANCE_REFUND: what is paid. */
  readonly paid: bigint
  /** OPEN_ACCOUNT: whether it was there. */
  readonly existed: boolean
}

/** Amounts and balances stay within ±10^20 units. */
const AMOUNT_LIMIT = 10n ** 20n

/** Whether an amount is one that no account may have. */
export const isBeyondLimit = (amount: bigint): boolean => amount >= AMOUNT_LIMIT || amount <= -AMOUNT_LIMIT

/** A page beside the book, on which an instruction is tried out. */
export interface Page {
  /** The account as it stands on the page; null when there is none. */
  at(name: string): DraftedAccount | null
  put(account: DraftedAccount): void
  /** Books all legs, or says why one of them can't be booked. */
  book(legs: readonly Leg[], more?: Partial<Draft>): Draft
  ok(more?: Partial<Draft>): Draft
  refused(code: OutcomeCode): Draft
}

/** An account as nobody has touched it. */
export const emptyAccount = ({ kind, owner, currency }: AccountKey): DraftedAccount => ({
  key: { kind, owner, currency },
  balance: 0n,
  locked: 0n,
})

/** Opens an empty page; the book itself stays as it is. */
export const createPage = (accounts: ReadonlyMap<string, Account>): Page => {
  const changed = new Map<string, DraftedAccount>()
  const nothing = { accounts: new Map(), balancesAfter: [], paid: 0n, existed: false }

  const at: Page['at'] = (name) => {
    const found = changed.get(name) ?? accounts.get(name)
    return found === undefined ? null : { key: found.key, balance: found.balance, locked: found.locked }
  }
  const ok: Page['ok'] = (more = {}) => ({ ...nothing, code: 'OK', accounts: changed, ...more })
  const refused: Page['refused'] = (code) => ({ ...nothing, code })

  /** The balance after the leg, or the code that forbids it. */
  const enter = (leg: Leg): bigint | OutcomeCode => {
    const name = accountName(leg)
    const found = at(name)
    if (found === null && leg.kind === 'customer' && leg.amount < 0n) return 'ACCOUNT_NOT_FOUND'
    const account = found ?? emptyAccount(leg)
    const balance = account.balance + leg.amount
    if (isBeyondLimit(balance)) return 'AMOUNT_OVERFLOW'
    if (!accountKinds[leg.kind].mayGoBelowZero && balance < account.locked) return 'INSUFFICIENT_FUNDS'
    changed.set(name, { ...account, balance })
    return balance
  }

  return {
    at,
    ok,
    refused,
    put: (account) => void changed.set(accountName(account.key), account),
    book: (legs, more = {}) => {
      const balancesAfter: bigint[] = []
      for (const leg of legs) {
        const after = enter(leg)
        if (typeof after === 'string') return refused(after)
        balancesAfter.push(after)
      }
      return ok({ balancesAfter, ...more })
    },
  }
}
