import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { SILENCE_MS_MAX, type RedisConnection } from '../../../src/adapters/redis/connection.ts'
import { createRedisPrices, QUOTES_KEPT, type RedisPrices } from '../../../src/adapters/redis/prices.ts'
import { createSystemClock } from '../../../src/adapters/system/clock.ts'
import type { FeedQuote } from '../../../src/ports/prices.ts'
import { pause, until } from '../../../src/testkit/contracts/scenario.ts'
import { startProxy, type Proxy } from '../../../src/testkit/servers/proxy.ts'
import { redisMissing, startRedis, type RedisServer } from '../../../src/testkit/servers/redis.ts'
import { describeUnless } from '../../../src/testkit/skip.ts'
import { freshPrefix, openPatient } from './support.ts'

const SYMBOL = 'BTC/USDC'
const clock = createSystemClock()
const quote = (sequence: number, symbol = SYMBOL): FeedQuote => ({
  symbol,
  sequence,
  feedBid: -5n,
  feedAsk: 2n ** 62n,
  last: BigInt(sequence),
  exchangeTimeMs: 1_780_000_000_000 + sequence,
  receiveTimeMs: 1_780_000_000_001 + sequence,
})

describeUnless(redisMissing(), 'prices on a Redis that fails', () => {
  let server: RedisServer
  let proxy: Proxy
  let connections: RedisConnection[]
  let market: RedisPrices
  /** Reads through the proxy. */
  let gateway: RedisPrices
  let seen: FeedQuote[]
  let sequence = 0
  /** Reads that waited at the server and were ended there. */
  let unblocked = 0

  beforeEach(async () => {
    server = await startRedis()
    proxy = await startProxy({ port: server.port })
    const prefix = freshPrefix()
    // The gateway's notices a dead network as soon as in production.
    const gateways = await openPatient(proxy.urlOf(server.url), prefix, { silenceMsMax: SILENCE_MS_MAX })
    connections = [await openPatient(server.url, prefix), gateways]
    unblocked = 0
    market = createRedisPrices(connections[0]!, { clock })
    const watched: RedisConnection = {
      ...gateways,
      command: async (...parts) => {
        const answer = await gateways.command(...parts)
        if (parts[1] === 'UNBLOCK') unblocked += Number(answer)
        return answer
      },
    }
    gateway = createRedisPrices(watched, { clock })
    seen = []
    gateway.subscribe(SYMBOL, (found) => void seen.push(found))
    await publishUntilHeard()
  })
  afterEach(async () => {
    await Promise.all([market.close(), gateway.close()])
    await Promise.all(connections.map((connection) => connection.close()))
    await proxy.stop()
    await server.stop()
  })

  /** Publishes on and on, as a feed does, until the gateway has heard one that was published after the call. */
  const publishUntilHeard = async (): Promise<void> => {
    const before = sequence
    await until(async () => {
      market.publish(quote((sequence += 1)))
      await pause(10)
      return (seen.at(-1)?.sequence ?? 0) > before
    })
  }
  const expectOrder = (): void => {
    const order = seen.map((found) => found.sequence)
    expect(order).toEqual([...new Set(order)].sort((a, b) => a - b))
    for (const found of seen) expect(found).toEqual(quote(found.sequence))
  }

  test('killed and started again empty: own subscribers never notice, the others get quotes again', async () => {
    const own: number[] = []
    market.subscribe(SYMBOL, (found) => void own.push(found.sequence))
    await server.kill()
    for (let index = 0; index < 50; index++) market.publish(quote((sequence += 1)))
    expect(own.at(-1)).toBe(sequence)
    await until(() => market.counters().dropped >= 50)
    await server.start()
    await publishUntilHeard()
    expectOrder()
  })

  test('flushed: streams begin anew and are followed', async () => {
    await connections[0]!.command('FLUSHALL')
    await publishUntilHeard()
    expectOrder()
  })

  test('a stream whose ids start lower again is read from its start, not waited for', async () => {
    const key = `${connections[0]!.prefix}:prices:${SYMBOL}`
    const [newest] = (await connections[0]!.command('XREVRANGE', key, '+', '-', 'COUNT', 1)) as [
      [Buffer, readonly [Buffer, Buffer]],
    ]
    await connections[0]!.command('DEL', key)
    const bytes = Buffer.from(newest[1][1])
    bytes.writeBigUInt64LE(BigInt((sequence += 100)), 48)
    await connections[0]!.command('XADD', key, '5-1', 'q', bytes)
    await until(() => gateway.latest(SYMBOL)?.sequence === sequence)
    expect(gateway.counters().restarts).toBe(1)
  })

  test('black-holed: the reader notices, and reads on when the network is back', async () => {
    proxy.blackHole()
    const { accepted } = proxy.counts()
    const before = sequence
    // It gives the dead connection up and tries new ones.
    await until(async () => {
      market.publish(quote((sequence += 1)))
      await pause(10)
      return proxy.counts().accepted > accepted
    })
    expect(seen.filter((found) => found.sequence > before)).toEqual([])
    proxy.heal()
    await publishUntilHeard()
    expectOrder()
  })

  test('frozen and thawed: quotes come again', async () => {
    server.signal('SIGSTOP')
    await pause(300)
    server.signal('SIGCONT')
    await publishUntilHeard()
    expectOrder()
  })

  test('cut: what was written meanwhile is read in order', async () => {
    proxy.cut()
    const first = sequence + 1
    for (let index = 0; index < 300; index++) market.publish(quote((sequence += 1)))
    await until(() => seen.at(-1)?.sequence === sequence)
    expect(seen.filter((found) => found.sequence >= first)).toHaveLength(300)
    expectOrder()
  })

  test('a symbol that is first asked for while the reader waits is known soon', async () => {
    market.publish(quote(1, 'ETH/USDC'))
    expect(gateway.latest('ETH/USDC')).toBeNull()
    await until(() => gateway.latest('ETH/USDC') !== null)
    // The read that waits is ended for it. Between two reads there is none to end, so some are asked for.
    let asked = 0
    await until(async () => {
      const symbol = `COIN${(asked += 1)}/USDC`
      market.publish(quote(asked, symbol))
      gateway.latest(symbol)
      await until(() => gateway.latest(symbol) !== null)
      return unblocked > 0
    })
    await gateway.load(['ETH/USDC', 'NOBODY/KNOWS'])
    expect(gateway.latest('ETH/USDC')).toEqual(quote(1, 'ETH/USDC'))
  })

  test('recent quotes come oldest first, bounded; what is no quote is passed over and counted', async () => {
    const key = `${connections[0]!.prefix}:prices:${SYMBOL}`
    await connections[0]!.command('XADD', key, '*', 'q', 'rubbish')
    await publishUntilHeard()
    expect(gateway.counters().undecodable).toBe(1)
    await until(() => seen.at(-1)?.sequence === sequence)
    const recent = await gateway.recentQuotes(SYMBOL, 3)
    expect(recent.at(-1)?.sequence).toBe(sequence)
    expect(recent.map((found) => found.sequence)).toEqual(
      [...recent].map((found) => found.sequence).sort((a, b) => a - b),
    )
    await expect(gateway.recentQuotes('NOBODY/KNOWS', 10)).resolves.toEqual([])
    await server.kill()
    await expect(gateway.recentQuotes(SYMBOL, 3)).rejects.toMatchObject({ name: 'PortError' })
  })

  test('a stream keeps a bounded number of quotes', async () => {
    const key = `${connections[0]!.prefix}:prices:${SYMBOL}`
    for (let page = 0; page < 20; page++) {
      for (let index = 0; index < 300; index++) market.publish(quote((sequence += 1)))
      await until(() => seen.at(-1)?.sequence === sequence)
    }
    expect(market.counters().dropped).toBe(0)
    expect(Number(await connections[0]!.command('XLEN', key))).toBeLessThan(QUOTES_KEPT + 500)
    expectOrder()
  })
})
