import { describe, expect, test } from '@jest/globals'
import { createSeededRandom } from '@bourse/common/testkit/seeded-random.ts'
import { createBourseStream, type StreamRefusal, type StreamState } from '../src/stream.ts'
import { createFakeServer, createWorld } from './support/world.ts'

const begin = (seed: number, onRefusal?: (refusal: StreamRefusal) => void, refusing = 0) => {
  const world = createWorld()
  const random = createSeededRandom(seed)
  const server = createFakeServer(world, random)
  server.faults.refusing = refusing
  let networkBack = (): void => undefined
  const stream = createBourseStream({
    url: 'ws://test/ws',
    webSocket: () => server.connect(),
    now: world.now,
    schedule: world.schedule,
    random: () => random.between(0, 1_000) / 1_000,
    onNetwork: (task) => {
      networkBack = task
      return () => (networkBack = () => undefined)
    },
    ...(onRefusal === undefined ? {} : { onRefusal }),
  })
  return { world, random, server, stream, networkBack: () => networkBack() }
}

const reading = (stream: ReturnType<typeof begin>['stream'], after: number | null) => {
  const sequences: number[] = []
  const gaps: number[] = []
  const refused: string[] = []
  const stop = stream.trades({
    after,
    onEvent: ({ sequence }) => sequences.push(sequence),
    onGap: () => gaps.push(sequences.length),
    onRefused: ({ code }) => refused.push(code),
  })
  return { sequences, gaps, refused, stop }
}

const upTo = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, at) => from + at)

describe('trade events', () => {
  test('come in order, each exactly once, whatever the network does: 300 seeds of cuts, silence, losses and doubles', () => {
    for (let seed = 1; seed <= 300; seed++) {
      const { world, random, server, stream } = begin(seed)
      for (let before = random.between(0, 5); before > 0; before--) server.happen()
      const after = random.between(0, server.events())
      Object.assign(server.faults, { refusing: 30, losing: seed % 3 === 0 ? 10 : 0, doubling: 20 })
      const { sequences, gaps } = reading(stream, after)
      for (let step = 0; step < 60; step++) {
        if (random.chance(60)) server.happen()
        if (random.chance(12)) server.cut(random.chance(70))
        if (random.chance(5)) stream.reconnect()
        world.pass(random.between(1, 4_000))
      }
      Object.assign(server.faults, { refusing: 0, losing: 0, doubling: 0 })
      // Quiet again: one more event shows a hole that lost the last ones.
      world.pass(60_000)
      server.happen()
      world.pass(60_000)
      expect({ seed, sequences }).toEqual({ seed, sequences: upTo(after + 1, server.events()) })
      expect({ seed, gaps }).toEqual({ seed, gaps: [] })
      stream.stop()
    }
  })

  test('without a known sequence begin where the subscription stands, and say that the past has to be read', () => {
    const { world, server, stream } = begin(7)
    server.happen()
    server.happen()
    const { sequences, gaps } = reading(stream, null)
    world.pass(1_000)
    expect({ sequences, gaps }).toEqual({ sequences: [], gaps: [0] })
    // Nothing was heard yet: after a cut the past has to be read once more.
    server.cut(true)
    server.happen()
    world.pass(5_000)
    expect({ sequences, gaps }).toEqual({ sequences: [], gaps: [0, 0] })
    server.happen()
    world.pass(1_000)
    server.cut(true)
    server.happen()
    world.pass(5_000)
    expect({ sequences, gaps }).toEqual({ sequences: [4, 5], gaps: [0, 0] })
    stream.stop()
  })

  test('that the server no longer has are a gap: it is said once, and the channel goes on behind it', () => {
    const { world, server, stream } = begin(3)
    const { sequences, gaps } = reading(stream, 0)
    server.forgotten.add(2).add(3)
    for (let count = 0; count < 5; count++) {
      server.happen()
      world.pass(1_000)
    }
    expect({ sequences, gaps }).toEqual({ sequences: [1, 4, 5], gaps: [2] })
    expect(server.received.filter(({ after }) => after?.trades === 1)).toHaveLength(1)
    stream.stop()
  })

  test('are refused without a session, and asked for again by the next connection', () => {
    const { world, server, stream } = begin(5)
    server.hasSession = false
    const { sequences, refused } = reading(stream, 0)
    world.pass(1_000)
    expect(refused).toEqual(['UNAUTHENTICATED'])
    server.hasSession = true
    server.happen()
    stream.reconnect()
    world.pass(1_000)
    expect(sequences).toEqual([1])
    stream.stop()
  })

  test('go to one reader at a time; after it another begins with a place of its own', () => {
    const { world, server, stream } = begin(9)
    const first = reading(stream, 0)
    expect(() => reading(stream, 0)).toThrow('have a reader')
    server.happen()
    world.pass(1_000)
    first.stop()
    server.happen()
    world.pass(1_000)
    const second = reading(stream, 0)
    world.pass(1_000)
    expect({ first: first.sequences, second: second.sequences }).toEqual({ first: [1], second: [1, 2] })
    stream.stop()
  })
})

