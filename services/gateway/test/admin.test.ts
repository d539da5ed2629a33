import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { startTestGateway, type TestGateway } from './support/gateway.ts'

let platform: TestGateway

beforeAll(async () => {
  platform = await startTestGateway()
})
afterAll(() => platform.gateway.stop())

const post = (path: string, body: object, key: string = randomUUID()) =>
  platform.admin(
    'POST',
    `/api/v1/admin${path}`,
    { reason: 'a test', ...body },
    { 'x-idempotency-key': key, 'x-admin-user': 'alice' },
  )

describe('administration', () => {
  test('needs its token', async () => {
    for (const authorization of ['', 'Bearer wrong', 'Basic eA==']) {
      const refused = await platform.call(
        'GET',
        '/api/v1/admin/audit',
        authorization === '' ? {} : { headers: { authorization } },
      )
      expect([refused.status, refused.json.errorCode]).toEqual([401, 'UNAUTHENTICATED'])
    }
  })

  test('needs a reason and a key', async () => {
    expect(
      (await platform.admin('POST', '/api/v1/admin/fund', { target: 'house', asset: 'BTC_USDC', amount: '1' })).json
        .message,
    ).toContain('reason is missing')
    expect(
      (
        await platform.admin(
          'POST',
          '/api/v1/admin/fund',
          { target: 'house', asset: 'BTC_USDC', amount: '1', reason: 'r' },
          { 'x-idempotency-key': 'no' },
        )
      ).status,
    ).toBe(400)
  })

  test('credits and debits once per key, journaled with who, why and what', async () => {
    const { userId } = await platform.signUp()
    const key = randomUUID()
    const body = { userId, amount: '12.5', reference: 'wire 7' }
    const first = await post('/credit', body, key)
    expect((await post('/credit', { ...body, amount: 12.5 }, key)).text).toBe(first.text)
    expect([...platform.ledger.balances.values()].at(-1)).toBe(1_250_000_000n)
    expect((await post('/credit', { ...body, amount: '13' }, key)).json.errorCode).toBe('IDEMPOTENCY_CONFLICT')
    expect((await post('/debit', body, key)).json.errorCode).toBe('IDEMPOTENCY_CONFLICT')
    expect((await post('/debit', { ...body, amount: '13' })).json.errorCode).toBe('INSUFFICIENT_FUNDS')
    expect((await post('/credit', { ...body, userId: randomUUID() })).status).toBe(404)
    const misspelt = await post('/credit', { ...body, currency: 'UDSC' })
    expect([misspelt.status, misspelt.json.message]).toEqual([400, expect.stringContaining('use one of USDC')])
    const audit = await platform.admin('GET', '/api/v1/admin/audit?limit=200')
    expect(audit.json.data?.records).toContainEqual(
      expect.objectContaining({
        who: 'alice',
        action: 'credit',
        reason: 'a test',
        idempotencyKey: key,
        detail: { userId, amount: '12.5', currency: null, reference: 'wire 7' },
      }),
    )
  })

  test('a repeated lock after an unlock changes nothing', async () => {
    const { userId, cookie } = await platform.signUp()
    const key = randomUUID()
    expect((await post(`/users/${userId}/lock`, {}, key)).json.data).toEqual({ userId, locked: true })
    expect((await platform.call('GET', '/api/v1/auth/me', { cookie })).status).toBe(401)
    await post(`/users/${userId}/unlock`, {})
    expect((await post(`/users/${userId}/lock`, {}, key)).status).toBe(200)
    expect((await platform.directory.userById(userId))?.locked).toBe(false)
    expect((await platform.call('GET', '/api/v1/auth/me', { cookie })).status).toBe(401)
    expect((await post(`/users/${randomUUID()}/lock`, {})).status).toBe(404)
  })

  test('two calls with one key at one moment act once', async () => {
    const { userId } = await platform.signUp()
    const key = randomUUID()
    const before = platform.ledger.balances.size
    const answers = await Promise.all(
      [1, 2, 3].map(() => post('/credit', { userId, amount: '1', reference: 'r' }, key)),
    )
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1)
    expect(platform.ledger.balances.size).toBe(before + 1)
    expect([...platform.ledger.balances.values()].at(-1)).toBe(100_000_000n)
  })

  test("ends a user's sessions", async () => {
    const { userId, cookie } = await platform.signUp()
    await post(`/users/${userId}/end-sessions`, {})
    expect((await platform.call('GET', '/api/v1/auth/me', { cookie })).status).toBe(401)
  })

  test('halts and reopens a market, funds and corrects', async () => {
    expect((await post('/markets/BTC_USDC/halt', {})).json.data).toEqual({ asset: 'BTC_USDC', state: 'Halted' })
    expect((await platform.call('GET', '/api/v1/markets')).json.markets?.[0]?.state).toBe('Halted')
    await post('/markets/BTC_USDC/reopen', {})
    expect(platform.trading.control.state).toBe('Open')
    expect((await post('/markets/NONE/halt', {})).json.errorCode).toBe('MARKET_NOT_FOUND')
    expect((await post('/fund', { target: 'insurance', asset: 'BTC_USDC', amount: '100000' })).json.data).toEqual({
      transactionIds: ['0:1', '1:1'],
    })
    expect((await post('/corrections', { transactionId: '0:1' })).json.data).toEqual({ transactionId: '0:9' })
    expect((await post('/corrections', { transactionId: '0:404' })).status).toBe(404)
  })

  test('reads any account, trade, transaction and partition, and notes who read', async () => {
    const { userId, email, cookie } = await platform.signUp()
    expect((await platform.admin('GET', `/api/v1/admin/accounts/${userId}?reason=call`)).json.data).toMatchObject({
      user: { email },
      balances: [],
      trades: [],
    })
    await platform.engine(cookie, { command: 'CREATE_ACCOUNT' })
    expect((await platform.admin('GET', `/api/v1/admin/accounts/${userId}`)).json.data).toMatchObject({
      balances: [{ balance: '10000' }],
    })
    expect((await platform.admin('GET', `/api/v1/admin/users?email=${email.toUpperCase()}`)).json.data).toMatchObject({
      userId,
    })
    expect((await platform.admin('GET', '/api/v1/admin/trades/trade_9')).status).toBe(404)
    platform.views.put('ledgertransactions', {
      _id: '0:1',
      transactionType: 9,
      reference: 'ab',
      commandId: 'cd',
      atMs: 0,
    })
    platform.views.put('ledgerentries', {
      _id: '0:1:0',
      transaction: '0:1',
      owner: 'ff',
      accountKind: 1,
      currency: 'AZN',
      amount: -5n,
      balanceAfter: 7n,
      order: '1',
    })
    expect((await platform.admin('GET', '/api/v1/admin/transactions/0:1')).json.data).toMatchObject({
      entries: [{ amount: '-0.00000005', balanceAfter: '0.00000007' }],
    })
    platform.views.put('banktransactions', {
      _id: 'tx_1',
      bank: 'demo',
      bankUserId: 'u',
      status: 'COMPLETED',
      createdAtMs: 0,
      payload: '{"a":1}',
    })
    expect((await platform.admin('GET', '/api/v1/admin/transactions/tx_1')).json.data).toMatchObject({
      bank: 'demo',
      transaction: { a: 1 },
    })
    expect((await platform.admin('GET', '/api/v1/admin/transactions/none')).status).toBe(404)
    expect((await platform.admin('GET', '/api/v1/admin/partitions')).json.data).toEqual([
      expect.objectContaining({ name: 'ledger/0', sequence: '12', stateHash: null }),
    ])
    expect((await platform.admin('GET', '/api/v1/admin/partitions?reason=compare&stateHash=true')).json.data).toEqual([
      expect.objectContaining({ name: 'ledger/0', stateHash: '00ff' }),
    ])
    const page = await platform.admin('GET', '/api/v1/admin/audit?limit=2')
    expect(page.json.data?.records).toEqual([
      expect.objectContaining({ action: 'read-partitions', reason: 'compare' }),
      expect.objectContaining({ action: 'read-partitions', reason: 'not given' }),
    ])
    const next = await platform.admin(
      'GET',
      `/api/v1/admin/audit?limit=200&before=${String(page.json.data?.nextBefore)}`,
    )
    expect(next.json.data?.records).toContainEqual(expect.objectContaining({ action: 'read-account', reason: 'call' }))
  })
})

