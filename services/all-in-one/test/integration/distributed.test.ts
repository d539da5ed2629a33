import { isDeepStrictEqual } from 'node:util'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { OWNERSHIP_CHECK_MS } from '@bourse/common/kernel/runner-types.ts'
import { parseAmount } from '@bourse/common/money/amount.ts'
import { HEARTBEAT_INTERVAL_MS } from '@bourse/common/shard/heartbeat.ts'
import { SLOW_LOOK_INTERVAL_MS } from '@bourse/gateway/distributed/trade-event-watch.ts'
import { ADMIN_TOKEN, API_KEY, type Bourse } from '../support/bourse.ts'
import { call, newKey, until } from '../support/calls.ts'
import {
  bankClient,
  bankControl,
  codeOf,
  dataOf,
  signUp,
  traderClient,
  type PartitionBody,
} from '../support/clients.ts'
import { createDistributed, describeOnServers, startServers, type Servers } from '../support/distributed.ts'
import { LIMIT_MS } from '../support/limits.ts'
import { insist, lasting } from '../support/load.ts'
import { reportOf, runProgram } from '../support/process.ts'
import { openShards, type OpenShards } from '../support/shards.ts'
import { closed, deposited, opened } from '../support/sure.ts'
import { readTrades } from '../support/socket.ts'

/** How long two owners of a partition may take until one is left that serves, ms. */
const SETTLED_MS = 180_000
const small = { asset: 'BTC_USDC', margin: '10', leverage: 2 }
/** Two of each of the two pairs. */
const TRADING_PARTITIONS = 4
const ARGUMENTS = ['--trading-shards', '2', '--ledger-shards', '2', '--gateways', '2']

interface Report {
  readonly ok: boolean
  readonly records: number
  readonly faults: readonly unknown[]
  readonly money: { readonly openTrades: number; readonly sums: Readonly<Record<string, string>> }
}

