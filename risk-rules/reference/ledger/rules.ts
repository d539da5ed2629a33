/** What each instruction does, on a draft of the accounts that is kept only when all of it is allowed. */
import { refusalNumbers } from '@bourse/common/errors/codes.ts'
import type { OutcomeCode } from '@bourse/common/errors/codes.ts'
import { accountKindOfNumber, accountKinds } from '../../src/ledger/accounts.ts'
import { HOLD, holdText, INSURANCE_REFUND, OPEN_ACCOUNT } from './instruction.ts'
import type { ReadInstruction, ReadKey, ReadLeg } from './instruction.ts'
import { closeHold, holdNamed, openHold } from './state.ts'
import type { Account, LedgerState } from './state.ts'

/** What an instruction came to. */
export interface Done {
  readonly code: number
  readonly posted: boolean
  readonly existed: boolean
  readonly balancesAfter: readonly bigint[]
  /** INSURANCE_REFUND that was carried out. */
  readonly paid: bigint | null
}

/** How many accounts and open holds there may be. */
export interface Limits {
  readonly accountsMax: number
  readonly holdsMax: number
}

const MAGNITUDE_LIMIT = 10n ** 20n
const ACCOUNTS_PER_OWNER_MAX = 256

const isTooLarge = (value: bigint): boolean => value >= MAGNITUDE_LIMIT || value <= -MAGNITUDE_LIMIT
const refused = (code: OutcomeCode): Done => ({
  code: refusalNumbers[code],
  posted: false,
  existed: false,
  balancesAfter: [],
  paid: null,
})
const NOTHING_DONE: Done = refused('OK')

/** Accounts as they would be. */
interface Draft {
  readonly get: (key: ReadKey) => Account | undefined
  readonly set: (account: Account) => void
  /** The refusal when there is no room for the new accounts. */
  readonly shortage: () => Done | null
  readonly keep: () => void
}

const createDraft = (state: LedgerState, { accountsMax }: Limits): Draft => {
  const touched = new Map<string, Account>()
  const made = (): Account[] => [...touched.values()].filter(({ key }) => !state.accounts.has(key.text))
  const ownedBy = (owner: string, accounts: Iterable<Account>): number =>
    [...accounts].filter(({ key }) => key.text.startsWith(owner)).length
  return {
    get: (key) => touched.get(key.text) ?? state.accounts.get(key.text),
    set: (account) => touched.set(account.key.text, account),
    shortage: () => {
      const fresh = made()
      const crowded = fresh.some(({ key }) => {
        const owner = key.text.slice(0, 33)
        return ownedBy(owner, state.accounts.values()) + ownedBy(owner, fresh) > ACCOUNTS_PER_OWNER_MAX
      })
      return crowded || state.accounts.size + fresh.length > accountsMax ? refused('CAPACITY_EXCEEDED') : null
    },
    keep: () => {
      for (const [text, account] of touched) state.accounts.set(text, { ...account, version: account.version + 1n })
    },
  }
}

const emptyAccount = (key: ReadKey): Account => ({ key, balance: 0n, locked: 0n, version: 0n })

/** One entry on the draft: the balance after it, or the refusal. */
const enter = (draft: Draft, leg: ReadLeg): bigint | Done => {
  const found = draft.get(leg)
  const isCustomer = leg.kind === accountKinds.customer.number
  if (found === undefined && isCustomer && leg.amount < 0n) return refused('ACCOUNT_NOT_FOUND')
  const account = found ?? emptyAccount(leg)
  const balance = account.balance + leg.amount
  if (isTooLarge(balance)) return refused('AMOUNT_OVERFLOW')
  const { mayGoBelowZero } = accountKinds[accountKindOfNumber(leg.kind)]
  if (!mayGoBelowZero && balance - account.locked < 0n) return refused('INSUFFICIENT_FUNDS')
  draft.set({ ...account, balance })
  return balance
}

const enterAll = (draft: Draft, legs: readonly ReadLeg[]): bigint[] | Done => {
  const balances: bigint[] = []
  for (const leg of legs) {
    const balance = enter(draft, leg)
    if (typeof balance !== 'bigint') return balance
    balances.push(balance)
  }
  return draft.shortage() ?? balances
}

