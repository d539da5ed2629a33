import { createServer } from 'node:http'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from '@jest/globals'
import type { TapeSource, WalkSource } from '@bourse/common/resources/price-source.ts'
import { until } from '@bourse/common/testkit/contracts/scenario.ts'
import { createManualClock } from '@bourse/common/testkit/manual-clock.ts'
import { readTicker, startPoll } from '../src/sources/poll.ts'
import { startTape } from '../src/sources/tape.ts'
import { startWalk, walkPriceAt } from '../src/sources/walk.ts'
import type { TapeTick } from '../src/tape/read-tape.ts'
import { recordingDeps, whole } from './helpers.ts'

const WALK: WalkSource = { source: 'walk', startPrice: whole(60_000), seed: 7, stepMs: 250, stepBps: 200_000_000n }

describe('the walk', () => {
  test('is the same for the same seed and step, and another for another seed', () => {
    const path = (seed: number) => Array.from({ length: 50 }, (_, step) => walkPriceAt({ ...WALK, seed }, step * 1_000))
    expect(path(7)).toEqual(path(7))
    expect(path(7)).not.toEqual(path(8))
    expect(walkPriceAt(WALK, 7_000_000_123)).toBe(walkPriceAt(WALK, 7_000_000_123))
  })

  test('moves, by at most stepBps of its start price per step', () => {
    const first = 6_900_000_000
    const most = (WALK.startPrice * 2n) / 10_000n + 24n
    let largest = 0n
    for (let step = first; step < first + 20_000; step += 1) {
      const move = walkPriceAt(WALK, step + 1) - walkPriceAt(WALK, step)
      const size = move < 0n ? -move : move
      if (size > largest) largest = size
    }
    expect(largest).toBeLessThanOrEqual(most)
    expect(largest).toBeGreaterThan(most / 10n)
  })

  test('wanders, and stays within half of its start price even with the largest steps', () => {
    const spec = { ...WALK, stepBps: 100_000_000_000n }
    const seen = Array.from({ length: 5_000 }, (_, index) => walkPriceAt(spec, index * 37))
    expect(seen.every((price) => price > whole(30_000) && price < whole(90_000))).toBe(true)
    const calm = Array.from({ length: 400 }, (_, hour) => walkPriceAt(WALK, hour * 14_400))
    const [low, high] = [calm.reduce((a, b) => (a < b ? a : b)), calm.reduce((a, b) => (a > b ? a : b))]
    expect(high - low).toBeGreaterThan(whole(600))
  })

  test('gives a quote at once and one per step, a tick wide, on multiples of the tick', async () => {
    const clock = createManualClock(1_700_000_000_000)
    const deps = recordingDeps(clock)
    const walk = startWalk(WALK, 1_000_000n, deps)
    expect(deps.ticks).toHaveLength(1)
    await clock.advance(1_000)
    expect(deps.ticks).toHaveLength(5)
    for (const { feedBid, feedAsk } of deps.ticks) {
      expect(feedBid % 1_000_000n).toBe(0n)
      expect(feedAsk - feedBid).toBe(1_000_000n)
    }
    await walk.stop()
    await clock.advance(1_000)
    expect(deps.ticks).toHaveLength(5)
  })
})

const tapeOf = (timesMs: readonly number[]): TapeTick[] =>
  timesMs.map((timeMs) => ({
    timeMs,
    feedBid: BigInt(timeMs + 1),
    feedAsk: BigInt(timeMs + 1),
    last: BigInt(timeMs + 1),
  }))

describe('a tape as a source', () => {
  const spec = (more: Partial<TapeSource>): TapeSource => ({
    source: 'tape',
    file: 'x',
    speed: whole(1),
    atEnd: 'stop',
    ...more,
  })
  const reader = (ticks: readonly TapeTick[]) =>
    async function* () {
      yield* ticks
    }

  test('plays each tick at its distance from the first, divided by the speed', async () => {
    const clock = createManualClock(5_000_000)
    const deps = recordingDeps(clock)
    const source = startTape(spec({ speed: whole(2) }), deps, reader(tapeOf([100_000, 100_000, 101_000, 103_000])))
    await clock.advance(0)
    expect(deps.ticks).toHaveLength(2)
    await clock.advance(499)
    expect(deps.ticks).toHaveLength(2)
    await clock.advance(1)
    expect(deps.ticks).toHaveLength(3)
    await clock.advance(1_000)
    expect(deps.ticks.map(({ last }) => last)).toEqual([100_001n, 100_001n, 101_001n, 103_001n])
    await source.stop()
  })

  test('begins again a second after its end when it loops, and ends when it does not', async () => {
    const clock = createManualClock(0)
    const looping = recordingDeps(clock)
    const ending = recordingDeps(clock)
    const sources = [
      startTape(spec({ atEnd: 'loop' }), looping, reader(tapeOf([0, 10]))),
      startTape(spec({}), ending, reader(tapeOf([0, 10]))),
    ]
    await clock.advance(10)
    expect([looping.ticks.length, ending.ticks.length]).toEqual([2, 2])
    await clock.advance(1_000)
    expect([looping.ticks.length, ending.ticks.length]).toEqual([3, 2])
    await Promise.all(sources.map((source) => source.stop()))
    await clock.advance(5_000)
    expect(looping.ticks).toHaveLength(3)
  })

  test('that cannot be read is a fault that is counted, not an exception', async () => {
    const deps = recordingDeps(createManualClock(0))
    const source = startTape(spec({ file: '/nowhere/tape.csv' }), deps)
    await until(() => deps.faults.length > 0, 'the fault came')
    expect(deps.faults).toEqual(['failed'])
    await source.stop()
  })
})