describeOnServers('a platform of many processes', () => {
  let servers: Servers
  let bourse: Bourse
  let printed = ''
  let shards: OpenShards
  const other = (): string => /gateway {9}(\S+)/.exec(printed)?.[1] ?? ''

  const run = async (command: string, args: readonly string[]) => {
    const running = runProgram(`commands/${command}.ts`, args)
    const { code } = await running.ended
    return { code, stdout: running.stdout(), stderr: running.stderr() }
  }
  const demo = (url: string) => run('demo', ['--url', url, '--exchange-url', bourse.exchangeUrl, '--api-key', API_KEY])

  /** Of all trading partitions: one that is on its way between two shards has none for a moment. */
  const owners = () =>
    until(
      () => shards.owners('trading/'),
      ({ length }) => length === TRADING_PARTITIONS,
    )

  beforeAll(async () => {
    servers = await startServers()
    bourse = await createDistributed(servers, ARGUMENTS, { gateways: 2 })
    printed = await bourse.start()
    shards = await openShards(servers.mongoUrl, bourse.dataDir)
  }, LIMIT_MS)

  afterAll(async () => {
    await shards.close()
    await bourse.remove()
    await servers.stop()
  }, LIMIT_MS)

  test('prints where everything is, every gateway too, and no secret of its servers', () => {
    expect(printed).toContain(`platform        ${bourse.url}`)
    expect(printed).toMatch(/ {2}gateway {9}http/)
    expect(printed).toContain('shards          2 ledger, 2 trading, 1 bridge')
    expect(printed).toMatch(/ready in \d+ ms\n$/)
    const { username, password } = new URL(servers.rabbitMq.url)
    expect(password).not.toBe('')
    expect(printed + bourse.log()).not.toContain(`${username}:${password}`)
  })

  test('shows metrics at the telemetry doors of the gateways, and nothing of them where customers call', async () => {
    const doors = [...printed.matchAll(/telemetry {7}(http\S+)|\(telemetry (http[^)]+)\)/g)].map(
      ([, one, two]) => one ?? two,
    )
    expect(doors.length).toBe(2)
    for (const door of doors) {
      expect(await (await fetch(`${door}/metrics`)).text()).toContain('bourse_http_requests_in_flight')
      expect((await fetch(`${door}/health/ready`)).status).toBe(200)
      expect((await fetch(`${door}/control/log-level`)).status).toBe(401)
    }
    for (const url of [bourse.url, other()]) {
      expect((await fetch(`${url}/metrics`)).status).toBe(404)
      expect((await fetch(`${url}/control/log-level`)).status).toBe(404)
    }
  })

  test(
    'is inspected in MongoDB while it runs: a trade is explained and recomputed',
    async () => {
      const trader = await signUp(bourse.url, 'inspected')
      const { tradeId } = await opened(trader, small)
      await closed(trader, tradeId)
      const command = '../../observability/src/commands/inspect.ts'
      const inspected = runProgram(command, ['trade', tradeId, '--json', '--mongodb', servers.mongoUrl])
      const { code } = await inspected.ended
      expect({ code, said: inspected.stderr() }).toEqual({ code: 0, said: '' })
      expect(JSON.parse(inspected.stdout())).toMatchObject({ tradeId, status: 'closed', reason: 'USER', agrees: true })
      // The ledger settles a close after the trader has its answer.
      const life = async (): Promise<string> => {
        const shown = runProgram(command, ['command', tradeId, '--mongodb', servers.mongoUrl])
        await shown.ended
        return shown.stdout()
      }
      await until(life, (text) => /HOLD[\s\S]*OPEN[\s\S]*SETTLE[\s\S]*CLOSE[\s\S]*SETTLE/.test(text))
      const nothing = runProgram(command, ['journal', 'ledger/0', '--mongodb', servers.mongo.urlOf('nobodys')])
      expect((await nothing.ended).code).toBe(2)
      expect(nothing.stderr()).toContain("holds no platform's data")
    },
    LIMIT_MS,
  )

  test(
    'shows banks and operators the same at each gateway as the platform of one process does',
    async () => {
      const bank = bankClient(bourse.url)
      await deposited(bank, 'desk', '50.00')
      const elsewhere = bankClient(other())
      const rejected = { faults: [{ on: 'order', kind: 'reject', count: 1 }] }
      const change = { method: 'PUT', body: rejected, headers: { 'x-api-key': API_KEY } }
      const changed = await call(`${other()}/api/v1/sandbox/exchange/control`, change)
      expect([changed.status, changed.body]).toEqual([200, expect.objectContaining(rejected)])
      const failing = newKey()
      expect(codeOf(await insist(() => bank.buy('desk', '10.00', failing)))).toBe('INSUFFICIENT_LIQUIDITY')
      expect((await elsewhere.get('/sandbox')).body).toEqual({ exchange: true, bank: true })
      expect((await elsewhere.get('/bank')).body).toMatchObject({ name: 'demo', limits: { usedToday: '0.00' } })
      const customers = await until(
        async () => (await elsewhere.get('/users?limit=200')).body as { customers: { bankUserId: string }[] },
        (page) => page.customers.length > 0,
      )
      expect(customers.customers.map(({ bankUserId }) => bankUserId)).toContain('desk')
      const events = await until(
        () => elsewhere.events(),
        ({ length }) => length >= 2,
      )
      const last = events.at(-1)?.sequence ?? 0
      const key = newKey()
      const asked = () => elsewhere.post('/events/redelivery', { from: 1, to: last }, key)
      const taken = await until(asked, ({ status }) => status === 202)
      expect(taken.body).toEqual({ success: true, data: { from: 1, to: last, count: last } })
      await until(
        () => bankControl(bourse.bankUrl).events(),
        (found) => found.length >= last && found.every(({ duplicates }) => duplicates === 1),
      )
      const headers = { authorization: `Bearer ${ADMIN_TOKEN}` }
      const platform = dataOf<{ ready: boolean; shards: { name: string }[]; partitions: { shard: string }[] }>(
        await call(`${other()}/api/v1/admin/platform`, { headers }),
      )
      expect([platform.ready, platform.shards.map(({ name }) => name)]).toEqual([
        true,
        ['bridge-0', 'ledger-0', 'ledger-1', 'trading-0', 'trading-1'],
      ])
    },
    LIMIT_MS,
  )

  test(
    'passes the demo of the platform of one process, at each gateway',
    async () => {
      for (const url of [bourse.url, other()]) {
        const ended = await demo(url)
        expect(`${ended.stdout}${ended.stderr}`).toContain(' as expected, 0 not')
        expect(ended.code).toBe(0)
      }
    },
    LIMIT_MS,
  )

  test('answers the same key alike at both gateways, also at the same moment', async () => {
    const here = await signUp(bourse.url, 'one-key')
    const there = traderClient(other(), here.cookie)
    const key = newKey()
    const body = small
    const answers = await Promise.all([here, there].map((trader) => insist(() => trader.open(body, key))))
    answers.push(await insist(() => there.open(body, key)))
    expect(new Set(answers.map(lasting)).size).toBe(1)
    expect(answers[0]?.status).toBe(200)
    expect(await there.open({ ...body, margin: '11' }, key)).toMatchObject({ status: 409 })
    expect((await here.balance()).trades).toHaveLength(1)
  })

  test('tells a reader at one gateway what was traded at the other, at once', async () => {
    const here = await signUp(bourse.url, 'reader')
    const stream = await readTrades(other(), here.cookie, 0)
    const tookMs: number[] = []
    for (const sequence of [1, 2, 3, 4, 5]) {
      const { tradeId } = await opened(here, { ...small, asset: 'SOL_USDC' })
      const openedMs = performance.now()
      const events = await stream.until(sequence)
      tookMs.push(performance.now() - openedMs)
      expect(events.at(-1)).toMatchObject({ sequence, type: 'trade.opened', data: { tradeId } })
    }
    // Every reader also looks by itself, seldom. What follows upon such a look waits for all of the time to the next one, unless
    // it is told of: one of four at once is enough to say so, whatever the machine did meanwhile.
    expect(Math.min(...tookMs.slice(1))).toBeLessThan(SLOW_LOOK_INTERVAL_MS / 2)
    await stream.close()
  })

  test('shows every partition with the hash of its state, wherever it is served', async () => {
    const headers = { authorization: `Bearer ${ADMIN_TOKEN}` }
    const shown = async () =>
      dataOf<(PartitionBody & { readonly stateHash: string | null })[]>(
        await call(`${other()}/api/v1/admin/partitions?stateHash=true`, { headers }),
      )
    await until(
      shown,
      (partitions) =>
        partitions.length > 4 && partitions.every(({ state, stateHash }) => state === 'serving' && stateHash !== null),
    )
  })

  test(
    'moves partitions while traders trade, each with all it had',
    async () => {
      const trader = await signUp(bourse.url, 'moved')
      let stopped = false
      const ids: string[] = []
      const trade = async (): Promise<void> => {
        while (!stopped) ids.push((await opened(trader, small)).tradeId)
      }
      const trading = trade()
      const before = await owners()
      for (const { partition, owner } of before) {
        const target = before.find((one) => one.owner.name !== owner.name)?.owner
        if (target !== undefined) await shards.move(partition, owner, target)
      }
      stopped = true
      await trading
      const after = await until(
        () => shards.owners('trading/'),
        (found) =>
          found.length === before.length && found.every(({ owner }, index) => owner.name !== before[index]?.owner.name),
      )
      expect(after.map(({ partition }) => partition)).toEqual(before.map(({ partition }) => partition))
      expect(ids.length).toBeGreaterThan(0)
      expect((await trader.balance()).trades.map(({ tradeId }) => tradeId).sort()).toEqual([...ids].sort())
    },
    LIMIT_MS,
  )

  test(
    'has one owner of each partition again after others took them while nobody told the first',
    async () => {
      const before = await owners()
      const places = [...new Map(before.map(({ owner }) => [owner.name, owner])).values()]
      const wanted = before.map(({ partition, owner }) => {
        const to = places.find(({ name }) => name !== owner.name)
        if (to === undefined) throw new Error('there are not two shards to choose from')
        return { partition, owner: to }
      })
      const trader = await signUp(bourse.url, 'left-behind')
      const ids: string[] = []
      const open = async (): Promise<void> => void ids.push((await opened(trader, small)).tradeId)
      const openMany = async (): Promise<void> => {
        for (let count = 0; count < 20; count++) await open()
      }
      const trading = openMany()
      for (const { partition, owner } of wanted) await shards.acquire(partition, owner)
      await trading
      const served = async () =>
        Promise.all(wanted.map(async ({ partition }) => ({ partition, by: await shards.serving(partition, places) })))
      const alone = wanted.map(({ partition, owner }) => ({ partition, by: [owner] }))
      // Who was overtaken by the other's last records finds out by itself, a while later.
      let sinceMs = performance.now()
      await until(
        served,
        (found) => {
          if (!isDeepStrictEqual(found, alone)) sinceMs = performance.now()
          return performance.now() - sinceMs > OWNERSHIP_CHECK_MS + HEARTBEAT_INTERVAL_MS
        },
        SETTLED_MS,
      )
      await until(
        () => shards.owners('trading/'),
        (found) => isDeepStrictEqual(found, wanted),
      )
      await open()
      expect((await trader.balance()).trades.map(({ tradeId }) => tradeId).sort()).toEqual([...ids].sort())
    },
    LIMIT_MS,
  )

  test(
    'starts a process again that was killed, with the partitions that it had last',
    async () => {
      const before = await owners()
      const [victim] = before
      if (victim === undefined) throw new Error('nobody serves a trading partition')
      const pid = await shards.pidOf(victim.owner)
      process.kill(pid, 'SIGKILL')
      const after = await until(
        () => shards.owners('trading/'),
        (found) => found.length === before.length && found.every(({ owner }) => owner.url !== victim.owner.url),
      )
      expect(after.map(({ owner }) => owner.name)).toEqual(before.map(({ owner }) => owner.name))
      const trader = await signUp(other(), 'afterwards')
      await opened(trader, small)
    },
    LIMIT_MS,
  )

  test(
    'SIGTERM ends all of it in order, and a replay from genesis finds nothing wrong',
    async () => {
      expect(await bourse.stop()).toEqual({ code: 0, signal: null })
      await until(
        () =>
          fetch(bourse.exchangeUrl).then(
            () => true,
            () => false,
          ),
        (isThere) => !isThere,
      )
      const verified = await run('verify', ['--mongodb-url', servers.mongoUrl])
      const report = reportOf<Report>(verified)
      expect(report.faults).toEqual([])
      expect(verified.code).toBe(0)
      expect(report.records).toBeGreaterThan(0)
      expect(Object.values(report.money.sums).every((sum) => parseAmount(sum) === 0n)).toBe(true)
    },
    LIMIT_MS,
  )
})
