import { existsSync, readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { WebSocketServer } from 'ws'
import type { WebSocket } from 'ws'
import { createSystemClock } from '@bourse/common/adapters/system/clock.ts'
import { until } from '@bourse/common/testkit/contracts/scenario.ts'
import { describeUnless } from '@bourse/common/testkit/skip.ts'
import { createNormaliser } from '../src/normaliser.ts'
import { createBinanceBook } from '../src/sources/binance-book.ts'
import { readFrame } from '../src/sources/binance-frames.ts'
import { binanceTimes, startBinance, streamUrl } from '../src/sources/binance.ts'
import type { BinanceTimes } from '../src/sources/binance.ts'
import type { RunningSource } from '../src/sources/source.ts'
import { recordingDeps, whole } from './helpers.ts'

const book = (u: number, bid: string, ask = bid): string =>
  JSON.stringify({ stream: 'btcusdt@bookTicker', data: { u, s: 'BTCUSDT', b: bid, B: '1', a: ask, A: '1' } })
const trade = (t: number, price: string, timeMs = 1_000): string =>
  JSON.stringify({
    stream: 'btcusdt@trade',
    data: { e: 'trade', E: timeMs, s: 'BTCUSDT', t, p: price, q: '1', T: timeMs, m: true },
  })

describe('a message of Binance', () => {
  test('is read exactly', () => {
    expect(readFrame(book(5, '61837.63000000', '61837.64000001'), 'btcusdt')).toEqual({
      kind: 'bookTicker',
      updateId: 5,
      bid: 6_183_763_000_000n,
      ask: 6_183_764_000_001n,
    })
    expect(readFrame(trade(7, '0.00000001', 99), 'BTCUSDT')).toEqual({
      kind: 'trade',
      tradeId: 7,
      price: 1n,
      timeMs: 99,
    })
  })

  test.each([
    ['{"result":null,"id":1}', 'other'],
    ['{"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","s":"BTCUSDT"}}', 'other'],
    ['not json', 'garbage'],
    ['', 'garbage'],
    ['null', 'garbage'],
    ['{"stream":"btcusdt@trade"}', 'garbage'],
    [book(5, '1').replace('BTCUSDT', 'ETHUSDT'), 'garbage'],
    [book(5, 'x'), 'garbage'],
    [book(-1, '1'), 'garbage'],
    [book(5, '1').replace('"b":"1"', '"b":1'), 'garbage'],
    [trade(1.5, '1'), 'garbage'],
  ])('%s is %s', (text, kind) => {
    expect(readFrame(text, 'BTCUSDT').kind).toBe(kind)
  })
})

describe('the book of a symbol', () => {
  const apply = (...texts: string[]) => {
    const state = createBinanceBook()
    return texts.map((text, index) => state.apply(readFrame(text, 'BTCUSDT'), 500 + index))
  }

  test('gives nothing before the first book ticker, then bid, ask and the last trade', () => {
    const [first, second, third] = apply(trade(1, '9'), book(1, '10', '11'), trade(2, '10.5', 1_003))
    expect(first).toEqual({})
    expect(second).toEqual({ tick: { feedBid: whole(10), feedAsk: whole(11), last: whole(9), exchangeTimeMs: 1_001 } })
    expect(third?.tick).toMatchObject({ last: 1_050_000_000n, exchangeTimeMs: 1_003 })
  })

  test('drops what is not newer and tells gaps of trade ids', () => {
    const faults = apply(
      book(5, '1'),
      book(5, '2'),
      book(4, '2'),
      trade(1, '1'),
      trade(1, '1'),
      trade(3, '1'),
      trade(4, '1'),
    ).map(({ fault }) => fault ?? null)
    expect(faults).toEqual([null, 'out-of-order', 'out-of-order', null, 'out-of-order', 'gap', null])
  })

  test('never lets time go back', () => {
    const times = apply(book(1, '1'), trade(1, '1', 9_000), trade(2, '1', 8_000), book(2, '1')).map(
      ({ tick }) => tick?.exchangeTimeMs,
    )
    expect(times).toEqual([500, 9_000, 9_000, 9_000])
  })
})

/** What a test is not about never ends a connection, however long the machine stands still. */
const NEVER_MS = 600_000
const TIMES: BinanceTimes = {
  connectMs: NEVER_MS,
  lifeMs: NEVER_MS,
  messageMs: NEVER_MS,
  renewMs: NEVER_MS,
  pauseMs: 4,
  pauseMsMax: 20,
}

describe('the Binance source against a local server', () => {
  let server: WebSocketServer
  let source: RunningSource | undefined
  let onConnection: (socket: WebSocket, count: number, path: string) => void
  let connections: number
  const url = (): string => `ws://127.0.0.1:${(server.address() as AddressInfo).port}`

  beforeEach(async () => {
    connections = 0
    onConnection = () => undefined
    server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
    server.on('connection', (socket, request) => {
      connections += 1
      onConnection(socket, connections, request.url ?? '')
    })
    await new Promise<void>((resolve) => {
      server.once('listening', resolve)
    })
  })
  afterEach(async () => {
    await source?.stop()
    for (const client of server.clients) client.terminate()
    await new Promise<void>((resolve) => {
      server.close(() => {
        resolve()
      })
    })
  })

  const start = (times: Partial<BinanceTimes> = {}, base = url()) => {
    const deps = recordingDeps(createSystemClock())
    source = startBinance({ source: 'binance', url: base, symbol: 'BTCUSDT' }, deps, { ...TIMES, ...times })
    return deps
  }

  test('asks for both streams of the symbol in one connection', async () => {
    let asked = ''
    onConnection = (socket, _, path) => {
      asked = path
      socket.send(book(1, '10'))
    }
    const deps = start({}, `${url()}/`)
    await until(() => deps.ticks.length === 1, 'the first tick came')
    expect(asked).toBe('/stream?streams=btcusdt@bookTicker/btcusdt@trade')
    expect(streamUrl({ url: 'wss://x', symbol: 'ETHUSDC' })).toBe(
      'wss://x/stream?streams=ethusdc@bookTicker/ethusdc@trade',
    )
  })

  test('connects again after a cut, and takes a book that begins anew', async () => {
    onConnection = (socket, count) => {
      socket.send(book(count === 1 ? 100 : 1, count === 1 ? '10' : '20'), () => {
        if (count === 1) socket.terminate()
      })
    }
    const deps = start()
    await until(() => deps.ticks.length === 2, 'a tick came over the second connection')
    expect(deps.ticks.map(({ feedBid }) => feedBid)).toEqual([whole(10), whole(20)])
    expect(deps.faults).toEqual(['disconnected'])
  })

  test('goes on trying while nobody listens, and tells each failure', async () => {
    const deps = start({}, 'ws://127.0.0.1:1')
    await until(() => deps.faults.length >= 3, 'three attempts failed')
    expect(new Set(deps.faults)).toEqual(new Set(['disconnected']))
  })

  test('gives up a connection that is silent though alive, and connects again', async () => {
    onConnection = (socket, count) => {
      if (count > 1) socket.send(book(1, '10'))
    }
    const deps = start({ lifeMs: 40, messageMs: 100 })
    await until(() => deps.ticks.length >= 1, 'the second connection gave a tick')
    expect(deps.faults[0]).toBe('silent')
  })

  test('gives up a connection whose other end answers no ping', async () => {
    onConnection = (socket, count) => {
      if (count === 1) socket.pause()
      else socket.send(book(1, '10'))
    }
    const deps = start({ lifeMs: 80 })
    await until(() => deps.ticks.length >= 1, 'the second connection gave a tick')
    expect(deps.faults[0]).toBe('silent')
  })

  test('answers a ping with its payload', async () => {
    let answered = ''
    onConnection = (socket) => {
      socket.on('pong', (data) => {
        answered = data.toString()
      })
      socket.ping('1715000000123')
    }
    start()
    await until(() => answered !== '', 'the pong came')
    expect(answered).toBe('1715000000123')
  })

  test('counts garbage and goes on, over the same connection', async () => {
    onConnection = (socket) => {
      for (const text of [
        'garbage',
        '{}',
        '[1',
        book(1, 'NaN'),
        book(2, '10'),
        `{"stream":"btcusdt@trade","data":null}`,
      ])
        socket.send(text)
      socket.send(Buffer.from([0xff, 0xfe, 0x00]), { binary: true })
      socket.send(book(3, '11'))
    }
    const deps = start()
    await until(() => deps.ticks.length === 2, 'both ticks came')
    expect(deps.faults).toEqual(['garbage', 'garbage', 'garbage', 'garbage', 'garbage'])
    expect(connections).toBe(1)
  })

  test('gives up a connection that sends a message beyond all bounds', async () => {
    onConnection = (socket, count) => {
      socket.send(count === 1 ? 'x'.repeat(2_000_000) : book(1, '10'))
    }
    const deps = start()
    await until(() => deps.ticks.length >= 1, 'the second connection gave a tick')
    expect(deps.faults[0]).toBe('disconnected')
  })

  test('replaces a connection before its 24 hours are over without missing or doubling a message', async () => {
    let update = 0
    const sending = setInterval(() => {
      update += 1
      for (const client of server.clients) client.send(book(update, String(update)))
    }, 2)
    const deps = start({ renewMs: 60 })
    await until(() => connections >= 4 && deps.ticks.length > 20, 'three renewals happened')
    clearInterval(sending)
    await until(() => server.clients.size <= 2, 'the replaced connections are closed')
    const seen = deps.ticks.map(({ feedBid }) => Number(feedBid / whole(1)))
    expect(seen).toEqual(seen.map((_, index) => (seen[0] ?? 0) + index))
    expect(deps.faults.filter((fault) => fault !== 'out-of-order')).toEqual([])
    expect(binanceTimes.renewMs).toBeLessThan(24 * 3_600_000)
  })

  test('stops while it waits to connect again', async () => {
    const deps = start({ pauseMs: 60_000, pauseMsMax: 60_000 }, 'ws://127.0.0.1:1')
    await until(() => deps.faults.length === 1, 'the first attempt failed')
    await source?.stop()
    expect(deps.faults).toEqual(['disconnected'])
  })

  const data = join(import.meta.dirname, '../../../../shared/data/binance_ws/spot_btcusdt_20240808.gz')
  describeUnless(existsSync(data) ? undefined : 'no ../shared/data/binance_ws', 'fed with a recording', () => {
    const frames = (): string[] =>
      gunzipSync(readFileSync(data))
        .toString('utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => line.slice(line.indexOf(' ') + 1))

    test('gives every book ticker and trade after the first book ticker, without a gap, to the exact price', async () => {
      const texts = frames()
      const books = texts.filter((text) => text.includes('@bookTicker')).length
      const trades = texts.filter((text) => text.includes('@trade"')).length
      onConnection = (socket) => {
        for (const text of texts) socket.send(text)
      }
      const deps = start()
      const last = texts.findLast((text) => text.includes('@bookTicker'))!
      await until(() => deps.ticks.length >= books + trades, 'all ticks came')
      expect(deps.ticks).toHaveLength(books + trades)
      expect(deps.faults).toEqual([])
      const ends = deps.ticks.at(-1)!
      expect(last).toContain(`"b":"${Number(ends.feedBid) / 1e8}`)
      const times = deps.ticks.map(({ exchangeTimeMs }) => exchangeTimeMs ?? 0)
      expect(times.every((time, index) => index === 0 || time >= times[index - 1]!)).toBe(true)
    })

    test('with the connection cut in the middle and a crossed quote put in, nothing crossed passes the normaliser', async () => {
      const texts = frames()
        .filter((text) => text.includes('@bookTicker') || text.includes('@trade"'))
        .slice(0, 2_000)
      onConnection = (socket, count) => {
        const part = count === 1 ? texts.slice(0, 1_000) : texts.slice(1_100)
        part.splice(500, 0, book(0, '1'), 'garbage')
        part.forEach((text) => {
          socket.send(text)
        })
        socket.send(book(99_999_999_999, '61900', '61800'))
        if (count === 1)
          socket.send('{}', () => {
            socket.terminate()
          })
      }
      const deps = start()
      await until(() => deps.ticks.length >= 1_850, 'both parts came')
      const normaliser = createNormaliser({ symbol: 'BTC_USDC', maxJumpBps: 200_000_000_000n, maxAgeMs: null })
      const believed = deps.ticks.flatMap((tick) => {
        const at = tick.exchangeTimeMs ?? 0
        const result = normaliser.accept({ ...tick, exchangeTimeMs: at, receiveTimeMs: at })
        return result.ok ? [result.quote] : []
      })
      expect(normaliser.rejected().crossed).toBeGreaterThan(0)
      expect(believed.every(({ feedBid, feedAsk }) => feedBid <= feedAsk)).toBe(true)
      expect(deps.faults).toEqual(expect.arrayContaining(['garbage', 'gap', 'disconnected', 'out-of-order']))
    })
  })
})
