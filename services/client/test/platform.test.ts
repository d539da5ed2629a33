import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { WebSocket } from 'ws'
import { createBourse, type Bourse } from '../../all-in-one/test/support/bourse.ts'
import { until } from '../../all-in-one/test/support/calls.ts'
import { LIMIT_MS } from '../../all-in-one/test/support/limits.ts'
import { createBourseClient } from '../src/client.ts'
import { createBourseStream, type StreamState, type TradeMessage } from '../src/stream.ts'

const ORDER = { asset: 'BTC_USDC', direction: 'LONG', margin: '50', leverage: 5 } as const

describe('the client and the running platform', () => {
  let bourse: Bourse

  beforeAll(async () => {
    bourse = await createBourse()
    await bourse.start()
  }, LIMIT_MS)
  afterAll(() => bourse.remove(), LIMIT_MS)

  /** A user with an account; `lose` says of which answers the client hears nothing, although the platform gave them. */
  const signUp = async (name: string, lose: () => boolean = () => false) => {
    const credentials = { email: `${name}@example.com`, password: 'a password of this test' }
    const { response } = await createBourseClient({ baseUrl: bourse.url }).POST('/api/v1/auth/signup', {
      body: credentials,
    })
    const cookie = response.headers.getSetCookie()[0]!.split(';')[0]!
    const client = createBourseClient({
      baseUrl: bourse.url,
      fetch: async (request) => {
        request.headers.set('cookie', cookie)
        const answer = await fetch(request)
        if (!lose()) return answer
        await answer.body?.cancel()
        throw new TypeError('the connection was cut')
      },
    })
    await client.engine.createAccount()
    const connect = () => {
      const states: StreamState[] = []
      const events: TradeMessage[] = []
      const stream = createBourseStream({
        url: `${bourse.url.replace('http', 'ws')}/ws`,
        webSocket: (url) => new WebSocket(url, { headers: { cookie } }),
      })
      stream.onState((state) => states.push(state))
      return { stream, states, events }
    }
    return { client, connect }
  }
  const heard = (events: readonly TradeMessage[], count: number): Promise<unknown> =>
    until(
      async () => events.length,
      (length) => length >= count,
    )

  test(
    'do a command once although its answers are lost, and answer it again',
    async () => {
      let losing = 0
      const { client } = await signUp('lossy', () => (losing -= 1) >= 0)
      losing = 2
      const trade = await client.engine.createTrade(ORDER)
      const { trades, balances } = await client.engine.balance()
      expect(trades.map(({ tradeId }) => tradeId)).toEqual([trade.tradeId])
      expect(balances[0]?.locked).toBe('50')
      losing = 4
      await expect(client.engine.closeTrade({ tradeId: trade.tradeId })).rejects.toMatchObject({
        code: 'UNREACHABLE',
        isUnknown: true,
      })
      expect((await client.engine.balance()).trades).toEqual([])
      await expect(client.engine.closeTrade({ tradeId: 'none' })).rejects.toMatchObject({
        code: 'TRADE_NOT_FOUND',
        status: 404,
      })
    },
    LIMIT_MS,
  )

  test(
    'go on with trade events where they were when the platform is killed and comes back: each once, in order',
    async () => {
      const { client, connect } = await signUp('steady')
      const { stream, events, states } = connect()
      const prices: number[] = []
      stream.prices('BTC_USDC', ({ sequence }) => prices.push(sequence))
      stream.trades({ after: 0, onEvent: (event) => events.push(event), onGap: () => undefined })
      const first = await client.engine.createTrade(ORDER)
      await client.engine.updateTrade({ tradeId: first.tradeId, takeProfitPrice: '90000' })
      await heard(events, 2)
      await bourse.kill()
      await until(
        async () => states.at(-1)?.state,
        (state) => state === 'waiting',
      )
      await bourse.start()
      const second = await client.engine.createTrade({ ...ORDER, direction: 'SHORT' })
      await client.engine.closeTrade({ tradeId: first.tradeId })
      const before = prices.length
      await heard(events, 4)
      await until(
        async () => prices.length,
        (length) => length > before,
      )
      const expected = [
        [1, 'trade.opened', first.tradeId],
        [2, 'trade.updated', first.tradeId],
        [3, 'trade.opened', second.tradeId],
        [4, 'trade.closed', first.tradeId],
      ]
      const told = (list: readonly TradeMessage[]) =>
        list.map(({ sequence, type, data }) => [sequence, type, data.tradeId])
      expect(told(events)).toEqual(expected)
      stream.stop()

      // Another reader begins in the middle.
      const later = connect()
      later.stream.trades({ after: 2, onEvent: (event) => later.events.push(event), onGap: () => undefined })
      await heard(later.events, 2)
      expect(told(later.events)).toEqual(expected.slice(2))
      later.stream.stop()
    },
    LIMIT_MS,
  )

  test(
    'are told that the trade events need a session, while prices come',
    async () => {
      const refused: string[] = []
      const prices: string[] = []
      const stream = createBourseStream({ url: `${bourse.url.replace('http', 'ws')}/ws` })
      stream.prices('BTC_USDC', ({ data }) => prices.push(data.bid))
      stream.trades({
        after: 0,
        onEvent: () => undefined,
        onGap: () => undefined,
        onRefused: ({ code }) => refused.push(code),
      })
      await until(
        async () => prices.length > 0 && refused.length > 0,
        (both) => both,
      )
      expect(refused).toEqual(['UNAUTHENTICATED'])
      stream.stop()
    },
    LIMIT_MS,
  )
})
