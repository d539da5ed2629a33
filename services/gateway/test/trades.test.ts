import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { accountKeyOf } from '../src/http/identity.ts'
import { startTestGateway, type TestGateway } from './support/gateway.ts'

let platform: TestGateway
let cookie: string
let account: string

const put = (owner: string, number: number, status: 'open' | 'closed'): void => {
  const closed = status === 'closed'
  platform.views.put('trades', {
    _id: `trade_${owner.slice(0, 4)}_${number}`,
    account: owner,
    asset: 'BTC_USDC',
    status,
    direction: 'LONG',
    margin: 100n,
    leverage: 2,
    quantity: 3n,
    entryPrice: 4n,
    liquidationPrice: null,
    stopLossPrice: null,
    takeProfitPrice: 6n,
    openFee: 1n,
    openedAt: number,
    order: String(number).padStart(4, '0'),
    exitPrice: closed ? 5n : null,
    pnl: closed ? -1n : null,
    fees: closed ? 2n : null,
    funding: closed ? 0n : null,
    returned: closed ? 97n : null,
    reason: closed ? 'USER' : null,
    closedAt: closed ? number + 1 : null,
  })
}

beforeAll(async () => {
  platform = await startTestGateway()
  const user = await platform.signUp()
  cookie = user.cookie
  account = accountKeyOf(user.userId)
  for (let number = 1; number <= 7; number += 1) put(account, number, number % 2 === 0 ? 'closed' : 'open')
  put('f'.repeat(32), 8, 'open')
})
afterAll(() => platform.gateway.stop())

const idsOf = (json: unknown): string[] =>
  (json as { trades: { tradeId: string }[] }).trades.map(({ tradeId }) => tradeId.split('_')[2] ?? '')
const list = (query: string) => platform.call('GET', `/api/v1/trades${query}`, { cookie })

describe("the caller's trades", () => {
  test('come newest first in pages that see each trade once, whatever is opened meanwhile', async () => {
    const first = await list('?limit=3')
    put(account, 9, 'open')
    const second = await list(`?limit=3&cursor=${String(first.json.nextCursor)}`)
    const third = await list(`?limit=3&cursor=${String(second.json.nextCursor)}`)
    expect([idsOf(first.json), idsOf(second.json), idsOf(third.json)]).toEqual([
      ['7', '6', '5'],
      ['4', '3', '2'],
      ['1'],
    ])
    expect(third.json.nextCursor).toBeNull()
  })

  test('are filtered by status and carry their end', async () => {
    const closed = await list('?status=closed')
    expect(idsOf(closed.json)).toEqual(['6', '4', '2'])
    expect(closed.json.trades?.[0]).toMatchObject({
      status: 'closed',
      pnl: '-0.00000001',
      reason: 'USER',
      takeProfitPrice: '0.00000006',
      closedAt: '1970-01-01T00:00:00.007Z',
    })
    expect(closed.json.asOf).toBe(new Date(1_700_000_000_000).toISOString())
  })

  test.each([
    '?cursor=garbage',
    '?cursor=WzEsMl0',
    '?status=all',
    '?limit=0',
    '?limit=201',
    '?limit=1.5',
    '?limit=2&limit=3',
  ])('%s is refused', async (query) => {
    expect((await list(query)).json.errorCode).toBe('VALIDATION_ERROR')
  })

  test('a cursor of another user or filter is refused', async () => {
    const { nextCursor } = (await list('?limit=1')).json
    expect((await list(`?limit=1&status=open&cursor=${String(nextCursor)}`)).status).toBe(400)
    const stranger = await platform.signUp()
    expect(
      (await platform.call('GET', `/api/v1/trades?cursor=${String(nextCursor)}`, { cookie: stranger.cookie })).status,
    ).toBe(400)
  })

  test('need a session', async () => {
    expect((await platform.call('GET', '/api/v1/trades')).status).toBe(401)
  })
})
