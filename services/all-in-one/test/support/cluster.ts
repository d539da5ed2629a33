import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { openMongo } from '@bourse/common/adapters/mongodb/connection.ts'
import { openMongoDirectory } from '@bourse/common/adapters/mongodb/directory.ts'
import { createSystemClock } from '@bourse/common/adapters/system/clock.ts'
import type { PartitionNumber } from '@bourse/common/kernel/partition.ts'
import type { Directory } from '@bourse/common/ports/directory.ts'
import { createShardClient, type ShardClient } from '@bourse/common/shard-client/client.ts'
import { startChild, type Child, type ChildProgram } from '@bourse/all-in-one/distributed/child.ts'
import { inRoot } from '../../../common/tooling/paths.mjs'
import { ADMIN_TOKEN } from './bourse.ts'
import { until } from './calls.ts'
import type { Servers } from './distributed.ts'

const CONTROL_TOKEN = 'the-control-token-of-these-tests-0123456789'
const STOP_MS_MAX = 60_000

/** Processes as an operator runs them: their manifests are in the directory, and nobody told the shards anything yet. */
export interface Cluster {
  readonly directory: Directory
  /** Orders to shards under fence 7. */
  readonly orders: ShardClient
  /** Folder of the banks' webhook secrets. */
  readonly secretsDir: string
  start(name: string, program: ChildProgram, env?: Readonly<Record<string, string>>): Promise<Child>
  /** Tells a shard to serve partitions; again, until it knows their market. */
  acquire(shard: Child, partitions: readonly PartitionNumber[], epoch: number): Promise<void>
  /** Ends all processes. */
  stop(): Promise<void>
}

/** Opens what an operator has before it starts anything. */
export const openCluster = async ({ rabbitMq, redis, mongoUrl }: Servers): Promise<Cluster> => {
  const clock = createSystemClock()
  const folder = await mkdtemp(join(tmpdir(), 'bourse-cluster-'))
  const connection = await openMongo({ url: mongoUrl, clock, logger: pino({ level: 'silent' }) })
  const directory = await openMongoDirectory(connection, { clock })
  const children: Child[] = []
  const orders = createShardClient({ token: CONTROL_TOKEN, clock, fence: () => 7 })
  const environment = {
    NODE_COMPILE_CACHE: inRoot('node_modules/.cache/compile'),
    BOURSE_MANIFESTS: 'directory',
    BOURSE_LOG_LEVEL: process.env['BOURSE_TEST_LOG_LEVEL'] ?? 'silent',
    BOURSE_DATA_DIR: folder,
    BOURSE_RABBITMQ_URL: rabbitMq.url,
    BOURSE_MONGODB_URL: mongoUrl,
    BOURSE_REDIS_URL: redis.url,
    BOURSE_CONTROL_TOKEN: CONTROL_TOKEN,
    BOURSE_ADMIN_TOKEN: ADMIN_TOKEN,
    BOURSE_LEDGER_PARTITIONS: '2',
    BOURSE_BRIDGE_PARTITIONS: '1',
    BOURSE_SERVICE_PORT: '0',
    BOURSE_PORT: '0',
    BOURSE_MOCK_EXCHANGE_PORT: '0',
    BOURSE_MOCK_BANK_PORT: '0',
    BOURSE_WEBHOOK_SECRETS_DIR: folder,
    ENGINE_SNAPSHOT_SLACK: '4',
  }
  return {
    directory,
    orders,
    secretsDir: folder,
    start: async (name, program, env = {}) => {
      const own = { ...environment, BOURSE_SHARD_NAME: name, ...env }
      const child = await startChild({ name, program, env: own, sleep: clock.sleep })
      children.push(child)
      return child
    },
    acquire: async ({ url }, partitions, epoch) => {
      for (const partition of partitions)
        await until(
          () => orders.acquire(url, partition, epoch),
          (refusal) => refusal === null,
        )
    },
    stop: async () => {
      await Promise.all(children.map((child) => child.stop(STOP_MS_MAX)))
      await directory.close()
      await connection.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
