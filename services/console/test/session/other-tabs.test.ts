import { describe, expect, test } from '@jest/globals'
import { createBourseClient } from '@bourse/client/client.ts'
import type { BourseStream } from '@bourse/client/stream.ts'
import { createDesk } from '../../src/session/desk.ts'
import { createTrader } from '../../src/trader/trader.ts'

const ANN = { userId: 'u-ann', email: 'ann@bourse.test', createdAt: '2026-01-01T00:00:00.000Z' }
const BEN = { userId: 'u-ben', email: 'ben@bourse.test', createdAt: '2026-01-01T00:00:00.000Z' }

const QUIET_TURNS = 50

/** A browser with one cookie for all its tabs: whoever signs in anywhere is who every call is of. */
const browser = () => {
  const cookie: { user: typeof ANN | null } = { user: null }
  const tellings: (() => void)[] = []
  const traded: (string | null)[] = []
  let lost = false
  let asking = 0
  const answer = (path: string): Response => {
    if (path === '/api/v1/markets') return Response.json({ markets: [] })
    if (path === '/api/v1/auth/logout') cookie.user = null
    if (path === '/api/v1/auth/logout') return Response.json({ success: true })
    if (cookie.user === null)
      return Response.json({ success: false, errorCode: 'UNAUTHENTICATED', message: 'sign in' }, { status: 401 })
    if (path.startsWith('/api/v1/auth/')) return Response.json({ success: true, data: cookie.user })
    const data = { balances: [], trades: [] }
    return Response.json({ success: true, orderId: 'o', latency: 1, engineResponse: { status: 'success', data } })
  }
  const tab = () => {
    const tasks: { readonly delayMs: number; readonly task: () => void }[] = []
    const told = new Set<() => void>()
    tellings.push(() => {
      for (const task of told) task()
    })
    const own = tellings.length - 1
    const clock = {
      nowMs: () => 1_000_000,
      schedule: (delayMs: number, task: () => void) => {
        const entry = { delayMs, task }
        tasks.push(entry)
        return () => void tasks.splice(tasks.indexOf(entry), 1)
      },
      frame: () => () => undefined,
    }
    const stream: BourseStream = {
      prices: () => () => undefined,
      trades: () => () => undefined,
      onState: () => () => undefined,
      reconnect: () => undefined,
      stop: () => undefined,
    }
    const client = createBourseClient({
      baseUrl: 'https://bourse.test',
      fetch: async (request) => {
        request.signal.throwIfAborted()
        asking += 1
        try {
          const body = await request.clone().text()
          if (body.includes('CREATE_TRADE')) {
            traded.push(cookie.user?.userId ?? null)
            if (lost) throw new TypeError('fetch failed')
          }
          return answer(new URL(request.url).pathname)
        } finally {
          asking -= 1
        }
      },
      schedule: clock.schedule,
    })
    const desk = createDesk({
      client,
      stream,
      clock,
      otherTabs: {
        tell: () => tellings.forEach((tell, at) => void (at === own ? undefined : tell())),
        onTold: (task) => {
          told.add(task)
          return () => void told.delete(task)
        },
      },
    })
    const trader = createTrader({
      desk,
      clock,
      makeKey: () => 'key',
      readClosed: async () => ({ trades: [], nextCursor: null }),
      loadPreview: () => Promise.reject(new Error('no machine here')),
    })
    return { desk, trader, tasks }
  }
  /** Until nobody has asked anything for many turns: of the event loop, since a moment may be no turn at all. */
  const settle = async (): Promise<void> => {
    for (let quiet = 0; quiet < QUIET_TURNS; quiet = asking > 0 ? 0 : quiet + 1)
      await new Promise((resolve) => setImmediate(resolve))
  }
  return { cookie, tab, traded, settle, lose: () => void (lost = true) }
}

describe('tabs of one browser', () => {
  test('show who signed in in another of them, before anything is traded in their name', async () => {
    const { cookie, tab, settle } = browser()
    cookie.user = ANN
    const [first, second] = [tab(), tab()]
    await settle()
    expect(first.desk.me.getSnapshot().user?.email).toBe(ANN.email)
    await second.desk.signOut()
    await settle()
    expect(first.desk.me.getSnapshot().status).toBe('expired')
    cookie.user = BEN
    await second.desk.signIn(BEN.email, 'a password')
    await settle()
    expect(first.desk.me.getSnapshot()).toEqual({ status: 'signed-in', user: BEN })
  })

  test('keep what was typed when the same person signs in again, and forget it for another one', async () => {
    const { cookie, tab, settle } = browser()
    cookie.user = ANN
    const [first, second] = [tab(), tab()]
    await settle()
    const { order } = first.trader.state
    order.set({ ...order.getSnapshot(), margin: '5000' })
    await second.desk.signOut()
    cookie.user = ANN
    await second.desk.signIn(ANN.email, 'a password')
    await settle()
    expect(order.getSnapshot().margin).toBe('5000')
    cookie.user = BEN
    await second.desk.signIn(BEN.email, 'a password')
    await settle()
    expect(order.getSnapshot().margin).toBe('')
  })

  test('never repeat an order of one person, whose answer was lost, in the name of another', async () => {
    const { cookie, tab, settle, lose, traded } = browser()
    cookie.user = ANN
    const [first, second] = [tab(), tab()]
    await settle()
    lose()
    void first.trader.createTrade.submit({ asset: 'BTC_USDC', direction: 'LONG', margin: '100', leverage: 10 })
    await settle()
    expect(traded).toEqual(['u-ann'])
    cookie.user = BEN
    await second.desk.signIn(BEN.email, 'a password')
    await settle()
    for (const { task } of first.tasks.splice(0)) task()
    await settle()
    for (const { task } of first.tasks.splice(0)) task()
    await settle()
    expect(traded).toEqual(['u-ann'])
    expect(first.trader.createTrade.state.getSnapshot().kind).toBe('idle')
  })
})
