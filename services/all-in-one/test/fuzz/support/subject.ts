import { bankClient, dataOf, signUp, traderClient, type TraderClient } from '../../support/clients.ts'
import { ADMIN_TOKEN, API_KEY, createBourse, type Bourse } from '../../support/bourse.ts'
import { call, pause, until } from '../../support/calls.ts'
import { WAIT_MS_MAX } from '../../support/limits.ts'
import { bought, closed, deposited, opened } from '../../support/sure.ts'
import { startTicker } from '../../support/ticker.ts'
import { banksOf, OTHER_KEY, pairsOf } from '../../support/world.ts'
import type { Pools } from './inputs.ts'
import type { Received } from './wire.ts'

/** Whose credentials a request carries. */
export const callers = ['none', 'trader', 'bank', 'admin'] as const
/** One of them. */
export type Caller = (typeof callers)[number]

/** What must stay as it is when everything was refused. */
export interface Fingerprint {
  /** All balances, trades and bank transactions. */
  readonly money: string
  /** The hash of each partition's state, and the acts in the audit. */
  readonly state: string
}

const PASSWORD = 'a password of this test'
const CUSTOMERS = ['anna', 'bob', 'customer ü'] as const

/** A platform in a process of its own that is told anything: who may call, what there is, what it looks like inside. */
export interface Subject {
  readonly bourse: Bourse
  readonly pools: () => Pools
  /** Headers of a caller; the trader's session is renewed when it was ended. */
  headersOf(caller: Caller): Promise<Readonly<Record<string, string>>>
  /** Remembers the ids and cursors of an answer, so that later requests name what there is. */
  learn(received: Received): void
  fingerprint(): Promise<Fingerprint>
  /** The fingerprint once nothing moves any more. */
  quiet(): Promise<Fingerprint>
  stop(): Promise<void>
}

const POOL_MAX = 12

