import { connect } from 'node:net'
import { once } from 'node:events'
import { setImmediate } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { WebSocket } from 'ws'
import { accountKeyOf } from '../src/http/identity.ts'
import { startTestGateway, type TestGateway } from './support/gateway.ts'

let platform: TestGateway

beforeAll(async () => {
  platform = await startTestGateway({
    limits: { socketCheckIntervalMs: 50, socketMessageBytesMax: 1_024, subscriptionsPerSocketMax: 2 },
  })
})
afterAll(() => platform.gateway.stop())

interface Message {
  readonly [key: string]: unknown
}

const UNIT = 100_000_000n
const quote = (of: TestGateway, sequence: number, symbol = 'BTC_USDC'): void => {
  of.prices.publish({
    symbol,
    feedBid: 100n * UNIT,
    feedAsk: 100n * UNIT,
    last: 100n * UNIT,
    exchangeTimeMs: 0,
    receiveTimeMs: 0,
    sequence,
  })
}
const event = (of: TestGateway, userId: string, sequence: number): void => {
  const account = accountKeyOf(userId)
  of.views.put('tradeevents', {
    _id: `${account}:${sequence}`,
    account,
    sequence,
    type: 'trade.opened',
    tradeId: `t${sequence}`,
    atMs: 0,
    payload: `{"tradeId":"t${sequence}"}`,
  })
  of.platform.notify(account)
}

/** A client that keeps what it gets. */
const open = async (of: TestGateway, headers: Readonly<Record<string, string>> = {}) => {
  const socket = new WebSocket(`${of.gateway.url.replace('http', 'ws')}/ws`, { headers })
  const messages: Message[] = []
  const waiting: (() => void)[] = []
  socket.on('message', (data) => {
    messages.push(JSON.parse((data as Buffer).toString()) as Message)
    for (const wake of waiting.splice(0)) wake()
  })
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.on('close', (code, reason) => {
      resolve({ code, reason: reason.toString() })
    })
  })
  await once(socket, 'open')
  const until = async (test: (messages: readonly Message[]) => boolean): Promise<void> => {
    while (!test(messages))
      await new Promise<void>((resolve) => {
        waiting.push(resolve)
      })
  }
  const ask = async (message: unknown): Promise<Message> => {
    const before = messages.filter(({ op }) => op !== undefined).length
    socket.send(typeof message === 'string' ? message : JSON.stringify(message))
    await until((all) => all.filter(({ op }) => op !== undefined).length > before)
    return messages.filter(({ op }) => op !== undefined)[before] ?? {}
  }
  const sequences = (channel: string): unknown[] =>
    messages.filter((message) => message['channel'] === channel).map(({ sequence }) => sequence)
  return {
    socket,
    messages,
    closed,
    until,
    ask,
    sequences,
    close: async () => {
      socket.close()
      await closed
    },
  }
}

