import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { createBourse, type Bourse } from './support/bourse.ts'
import { call, newKey, until } from './support/calls.ts'
import { adminClient, bankClient, codeOf, traderClient } from './support/clients.ts'
import { expectStory, makeHistory, storyOf } from './support/history.ts'
import { LIMIT_MS } from './support/limits.ts'
import { insist, lasting } from './support/load.ts'
import { readTrades } from './support/socket.ts'
import { closed, opened } from './support/sure.ts'

describe('a restart', () => {
  let bourse: Bourse
  let cookie = ''

  beforeAll(async () => {
    bourse = await createBourse()
    await bourse.start()
    cookie = (await makeHistory(bourse)).cookie
  }, LIMIT_MS)

  afterAll(() => bourse.remove())

  test(
    'after SIGTERM, which exits 0, gives the same state, lists, events and outside world',
    async () => {
      const before = await storyOf(bourse, cookie)
      expect(await bourse.stop()).toEqual({ code: 0, signal: null })
      await bourse.start()
      await expectStory(bourse, cookie, before)
      expect(before.orders.filter(({ status }) => status === 'FILLED')).toHaveLength(5)
      expect(before.events.length).toBeGreaterThanOrEqual(9)
      expect(before.received.map(({ id }) => id)).toEqual(before.events.map(({ id }) => id))
    },
    LIMIT_MS,
  )

  test(
    'after kill -9 gives the same state, lists, events and outside world',
    async () => {
      const before = await storyOf(bourse, cookie)
      await bourse.kill()
      await bourse.start()
      await expectStory(bourse, cookie, before)
    },
    LIMIT_MS,
  )

  test('says it is ready only once every partition serves', async () => {
    const ready = await until(
      () => call(`${bourse.url}/readyz`),
      ({ status }) => status === 200,
    )
    expect([ready.status, ready.body]).toEqual([200, { ready: true, reasons: [] }])
    const states = (await adminClient(bourse.url).partitions()).map(({ name, state }) => `${name} ${state}`)
    expect(states.sort()).toEqual(
      ['bridge/0', 'ledger/0', 'ledger/1']
        .concat(['BTC_USDC', 'SOL_USDC'].flatMap((asset) => [`trading/${asset}/0`, `trading/${asset}/1`]))
        .map((name) => `${name} serving`),
    )
  })

  test(
    'keeps a session, and keeps an ended one ended',
    async () => {
      expect((await traderClient(bourse.url, cookie).get('/auth/me')).status).toBe(200)
      const signedIn = await call(`${bourse.url}/api/v1/auth/signin`, {
        body: { email: 'history@example.com', password: 'a password of this test' },
      })
      const other = (signedIn.headers.get('set-cookie') ?? '').split(';')[0] ?? ''
      await call(`${bourse.url}/api/v1/auth/logout`, { method: 'POST', headers: { cookie: other } })
      await bourse.stop()
      await bourse.start()
      expect((await traderClient(bourse.url, cookie).get('/auth/me')).status).toBe(200)
      expect((await traderClient(bourse.url, other).get('/auth/me')).status).toBe(401)
    },
    LIMIT_MS,
  )

  test(
    "keeps an administrator's halt until it is reopened",
    async () => {
      const trader = traderClient(bourse.url, cookie)
      const open = () => trader.open({ asset: 'SOL_USDC', margin: '10', leverage: 2 })
      expect((await adminClient(bourse.url).act('/markets/SOL_USDC/halt')).status).toBe(200)
      expect(codeOf(await insist(open))).toBe('MARKET_HALTED')
      await bourse.stop()
      await bourse.start()
      expect(codeOf(await insist(open))).toBe('MARKET_HALTED')
      expect((await adminClient(bourse.url).act('/markets/SOL_USDC/reopen')).status).toBe(200)
      await opened(trader, { asset: 'SOL_USDC', margin: '10', leverage: 2 })
      const audit = await adminClient(bourse.url).audit()
      expect(audit.map(({ action }) => action).filter((action) => /halt|reopen/.test(action))).toHaveLength(2)
    },
    LIMIT_MS,
  )

  test(
    'in the midst of requests leaves each with one outcome, whatever was answered',
    async () => {
      const bank = bankClient(bourse.url)
      const keys = Array.from({ length: 30 }, newKey)
      const first = keys.map((key) => bank.buy('ben', '1.00', key).catch(() => null))
      await Promise.race(first)
      expect(await bourse.stop()).toEqual({ code: 0, signal: null })
      const answers = await Promise.all(first)
      await bourse.start()
      const accountsOf = async () => (await bank.accounts('ben')).map(({ balance }) => balance)
      const last = await Promise.all(keys.map((key) => insist(() => bank.buy('ben', '1.00', key))))
      answers.forEach((answer, index) => {
        const isFinal = answer !== null && answer.status !== 202 && answer.status !== 503
        if (isFinal) expect(lasting(last[index]!)).toBe(lasting(answer))
      })
      const balances = await accountsOf()
      for (const key of keys) await insist(() => bank.buy('ben', '1.00', key))
      expect(await accountsOf()).toEqual(balances)
    },
    LIMIT_MS,
  )

  test(
    'lets a reader of the stream go on behind the last trade event it has',
    async () => {
      const trader = traderClient(bourse.url, cookie)
      const reader = await readTrades(bourse.url, cookie, 0)
      const seen = await reader.until(5)
      const last = seen.at(-1)?.sequence ?? 0
      await bourse.kill()
      await reader.close()
      await bourse.start()
      const { tradeId } = await opened(trader, { asset: 'BTC_USDC', margin: '10', leverage: 2 })
      await closed(trader, tradeId)
      const next = await readTrades(bourse.url, cookie, last - 1)
      const events = await next.until(3)
      await next.close()
      expect(events[0]).toEqual(seen.at(-1))
      expect(events.map(({ sequence }) => sequence)).toEqual([last, last + 1, last + 2])
      expect(events.slice(1).map(({ data }) => data.tradeId)).toEqual([tradeId, tradeId])
    },
    LIMIT_MS,
  )
})