describe('prices', () => {
  test('go to every reader of an asset, none older than one before on the same connection', () => {
    const { world, server, stream } = begin(11)
    const [one, two]: [number[], number[]] = [[], []]
    stream.prices('BTC_USDC', ({ sequence }) => one.push(sequence))
    world.pass(1_000)
    for (const sequence of [5, 4, 6]) server.quote('BTC_USDC', sequence)
    world.pass(1_000)
    const stop = stream.prices('BTC_USDC', ({ sequence }) => two.push(sequence))
    server.quote('BTC_USDC', 7)
    world.pass(1_000)
    stop()
    server.quote('BTC_USDC', 8)
    world.pass(1_000)
    expect({ one, two }).toEqual({ one: [5, 6, 7, 8], two: [6, 7] })
    // Another connection may be to a platform that counts anew.
    server.cut(true)
    world.pass(5_000)
    server.quote('BTC_USDC', 1)
    world.pass(1_000)
    expect(one.at(-1)).toBe(1)
    stream.stop()
  })

  test('of known assets come although one of the list is unknown, and that one is named', () => {
    const refusals: StreamRefusal[] = []
    const { world, server, stream } = begin(13, (refusal) => refusals.push(refusal))
    const heard: string[] = []
    for (const asset of ['BTC_USDC', 'NONE_USDC', 'SOL_USDC'])
      stream.prices(asset, ({ data }) => heard.push(data.asset))
    world.pass(2_000)
    server.quote('BTC_USDC', 1)
    server.quote('SOL_USDC', 1)
    world.pass(1_000)
    expect(heard).toEqual(['BTC_USDC', 'SOL_USDC'])
    expect(refusals.map(({ channels }) => channels)).toEqual([['prices:NONE_USDC']])
    stream.stop()
  })

  test('are unsubscribed with their last reader, and the answers to that disturb no other question', () => {
    const { world, server, stream } = begin(17)
    const { sequences } = reading(stream, 0)
    const stop = stream.prices('BTC_USDC', () => undefined)
    world.pass(1_000)
    stop()
    stream.prices('SOL_USDC', () => undefined)
    world.pass(1_000)
    server.happen()
    world.pass(1_000)
    expect(server.received.filter(({ op }) => op === 'unsubscribe')).toEqual([
      { op: 'unsubscribe', channels: ['prices:BTC_USDC'] },
    ])
    expect(sequences).toEqual([1])
    stream.stop()
  })
})

describe('a page of many markets', () => {
  // What the platform takes from one connection at once; more, and it cuts the connection.
  const BURST = 40
  const assets = Array.from({ length: 60 }, (_, at) => `A${at}_USDC`)

  test('asks in few messages however often it comes and goes, and has its last prices at once', () => {
    const { world, server, stream } = begin(41)
    server.knownAssets = new Set(assets)
    world.pass(1_000)
    let heard = 0
    const show = () => assets.map((asset) => stream.prices(asset, () => (heard += 1)))
    const hide = (stops: (() => void)[]) => stops.forEach((stop) => stop())
    let stops = show()
    world.pass(1_000)
    for (const asset of assets) server.quote(asset, 1)
    world.pass(1_000)
    expect(heard).toBe(60)
    // Gone and back at one moment: nothing to ask, and the prices are there.
    hide(stops)
    stops = show()
    expect(heard).toBe(120)
    for (let round = 0; round < 3; round++) {
      world.pass(100)
      hide(stops)
      world.pass(100)
      stops = show()
    }
    world.pass(1_000)
    for (const asset of assets) server.quote(asset, 2)
    world.pass(1_000)
    expect(heard).toBe(180)
    expect(server.received.length).toBeLessThanOrEqual(8)
    hide(stops)
    world.pass(1_000)
    server.quote(assets[0]!, 3)
    world.pass(1_000)
    expect(heard).toBe(180)
    stream.stop()
  })

  test('finds one that the platform does not know without being cut for asking too often', () => {
    const refused: StreamRefusal[] = []
    const { world, server, stream } = begin(43, (refusal) => refused.push(refusal))
    server.knownAssets = new Set(assets.filter((asset) => asset !== 'A37_USDC'))
    const heard = new Set<string>()
    const show = () => assets.map((asset) => stream.prices(asset, ({ data }) => heard.add(data.asset)))
    let stops = show()
    world.pass(5_000)
    for (const asset of assets) server.quote(asset, 1)
    world.pass(1_000)
    expect(refused.map(({ channels }) => channels)).toEqual([['prices:A37_USDC']])
    expect(heard.size).toBe(59)
    // The page comes again: the unknown one is asked for by itself, and by now there is such a market.
    for (let round = 0; round < 5; round++) {
      for (const stop of stops) stop()
      world.pass(100)
      if (round === 4) server.knownAssets = new Set(assets)
      stops = show()
      world.pass(100)
    }
    expect(server.received.length).toBeLessThan(BURST)
    world.pass(1_000)
    server.quote('A37_USDC', 2)
    world.pass(1_000)
    expect(heard.size).toBe(60)
    stream.stop()
  })
})

