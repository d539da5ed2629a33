import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { partitionNumber } from '@bourse/common/kernel/partition.ts'
import { parseAmount } from '@bourse/common/money/amount.ts'
import { hexOf } from '@bourse/common/platform/identity.ts'
import type { ViewWrite } from '@bourse/common/ports/views.ts'
import { tradeEventModel } from '@bourse/common/views/models.ts'
import { closedTradeJson, openTradeJson } from '../src/codec/present.ts'
import { createTradeEventFold } from '../src/projection/trade-events.ts'
import { BTC, ETH, openPlatform, userAt, valueOf, type Platform } from './support.ts'

const MARGIN = { margin: parseAmount('10'), leverage: 10 } as const
let platform: Platform
const ann = userAt(0)
const bob = userAt(1)
const cid = userAt(0, 1)
const LEDGER = partitionNumber('ledger', 0)
beforeEach(async () => {
  platform = await openPlatform()
  for (const owner of [ann, bob, cid]) await platform.fund(owner, '1000')
})
afterEach(() => platform.end())

const eventsOf = async (account: Uint8Array) => {
  await platform.settled()
  return platform.views.find(tradeEventModel, {
    filter: { account: hexOf(account) },
    ...{ sortBy: 'sequence', direction: 'ascending', limit: 100 },
  })
}
const assetOf = (partition: number): string => (partition === partitionNumber('trading', 0, 2) ? ETH : BTC)
const idsOf = (writes: readonly ViewWrite[]): string[] => writes.map(({ id }) => id)

/** Trades of three accounts in two markets; two of them share a ledger partition. */
const trade = async (): Promise<void> => {
  for (const [account, asset] of [
    [ann, BTC],
    [bob, BTC],
    [ann, ETH],
    [cid, BTC],
    [ann, BTC],
  ] as const) {
    const { tradeId } = valueOf(await platform.open(account, { ...MARGIN, asset }))
    if (asset === BTC) valueOf(await platform.close(account, tradeId))
  }
  await platform.settled()
}

test('each account counts its events 1, 2, 3 … over all its markets', async () => {
  await trade()
  const counted = async (account: Uint8Array) => (await eventsOf(account)).map(({ sequence, type }) => [sequence, type])
  const both = (first: number) => [
    [first, 'trade.opened'],
    [first + 1, 'trade.closed'],
  ]
  expect(await counted(ann)).toEqual([...both(1), [3, 'trade.opened'], ...both(4)])
  expect(await counted(bob)).toEqual(both(1))
  expect(await counted(cid)).toEqual(both(1))
})

test('an event carries the trade as the command’s answer does', async () => {
  const opened = valueOf(await platform.open(bob, { ...MARGIN, stopLossPrice: parseAmount('95') }))
  await platform.quote(BTC, '101')
  const closed = valueOf(await platform.close(bob, opened.tradeId))
  const events = await eventsOf(bob)
  expect(events.map(({ payload }) => JSON.parse(payload) as unknown)).toEqual([
    openTradeJson(opened),
    closedTradeJson(closed),
  ])
  expect(events.map(({ tradeId }) => tradeId)).toEqual([opened.tradeId, opened.tradeId])
})

test('a record that comes again, since its writes did not succeed, is counted as it was', async () => {
  await trade()
  const records = await platform.records(LEDGER)
  const expected = (await eventsOf(ann)).map(({ _id }) => _id)
  await platform.views.clear('other', [tradeEventModel])
  const fold = createTradeEventFold(platform.views, assetOf)
  const found: string[] = []
  for (const record of records) {
    const first = await fold(record)
    expect(await fold(record)).toEqual(first)
    await platform.views.project('other', LEDGER, record.sequence, first)
    expect(await fold(record)).toEqual(first)
    found.push(...idsOf(first))
  }
  expect(found.filter((id) => id.startsWith(hexOf(ann)))).toEqual(expected)
  expect(expected).toHaveLength(5)
})

test('a fold that starts in the middle, knowing only the views, goes on with the next number', async () => {
  await trade()
  const records = await platform.records(LEDGER)
  const all = (await eventsOf(ann)).map(({ _id }) => _id)
  await platform.views.clear('other', [tradeEventModel])
  const found: string[] = []
  for (const record of records) {
    // A fresh one for every record: each start reads the last number from the views.
    const writes = await createTradeEventFold(platform.views, assetOf)(record)
    await platform.views.project('other', LEDGER, record.sequence, writes)
    found.push(...idsOf(writes))
  }
  expect(found.filter((id) => id.startsWith(hexOf(ann)))).toEqual(all)
})
