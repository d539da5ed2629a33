import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { openRedis } from '@bourse/common/adapters/redis/connection.ts'
import { createRedisPrices } from '@bourse/common/adapters/redis/prices.ts'
import { createRedisRateLimits } from '@bourse/common/adapters/redis/rate-limits.ts'
import { createSystemClock } from '@bourse/common/adapters/system/clock.ts'
import { codeOfOutcome } from '@bourse/common/kernel/client.ts'
import { mongoMissing, startMongo, type MongoKind, type MongoServer } from '@bourse/common/testkit/servers/mongodb.ts'
import { until } from '@bourse/common/testkit/contracts/scenario.ts'
import type { Proxy } from '@bourse/common/testkit/servers/proxy.ts'
import { rabbitMqMissing, startRabbitMq, type RabbitMqServer } from '@bourse/common/testkit/servers/rabbitmq.ts'
import { redisMissing, startRedis, type RedisServer } from '@bourse/common/testkit/servers/redis.ts'
import { describeUnless } from '@bourse/common/testkit/skip.ts'
import { pino } from 'pino'
import { pause } from '../../support/calls.ts'
import { LIMIT_MS } from '../../support/limits.ts'
import type { Answered } from './support/load.ts'
import { FIRST_PRICE, market, SYMBOL } from './support/market.ts'
import { FLAWLESS, runFault, RUN_MS_MAX, type RunOptions, type RunResult } from './support/run.ts'
import { openMongoStores, openSqliteStores } from './support/stores.ts'

/** The slow stand-in reads its whole collection for one record: small loads. */
const SLOW = { perSecond: 20, least: 120 }
const QUOTE_INTERVAL_MS = 200
/** Prices older than this are refused: older than a machine that stands still makes them. Redis is away for longer. */
const MAX_AGE_MS = 12_000
/** Openings that are refused meanwhile. */
const REFUSED_LEAST = 10

/** The openings of trades that came to an end. */
const openingsOf = (done: readonly Answered[]): Answered[] =>
  done.filter(({ operation, then }) => operation.kind === 'open' && then !== null)
const beganAtMs = ({ tookMs, answeredAtMs }: Answered): number => answeredAtMs - tookMs

/** The market's prices, and the gateways' limits, on one Redis. */
const startFeed = async (redis: RedisServer) => {
  const clock = createSystemClock()
  const connection = await openRedis({ url: redis.url, logger: pino({ level: 'silent' }) })
  const prices = createRedisPrices(connection, { clock })
  let sequence = 0
  const ticking = clock.every(
    QUOTE_INTERVAL_MS,
    () => {
      const nowMs = clock.nowMs()
      const [feedBid, feedAsk] = [FIRST_PRICE, FIRST_PRICE + 1_000_000n]
      const times = { exchangeTimeMs: nowMs, receiveTimeMs: nowMs }
      prices.publish({ symbol: SYMBOL, feedBid, feedAsk, last: feedBid, ...times, sequence: (sequence += 1) })
    },
    (error) => {
      throw error
    },
  )
  return {
    connection,
    limits: createRedisRateLimits(connection),
    stop: async () => {
      await ticking.stop()
      await prices.close()
      await connection.close()
    },
  }
}

/** A server that keeps its data and that we may kill: a mongod, else the stand-in. */
const killable: MongoKind = mongoMissing('mongod') === undefined ? 'mongod' : 'ferretdb'
const noRabbit = rabbitMqMissing()

