import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import { hexOf } from '@bourse/common/platform/identity.ts'
import type { CommandIdentity } from '@bourse/common/platform/request.ts'
import { createSeededIds, createSeededRandom } from '@bourse/common/testkit/seeded-random.ts'
import { testIds } from '../../../gateway/test/support/ports.ts'
import { startTestGateway, type TestGateway } from '../../../gateway/test/support/gateway.ts'
import { ADMIN_REASON, identityOf, scopeOf, userIdOf, type KeyedRequest } from '../../src/workload/identity.ts'

const KEY = '5b0a3a7e-9f61-4c55-8a4b-1d2c3e4f5a6b'
const UNIT = 100_000_000n
const ids = createSeededIds(createSeededRandom(1))

let platform: TestGateway
let cookie: string

beforeAll(async () => {
  platform = await startTestGateway()
  const uuid = jest.spyOn(testIds, 'uuid').mockReturnValue(userIdOf(3))
  cookie = (await platform.signUp()).cookie
  uuid.mockRestore()
})
afterAll(() => platform.gateway.stop())

const keyed = (key: string) => ({ 'x-idempotency-key': key })
const admin = (path: string, body: object) => (key: string) =>
  platform.admin('POST', `/api/v1/admin/${path}`, { ...body, reason: ADMIN_REASON }, keyed(key))
const engine = (body: object) => (key: string) => platform.engine(cookie, body, keyed(key))
const bank = (path: string, body: object) => (key: string) =>
  platform.bankCall('POST', `/api/v1/${path}`, body, keyed(key))

/** What the gateway's call of a client was given as identity. */
const seenBy = async (
  on: { readonly client: object; readonly method: string },
  act: () => Promise<unknown>,
): Promise<CommandIdentity> => {
  const client = on.client as Record<string, (...given: unknown[]) => unknown>
  const real = client[on.method]!
  const given: unknown[] = []
  client[on.method] = (...all) => {
    given.push(all[0])
    return real(...all)
  }
  try {
    await act()
  } finally {
    client[on.method] = real
  }
  expect(given).toHaveLength(1)
  const first = given[0] as CommandIdentity | { readonly identity: CommandIdentity }
  return 'identity' in first ? first.identity : first
}

const shown = ({ id, requestHash, keyed }: CommandIdentity): object => ({
  id: hexOf(id),
  requestHash: hexOf(requestHash),
  keyed,
})

interface Case {
  readonly request: KeyedRequest
  readonly on: () => { readonly client: object; readonly method: string }
  readonly act: (key: string) => Promise<unknown>
}

const ledger = (method: string) => () => ({ client: platform.ledger.client, method })
const trading = (method: string) => () => ({ client: platform.trading.client, method })
const bridge = (method: string) => () => ({ client: platform.bridge.client, method })