describe('a ticker', () => {
  test.each([
    [
      '{"symbol":"BTCUSDC","bidPrice":"61837.63","askPrice":"61837.64"}',
      { feedBid: 6_183_763_000_000n, feedAsk: 6_183_764_000_000n },
    ],
    ['{"bid":1.7,"ask":1.8,"last":1.75}', { feedBid: 170_000_000n, feedAsk: 180_000_000n, last: 175_000_000n }],
    [
      '{"symbol":"AZNUSDT","price":"1.7050","timestamp":1715000000}',
      { feedBid: 170_500_000n, feedAsk: 170_500_000n, last: 170_500_000n, exchangeTimeMs: 1_715_000_000_000 },
    ],
    ['{"price":0.1,"timestamp":1715000000123}', { last: 10_000_000n, exchangeTimeMs: 1_715_000_000_123 }],
  ])('%s is read exactly', (text, expected) => {
    expect(readTicker(text)).toMatchObject(expected)
  })

  test.each(['', '[]', '{"price":true}', '{"price":"x"}', '{"bidPrice":"1"}', '{"price":"1e999"}', '<html>'])(
    '%s is refused',
    (text) => {
      expect(() => readTicker(text)).toThrow()
    },
  )
})

describe('the poll source', () => {
  let server: Server | undefined
  afterEach(() => {
    server?.closeAllConnections()
    server?.close()
  })

  test('asks again and again, counts errors, garbage and endless answers, and goes on after them', async () => {
    const answers: [number, string][] = [
      [200, '{"price":"100"}'],
      [500, '{"price":"1"}'],
      [200, 'nonsense'],
      [200, 'x'.repeat(100_000)],
    ]
    const paths: string[] = []
    server = createServer({ keepAliveTimeout: 600_000 }, (request, response) => {
      paths.push(request.url ?? '')
      const [status, body] = answers[paths.length - 1] ?? [200, '{"price":"101"}']
      response.writeHead(status).end(body)
    }).listen(0, '127.0.0.1')
    await until(() => server?.listening === true, 'the server listens')
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/ticker?symbol={symbol}`
    // Time passes only between the questions: no answer is late because the machine is.
    const clock = createManualClock(0)
    const deps = recordingDeps(clock)
    const source = startPoll({ source: 'poll', url, symbol: 'AZNUSDT', intervalMs: null }, 10, deps)
    for (let told = 1; told <= answers.length + 2; told += 1) {
      await clock.advance(10)
      await until(() => deps.ticks.length + deps.faults.length === told, `answer ${told} was judged`)
    }
    await source.stop()
    expect(deps.ticks[0]).toMatchObject({ feedBid: whole(100) })
    expect(deps.ticks[1]).toMatchObject({ feedBid: whole(101) })
    expect(deps.ticks).toHaveLength(3)
    expect(deps.faults).toEqual(['failed', 'failed', 'failed'])
    expect(paths[0]).toBe('/ticker?symbol=AZNUSDT')
  })

  test('gives up an answer that never comes, by its own clock, and stops at once while waiting', async () => {
    let asked = 0
    server = createServer(() => {
      asked += 1
    }).listen(0, '127.0.0.1')
    await until(() => server?.listening === true, 'the server listens')
    const clock = createManualClock(0)
    const deps = recordingDeps(clock)
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
    const source = startPoll({ source: 'poll', url, symbol: 'X', intervalMs: null }, 1_000, deps)
    await clock.advance(1_000)
    await until(() => asked === 1, 'the first question came')
    await clock.advance(5_000)
    await until(() => deps.faults.length === 1, 'the first question was given up')
    await clock.advance(1_000)
    await until(() => asked === 2, 'the second question came')
    await source.stop()
    expect(deps.faults).toEqual(['failed'])
  })
})
