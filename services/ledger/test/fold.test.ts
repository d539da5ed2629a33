import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { partitionNumber } from '@bourse/common/kernel/partition.ts'
import { formatAmount, parseAmount } from '@bourse/common/money/amount.ts'
import { hexOf } from '@bourse/common/platform/identity.ts'
import { commandModel, ledgerEntryModel, ledgerTransactionModel, tradeEventModel } from '@bourse/common/views/models.ts'
import { insurancePartitionOf, transactionTypes } from '@bourse/risk-rules/ledger/accounts.ts'
import { BTC, codeOf, keyed, openPlatform, topology, unkeyed, userAt, valueOf } from '../../trading/test/support.ts'
import type { Platform } from '../../trading/test/support.ts'
import { foldLedgerRecord } from '../src/projection/fold.ts'
import { createLedgerFolds } from '../src/shard.ts'

const INSURANCE = insurancePartitionOf(BTC, topology.ledgerPartitions)
const ann = userAt(1 - INSURANCE)
let platform: Platform
beforeEach(async () => {
  platform = await openPlatform()
  await platform.fund(ann, '1000')
})
afterEach(() => platform.end())

const entries = async (filter: Readonly<Record<string, string>> = {}) => {
  await platform.settled()
  return platform.views.find(ledgerEntryModel, { filter, sortBy: 'order', direction: 'ascending', limit: 500 })
}
const flows = async (): Promise<void> => {
  valueOf(await platform.ledger.fund(unkeyed(), 'insurance', BTC, parseAmount('30')))
  const trade = valueOf(await platform.open(ann, { identity: keyed('open') }))
  valueOf(await platform.close(ann, trade.tradeId, { identity: keyed('close') }))
  valueOf(await platform.open(ann))
  // A gap: 100 beyond the margin, of which the insurance has 30.
  await platform.quote(BTC, '80')
}

test('the entries of every transaction add up to zero, and an account’s say its balance after each', async () => {
  await flows()
  const sums = new Map<string, bigint>()
  const balances = new Map<string, bigint>()
  for (const entry of await entries()) {
    sums.set(entry.transaction, (sums.get(entry.transaction) ?? 0n) + entry.amount)
    const account = `${entry.partition}:${entry.owner}:${entry.accountKind}:${entry.currency}`
    balances.set(account, (balances.get(account) ?? 0n) + entry.amount)
    expect([account, entry.balanceAfter]).toEqual([account, balances.get(account)])
  }
  expect([...sums.values()].every((sum) => sum === 0n)).toBe(true)
  const own = [...balances].find(([account]) => account.includes(hexOf(ann)))
  expect(formatAmount(own![1])).toBe((await platform.money(ann)).balance)
})

test('entries sort by transaction and leg, and carry what the transaction was for', async () => {
  await flows()
  const own = await entries({ owner: hexOf(ann) })
  const { OPEN_ACCOUNT, TRADE_OPEN_FEE, TRADE_CLOSE } = transactionTypes
  expect(own.map(({ transactionType }) => transactionType)).toEqual([
    ...[OPEN_ACCOUNT, TRADE_OPEN_FEE, TRADE_CLOSE, TRADE_OPEN_FEE, TRADE_CLOSE],
  ])
  for (const { _id, order, partition } of await entries()) {
    const [at = '', number = '', leg = ''] = _id.split(':')
    expect([Number(at), order]).toEqual([partition, `${number.padStart(20, '0')}.${leg.padStart(2, '0')}`])
  }
})

test('an insurance refund is entered as what the fund had, not as what was asked', async () => {
  await flows()
  const refunds = (await entries()).filter(
    ({ transactionType }) => transactionType === transactionTypes.INSURANCE_REFUND,
  )
  const here = refunds.filter(({ partition }) => partition === partitionNumber('ledger', INSURANCE))
  expect(here.map(({ accountKind, amount }) => [accountKind, formatAmount(amount)])).toEqual([
    [9, '-30'],
    [8, '30'],
  ])
})

test('a hold that sends a command on is not the answer to its id; one that is refused is', async () => {
  await flows()
  const refused = { margin: parseAmount('5000'), identity: keyed('too much') }
  expect(codeOf(await platform.open(ann, refused))).toBe('INSUFFICIENT_FUNDS')
  await platform.settled()
  const command = async (key: string) => platform.views.get(commandModel, hexOf(keyed(key).id))
  const trading = partitionNumber('trading', 1 - INSURANCE, 1)
  expect(await command('open')).toMatchObject({ partition: trading, kind: 2, code: 0 })
  expect(await command('close')).toMatchObject({ partition: trading, kind: 3, code: 0 })
  expect(await command('too much')).toMatchObject({ partition: partitionNumber('ledger', 1 - INSURANCE), code: 33 })
})

test('a repeat posts nothing again, so that it makes no second transaction', async () => {
  const adjust = () => platform.ledger.adjust(keyed('k'), ann, 'USDC', 5n, 'once')
  valueOf(await adjust())
  valueOf(await adjust())
  valueOf(await adjust())
  await platform.settled()
  const filter = { commandId: hexOf(keyed('k').id) }
  const found = await platform.views.find(ledgerTransactionModel, {
    filter,
    ...{ sortBy: 'atMs', direction: 'ascending', limit: 10 },
  })
  expect(found).toHaveLength(1)
})

test('the same record gives the same writes', async () => {
  await flows()
  await platform.settled()
  for (const index of [0, 1]) {
    for (const record of await platform.records(partitionNumber('ledger', index)))
      expect(foldLedgerRecord(record)).toEqual(foldLedgerRecord(record))
  }
})

test('a partition that comes back to a shard counts its trades’ events on from what another shard folded meanwhile', async () => {
  for (let count = 0; count < 3; count++) valueOf(await platform.open(ann))
  await platform.settled()
  const ledger = partitionNumber('ledger', 1 - INSURANCE)
  const newest = async () =>
    platform.views.find(tradeEventModel, {
      filter: { account: hexOf(ann) },
      ...{ sortBy: 'sequence', direction: 'ascending', limit: 100 },
    })
  const expected = await newest()
  expect(expected.map(({ sequence }) => sequence)).toEqual([1, 2, 3])
  await platform.views.clear('other', [tradeEventModel])
  const [here, there] = [createLedgerFolds(platform.views, topology), createLedgerFolds(platform.views, topology)]
  const records = await platform.records(ledger)
  let from = 0n
  for (const [owner, { recordSequence }] of [here, there, here].map((one, index) => [one, expected[index]!] as const)) {
    const fold = owner()
    for (const record of records.filter(({ sequence }) => sequence > from && sequence <= recordSequence))
      await platform.views.project('other', ledger, record.sequence, await fold(record))
    from = recordSequence
  }
  expect(await newest()).toEqual(expected)
})
