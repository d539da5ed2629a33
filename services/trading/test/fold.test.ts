import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { kindOf } from '@bourse/common/kernel/command.ts'
import { partitionNumber } from '@bourse/common/kernel/partition.ts'
import { parseAmount } from '@bourse/common/money/amount.ts'
import { commandModel, tradeEventModel, tradeModel, viewModels } from '@bourse/common/views/models.ts'
import { hexOf } from '@bourse/common/platform/identity.ts'
import { decodeUpdate, encodeUpdate, isKeptOutcome, tradingKinds } from '@bourse/risk-rules/trading/codec.ts'
import { BTC, codeOf, ETH, keyed, openPlatform, userAt, valueOf, type Platform } from './support.ts'

const MARGIN = { margin: parseAmount('10'), leverage: 10 } as const
let platform: Platform
const ann = userAt(0)
const bob = userAt(1)
beforeEach(async () => {
  platform = await openPlatform()
  await platform.fund(ann, '1000')
  await platform.fund(bob, '1000')
})
afterEach(() => platform.end())

const tradesOf = async (account: Uint8Array) =>
  platform.views.find(tradeModel, {
    filter: { account: hexOf(account) },
    ...{ sortBy: 'order', direction: 'ascending', limit: 100 },
  })

test('trades sort by moment of opening, then by market, partition and number, also after they closed', async () => {
  const ids: string[] = []
  for (let round = 0; round < 12; round++) {
    const asset = round % 3 === 0 ? ETH : BTC
    ids.push(valueOf(await platform.open(ann, { ...MARGIN, asset })).tradeId)
    await platform.clock.sleep(2)
  }
  valueOf(await platform.close(ann, ids[3]!))
  valueOf(await platform.close(ann, ids[0]!))
  await platform.settled()
  const views = await tradesOf(ann)
  expect(views.map(({ _id }) => _id)).toEqual(ids)
  for (const view of views) {
    const number = view._id.slice('trade_'.length)
    expect(view.order).toBe(`${String(view.openedAt).padStart(14, '0')}.${number.padStart(24, '0')}`)
  }
  expect(views.map(({ status }) => status).filter((status) => status === 'closed')).toHaveLength(2)
})

test('a refused open leaves no trade, and is remembered as the outcome of its id', async () => {
  expect(codeOf(await platform.open(ann, { ...MARGIN, leverage: 101, identity: keyed('no') }))).toBe(
    'LEVERAGE_TOO_HIGH',
  )
  await platform.settled()
  expect(await tradesOf(ann)).toEqual([])
  expect(await platform.views.get(commandModel, hexOf(keyed('no').id))).toMatchObject({ code: 64, kind: 2 })
})

test('one tick may close many trades of many accounts, each with its own end', async () => {
  for (const account of [ann, ann, bob]) {
    valueOf(await platform.open(account, { ...MARGIN, stopLossPrice: parseAmount('99') }))
    valueOf(await platform.open(account, { ...MARGIN, takeProfitPrice: parseAmount('101') }))
  }
  await platform.quote(BTC, '98.5')
  await platform.quote(BTC, '101.5')
  await platform.settled()
  const reasons = async (account: Uint8Array) => (await tradesOf(account)).map(({ reason }) => reason)
  expect(await reasons(ann)).toEqual(['STOP_LOSS', 'TAKE_PROFIT', 'STOP_LOSS', 'TAKE_PROFIT'])
  expect(await reasons(bob)).toEqual(['STOP_LOSS', 'TAKE_PROFIT'])
})

test('a trade is viewed with the stops it has, which a repeat of an older update does not bring back', async () => {
  const price = parseAmount
  const { tradeId } = valueOf(await platform.open(ann, { ...MARGIN, stopLossPrice: price('95') }))
  const stops = async () => {
    await platform.settled()
    const view = (await platform.views.get(tradeModel, tradeId))!
    return [view.stopLossPrice, view.takeProfitPrice, view.status]
  }
  valueOf(await platform.update(ann, tradeId, { stopLossPrice: price('96'), identity: keyed('first') }))
  expect(await stops()).toEqual([price('96'), null, 'open'])
  valueOf(await platform.update(ann, tradeId, { stopLossPrice: null, takeProfitPrice: price('110') }))
  expect(await stops()).toEqual([null, price('110'), 'open'])
  // What a client sends once more past the edge is answered by the machine, in a record of its own.
  const partition = partitionNumber('trading', 0, 1)
  const inputs = (await platform.records(partition)).flatMap((record) => record.inputs)
  const first = decodeUpdate(inputs.find((input) => kindOf(input) === tradingKinds.update)!)
  const { id, requestHash } = keyed('first')
  const { outcome } = valueOf(
    await platform.partitions.command(partition, encodeUpdate(first, { id, requestHash }), 5_000),
  )
  expect([outcome[4], isKeptOutcome(outcome)]).toEqual([0, true])
  expect(await stops()).toEqual([null, price('110'), 'open'])
  await platform.rebuildViews()
  expect(await stops()).toEqual([null, price('110'), 'open'])
  await platform.quote(BTC, '110')
  expect(await stops()).toEqual([null, price('110'), 'closed'])
})

test('views rebuilt from nothing are equal, to the last field', async () => {
  const first = valueOf(await platform.open(ann, { ...MARGIN, identity: keyed('a') }))
  valueOf(await platform.open(bob, { ...MARGIN, takeProfitPrice: parseAmount('101') }))
  valueOf(await platform.update(ann, first.tradeId, { stopLossPrice: parseAmount('95'), identity: keyed('d') }))
  valueOf(await platform.close(ann, first.tradeId, { identity: keyed('b') }))
  expect(codeOf(await platform.open(ann, { ...MARGIN, leverage: 101, identity: keyed('c') }))).toBe('LEVERAGE_TOO_HIGH')
  await platform.quote(BTC, '101')
  await platform.settled()
  const everything = async () => {
    const all = []
    for (const model of viewModels) {
      const query = { filter: {}, sortBy: '_id', direction: 'ascending', limit: 1_000 } as const
      all.push([model.name, await platform.views.find<{ _id: string }>(model, query)])
    }
    return all
  }
  const before = await everything()
  await platform.rebuildViews()
  expect(await everything()).toEqual(before)
  expect(await platform.views.get(tradeEventModel, `${hexOf(ann)}:3`)).toMatchObject({ type: 'trade.closed' })
})