/** Starts the platform with money, trades, quotes and transactions of every kind. */
export const startSubject = async (): Promise<Subject> => {
  const [btc, sol] = [await startTicker('60000'), await startTicker('200')]
  const bourse = await createBourse({
    pairs: pairsOf(btc, sol),
    banks: banksOf(),
    env: {
      BOURSE_BANK_OTHER_API_KEY: OTHER_KEY,
      // Every request says another address of its own: the limits of one address are not what is tested.
      BOURSE_TRUSTED_PROXIES: '127.0.0.0/8',
      ENGINE_SNAPSHOT_INTERVAL: '86400000',
      // What is sent whole is never refused as late, were the machine to stand still while it is read.
      BOURSE_LIMIT_REQUEST_TIMEOUT_MS: '60000',
    },
  })
  await bourse.start()
  const { url } = bourse
  let trader = await signUp(url, 'fuzzed')
  const stranger = await signUp(url, 'stranger')
  const victim = await signUp(url, 'victim')
  const victimId = String((await victim.get('/auth/me')).text.match(/[0-9a-f-]{36}/)?.[0])
  const bank = bankClient(url)

  const signIn = async (): Promise<TraderClient> => {
    const answer = await call(`${url}/api/v1/auth/signin`, {
      body: { email: 'fuzzed@example.com', password: PASSWORD },
    })
    if (answer.status !== 200) throw new Error(answer.text)
    return traderClient(url, (answer.headers.get('set-cookie') ?? '').split(';')[0] ?? '')
  }
  const renewed = async (): Promise<TraderClient> => {
    if ((await trader.get('/auth/me')).status === 401) trader = await signIn()
    return trader
  }

  const open = () => opened(trader, { asset: 'BTC_USDC', margin: '10', leverage: 2 })
  const first = await open()
  const second = await open()
  await closed(trader, second.tradeId)
  for (const customer of CUSTOMERS) await deposited(bank, customer, '1000.00')
  const { transactionId } = await bought(bank, 'anna', '10.00')
  const { quoteId } = await bank.quote('anna', '10.00')

  const known: Record<string, string[]> = {
    tradeId: [first.tradeId, second.tradeId, 'trade_72057594037927937', 'none'],
    id: [transactionId, first.tradeId, '0:1', '1:1', '0:2', 'none'],
    quoteId: [quoteId, 'q_00000000000000000000000000000000'],
    cursor: ['abc'],
    before: ['none'],
  }
  const fixed: Pools = {
    asset: ['BTC_USDC', 'BTC_USDC', 'SOL_USDC', 'ETH_USDC', 'XXX_YYY'],
    direction: ['LONG', 'SHORT'],
    bankUserId: [...CUSTOMERS, 'nobody', '=cmd|x'],
    userId: [victimId, victimId, '00000000-0000-4000-8000-000000000000'],
    email: ['fuzzed@example.com', 'Victim@example.com', 'nobody@example.com', 'no e-mail', 'x@y', 'ü@example.com'],
    password: [PASSWORD, 'wrong password', 'short', '🏦'.repeat(40), 'x'.repeat(129)],
    amount: [
      '1',
      '10.00',
      '0.01',
      '0.00000001',
      '25.505',
      '99999999999',
      '999999999999',
      '999999999999.99999999',
      '0',
      '-1',
      'ten',
    ],
    margin: [
      '1',
      '10',
      '0.1',
      '100.00000001',
      '100000',
      '999999999999',
      '92233720368.54775807',
      '92233720368.54775808',
      '0',
    ],
    leverage: ['1', '10', '100', '101', '1000', '4294967296', '1.5', '0'],
    stopLossPrice: ['59000', '61000', '60000', '1', '1000000000', '0.001', '92233720369'],
    takeProfitPrice: ['61000', '59000', '1000000000', '0.01', '92233720369'],
    worstPrice: ['60000', '60100', '1', '1000000001', '92233720369'],
    currency: ['AZN', 'USDT', 'USDC', 'EUR', 'ZZZZZZZZ'],
    idempotencyKey: ['11111111-1111-4111-8111-111111111111', 'none'],
    uuid: ['11111111-1111-4111-8111-111111111111', '22222222-2222-4222-8222-222222222222', victimId],
    from: ['2026-01-01', '2020-01-01T00:00:00Z', '1700000000000', '9999-12-31', '2026-11-21T00:00:00+14:00'],
    to: ['2026-12-31', '2100-01-01T00:00:00Z', '99999999999999', '2026-01-01'],
    reason: ['a test', 'ü 🏦', 'x'],
    reference: ['salary', 'ü 🏦', '=1+1'],
    file: ['start.js', 'swagger-ui.css', 'package.json', 'index.html'],
    interval: ['1m', '5m', '1h'],
    after: ['0', '1', '999999'],
  }
  const learn = ({ status, text }: Received): void => {
    if (status >= 300) return
    const found: readonly (readonly [string, RegExp])[] = [
      ['tradeId', /trade_\d+/g],
      ['id', /tx_[0-9a-f]{32}/g],
      ['id', /"transactionIds?":\[?"(\d+:\d+)/g],
      ['quoteId', /q_[0-9a-f]{32}/g],
      ['cursor', /"nextCursor":"([^"]+)"/g],
      ['before', /"nextBefore":"([^"]+)"/g],
    ]
    for (const [name, pattern] of found) {
      const pool = known[name] ?? []
      for (const match of [...text.matchAll(pattern)].slice(0, 3)) pool.push(match[1] ?? match[0])
      if (pool.length > POOL_MAX) pool.splice(0, pool.length - POOL_MAX)
    }
  }

  const money = async (): Promise<string> => {
    const of = async (one: TraderClient): Promise<unknown> => {
      const { balances, trades } = await one.balance()
      return { balances, trades: trades.map(({ tradeId, margin, quantity }) => ({ tradeId, margin, quantity })) }
    }
    const customers = await Promise.all(CUSTOMERS.map((customer) => bank.accounts(encodeURIComponent(customer))))
    // A trade that the machine refuses is kept under its key as failed: that is its answer, and moves nothing.
    const taken = (await bank.transactions()).filter(({ status }) => status !== 'FAILED')
    const transactions = taken.map(({ id, status }) => `${id} ${status}`)
    const traders = [await of(await renewed()), await of(stranger)]
    return JSON.stringify({ traders, customers, transactions }, null, 1)
  }
  const asAdmin = async <Data>(path: string): Promise<Data> => {
    const ask = () => call(`${url}/api/v1/admin${path}`, { headers: { authorization: `Bearer ${ADMIN_TOKEN}` } })
    return dataOf<Data>(await until(ask, ({ status }) => status !== 429))
  }
  let newestAct = 'none'
  const state = async (): Promise<string> => {
    const partitions = await asAdmin<{ name: string; stateHash: string }[]>('/partitions?stateHash=true')
    const { records } = await asAdmin<{ records: { id: string; action: string }[] }>('/audit?limit=200')
    const acts = records.filter(({ action }) => action !== 'read-partitions').map(({ id, action }) => `${action} ${id}`)
    const hashes = partitions.map(({ name, stateHash }) => `${name} ${stateHash}`)
    // Looking is an act too: when only that fills the page, the newest other act is the one that was seen last.
    newestAct = acts[0] ?? newestAct
    return JSON.stringify({ hashes, newestAct }, null, 1)
  }
  const fingerprint = async (): Promise<Fingerprint> => ({ money: await money(), state: await state() })

  return {
    bourse,
    pools: () => ({ ...fixed, ...known, transactionId: known['id'] ?? [] }),
    headersOf: async (caller) => {
      switch (caller) {
        case 'none':
          return {}
        case 'trader':
          return { cookie: (await renewed()).cookie }
        case 'bank':
          return { 'x-api-key': API_KEY }
        case 'admin':
          return { authorization: `Bearer ${ADMIN_TOKEN}` }
      }
    },
    learn,
    fingerprint,
    quiet: async () => {
      const end = performance.now() + WAIT_MS_MAX
      let before = await fingerprint()
      for (;;) {
        await pause(30)
        const now = await fingerprint()
        if (now.money === before.money && now.state === before.state && !now.money.includes('PENDING')) return now
        if (performance.now() > end) throw new Error('the platform does not come to rest')
        before = now
      }
    },
    stop: async () => {
      await bourse.remove()
      await btc.stop()
      await sol.stop()
    },
  }
}
