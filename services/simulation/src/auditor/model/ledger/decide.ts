import { accountName, holdName, type Instruction } from '../../evidence/instruction.ts'
import type { LedgerBook } from './book.ts'
import { createPage, emptyAccount, isBeyondLimit, type Draft, type Page } from './draft.ts'

type Accounts = LedgerBook['accounts']
type Holds = LedgerBook['holds']

/** Locks every leg's amount, or nothing. */
const decideHold = (page: Page, holds: Holds, { legs }: Instruction, id: string): Draft => {
  for (const [index, leg] of legs.entries()) {
    // A forgotten id whose hold is open: nobody can say whose request it was, so it is not judged.
    if (holds.has(holdName(id, index))) return page.refused('UNAVAILABLE')
    const account = page.at(accountName(leg))
    if (account === null) return page.refused('ACCOUNT_NOT_FOUND')
    if (account.balance - account.locked < leg.amount) return page.refused('INSUFFICIENT_FUNDS')
    page.put({ ...account, locked: account.locked + leg.amount })
  }
  return page.ok()
}

/** Opens the first leg's account; two legs are also booked, what a new account begins with. */
const decideOpenAccount = (page: Page, accounts: Accounts, { legs }: Instruction): Draft => {
  const [first] = legs
  if (first === undefined) return page.refused('INVALID_COMMAND')
  if (accounts.has(accountName(first))) return page.ok({ existed: true })
  page.put(emptyAccount(first))
  return page.book(legs.length === 2 ? legs : [])
}

/** Pays what the fund has, and no more than is asked. */
const decideRefund = (page: Page, accounts: Accounts, { legs }: Instruction): Draft => {
  const [fund, receiver] = legs
  const has = fund === undefined ? 0n : (accounts.get(accountName(fund))?.balance ?? 0n)
  const paid = fund === undefined || has < fund.amount ? has : fund.amount
  if (paid === 0n) return page.ok()
  const booked =
    fund === undefined || receiver === undefined
      ? legs
      : [
          { ...fund, amount: -paid },
          { ...receiver, amount: paid },
        ]
  return page.book(booked, { paid })
}

/** Closes the holds it names and books its legs, which add up to zero in each currency. */
const decidePosting = (page: Page, holds: Holds, instruction: Instruction): Draft => {
  const sums = new Map<string, bigint>()
  for (const { currency, amount } of instruction.legs) sums.set(currency, (sums.get(currency) ?? 0n) + amount)
  if ([...sums.values()].some((sum) => sum !== 0n)) return page.refused('NOT_ZERO_SUM')
  for (const name of instruction.holds) {
    const hold = holds.get(name)
    const account = hold === undefined ? null : page.at(hold.account)
    if (hold === undefined || account === null) return page.refused('HOLD_CLOSED')
    page.put({ ...account, locked: account.locked - hold.amount })
  }
  return page.book(instruction.legs)
}

/** What an instruction with this id must come to, by the contract's rules on the auditor's own account book. */
export const decide = (
  { accounts, holds }: Pick<LedgerBook, 'accounts' | 'holds'>,
  instruction: Instruction,
  id: string,
): Draft => {
  const page = createPage(accounts)
  if (instruction.legs.some(({ amount }) => isBeyondLimit(amount))) return page.refused('AMOUNT_OVERFLOW')
  switch (instruction.kind) {
    case 'HOLD':
      return decideHold(page, holds, instruction, id)
    case 'OPEN_ACCOUNT':
      return decideOpenAccount(page, accounts, instruction)
    case 'INSURANCE_REFUND':
      return decideRefund(page, accounts, instruction)
    case 'POST':
    case 'SETTLE':
    case 'RELEASE':
    case 'CORRECTION':
      return decidePosting(page, holds, instruction)
  }
}
