import { describeUnless } from '@bourse/common/testkit/skip.ts'
import { mongoMissing, startMongo, type MongoServer } from '@bourse/common/testkit/servers/mongodb.ts'
import { rabbitMqMissing, startRabbitMq, type RabbitMqServer } from '@bourse/common/testkit/servers/rabbitmq.ts'
import { redisMissing, startRedis, type RedisServer } from '@bourse/common/testkit/servers/redis.ts'
import { inRoot } from '../../../common/tooling/paths.mjs'
import { createBourse, type Bourse, type BourseOptions } from './bourse.ts'

/** The backing services of one test. */
export interface Servers {
  readonly rabbitMq: RabbitMqServer
  readonly mongo: MongoServer
  readonly redis: RedisServer
  /** Of the database that the test's platform keeps everything in. */
  readonly mongoUrl: string
  stop(): Promise<void>
}

/** Declares tests that need all three servers; skipped, with the reason, where one is missing. */
export const describeOnServers = (title: string, body: () => void): void =>
  describeUnless(rabbitMqMissing() ?? mongoMissing() ?? redisMissing(), title, body)

/** Starts private servers, side by side. */
export const startServers = async (): Promise<Servers> => {
  const [rabbitMq, mongo, redis] = await Promise.all([startRabbitMq(), startMongo(), startRedis()])
  return {
    rabbitMq,
    mongo,
    redis,
    mongoUrl: mongo.urlOf(`bourse-test-${process.pid}-${Date.now()}`),
    stop: async () => {
      await Promise.all([rabbitMq.stop(), mongo.stop(), redis.stop()])
    },
  }
}

/** Prepares a platform of many processes on these servers; nothing runs yet. */
export const createDistributed = (
  { rabbitMq, redis, mongoUrl }: Servers,
  args: readonly string[],
  options: BourseOptions = {},
): Promise<Bourse> =>
  createBourse({
    ...options,
    program: { file: 'distributed/main.ts', args },
    env: {
      // As the script's door does: without it each of ten processes compiles everything anew.
      NODE_COMPILE_CACHE: inRoot('node_modules/.cache/compile'),
      BOURSE_RABBITMQ_URL: rabbitMq.url,
      BOURSE_MONGODB_URL: mongoUrl,
      BOURSE_REDIS_URL: redis.url,
      ...options.env,
    },
  })