const isZeroSum = (legs: readonly ReadLeg[]): boolean =>
  legs.every(({ currency }) => {
    const ofCurrency = legs.filter((leg) => leg.currency === currency)
    return ofCurrency.reduce((sum, { amount }) => sum + amount, 0n) === 0n
  })

const hold = (state: LedgerState, { id, legs }: ReadInstruction, limits: Limits, behaviour: number): Done => {
  const draft = createDraft(state, limits)
  for (const [index, leg] of legs.entries()) {
    // Only its hold is left of a forgotten id: nobody can say whether this request is the one that made it.
    if (holdNamed(state, holdText(id, index)) !== undefined)
      return refused(behaviour === 1 ? 'IDEMPOTENCY_CONFLICT' : 'UNAVAILABLE')
    const account = draft.get(leg)
    if (account === undefined) return refused('ACCOUNT_NOT_FOUND')
    const locked = account.locked + leg.amount
    if (account.balance < locked) return refused('INSUFFICIENT_FUNDS')
    draft.set({ ...account, locked })
  }
  if (state.holds.size + legs.length > limits.holdsMax) return refused('CAPACITY_EXCEEDED')
  draft.keep()
  for (const [index, leg] of legs.entries()) {
    openHold(state, { id, index, text: holdText(id, index), account: leg.text, amount: leg.amount })
  }
  return NOTHING_DONE
}

const post = (state: LedgerState, { holds, legs }: ReadInstruction, limits: Limits): Done => {
  if (!isZeroSum(legs)) return refused('NOT_ZERO_SUM')
  const draft = createDraft(state, limits)
  for (const { text } of holds) {
    const open = holdNamed(state, text)
    if (open === undefined) return refused('HOLD_CLOSED')
    const account = draft.get(state.accounts.get(open.account)!.key)!
    draft.set({ ...account, locked: account.locked - open.amount })
  }
  const balancesAfter = enterAll(draft, legs)
  if (!Array.isArray(balancesAfter)) return balancesAfter
  draft.keep()
  for (const { text } of holds) closeHold(state, text)
  return { ...NOTHING_DONE, posted: legs.length > 0, balancesAfter }
}

const open = (state: LedgerState, { legs }: ReadInstruction, limits: Limits): Done => {
  const customer = legs[0]!
  if (state.accounts.has(customer.text)) return { ...NOTHING_DONE, existed: true }
  const draft = createDraft(state, limits)
  draft.set(emptyAccount(customer))
  const grant = legs.length === 2 ? legs : []
  const balancesAfter = enterAll(draft, grant)
  if (!Array.isArray(balancesAfter)) return balancesAfter
  draft.keep()
  return { ...NOTHING_DONE, posted: grant.length > 0, balancesAfter }
}

const refund = (state: LedgerState, { legs }: ReadInstruction, limits: Limits): Done => {
  const [insurance, clearing] = [legs[0]!, legs[1]!]
  const has = state.accounts.get(insurance.text)?.balance ?? 0n
  const paid = has < insurance.amount ? has : insurance.amount
  if (paid === 0n) return { ...NOTHING_DONE, paid }
  const draft = createDraft(state, limits)
  const balancesAfter = enterAll(draft, [
    { ...insurance, amount: -paid },
    { ...clearing, amount: paid },
  ])
  if (!Array.isArray(balancesAfter)) return balancesAfter
  draft.keep()
  return { ...NOTHING_DONE, posted: true, balancesAfter, paid }
}

/** Carries out an instruction on the state by the rules of a behaviour, wholly or not at all. */
export const execute = (state: LedgerState, instruction: ReadInstruction, limits: Limits, behaviour: number): Done => {
  if (instruction.legs.some(({ amount }) => isTooLarge(amount))) return refused('AMOUNT_OVERFLOW')
  switch (instruction.kind) {
    case HOLD:
      return hold(state, instruction, limits, behaviour)
    case OPEN_ACCOUNT:
      return open(state, instruction, limits)
    case INSURANCE_REFUND:
      return refund(state, instruction, limits)
    default:
      return post(state, instruction, limits)
  }
}
