import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import pino from 'pino'
import { createSecret } from '../../src/config/secret.ts'
import { partitionNumber } from '../../src/kernel/partition.ts'
import type { Topology } from '../../src/platform/topology.ts'
import type { Clock } from '../../src/ports/clock.ts'
import { CONTROL_CONNECTIONS_MAX } from '../../src/shard/control-connections.ts'
import { DRAIN_WAITS_MAX } from '../../src/shard/control-health.ts'
import { startShardControl, type ShardControl } from '../../src/shard/control.ts'
import type { Shard } from '../../src/shard/shard.ts'
import type { ManifestState } from '../../src/shard/types.ts'
import { createManualClock } from '../../src/testkit/manual-clock.ts'
import { HERE, until } from '../kernel/harness.ts'
import { addOne, stageOfEachTest, statusOf } from './stage.ts'

const stage = stageOfEachTest()
const TOKEN = 'the-token-of-the-tests-0123456789'
const topology: Topology = {
  ledgerPartitions: 2,
  bridgePartitions: 1,
  markets: new Map([['BTC_USDC', { symbol: 'BTC_USDC', market: 3, partitions: 2 }]]),
}
const manifests: ManifestState[] = []
const logged: string[] = []
const logger = pino({ level: 'info' }, { write: (line: string) => void logged.push(line) })
let control: ShardControl
let shard: Shard<bigint>

const startOf = (
  made: Shard<bigint>,
  token = TOKEN,
  isReadyWithReasons = false,
  clock: Clock = stage.world.clock,
): Promise<ShardControl> =>
  startShardControl({
    levels: { get: () => 'silent', set: () => undefined },
    shard: made,
    topology,
    manifests: () => manifests,
    isReadyWithReasons,
    token: createSecret(token),
    host: '127.0.0.1',
    port: 0,
    metrics: { expose: () => Promise.resolve({ contentType: 'text/plain', text: 'process_cpu' }) },
    clock,
    logger,
  })

beforeEach(async () => {
  logged.length = 0
  shard = stage.shard('a')
  control = await startOf(shard)
})
afterEach(() => control.stop())

