import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { partitionNumber } from '@bourse/common/kernel/partition.ts'
import { parseAmount } from '@bourse/common/money/amount.ts'
import { hexOf } from '@bourse/common/platform/identity.ts'
import type { ViewWrite } from '@bourse/common/ports/views.ts'
import { tradeEventModel } from '@bourse/common/views/models.ts'
import { closedTradeJson, openTradeJson } from '../src/codec/present.ts'
import { createTradeEventFold } from '../src/client/trade-events.ts'
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

test('other stops are an event between opening and closing, in the account’s one sequence', async () => {
  const opened = valueOf(await platform.open(bob, { ...MARGIN, stopLossPrice: parseAmount('95') }))
  const updated = valueOf(await platform.update(bob, opened.tradeId, { takeProfitPrice: parseAmount('120') }))
  const other = valueOf(await platform.open(bob, { ...MARGIN, asset: ETH }))
  const bare = valueOf(await platform.update(bob, opened.tradeId, { stopLossPrice: null, takeProfitPrice: null }))
  const closed = valueOf(await platform.close(bob, opened.tradeId))
  const events = await eventsOf(bob)
  expect(events.map(({ sequence, type, payload }) => [sequence, type, JSON.parse(payload) as unknown])).toEqual([
    [1, 'trade.opened', openTradeJson(opened)],
    [2, 'trade.updated', openTradeJson(updated)],
    [3, 'trade.opened', openTradeJson(other)],
    [4, 'trade.updated', openTradeJson(bare)],
    [5, 'trade.closed', closedTradeJson(closed)],
  ])
  expect([updated.stopLossPrice, updated.takeProfitPrice]).toEqual([parseAmount('95'), parseAmount('120')])
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

test('a record folded again after a crash left all its events, some, or also later ones, numbers them as before', async () => {
  await trade()
  const records = await platform.records(LEDGER)
  const everything: ViewWrite[][] = []
  for (const record of records) everything.push(await createTradeEventFold(platform.views, assetOf)(record))
  const withEvents = everything.flatMap((writes, index) => (writes.length > 0 ? [index] : []))
  expect(withEvents.length).toBeGreaterThan(3)
  for (const [place, index] of withEvents.entries()) {
    // All that the platform wrote is there: the record's own events and those of every later record.
    expect(idsOf(everything[index]!)).toEqual(
      idsOf(await createTradeEventFold(platform.views, assetOf)(records[index]!)),
    )
    // Only what came before it is there, and the first of its own events.
    await platform.views.clear('other', [tradeEventModel])
    const before = withEvents.slice(0, place).flatMap((earlier) => everything[earlier]!)
    await platform.views.project('other', LEDGER, records[index]!.sequence, [...before, everything[index]![0]!])
    expect(await createTradeEventFold(platform.views, assetOf)(records[index]!)).toEqual(everything[index])
    await platform.views.clear('other', [tradeEventModel])
    await platform.views.project('other', LEDGER, 1_000_000n, everything.flat())
  }
  const all = everything.flatMap(idsOf).filter((id) => id.startsWith(hexOf(ann)))
  expect(all).toEqual(Array.from({ length: 5 }, (_, index) => `${hexOf(ann)}:${index + 1}`))
})

test('an account with more events than are looked through at once is counted to its end', async () => {
  await trade()
  const fold = createTradeEventFold(platform.views, assetOf)
  const records = await platform.records(LEDGER)
  const written: ViewWrite[] = []
  for (const record of records) written.push(...(await fold(record)))
  const [event] = written.filter(({ id }) => id === `${hexOf(ann)}:1`)
  await platform.views.clear('other', [tradeEventModel])
  const later = Array.from({ length: 250 }, (_, index): ViewWrite => ({
    ...event!,
    id: `${hexOf(ann)}:${index + 1}`,
    fields: { ...event!.fields, sequence: index + 1, recordSequence: index < 3 ? 0n : 1_000_000n },
  }))
  await platform.views.project('other', LEDGER, 1_000_000n, later)
  const own = records.find(({ sequence }) => sequence === (event!.fields['recordSequence'] as bigint))!
  expect(idsOf(await createTradeEventFold(platform.views, assetOf)(own))[0]).toBe(`${hexOf(ann)}:4`)
})