const cases: readonly Case[] = [
  {
    request: { kind: 'open-account', trader: 3, currency: 'USDC', grant: 7n },
    on: ledger('openAccount'),
    act: engine({ command: 'CREATE_ACCOUNT' }),
  },
  {
    request: {
      kind: 'open-trade',
      trader: 3,
      asset: 'BTC_USDC',
      direction: 'SHORT',
      margin: 12n * UNIT + 1n,
      leverage: 9,
      stopLossPrice: 70_000n * UNIT,
      takeProfitPrice: null,
      worstPrice: 50_000n * UNIT,
    },
    on: trading('createTrade'),
    act: engine({
      command: 'CREATE_TRADE',
      asset: 'BTC_USDC',
      direction: 'SHORT',
      margin: '12.00000001',
      leverage: 9,
      stopLossPrice: '70000',
      worstPrice: '50000.0',
    }),
  },
  {
    request: {
      kind: 'update-trade',
      trader: 3,
      tradeId: 'trade_77',
      stopLossPrice: 5n * UNIT,
      takeProfitPrice: undefined,
    },
    on: trading('updateTrade'),
    act: engine({ command: 'UPDATE_TRADE', tradeId: 'trade_77', stopLossPrice: '5.0' }),
  },
  {
    request: { kind: 'update-trade', trader: 3, tradeId: 'trade_77', stopLossPrice: null, takeProfitPrice: 7n },
    on: trading('updateTrade'),
    act: engine({
      command: 'UPDATE_TRADE',
      tradeId: 'trade_77',
      stopLossPrice: null,
      takeProfitPrice: '0.00000007',
    }),
  },
  {
    request: { kind: 'close-trade', trader: 3, tradeId: 'trade_77', worstPrice: null },
    on: trading('closeTrade'),
    act: engine({ command: 'CLOSE_TRADE', tradeId: 'trade_77' }),
  },
  {
    request: { kind: 'adjust', trader: 3, currency: 'USDC', amount: 5n * UNIT, reference: 'gift' },
    on: ledger('adjust'),
    act: admin('credit', { userId: userIdOf(3), amount: '5', currency: 'USDC', reference: 'gift' }),
  },
  {
    request: { kind: 'adjust', trader: 3, currency: 'USDC', amount: -2n * UNIT, reference: 'fee' },
    on: ledger('adjust'),
    act: admin('debit', { userId: userIdOf(3), amount: '2', currency: 'USDC', reference: 'fee' }),
  },
  {
    request: { kind: 'fund', target: 'insurance', asset: 'BTC_USDC', amount: 3n },
    on: ledger('fund'),
    act: admin('fund', { target: 'insurance', asset: 'BTC_USDC', amount: '0.00000003' }),
  },
  {
    request: { kind: 'correct', transactionId: '0:1' },
    on: ledger('correct'),
    act: admin('corrections', { transactionId: '0:1' }),
  },
  {
    request: { kind: 'market-state', asset: 'BTC_USDC', state: 'Halted' },
    on: trading('setMarketState'),
    act: admin('markets/BTC_USDC/halt', {}),
  },
  {
    request: { kind: 'market-state', asset: 'BTC_USDC', state: 'Open' },
    on: trading('setMarketState'),
    act: admin('markets/BTC_USDC/reopen', {}),
  },
  {
    request: {
      kind: 'bank-trade',
      bank: 'demo',
      customer: 'customer-1',
      side: 'SELL',
      quoteId: 'q_1',
      amount: 2n * UNIT,
      currency: 'USDT',
    },
    on: bridge('trade'),
    act: bank('trade/sell', { bankUserId: 'customer-1', quoteId: 'q_1', amount: '2', currency: 'USDT' }),
  },
  {
    request: {
      kind: 'bank-trade',
      bank: 'demo',
      customer: 'customer-1',
      side: 'BUY',
      quoteId: null,
      amount: 5_000_000_000n,
      currency: 'AZN',
    },
    on: bridge('trade'),
    act: bank('trade/buy', { bankUserId: 'customer-1', amount: '50.00', currency: 'AZN' }),
  },
  {
    request: {
      kind: 'bank-move',
      bank: 'demo',
      customer: 'customer-1',
      type: 'WITHDRAWAL',
      amount: 2n * UNIT,
      currency: 'AZN',
      reference: 'rent',
    },
    on: bridge('move'),
    act: bank('withdrawals', { bankUserId: 'customer-1', amount: '2.00', currency: 'AZN', reference: 'rent' }),
  },
]

describe("the identity of a simulated client's request", () => {
  test.each(cases)('of $request.kind is the one that the gateway makes', async ({ request, on, act }) => {
    const key = ids.uuid()
    platform.bridge.control.trade = 'pending'
    const seen = await seenBy(on(), () => act(key.toUpperCase()))
    expect(shown(seen)).toEqual(shown(identityOf(ids, request, key)))
  })

  test('differs for a credit and a debit of one amount, and without a key it is another one each time', () => {
    const credit = { kind: 'adjust', trader: 3, currency: 'USDC', amount: 5n, reference: 'gift' } as const
    const debit = { ...credit, amount: -5n }
    expect(shown(identityOf(ids, credit, KEY))).not.toEqual(shown(identityOf(ids, debit, KEY)))
    expect(hexOf(identityOf(ids, credit, null).id)).not.toBe(hexOf(identityOf(ids, credit, null).id))
  })

  test('counts a key by trader, by bank and for all of administration', () => {
    const close = { kind: 'close-trade', tradeId: 'trade_1', worstPrice: null } as const
    expect(scopeOf({ ...close, trader: 1 })).not.toBe(scopeOf({ ...close, trader: 2 }))
    const market = { kind: 'market-state', asset: 'BTC_USDC', state: 'Open' } as const
    expect(scopeOf(market)).toBe(scopeOf({ kind: 'correct', transactionId: '0:1' }))
  })
})