const refusedUpgrade = async (
  of: TestGateway,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<number | undefined> => {
  const socket = new WebSocket(`${of.gateway.url.replace('http', 'ws')}${path}`, { headers })
  const [, response] = (await once(socket, 'unexpected-response')) as [unknown, { statusCode?: number; resume(): void }]
  response.resume()
  socket.on('error', () => undefined)
  socket.terminate()
  return response.statusCode
}

describe('prices', () => {
  test('begin with the latest quote and follow until unsubscribed', async () => {
    quote(platform, 5)
    const client = await open(platform)
    expect(await client.ask({ op: 'subscribe', channels: ['prices:BTC_USDC'] })).toEqual({
      op: 'subscribed',
      channels: ['prices:BTC_USDC'],
    })
    await client.until((all) => all.length === 2)
    expect(client.messages[1]).toEqual({
      channel: 'prices:BTC_USDC',
      sequence: 5,
      data: {
        asset: 'BTC_USDC',
        bid: '99.99',
        ask: '100.01',
        last: '100',
        time: '1970-01-01T00:00:00.000Z',
        sequence: 5,
      },
    })
    quote(platform, 6)
    await client.until(() => client.sequences('prices:BTC_USDC').length === 2)
    await client.ask({ op: 'unsubscribe', channels: ['prices:BTC_USDC'] })
    quote(platform, 7)
    expect(await client.ask({ op: 'ping' })).toEqual({ op: 'pong' })
    expect(client.sequences('prices:BTC_USDC')).toEqual([5, 6])
    expect(platform.prices.subscribers()).toBe(0)
    await client.close()
  })

  test('of the quotes of one turn the newest is sent, and what it replaced is counted', async () => {
    const client = await open(platform)
    quote(platform, 10)
    await client.ask({ op: 'subscribe', channels: ['prices:BTC_USDC'] })
    const conflated = async (): Promise<number> =>
      Number(/bourse_ws_prices_conflated_total (\d+)/.exec((await platform.call('GET', '/metrics')).text)?.[1])
    const before = await conflated()
    for (let sequence = 11; sequence <= 20; sequence += 1) quote(platform, sequence)
    await client.until(() => client.sequences('prices:BTC_USDC').includes(20))
    expect(client.sequences('prices:BTC_USDC')).toEqual([10, 20])
    expect((await conflated()) - before).toBe(9)
    await client.close()
  })

  test('all readers of an asset share one subscription, given back when the last leaves', async () => {
    const clients = await Promise.all([open(platform), open(platform)])
    for (const client of clients) await client.ask({ op: 'subscribe', channels: ['prices:BTC_USDC'] })
    expect(platform.prices.subscribers()).toBe(1)
    for (const client of clients) await client.close()
    while (platform.prices.subscribers() > 0) await platform.clock.sleep(5)
  })
})

describe('trades', () => {
  test('resume after a sequence, then go on live, each event once and in order', async () => {
    const { cookie, userId } = await platform.signUp()
    for (let sequence = 1; sequence <= 250; sequence += 1) event(platform, userId, sequence)
    const client = await open(platform, { cookie })
    await client.ask({ op: 'subscribe', channels: ['trades'], after: { trades: 2 } })
    event(platform, userId, 251)
    await client.until(() => client.sequences('trades').length === 249)
    expect(client.sequences('trades')).toEqual(Array.from({ length: 249 }, (_, index) => index + 3))
    expect(client.messages.at(-1)).toEqual({
      channel: 'trades',
      sequence: 251,
      type: 'trade.opened',
      time: '1970-01-01T00:00:00.000Z',
      data: { tradeId: 't251' },
    })
    await client.close()
    while (platform.platform.watching() > 0) await platform.clock.sleep(5)
  })

  test('without after begin with what comes next, and a hole is waited for', async () => {
    const { cookie, userId } = await platform.signUp()
    event(platform, userId, 1)
    const client = await open(platform, { cookie })
    await client.ask({ op: 'subscribe', channels: ['trades'] })
    event(platform, userId, 3)
    await platform.clock.sleep(120)
    expect(client.sequences('trades')).toEqual([])
    event(platform, userId, 2)
    await client.until(() => client.sequences('trades').length === 2)
    expect(client.sequences('trades')).toEqual([2, 3])
    await client.close()
  })

  test("are one's own, and need a session", async () => {
    const stranger = await platform.signUp()
    const { cookie, userId } = await platform.signUp()
    const client = await open(platform, { cookie })
    await client.ask({ op: 'subscribe', channels: ['trades'], after: { trades: 0 } })
    event(platform, stranger.userId, 1)
    event(platform, userId, 1)
    await client.until(() => client.sequences('trades').length === 1)
    await client.close()
    const nobody = await open(platform)
    expect(await nobody.ask({ op: 'subscribe', channels: ['trades'] })).toMatchObject({
      op: 'error',
      errorCode: 'UNAUTHENTICATED',
    })
    await nobody.close()
  })

  test('what a lost notification did not bring comes with the next check', async () => {
    const { cookie, userId } = await platform.signUp()
    const client = await open(platform, { cookie })
    await client.ask({ op: 'subscribe', channels: ['trades'] })
    const account = accountKeyOf(userId)
    platform.views.put('tradeevents', {
      _id: `${account}:1`,
      account,
      sequence: 1,
      type: 'trade.opened',
      tradeId: 't',
      atMs: 0,
      payload: '{}',
    })
    await client.until(() => client.sequences('trades').length === 1)
    await client.close()
  })
})

describe('limits of a socket', () => {
  test.each([
    ['{', 'not JSON'],
    ['[]', 'object'],
    ['{"op":"shout"}', 'op'],
    ['{"op":"subscribe","channels":[]}', 'channels'],
    ['{"op":"subscribe","channels":["prices:NONE"]}', 'not known'],
    ['{"op":"subscribe","channels":["orders"]}', 'not known'],
    ['{"op":"subscribe","channels":["trades"],"after":{"trades":-1}}', 'trades'],
  ])('%s is refused and the socket stays', async (text, words) => {
    const client = await open(platform)
    expect(await client.ask(text)).toMatchObject({
      op: 'error',
      errorCode: 'VALIDATION_ERROR',
      message: expect.stringContaining(words),
    })
    expect(await client.ask({ op: 'ping' })).toEqual({ op: 'pong' })
    await client.close()
  })

  test('a message over the limit and too many messages close it', async () => {
    const big = await open(platform)
    big.socket.send('x'.repeat(2_000))
    expect((await big.closed).code).toBe(1009)
    const many = await open(platform)
    // More than a second allows, for as long as it takes: a machine that stands still earns them some.
    while (many.socket.readyState === WebSocket.OPEN) {
      for (let count = 0; count < 60; count += 1) many.socket.send('{"op":"ping"}')
      await setImmediate()
    }
    expect((await many.closed).code).toBe(1008)
  })

  test('subscriptions per socket are bounded', async () => {
    const client = await open(platform)
    await client.ask({ op: 'subscribe', channels: ['prices:BTC_USDC'] })
    expect(await client.ask({ op: 'subscribe', channels: ['prices:ETH_USDC', 'prices:BTC_USDC'] })).toMatchObject({
      errorCode: 'RATE_LIMITED',
    })
    await client.close()
  })

  test('another site, another path and more sockets than allowed are refused', async () => {
    const small = await startTestGateway({ limits: { socketsPerAddressMax: 1 } })
    const client = await open(small)
    const statuses = [
      await refusedUpgrade(small, '/ws'),
      await refusedUpgrade(small, '/other'),
      await refusedUpgrade(small, '/ws', { origin: 'https://evil.example' }),
    ]
    await client.close()
    await small.gateway.stop()
    expect(statuses).toEqual([503, 404, 403])
  })

  test("logging out closes the user's sockets, expiry too", async () => {
    const { cookie } = await platform.signUp()
    const client = await open(platform, { cookie })
    await platform.call('POST', '/api/v1/auth/logout', { cookie })
    expect(await client.closed).toEqual({ code: 1008, reason: 'the session has ended; sign in and connect again' })
    const expiring = await startTestGateway({ limits: { sessionTtlMs: 60_000, socketCheckIntervalMs: 20 } })
    const user = await expiring.signUp()
    const other = await open(expiring, { cookie: user.cookie })
    expiring.clock.advance(61_000)
    const { code } = await other.closed
    await expiring.gateway.stop()
    expect(code).toBe(1008)
  })

  test('a stop closes sockets with 1001', async () => {
    const stopping = await startTestGateway()
    const client = await open(stopping)
    await stopping.gateway.stop()
    expect((await client.closed).code).toBe(1001)
  })
})

describe('slow readers', () => {
  const upgrade = (port: number, cookie: string): string =>
    [
      'GET /ws HTTP/1.1',
      `host: 127.0.0.1:${port}`,
      'connection: upgrade',
      'upgrade: websocket',
      'sec-websocket-version: 13',
      'sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==',
      `cookie: ${cookie}`,
      '',
      '',
    ].join('\r\n')

  /** A text frame of a client: masked with zeros, at most 125 bytes. */
  const frame = (text: string): Buffer =>
    Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), Buffer.from(text)])

  test('prices are conflated for one who does not read, memory stays bounded, and the reader is closed', async () => {
    const slowReaderTimeoutMs = 3_600_000
    const slow = await startTestGateway({
      limits: { socketCheckIntervalMs: 50, socketBufferBytesMax: 65_536, slowReaderTimeoutMs },
    })
    const { cookie } = await slow.signUp()
    const socket = connect(slow.gateway.port, '127.0.0.1')
    socket.on('error', () => undefined)
    socket.write(upgrade(slow.gateway.port, cookie))
    await once(socket, 'data')
    socket.write(frame('{"op":"subscribe","channels":["prices:BTC_USDC"]}'))
    await once(socket, 'data')
    socket.pause()
    const counted = async (series: string): Promise<number> =>
      Number(new RegExp(`${series} (\\d+)`).exec((await slow.call('GET', '/metrics')).text)?.[1])
    // How much the system takes for the reader is its own affair.
    const conflated = () => counted('bourse_ws_prices_conflated_total')
    for (let sequence = 1; sequence <= 1_000_000; sequence += 1) {
      quote(slow, sequence)
      // Each in a turn of its own: those of one turn are one message.
      await setImmediate()
      if (sequence % 5_000 === 0 && (await conflated()) > 1_000) break
    }
    expect(await conflated()).toBeGreaterThan(1_000)
    expect(await counted('bourse_ws_slow_readers_closed_total')).toBe(0)
    slow.clock.advance(slowReaderTimeoutMs + 1)
    while ((await counted('bourse_ws_slow_readers_closed_total')) === 0) await slow.clock.sleep(20)
    socket.destroy()
    await slow.gateway.stop()
  })
})
