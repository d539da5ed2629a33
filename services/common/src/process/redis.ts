import { openRedis, type RedisConnection } from '../adapters/redis/connection.ts'
import { checkRedis } from '../adapters/redis/preflight.ts'
import { readRedisTime } from '../adapters/redis/server-time.ts'
import { createRedisPrices, type RedisPrices } from '../adapters/redis/prices.ts'
import type { Manifests } from '../resources/load.ts'
import { clockDifferenceMsMax, judgeFindings } from './preflight.ts'
import type { ProgramContext } from './run.ts'
import { given } from './given.ts'
import type { MeasuredServer } from './server-metrics.ts'

/** What a process has on Redis. */
export interface RedisParts {
  readonly connection: RedisConnection
  readonly prices: RedisPrices
}

/**
 * Connects to Redis, looks at it, and follows prices there. Without Redis the process starts all the same.
 * @throws {StartRefused} in production, when its clock is too far from ours
 */
export const openRedisParts = async (context: ProgramContext, manifests: Manifests): Promise<RedisParts> => {
  const { config, clock, logger, lifetime } = context
  const url = given(config.cluster.redisUrl).reveal()
  const connection = await openRedis({ url, logger, prefix: config.cluster.namespace })
  lifetime.onStop(() => connection.close())
  const findings = await checkRedis({
    connection,
    clock,
    clockDifferenceMsMax: clockDifferenceMsMax(manifests.pairs),
  })
  judgeFindings(findings, config.profile, logger)
  const prices = createRedisPrices(connection, {
    clock,
    onSubscriberFailure: (error, symbol) => logger.error({ err: error, symbol }, 'a quote could not be handed on'),
  })
  lifetime.onStop(() => prices.close())
  return { connection, prices }
}

/** What this process counts of Redis. */
export const measuredRedis = ({ connection, prices }: RedisParts): MeasuredServer => ({
  server: 'redis',
  connections: () => ({ commands: connection.state() === 'ready' }),
  counts: () => ({ ...connection.counters(), prices: prices.counters() }),
  timeMs: () => readRedisTime(connection),
})