const call = async (method: string, path: string, body?: unknown, token: string | null = TOKEN) => {
  const response = await fetch(`${control.url}${path}`, {
    method,
    // Each on a connection of its own: one that was left idle may be closed while it is asked.
    headers: { connection: 'close', ...(token === null ? {} : { authorization: `Bearer ${token}` }) },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  return { status: response.status, body: (await response.json()) as Record<string, unknown> }
}

describe('the control interface', () => {
  test('assigns, shows and moves partitions by the names people write', async () => {
    expect(await call('PUT', '/control/assignment', { epoch: 1, partitions: ['ledger/0', HERE + 1] })).toMatchObject({
      status: 200,
      body: {
        shard: 'a',
        epoch: 1,
        complete: true,
        partitions: [
          {
            partition: 'ledger/0',
            number: HERE,
            state: 'serving',
            ready: true,
            epoch: 1,
            sequence: '0',
            refusal: null,
          },
          { partition: 'ledger/1', state: 'serving' },
        ],
      },
    })
    await addOne(stage.world.client, HERE, 1)
    expect(await call('POST', '/control/partitions/ledger/0/snapshot', { epoch: 1 })).toMatchObject({
      status: 200,
      body: { sequence: '1', snapshotSequence: '1' },
    })
    expect(await call('POST', `/control/partitions/${HERE}/release`, { epoch: 2 })).toMatchObject({
      body: { state: 'released', ready: false },
    })
    expect(await call('POST', '/control/partitions/ledger%2F0/prepare', { epoch: 3 })).toMatchObject({
      body: { state: 'prepared', sequence: '1' },
    })
    expect(await call('POST', '/control/partitions/ledger/0/acquire', { epoch: 3 })).toMatchObject({
      body: { state: 'serving', epoch: 3 },
    })
    const { body } = await call('GET', '/control/partitions?stateHash=true')
    expect(body).toMatchObject({ shard: 'a', machine: 'ledger', epoch: 1 })
    expect(body['partitions']).toMatchObject([{ stateHash: expect.stringMatching(/^[0-9a-f]{32}$/) }, { epoch: 1 }])
  })

  test('finds the partitions of a market by its symbol', async () => {
    const trading = stage.shard('t', { kind: { machine: 'trading' } })
    await control.stop()
    control = await startOf(trading)
    const order = await call('POST', '/control/partitions/trading/BTC_USDC/1/acquire', { epoch: 1 })
    expect(order).toMatchObject({ status: 200, body: { partition: 'trading/BTC_USDC/1', state: 'serving' } })
    expect(statusOf(trading, partitionNumber('trading', 1, 3))?.state).toBe('serving')
  })

  test('tells of each partition of an assignment what became of it', async () => {
    const assigned = await call('PUT', '/control/assignment', { epoch: 5, partitions: [] })
    expect(assigned).toMatchObject({ status: 200, body: { complete: true, partitions: [] } })
    const late = await call('PUT', '/control/assignment', { epoch: 4, partitions: ['ledger/0'] })
    expect(late).toMatchObject({
      status: 409,
      body: { code: 'STALE_EPOCH', message: expect.stringContaining('higher') },
    })
  })

  test.each([
    ['no token', null],
    ['another token', `${TOKEN.slice(0, -1)}x`],
    ['a longer one', `${TOKEN}0`],
    ['an empty one', ' '],
  ])('does nothing for %s', async (_, token) => {
    for (const [method, path] of [
      ['GET', '/control/partitions'],
      ['PUT', '/control/assignment'],
      ['POST', '/control/partitions/ledger/0/acquire'],
    ] as const) {
      const answer = await call(method, path, method === 'GET' ? undefined : { epoch: 1, partitions: [HERE] }, token)
      expect(answer).toMatchObject({ status: 401, body: { code: 'UNAUTHENTICATED' } })
      expect(JSON.stringify(answer.body)).not.toContain(TOKEN)
    }
    expect(shard.status()).toEqual([])
  })

  test.each([
    ['text that is no JSON', 'PUT', '/control/assignment', '{"epoch":', 400, 'INVALID_REQUEST'],
    ['nothing', 'PUT', '/control/assignment', '', 400, 'INVALID_REQUEST'],
    ['an epoch of text', 'PUT', '/control/assignment', { epoch: '1', partitions: [] }, 400, 'INVALID_REQUEST'],
    ['an epoch of 0', 'PUT', '/control/assignment', { epoch: 0, partitions: [] }, 400, 'INVALID_REQUEST'],
    ['an epoch too high', 'PUT', '/control/assignment', { epoch: 2 ** 27, partitions: [] }, 400, 'INVALID_REQUEST'],
    ['a broken epoch', 'PUT', '/control/assignment', { epoch: 1.5, partitions: [] }, 400, 'INVALID_REQUEST'],
    ['no partitions', 'PUT', '/control/assignment', { epoch: 1 }, 400, 'INVALID_REQUEST'],
    ['a field too many', 'PUT', '/control/assignment', { epoch: 1, partitions: [], more: 1 }, 400, 'INVALID_REQUEST'],
    [
      'too many',
      'PUT',
      '/control/assignment',
      { epoch: 1, partitions: Array(1_025).fill(HERE) },
      400,
      'INVALID_REQUEST',
    ],
    [
      'no such partition',
      'PUT',
      '/control/assignment',
      { epoch: 1, partitions: ['ledger/2'] },
      404,
      'UNKNOWN_PARTITION',
    ],
    [
      'none in an order',
      'POST',
      '/control/partitions/trading/ETH_USDC/0/acquire',
      { epoch: 1 },
      404,
      'UNKNOWN_PARTITION',
    ],
    ['a broken name', 'POST', '/control/partitions/%E0%A4%A/acquire', { epoch: 1 }, 404, 'UNKNOWN_PARTITION'],
    ['one of another machine', 'POST', '/control/partitions/bridge/0/acquire', { epoch: 1 }, 409, 'WRONG_MACHINE'],
    ['a snapshot of nothing', 'POST', '/control/partitions/ledger/0/snapshot', { epoch: 1 }, 409, 'NOT_SERVED'],
    ['an unknown order', 'POST', '/control/partitions/ledger/0/explode', { epoch: 1 }, 404, 'NOT_FOUND'],
    ['another method', 'DELETE', '/control/assignment', { epoch: 1 }, 405, 'METHOD_NOT_ALLOWED'],
    ['another question', 'GET', '/control/partitions?statehash=true', undefined, 400, 'INVALID_REQUEST'],
    ['a place that is none', 'GET', '/somewhere', undefined, 404, 'NOT_FOUND'],
    ['a body too large', 'PUT', '/control/assignment', 'x'.repeat(70_000), 413, 'PAYLOAD_TOO_LARGE'],
  ])('refuses %s, with a code and what to do', async (_, method, path, body, status, code) => {
    const answer = await call(method, path, body)
    expect(answer).toMatchObject({ status, body: { code, message: expect.stringMatching(/\w+/) } })
    expect(Object.keys(answer.body).sort()).toEqual(['code', 'message'])
    expect(shard.status().filter(({ runner }) => runner !== null)).toEqual([])
  })

  test('answers a fault of its own without telling its inside, which the log has', async () => {
    await control.stop()
    const broken = { ...shard, assign: () => Promise.reject(new Error('the inside')) }
    control = await startOf(broken)
    const answer = await call('PUT', '/control/assignment', { epoch: 1, partitions: [] })
    expect(answer).toMatchObject({ status: 500, body: { code: 'INTERNAL_ERROR' } })
    expect(JSON.stringify(answer)).not.toContain('inside')
    expect(logged.join()).toContain('the inside')
    expect(logged.join()).not.toContain(TOKEN)
  })

  test('refuses what is no HTTP in its own words', async () => {
    const { port } = new URL(control.url)
    const said = await new Promise<string>((resolve, reject) => {
      let text = ''
      const socket = connect(Number(port), '127.0.0.1', () => socket.write('nonsense\r\n\r\n'))
      socket.on('data', (chunk) => (text += chunk.toString()))
      socket.on('close', () => resolve(text))
      socket.on('error', reject)
    })
    expect(said).toMatch(/^HTTP\/1\.1 400 .*"code":"INVALID_REQUEST"/s)
  })

  test('takes no token that can be guessed', async () => {
    await expect(startOf(shard, 'x'.repeat(31))).rejects.toThrow('32 or more')
  })
})

describe('connections without the token', () => {
  const dial = async (): Promise<Socket> => {
    const socket = connect(Number(new URL(control.url).port), '127.0.0.1')
    socket.on('error', () => undefined)
    await once(socket, 'connect')
    return socket
  }

  test('keep no order out: the oldest of them gives way', async () => {
    const strangers: Socket[] = []
    for (let index = 0; index < CONTROL_CONNECTIONS_MAX; index++) strangers.push(await dial())
    const gone = once(strangers[0]!, 'close')
    expect(await call('PUT', '/control/assignment', { epoch: 1, partitions: ['ledger/0'] })).toMatchObject({
      status: 200,
    })
    await gone
    // The one that brought the token stays, however many come: it still gets what it waits for.
    const trusted = await dial()
    let said = ''
    trusted.on('data', (chunk: Buffer) => (said += chunk.toString()))
    for (const path of ['/control/partitions', '/health/drained?waitSeconds=60'])
      trusted.write(`GET ${path} HTTP/1.1\r\nhost: shard\r\nauthorization: Bearer ${TOKEN}\r\n\r\n`)
    await until(stage.world.clock, () => said.includes('"machine":"ledger"'))
    for (let index = 0; index < CONTROL_CONNECTIONS_MAX; index++) strangers.push(await dial())
    expect(await call('GET', '/control/partitions')).toMatchObject({ status: 200 })
    expect(await call('POST', '/control/partitions/ledger/0/release', { epoch: 2 })).toMatchObject({ status: 200 })
    await until(stage.world.clock, () => said.includes('{"drained":true}'))
    trusted.destroy()
    for (const socket of strangers) socket.destroy()
  })
})

describe('a shard that is to be drained', () => {
  const drained = (query = '') => call('GET', `/health/drained${query}`, undefined, null)
  const later = () => new Promise((resolve) => setTimeout(resolve, 20))

  test('says so at once when it serves nothing, and when it does not in time', async () => {
    expect(await drained('?waitSeconds=60')).toEqual({ status: 200, body: { drained: true } })
    await call('PUT', '/control/assignment', { epoch: 1, partitions: ['ledger/0'] })
    expect(await drained()).toEqual({ status: 200, body: { drained: false } })
    const waiting = drained('?waitSeconds=1')
    await later()
    expect(await waiting).toEqual({ status: 200, body: { drained: false } })
  })

  test('answers who waits as soon as its last partition is released', async () => {
    await call('PUT', '/control/assignment', { epoch: 1, partitions: ['ledger/0'] })
    const waiting = drained('?waitSeconds=60')
    await later()
    await call('POST', '/control/partitions/ledger/0/release', { epoch: 2 })
    expect(await waiting).toEqual({ status: 200, body: { drained: true } })
  })

  test('lets few wait, and not for long', async () => {
    const clock = createManualClock(0)
    await control.stop()
    control = await startOf(shard, TOKEN, false, clock)
    await call('PUT', '/control/assignment', { epoch: 1, partitions: ['ledger/0'] })
    const waiting = Array.from({ length: DRAIN_WAITS_MAX }, () => drained('?waitSeconds=1'))
    await until(stage.world.clock, () => clock.sleepers() === DRAIN_WAITS_MAX)
    expect(await drained('?waitSeconds=5')).toMatchObject({ status: 503, body: { code: 'OVERLOADED' } })
    expect(await drained()).toMatchObject({ status: 200 })
    await clock.advance(1_000)
    expect((await Promise.all(waiting)).map(({ status }) => status)).toEqual(Array(DRAIN_WAITS_MAX).fill(200))
    for (const text of ['61', '-1', '1.5', 'x', ''])
      expect(await drained(`?waitSeconds=${text}`)).toMatchObject({ status: 400, body: { code: 'INVALID_REQUEST' } })
  })
})

describe('health and metrics', () => {
  test('need no token; a partition that is not as it should be is named', async () => {
    expect(await call('GET', '/health/live', undefined, null)).toMatchObject({ status: 200, body: { status: 'ok' } })
    expect(await call('GET', '/health/ready', undefined, null)).toEqual({
      status: 200,
      body: { ready: true, reasons: [] },
    })
    const text = await (await fetch(`${control.url}/metrics`, { headers: { connection: 'close' } })).text()
    expect(text).toContain('process_cpu')
    await control.stop()
    const refusing = stage.shard('b', { kind: { applySpec: () => Promise.reject(new Error('not now')) } })
    control = await startOf(refusing)
    await refusing.acquire(HERE, 1)
    expect(await call('GET', '/health/ready', undefined, null)).toEqual({
      status: 503,
      body: { ready: false, reasons: ['ledger/0 is starting: its spec is not in order yet: not now'] },
    })
    await control.stop()
    control = await startOf(refusing, TOKEN, true)
    expect(await call('GET', '/health/ready', undefined, null)).toMatchObject({
      status: 200,
      body: { ready: true, reasons: [expect.stringContaining('ledger/0 is starting')] },
    })
  })
})
