import { afterEach, describe, expect, test } from '@jest/globals'
import type { Balances, ClosedTrade } from '@bourse/client/shapes.ts'
import { createDesk, type Desk } from '../../src/session/desk.ts'
import { market } from '../maths/support.ts'
import { createFakeClock, createFakeServer, createFakeStream, price, refused, valued } from './support.ts'

const closedOf = (tradeId: string): ClosedTrade => {
  const { pnl: _pnl, ...trade } = valued(tradeId)
  return { ...trade, exitPrice: '1', pnl: '-1', returned: '98', reason: 'USER', closedAt: '2026-03-01T12:00:00.000Z' }
}

describe('a desk', () => {
  let ends: Desk[] = []
  afterEach(() => {
    for (const desk of ends) desk.stop()
    ends = []
  })

  const begin = (prepare: (server: ReturnType<typeof createFakeServer>) => void = () => undefined) => {
    const time = createFakeClock()
    const wire = createFakeStream()
    const server = createFakeServer(() => time.clock.nowMs())
    prepare(server)
    const desk = createDesk({ client: server.client, stream: wire.stream, clock: time.clock })
    ends.push(desk)
    return { ...time, wire, server, desk }
  }
  const idsOf = (desk: Desk): string[] | undefined =>
    desk.account.getSnapshot().value?.trades.map(({ tradeId }) => tradeId)

  test('asks who is signed in, reads the account, and has the stream carry the session', async () => {
    const { desk, settle, wire, server } = begin((fake) => {
      fake.answers.balance = async () => ({
        balances: [{ asset: 'USDC', available: '9000', locked: '100' }],
        trades: [valued('t1'), valued('t2')],
      })
    })
    expect(desk.me.getSnapshot().status).toBe('unknown')
    await settle()
    expect(desk.me.getSnapshot()).toMatchObject({ status: 'signed-in', user: { id: 'u1' } })
    expect(wire.counts.reconnects).toBe(1)
    expect(wire.reader()?.after).toBeNull()
    expect(idsOf(desk)).toEqual(['t2', 't1'])
    expect(desk.account.getSnapshot().value?.trades[0]).not.toHaveProperty('pnl')
    expect(server.countOf('balance')).toBe(1)
  })

  test('without a session shows markets and prices, and reads no account', async () => {
    const { desk, settle, wire, server } = begin((fake) => {
      fake.answers.me = () => {
        throw refused('UNAUTHENTICATED')
      }
    })
    await settle()
    expect(desk.me.getSnapshot().status).toBe('anonymous')
    expect(desk.markets.getSnapshot().value?.map(({ symbol }) => symbol)).toEqual(['BTC_USDC'])
    expect({ reads: server.countOf('balance'), reader: wire.reader() }).toEqual({ reads: 0, reader: null })
  })

  test('that could not find out who is signed in says why and asks again', async () => {
    const { desk, pass, settle, server } = begin((fake) => {
      const { me } = fake.answers
      fake.answers.me = () => {
        fake.answers.me = me
        throw refused('UNREACHABLE')
      }
    })
    await settle()
    expect(desk.me.getSnapshot()).toMatchObject({ status: 'unknown', failure: { code: 'UNREACHABLE' } })
    await pass(2_000)
    expect(desk.me.getSnapshot().status).toBe('signed-in')
    expect(server.countOf('/api/v1/auth/me')).toBe(2)
  })

  test('applies events at once and reads the account again, however many come not more than once a second', async () => {
    const { desk, pass, settle, wire, server } = begin()
    await settle()
    const heard: string[] = []
    desk.onTradeEvent(({ type }) => heard.push(type))
    for (let count = 1; count <= 8; count++) wire.trade('trade.opened', valued(`t${count}`))
    wire.trade('trade.closed', closedOf('t3'))
    wire.trade('trade.updated', valued('t4', { stopLossPrice: '58000' }))
    expect(idsOf(desk)).toEqual(['t8', 't7', 't6', 't5', 't4', 't2', 't1'])
    const [, , , , t4] = desk.account.getSnapshot().value!.trades
    expect(t4).toMatchObject({ stopLossPrice: '58000', fees: null })
    expect(heard).toHaveLength(10)
    expect(server.countOf('balance')).toBe(1)
    for (let step = 0; step < 30; step++) {
      wire.trade('trade.updated', valued('t1'))
      await pass(100)
    }
    expect(server.countOf('balance')).toBe(1 + 3)
  })

  test('keeps what events said while the account was being read: the answer may be older', async () => {
    let answer = (_: Balances): void => undefined
    const { desk, settle, wire } = begin((fake) => {
      fake.answers.balance = () => new Promise((resolve) => (answer = resolve))
    })
    await settle()
    wire.trade('trade.closed', closedOf('t1'))
    wire.trade('trade.opened', valued('t3'))
    answer({ balances: [], trades: [valued('t1'), valued('t2')] })
    await settle()
    expect(idsOf(desk)).toEqual(['t3', 't2'])
  })

  test('reads the account again when the stream could not go on where it was, and every half minute', async () => {
    const { pass, settle, wire, server } = begin()
    await settle()
    await pass(5_000)
    wire.reader()?.onGap()
    await settle()
    expect(server.countOf('balance')).toBe(2)
    await pass(30_000)
    expect(server.countOf('balance')).toBe(3)
  })

  test('says that a session has expired, whoever notices: a read, the stream, a command', async () => {
    const notice = [
      async ({ desk, pass, server }: ReturnType<typeof begin>) => {
        server.answers.balance = async () => Promise.reject(refused('UNAUTHENTICATED'))
        desk.refresh()
        await pass(1_000)
      },
      async ({ wire }: ReturnType<typeof begin>) => {
        wire.reader()?.onRefused?.({ code: 'UNAUTHENTICATED', message: 'sign in' })
      },
      async ({ desk, server }: ReturnType<typeof begin>) => {
        server.answers.command = async () => Promise.reject(refused('UNAUTHENTICATED'))
        await expect(desk.closeTrade({ tradeId: 't1' })).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
      },
    ]
    for (const how of notice) {
      const begun = begin()
      await begun.settle()
      await how(begun)
      expect(begun.desk.me.getSnapshot()).toEqual({ status: 'expired', user: null })
      expect(begun.wire.reader()).toBeNull()
      expect(begun.desk.account.getSnapshot()).toMatchObject({ status: 'loading', value: null })
    }
  })

  test('forgets one user before the next: an answer to the first that comes late is nobody’s', async () => {
    const answers: ((balances: Balances) => void)[] = []
    const { desk, settle, wire } = begin((fake) => {
      fake.answers.balance = () => new Promise((resolve) => answers.push(resolve))
    })
    await settle()
    await desk.signOut()
    expect(desk.me.getSnapshot().status).toBe('anonymous')
    await desk.signIn('b@b.c', 'a password')
    await settle()
    answers[0]?.({ balances: [], trades: [valued('t1')] })
    await settle()
    expect(desk.account.getSnapshot().status).toBe('loading')
    answers[1]?.({ balances: [], trades: [valued('t2')] })
    await settle()
    expect(idsOf(desk)).toEqual(['t2'])
    expect(wire.counts.reconnects).toBe(3)
  })

  test('that nobody is signed in at any more reads nothing, also when a read was under way', async () => {
    let answer = (_: Balances): void => undefined
    const { desk, pass, settle, server } = begin((fake) => {
      fake.answers.balance = () => new Promise((resolve) => (answer = resolve))
    })
    await settle()
    await desk.signOut()
    answer({ balances: [], trades: [] })
    await pass(120_000)
    expect(server.countOf('balance')).toBe(1)
  })

  test('that was left begins nothing any more, also when an answer to it was under way', async () => {
    const { desk, pass, settle, server, wire } = begin()
    desk.stop()
    await pass(120_000)
    expect({ status: desk.me.getSnapshot().status, reader: wire.reader() }).toEqual({ status: 'unknown', reader: null })
    const unanswered = begin((fake) => {
      fake.answers.me = () => {
        throw refused('UNREACHABLE')
      }
    })
    await settle()
    unanswered.desk.stop()
    await unanswered.pass(120_000)
    expect(server.calls.concat(unanswered.server.calls).sort()).toEqual([
      '/api/v1/auth/me',
      '/api/v1/auth/me',
      '/api/v1/markets',
      '/api/v1/markets',
    ])
  })

  test('reads account and market again after a command that the market’s state refused', async () => {
    const { desk, pass, settle, server } = begin()
    await settle()
    await pass(1_500)
    const before = { balance: server.countOf('balance'), markets: server.countOf('/api/v1/markets') }
    server.answers.command = async () => Promise.reject(refused('MARKET_HALTED'))
    server.answers.markets = () => ({ markets: [market({ state: 'Halted' })] })
    const order = { asset: 'BTC_USDC', direction: 'LONG', margin: '1', leverage: 1 } as const
    await expect(desk.createTrade(order)).rejects.toMatchObject({ code: 'MARKET_HALTED' })
    await settle()
    expect(server.countOf('balance')).toBe(before.balance + 1)
    expect(server.countOf('/api/v1/markets')).toBe(before.markets + 1)
    expect(desk.markets.getSnapshot().value?.[0]?.state).toBe('Halted')
  })

  test('shows the connection, and after a loss reads what may have been missed', async () => {
    const { desk, pass, settle, wire, server } = begin()
    await settle()
    await pass(2_000)
    const before = server.calls.length
    wire.become({ state: 'waiting', retryAtMs: 5 })
    expect(desk.connection.getSnapshot()).toEqual({ state: 'waiting', retryAtMs: 5 })
    wire.become({ state: 'open' })
    await settle()
    expect(server.calls.slice(before).sort()).toEqual(['/api/v1/markets', 'balance'])
  })

  test('that failed to read keeps what it had and says why', async () => {
    const { desk, pass, settle, server } = begin((fake) => {
      fake.answers.balance = async () => ({ balances: [], trades: [valued('t1')] })
    })
    await settle()
    server.answers.balance = async () => Promise.reject(refused('UNREACHABLE'))
    desk.refresh()
    await pass(1_000)
    expect(desk.account.getSnapshot()).toMatchObject({ status: 'failed', failure: { code: 'UNREACHABLE' } })
    expect(idsOf(desk)).toEqual(['t1'])
  })

  test.each([
    ['UNAVAILABLE', 5],
    ['ACCOUNT_NOT_FOUND', 1],
  ])('that was refused %s asks %d times in ten seconds', async (code, times) => {
    const { pass, server } = begin((fake) => {
      fake.answers.balance = async () => Promise.reject(refused(code))
    })
    await pass(9_500)
    expect(server.countOf('balance')).toBe(times)
  })

  test('tells a reader of a price once a frame, with the newest, and nobody of another asset', async () => {
    const { desk, draw, settle, wire } = begin()
    await settle()
    const store = desk.prices.price('BTC_USDC')
    const other = desk.prices.price('SOL_USDC')
    const told: (number | undefined)[] = []
    let others = 0
    store.subscribe(() => told.push(store.getSnapshot()?.sequence))
    other.subscribe(() => (others += 1))
    for (let sequence = 1; sequence <= 10; sequence++) wire.price(price(sequence))
    expect(told).toEqual([])
    draw()
    expect(told).toEqual([10])
    draw()
    expect({ told, others }).toEqual({ told: [10], others: 0 })
  })

  test('calls a price stale when it is older than the market allows, by the server’s clock and not by this one', async () => {
    const aheadMs = 3_600_000
    const time = createFakeClock()
    const wire = createFakeStream()
    const server = createFakeServer(() => time.clock.nowMs() + aheadMs)
    const desk = createDesk({ client: server.client, stream: wire.stream, clock: time.clock })
    ends.push(desk)
    await time.settle()
    const store = desk.prices.freshness('BTC_USDC')
    expect(store.getSnapshot()).toBe('none')
    wire.price(price(1, { time: new Date(time.clock.nowMs() + aheadMs).toISOString() }))
    time.draw()
    expect(store.getSnapshot()).toBe('fresh')
    await time.pass(4_000)
    expect(store.getSnapshot()).toBe('fresh')
    await time.pass(2_000)
    expect(store.getSnapshot()).toBe('stale')
    wire.price(price(2, { time: new Date(time.clock.nowMs() + aheadMs).toISOString() }))
    time.draw()
    expect(store.getSnapshot()).toBe('fresh')
  })
})