describe('the platform as an operator sees it', () => {
  test('tells readiness, shards and partitions, and null for what nobody told', async () => {
    platform.platform.state.ready = false
    platform.platform.state.reasons.push('partition trading/BTC_USDC/0 is served by nobody')
    const told = { number: 2, snapshotSequence: 7n, snapshotAtMs: 1_700_000_000_000, viewLagRecords: 3n, ageMs: 2_000 }
    platform.platform.more.push(
      { ...told, name: 'bridge/0', state: 'rebuilding', sequence: 9n, reason: 'its journal is away', shard: 'shard-1' },
      {
        ...told,
        name: 'trading/BTC_USDC/0',
        state: 'stopped',
        sequence: 0n,
        snapshotSequence: 0n,
        snapshotAtMs: null,
        viewLagRecords: 0n,
        reason: 'is served by nobody',
        shard: null,
      },
    )
    const { status, json } = await platform.admin('GET', '/api/v1/admin/platform?reason=rounds')
    platform.platform.state.ready = true
    platform.platform.state.reasons.length = 0
    platform.platform.more.length = 0
    expect(status).toBe(200)
    const data = json.data as unknown as Record<string, unknown> & { asOf: string; shards: { heardAt: string }[] }
    expect(data).toMatchObject({
      ready: false,
      reasons: ['partition trading/BTC_USDC/0 is served by nobody'],
      viewsAsOf: '2023-11-14T22:13:20.000Z',
      shards: [
        { name: 'shard-0', heardAt: data.asOf, partitions: ['ledger/0'] },
        { name: 'shard-1', partitions: ['bridge/0'] },
      ],
      partitions: [
        { name: 'ledger/0', shard: 'shard-0', sequence: '12', snapshotSequence: null, snapshotAt: null, reason: null },
        {
          name: 'bridge/0',
          state: 'rebuilding',
          reason: 'its journal is away',
          sequence: '9',
          snapshotSequence: '7',
          snapshotAt: '2023-11-14T22:13:20.000Z',
          viewLagRecords: '3',
        },
        {
          name: 'trading/BTC_USDC/0',
          shard: null,
          sequence: null,
          viewLagRecords: null,
          reason: 'is served by nobody',
        },
      ],
    })
    expect(Date.parse(data.asOf) - Date.parse(data.shards[1]?.heardAt ?? '')).toBe(2_000)
  })

  test('is one reading in the audit for each reader and minute, and nothing without the token', async () => {
    const look = (who: string) => platform.admin('GET', '/api/v1/admin/platform', undefined, { 'x-admin-user': who })
    for (let times = 0; times < 3; times += 1) await look('rosa')
    await look('sam')
    platform.clock.advance(60_001)
    await look('rosa')
    const { json } = await platform.admin('GET', '/api/v1/admin/audit?limit=200')
    const records = json.data?.records as unknown as { action: string; who: string }[]
    const readers = records.filter(({ action }) => action === 'read-platform').map(({ who }) => who)
    expect(readers.filter((who) => who === 'rosa')).toHaveLength(2)
    expect(readers.filter((who) => who === 'sam')).toHaveLength(1)
    expect((await platform.call('GET', '/api/v1/admin/platform')).status).toBe(401)
  })
})
