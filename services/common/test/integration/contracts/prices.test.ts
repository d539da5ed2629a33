import { afterAll, beforeAll } from '@jest/globals'
import { createRedisPrices } from '../../../src/adapters/redis/prices.ts'
import { createSystemClock } from '../../../src/adapters/system/clock.ts'
import type { FeedQuote, Prices } from '../../../src/ports/prices.ts'
import { pricesContract } from '../../../src/testkit/contracts/prices.contract.ts'
import { pause, until, type Opened } from '../../../src/testkit/contracts/scenario.ts'
import { redisMissing, startRedis, type RedisServer } from '../../../src/testkit/servers/redis.ts'
import { describeUnless } from '../../../src/testkit/skip.ts'
import { freshPrefix, openPatient } from '../redis/support.ts'

const PROBE = 'PROBE/USDC'
const probe = (sequence: number): FeedQuote => ({
  symbol: PROBE,
  sequence,
  feedBid: 1n,
  feedAsk: 1n,
  last: 1n,
  exchangeTimeMs: 0,
  receiveTimeMs: 0,
})

describeUnless(redisMissing(), 'the Prices contract on Redis', () => {
  let server: RedisServer
  beforeAll(async () => void (server = await startRedis()))
  afterAll(() => server.stop())
  const clock = createSystemClock()

  const openOne = async (): Promise<Opened<Prices>> => {
    const connection = await openPatient(server.url)
    const prices = createRedisPrices(connection, { clock })
    return {
      port: prices,
      destroy: async () => {
        await prices.close()
        await connection.close()
      },
    }
  }
  /** What one process publishes another hears. */
  const openTwo = async (): Promise<Opened<Prices>> => {
    const prefix = freshPrefix()
    const connections = [await openPatient(server.url, prefix), await openPatient(server.url, prefix)] as const
    const [writer, reader] = connections.map((connection) => createRedisPrices(connection, { clock }))
    await reader!.load(['BTC/USDC', 'ETH/USDC'])
    // It gives up after a while; what is asked for after these two is known no sooner than they are followed.
    let probes = 0
    await until(async () => {
      writer!.publish(probe((probes += 1)))
      await pause(10)
      return reader!.latest(PROBE) !== null
    })
    return {
      port: { publish: writer!.publish, latest: reader!.latest, subscribe: reader!.subscribe },
      destroy: async () => {
        await Promise.all([writer!.close(), reader!.close()])
        await Promise.all(connections.map((connection) => connection.close()))
      },
    }
  }

  for (const [name, open] of [
    ['prices on Redis', openOne],
    ['prices on Redis, from one process to another', openTwo],
  ] as const) {
    pricesContract({ name, open })
    pricesContract({ name, open, faults: ['twice'] })
    pricesContract({ name, open, faults: ['forgets', 'twice'] })
  }
})
