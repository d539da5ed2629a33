import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { createSystemClock } from '@bourse/common/adapters/system/clock.ts'
import { createLogger } from '@bourse/common/telemetry/logger.ts'
import type { Simulator } from '@bourse/common/simulator/service.ts'
import { startMockBank } from '../../mock-bank/src/service.ts'
import { startMockExchange } from '../../mock-exchange/src/service.ts'
import { SIMULATOR_ANSWER_BYTES_MAX } from '../src/sandbox/simulator.ts'
import { startTestGateway, type TestGateway } from './support/gateway.ts'

let dataDir: string
let exchange: Simulator
let simulatedBank: Simulator
let platform: TestGateway

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'bourse-sandbox-'))
  const shared = {
    host: '127.0.0.1',
    port: 0,
    dataDir,
    logger: createLogger({ name: 'test', level: 'silent' }),
    clock: createSystemClock(),
  }
  exchange = await startMockExchange(shared)
  simulatedBank = await startMockBank({ ...shared, webhookSecrets: ['whsec'] })
  platform = await startTestGateway({
    sandbox: { exchangeUrl: exchange.url, bank: { name: 'demo', url: simulatedBank.url } },
  })
  await platform.addKey('other', 'the key of the other bank')
})
afterAll(async () => {
  await platform.gateway.stop()
  await exchange.stop()
  await simulatedBank.stop()
  await rm(dataDir, { recursive: true })
})

const other = (method: string, path: string, body?: unknown) =>
  platform.call(method, path, {
    ...(body === undefined ? {} : { body }),
    headers: { 'x-api-key': 'the key of the other bank' },
  })

describe('the simulated exchange', () => {
  test('shows its prices and faults, takes a change, and goes by it', async () => {
    const before = await platform.bankCall('GET', '/api/v1/sandbox/exchange/control')
    expect(before.json).toEqual({ prices: { AZNUSDT: '1.7050' }, faults: [], fills: [] })
    const change = {
      prices: { AZNUSDT: '1.6847' },
      faults: [
        { on: 'order', kind: 'reject', count: 1 },
        { on: 'ticker', kind: 'slow', ms: 1, count: 2 },
      ],
    }
    const changed = await platform.bankCall('PUT', '/api/v1/sandbox/exchange/control', change)
    expect([changed.status, changed.json]).toEqual([200, { ...change, fills: [] }])
    expect(await (await fetch(`${exchange.url}/ticker?symbol=AZNUSDT`)).json()).toMatchObject({ price: '1.6847' })
    // One of both was used up by that call; a field left out changes nothing.
    const after = await platform.bankCall('PUT', '/api/v1/sandbox/exchange/control', { prices: { ETHUSDT: '2.5' } })
    expect(after.json).toEqual({
      prices: { AZNUSDT: '1.6847', ETHUSDT: '2.5' },
      faults: [change.faults[0], { on: 'ticker', kind: 'slow', ms: 1, count: 1 }],
      fills: [],
    })
    await platform.bankCall('PUT', '/api/v1/sandbox/exchange/control', { faults: [] })
  })

  test('tells the calls that it received, after the last one seen', async () => {
    await fetch(`${exchange.url}/ticker?symbol=AZNUSDT`)
    const all = (await platform.bankCall('GET', '/api/v1/sandbox/exchange/log')).json as unknown as { seq: number }[]
    expect(all.at(-1)).toMatchObject({ method: 'GET', path: '/ticker', body: { symbol: 'AZNUSDT' } })
    const last = all.at(-1)?.seq ?? 0
    expect((await platform.bankCall('GET', `/api/v1/sandbox/exchange/log?after=${last}`)).json).toEqual([])
    expect(
      (await platform.bankCall('GET', `/api/v1/sandbox/exchange/log?after=${last - 1}&limit=1`)).json,
    ).toHaveLength(1)
  })

  test('is not reached by what does not fit its contract: the door names what is wrong', async () => {
    const refusals = [
      [{ prices: { AZNUSDT: 1.7 } }, 'prices'],
      [{ prices: { AZNUSDT: '0' } }, 'prices'],
      [{ faults: [{ on: 'webhook', kind: 'reject' }] }, 'on'],
      [{ faults: [{ on: 'order', kind: 'explode' }] }, 'kind'],
      [{ faults: [{ on: 'order', kind: 'slow' }] }, 'ms'],
      [{ faults: [{ on: 'order', kind: 'reject', ms: 5 }] }, 'ms'],
      [{ fills: [{ count: 1 }] }, 'fills'],
      [{ webhookSecrets: ['mine'] }, 'webhookSecrets'],
      [{ faults: Array.from({ length: 101 }, () => ({ on: 'order', kind: 'reject' })) }, 'faults'],
    ] as const
    const before = (await platform.bankCall('GET', '/api/v1/sandbox/exchange/control')).text
    for (const [change, named] of refusals) {
      const { status, json } = await platform.bankCall('PUT', '/api/v1/sandbox/exchange/control', change)
      expect([status, json.errorCode, json.message]).toEqual([400, 'VALIDATION_ERROR', expect.stringContaining(named)])
    }
    expect((await platform.bankCall('GET', '/api/v1/sandbox/exchange/control')).text).toBe(before)
  })
})