describe('the connection', () => {
  const watched = (seed: number, refusing = 0) => {
    const begun = begin(seed, undefined, refusing)
    const states: StreamState[] = []
    begun.stream.onState((state) => states.push(state))
    /** Lets time pass until the state is this one. */
    const passUntil = (wanted: StreamState['state']): void => {
      for (let steps = 0; states.at(-1)?.state !== wanted; steps++) {
        if (steps > 10_000) throw new Error(`never ${wanted}: ${JSON.stringify(states.slice(-5))}`)
        begun.world.pass(10)
      }
    }
    return { ...begun, states, passUntil }
  }

  test('is tried again after waits that grow to a bound and no further, each jittered', () => {
    const { world, stream, states } = watched(19, 100)
    world.pass(300_000)
    const waits: number[] = []
    let lastMs = 1_700_000_000_000
    for (const state of states) {
      if (state.state === 'waiting') waits.push(state.retryAtMs - lastMs)
      if (state.state === 'waiting') lastMs = state.retryAtMs
    }
    expect(waits.length).toBeGreaterThan(15)
    expect(Math.max(...waits)).toBeLessThanOrEqual(15_000 + 300)
    expect(waits.slice(-5).every((wait) => wait >= 7_500)).toBe(true)
    expect(new Set(waits.slice(-5)).size).toBeGreaterThan(1)
    stream.stop()
  })

  test('comes back at once when there is a network again', () => {
    const { world, server, stream, states, networkBack, passUntil } = watched(23, 100)
    world.pass(60_000)
    passUntil('waiting')
    server.faults.refusing = 0
    networkBack()
    expect(states.at(-1)).toEqual({ state: 'connecting' })
    world.pass(400)
    expect(states.at(-1)).toEqual({ state: 'open' })
    stream.stop()
  })

  test('that is silent is asked for a sign of life and given up without one', () => {
    const { world, server, stream, states } = watched(29)
    world.pass(120_000)
    expect(server.sockets).toHaveLength(1)
    expect(server.received.filter(({ op }) => op === 'ping').length).toBeGreaterThan(3)
    server.cut(false)
    world.pass(20_500)
    expect(states.at(-1)?.state).not.toBe('open')
    world.pass(5_000)
    expect(states.at(-1)).toEqual({ state: 'open' })
    expect(server.sockets[0]?.closedByClient()).toBe(true)
    stream.stop()
  })

  test('that stays open only for moments does not begin its waits anew each time', () => {
    const { world, server, stream, states, passUntil } = watched(31)
    for (let round = 0; round < 8; round++) {
      passUntil('open')
      server.cut(true)
    }
    const last = states.findLast(({ state }) => state === 'waiting')
    expect(last?.state === 'waiting' && last.retryAtMs - world.now()).toBeGreaterThan(5_000)
    stream.stop()
  })

  test('is gone for good once it is stopped', () => {
    const { world, server, stream, states, networkBack } = watched(37)
    world.pass(1_000)
    stream.stop()
    networkBack()
    stream.reconnect()
    world.pass(60_000)
    expect(server.sockets).toHaveLength(1)
    expect(server.sockets[0]?.closedByClient()).toBe(true)
    expect(states.at(-1)).toEqual({ state: 'stopped' })
  })
})