describeUnless(noRabbit, 'stores fail under load, and nothing is lost or doubled', () => {
  let rabbit: RabbitMqServer
  beforeAll(async () => void (rabbit = await startRabbitMq()), LIMIT_MS)
  afterAll(() => rabbit.stop(), LIMIT_MS)

  const run = async (options: Omit<RunOptions, 'rabbit'>): Promise<RunResult> => {
    const result = await runFault({ ...options, rabbit })
    expect(result).toMatchObject({ ...FLAWLESS, acknowledged: result.sent })
    return result
  }

  describeUnless(mongoMissing(killable), `on MongoDB (${killable})`, () => {
    let mongo: MongoServer
    beforeAll(async () => void (mongo = await startMongo({ kind: killable })), LIMIT_MS)
    afterAll(() => mongo.stop())

    test(
      'the server killed with -9 and restarted',
      async () => {
        await run({
          title: `the MongoDB-protocol server killed with -9 and restarted`,
          ...SLOW,
          openStores: (name) => openMongoStores(mongo, name),
          fault: async () => {
            for (let round = 0; round < 2; round++) {
              await mongo.kill()
              await pause(700)
              await mongo.start()
              await pause(2_000)
            }
          },
        })
      },
      RUN_MS_MAX,
    )
  })

  describeUnless(mongoMissing(killable), `on MongoDB (${killable}) that dies with everything else`, () => {
    let mongo: MongoServer
    beforeAll(async () => void (mongo = await startMongo({ kind: killable })), LIMIT_MS)
    afterAll(() => mongo.stop())

    test(
      'every process and every server killed at once',
      async () => {
        await run({
          title: 'every process, RabbitMQ and the MongoDB-protocol server killed at once',
          ...SLOW,
          openStores: (name) => openMongoStores(mongo, name),
          fault: async ({ shards, gateways, mind }) => {
            mind(false)
            await Promise.all([...[...shards, ...gateways], mongo, rabbit].map((one) => one.kill()))
            await Promise.all([rabbit.start(), mongo.start()])
            mind(true)
          },
        })
      },
      RUN_MS_MAX,
    )
  })

  describeUnless(mongoMissing(), 'on MongoDB, behind a proxy', () => {
    let mongo: MongoServer
    beforeAll(async () => void (mongo = await startMongo()), LIMIT_MS)
    afterAll(() => mongo.stop())

    test(
      'answers lost after the write, and writes lost on their way: who sent them can not tell',
      async () => {
        let appendedInTheDark = 0
        let proxy: Proxy | null = null
        const { reacquired } = await run({
          title: 'answers of MongoDB lost after the write, and writes on their way',
          openStores: async (name) => {
            const stores = await openMongoStores(mongo, name)
            proxy = stores.proxy
            return stores
          },
          fault: async () => {
            for (let round = 0; round < 8; round++) {
              const way = round % 2 === 0 ? 'back' : 'forth'
              const swallowed = (): number => proxy?.counts().swallowed[way] ?? 0
              const before = swallowed()
              proxy?.blackHole(way)
              await pause(150)
              // On a machine that stood still for so long nothing has been said yet.
              if (proxy !== null) await until(() => swallowed() > before)
              if (way === 'back' && swallowed() > before) appendedInTheDark += 1
              proxy?.heal()
              await pause(700)
            }
          },
        })
        // What was in doubt was settled by reading it back: nobody took it for another's.
        expect(reacquired).toBe(0)
        // The server answered while nobody heard it.
        expect(appendedInTheDark).toBeGreaterThan(0)
      },
      RUN_MS_MAX,
    )
  })

  describeUnless(redisMissing(), 'on Redis', () => {
    let redis: RedisServer
    beforeAll(async () => void (redis = await startRedis()), LIMIT_MS)
    afterAll(() => redis.stop())

    test(
      'flushed, then killed: stale prices are refused meanwhile, and trading resumes',
      async () => {
        const feed = await startFeed(redis)
        const limit = { perSecond: 0.001, burst: 1 }
        let [killedAtMs, goneAtMs, startedAtMs, resumedAtMs] = [0, 0, 0, 0]
        try {
          const { done } = await run({
            title: 'Redis flushed, then killed',
            redisUrl: redis.url,
            maxAgeSeconds: MAX_AGE_MS / 1_000,
            perSecond: 60,
            openStores: (_, folder) => openSqliteStores(folder),
            fault: async (_platform, load) => {
              const openings = (code: string, fromMs: number): Answered[] =>
                openingsOf(load.answers()).filter(
                  (one) => beganAtMs(one) >= fromMs && codeOfOutcome(one.then!) === code,
                )
              await feed.connection.command('FLUSHALL')
              await pause(1_000)
              killedAtMs = performance.now()
              await redis.kill()
              goneAtMs = performance.now()
              await until(() => openings('PRICE_STALE', goneAtMs + MAX_AGE_MS).length >= REFUSED_LEAST)
              expect(await feed.limits.take('a client', limit)).toEqual({ allowed: true, retryAfterMs: 0 })
              expect(feed.limits.letPass()).toBe(1)
              startedAtMs = performance.now()
              await redis.start()
              // Each shard hears of prices again by itself: trades are opened on the partitions of both.
              const resumed = (): number =>
                new Set(openings('OK', startedAtMs).map(({ operation }) => operation.follow?.partition)).size
              await until(() => resumed() === market.partitions)
              resumedAtMs = performance.now()
              // While Redis can not be asked everything passes; asked again it has forgotten, and counts anew.
              await until(async () => !(await feed.limits.take('a client', limit)).allowed)
            },
          })
          const codes = (fromMs: number, toMs: number): string[] => {
            const within = openingsOf(done).filter((one) => beganAtMs(one) >= fromMs && one.answeredAtMs < toMs)
            return [...new Set(within.map(({ then }) => codeOfOutcome(then!)))]
          }
          expect(codes(0, killedAtMs)).toEqual(['OK'])
          expect(codes(goneAtMs + MAX_AGE_MS + QUOTE_INTERVAL_MS, startedAtMs)).toEqual(['PRICE_STALE'])
          expect(codes(resumedAtMs, Infinity)).toEqual(['OK'])
        } finally {
          await feed.stop()
        }
      },
      RUN_MS_MAX,
    )
  })
})
