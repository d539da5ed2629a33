import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { parseAmount } from '@bourse/common/money/amount.ts'
import { commandModel, tradeEventModel, tradeModel, viewModels } from '@bourse/common/views/models.ts'
import { hexOf } from '@bourse/common/platform/identity.ts'
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

test('views rebuilt from nothing are equal, to the last field', async () => {
  const first = valueOf(await platform.open(ann, { ...MARGIN, identity: keyed('a') }))
  valueOf(await platform.open(bob, { ...MARGIN, takeProfitPrice: parseAmount('101') }))
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
  expect(await platform.views.get(tradeEventModel, `${hexOf(ann)}:2`)).toMatchObject({ type: 'trade.closed' })
})
