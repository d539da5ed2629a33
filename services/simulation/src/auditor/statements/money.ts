import { partitionName } from '@bourse/common/kernel/partition.ts'
import { accountKinds } from '@bourse/risk-rules/ledger/accounts.ts'
import { shown } from '../arithmetic/rational.ts'
import type { Books } from '../books.ts'
import { accountName, holdName } from '../evidence/instruction.ts'
import type { Complain } from '../findings.ts'

/**
 * All money of all partitions: every currency adds up to zero, in each ledger partition and so over all; clearing is zero;
 * nothing that may not is below zero, and nothing is locked that is not there.
 */
export const checkSums = ({ ledgers }: Books, complain: Complain): void => {
  const clearing = new Map<string, bigint>()
  for (const { partition, accounts } of ledgers.values()) {
    const sums = new Map<string, bigint>()
    for (const { key, balance, locked } of accounts.values()) {
      sums.set(key.currency, (sums.get(key.currency) ?? 0n) + balance)
      if (key.kind === 'clearing') clearing.set(key.currency, (clearing.get(key.currency) ?? 0n) + balance)
      if (!accountKinds[key.kind].mayGoBelowZero && balance < locked)
        complain(
          'never-below-zero',
          `${accountName(key)} in ${partitionName(partition)} has ${shown(balance)}, locked ${shown(locked)}`,
        )
      if (locked < 0n)
        complain('never-below-zero', `${accountName(key)} in ${partitionName(partition)} has ${shown(locked)} locked`)
    }
    for (const [currency, sum] of sums)
      if (sum !== 0n)
        complain('zero-sum', `the accounts of ${partitionName(partition)} add up to ${shown(sum)} ${currency}`)
  }
  for (const [currency, sum] of clearing)
    if (sum !== 0n) complain('zero-sum', `clearing comes to ${shown(sum)} ${currency} at rest`)
}

/**
 * What is locked, is locked for something: at rest every hold is the margin of an open trade, with its amount and at its
 * partition, and every open trade has one; `locked` of each account is the sum of its holds. No trade is left between
 * holding and opening, no bank transaction holds anything any more.
 */
export const checkHolds = ({ ledgers, markets }: Books, complain: Complain): void => {
  const margins = new Map<
    string,
    { readonly margin: bigint; readonly partition: number; readonly trade: string; readonly account: string }
  >()
  for (const { partition, lives } of markets.values()) {
    for (const { trade, end } of lives.values()) {
      if (end !== null) continue
      const name = `${partitionName(partition)} trade ${trade.number}`
      margins.set(holdName(trade.openId, 0), {
        margin: trade.margin,
        partition: trade.ledgerPartition,
        trade: name,
        account: trade.account,
      })
    }
  }
  for (const { partition, accounts, holds } of ledgers.values()) {
    const locked = new Map<string, bigint>()
    for (const [name, hold] of holds) {
      locked.set(hold.account, (locked.get(hold.account) ?? 0n) + hold.amount)
      const margin = margins.get(name)
      margins.delete(name)
      if (margin === undefined)
        complain(
          'locked-is-margins',
          `hold ${name} of ${shown(hold.amount)} on ${hold.account} in ${partitionName(partition)} belongs to nothing open`,
        )
      else if (
        margin.margin !== hold.amount ||
        margin.partition !== partition ||
        !hold.account.includes(margin.account)
      )
        complain(
          'locked-is-margins',
          `hold ${name} of ${shown(hold.amount)} on ${hold.account} in ${partitionName(partition)} is not the ` +
            `margin ${shown(margin.margin)} of ${margin.trade}`,
        )
    }
    for (const [name, account] of accounts)
      if (account.locked !== (locked.get(name) ?? 0n))
        complain(
          'locked-is-margins',
          `${name} in ${partitionName(partition)} has ${shown(account.locked)} locked; its holds come to ` +
            `${shown(locked.get(name) ?? 0n)}`,
        )
  }
  for (const [name, { margin, trade }] of margins)
    complain('locked-is-margins', `${trade} has no hold ${name} of its margin ${shown(margin)}`)
}