describe('the simulated bank', () => {
  test('is steered by the bank that it plays, and does not tell its webhook secrets', async () => {
    const change = {
      faults: [{ on: 'authorization', kind: 'hang', count: 1 }],
      decline: [{ bankUserId: 'user_9' }],
    }
    const changed = await platform.bankCall('PUT', '/api/v1/sandbox/bank/control', change)
    expect(changed.json).toEqual(change)
    expect((await platform.bankCall('GET', '/api/v1/sandbox/bank/control')).json).toEqual(change)
    for (const wrong of [{ webhookSecrets: ['mine'] }, { decline: [{ count: 1 }] }, { prices: {} }])
      expect((await platform.bankCall('PUT', '/api/v1/sandbox/bank/control', wrong)).status).toBe(400)
    await platform.bankCall('PUT', '/api/v1/sandbox/bank/control', { faults: [], decline: [] })
    await fetch(`${simulatedBank.url}/reversals`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ transactionId: 'tx_1' }),
    })
    expect((await platform.bankCall('GET', '/api/v1/sandbox/bank/log')).json).toEqual([
      expect.objectContaining({ path: '/reversals', body: { transactionId: 'tx_1' }, answer: { acknowledged: true } }),
    ])
  })

  test('is nothing to another bank, which may still steer the exchange', async () => {
    expect((await platform.bankCall('GET', '/api/v1/sandbox')).json).toEqual({ exchange: true, bank: true })
    expect((await other('GET', '/api/v1/sandbox')).json).toEqual({ exchange: true, bank: false })
    expect((await other('GET', '/api/v1/sandbox/bank/control')).status).toBe(404)
    expect((await other('PUT', '/api/v1/sandbox/bank/control', { faults: [] })).status).toBe(404)
    expect((await other('GET', '/api/v1/sandbox/bank/log')).status).toBe(404)
    expect((await other('GET', '/api/v1/sandbox/exchange/control')).status).toBe(200)
  })

  test('is for banks only', async () => {
    for (const path of ['', '/exchange/control', '/bank/control', '/exchange/log', '/bank/log'])
      expect((await platform.call('GET', `/api/v1/sandbox${path}`)).status).toBe(401)
  })
})

describe('without simulators', () => {
  test('there are no doors, and production does not start with any', async () => {
    const plain = await startTestGateway()
    for (const path of ['', '/exchange/control', '/bank/control'])
      expect((await plain.bankCall('GET', `/api/v1/sandbox${path}`)).status).toBe(404)
    await plain.gateway.stop()
    const sandbox = { exchangeUrl: exchange.url, bank: null }
    await expect(startTestGateway({ sandbox, config: { profile: 'production' } })).rejects.toThrow(/no sandbox/)
  })
})

describe('a simulator that misbehaves', () => {
  let server: Server
  let answered: (path: string) => { readonly status: number; readonly text: string } | null = () => null
  let gateway: TestGateway
  beforeAll(async () => {
    server = createServer({ keepAliveTimeout: 600_000 }, (request, response) => {
      const said = answered(request.url ?? '')
      if (said === null) request.socket.destroy()
      else response.writeHead(said.status).end(said.text)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    gateway = await startTestGateway({ sandbox: { exchangeUrl: `http://127.0.0.1:${port}`, bank: null } })
  })
  afterAll(async () => {
    await gateway.gateway.stop()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })

  test('is a 503 with words, or a 400 where it says so; an endless answer is not read to its end', async () => {
    const asked = async (said: typeof answered) => {
      answered = said
      const { status, json } = await gateway.bankCall('GET', '/api/v1/sandbox/exchange/log')
      return [status, json.errorCode, json.message]
    }
    const says = (status: number, text: string) => () => ({ status, text })
    expect(await asked(() => null)).toEqual([503, 'UNAVAILABLE', expect.stringContaining('does not answer')])
    expect(await asked(says(500, '{}'))).toEqual([503, 'UNAVAILABLE', expect.stringContaining('answered 500')])
    expect(await asked(says(200, 'no'))).toEqual([503, 'UNAVAILABLE', expect.stringContaining('no JSON')])
    expect(await asked(says(400, '{"message":"body/x is bad"}'))).toEqual([
      400,
      'VALIDATION_ERROR',
      expect.stringContaining('body/x is bad'),
    ])
    const large = `["${'x'.repeat(SIMULATOR_ANSWER_BYTES_MAX)}"]`
    expect(await asked(says(200, large))).toEqual([400, 'VALIDATION_ERROR', expect.stringContaining('ask for fewer')])
  })
})
