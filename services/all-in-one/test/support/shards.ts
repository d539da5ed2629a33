import { readdir, readFile, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { pino } from 'pino'
import { openMongo } from '@bourse/common/adapters/mongodb/connection.ts'
import { openMongoViews } from '@bourse/common/adapters/mongodb/views.ts'
import { createSystemClock } from '@bourse/common/adapters/system/clock.ts'
import { partitionName, type PartitionNumber } from '@bourse/common/kernel/partition.ts'
import { createShardClient } from '@bourse/common/shard-client/client.ts'
import { createEpochs, readPartitionStates } from '@bourse/common/shard-client/epochs.ts'
import { createMoveController, type ShardPlace } from '@bourse/common/shard-client/move.ts'
import { viewModels } from '@bourse/common/views/models.ts'

/** A partition and the shard that says it serves it. */
export interface Owned {
  readonly partition: PartitionNumber
  readonly owner: ShardPlace
}

/** The shards of a running platform, seen as its launcher sees them. */
export interface OpenShards {
  /** Who serves the partitions whose names begin so, in the order of their numbers; those that somebody serves right now. */
  owners(prefix: string): Promise<readonly Owned[]>
  move(partition: PartitionNumber, from: ShardPlace, to: ShardPlace): Promise<void>
  /** Tells a shard to serve a partition under a new epoch, whoever serves it now; nobody else is told. */
  acquire(partition: PartitionNumber, at: ShardPlace): Promise<void>
  /** Which of these shards serve a partition by their own word, asked at their doors. */
  serving(partition: PartitionNumber, places: readonly ShardPlace[]): Promise<readonly ShardPlace[]>
  /** The process that listens at a shard's URL (Linux). */
  pidOf(shard: ShardPlace): Promise<number>
  close(): Promise<void>
}

/** Inodes of the sockets that listen on a port. */
const listeners = async (port: number): Promise<ReadonlySet<string>> => {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  const lines = (await readFile('/proc/net/tcp', 'utf8')).split('\n').map((line) => line.trim().split(/\s+/))
  return new Set(
    lines.filter(([, at, , state]) => at?.endsWith(wanted) && state === '0A').map((parts) => parts[9] ?? ''),
  )
}

const pidListeningOn = async (port: number): Promise<number> => {
  const inodes = await listeners(port)
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    // A process may end while it is looked at.
    for (const fd of await readdir(`/proc/${pid}/fd`).catch(() => [])) {
      const target = await readlink(`/proc/${pid}/fd/${fd}`).catch(() => '')
      if (inodes.has(/^socket:\[(\d+)\]$/.exec(target)?.[1] ?? '-')) return Number(pid)
    }
  }
  throw new Error(`no process listens on port ${port}`)
}

/** Reads what shards say of themselves in a platform's database, and the token to order them with from its data folder. */
export const openShards = async (mongoUrl: string, dataDir: string): Promise<OpenShards> => {
  const clock = createSystemClock()
  const connection = await openMongo({ url: mongoUrl, clock, logger: pino({ level: 'silent' }) })
  const views = await openMongoViews(connection, { models: viewModels })
  const token = (await readFile(join(dataDir, 'secrets', 'control-token'), 'utf8')).trim()
  const orders = createShardClient({ token, clock })
  return {
    owners: async (prefix) =>
      (await readPartitionStates(views))
        .filter(({ state }) => state === 'serving')
        .map(({ _id, shard, controlUrl }) => ({ partition: Number(_id), owner: { name: shard, url: controlUrl } }))
        .filter(({ partition }) => partitionName(partition).startsWith(prefix))
        .sort((a, b) => a.partition - b.partition),
    move: async (partition, from, to) => {
      const { next: nextEpoch } = createEpochs(await readPartitionStates(views))
      const unreleased: unknown[] = []
      const controller = createMoveController({ orders, nextEpoch, onUnreleased: (error) => unreleased.push(error) })
      await controller.move(partition, from, to)
      if (unreleased.length > 0) throw new Error('the old owner did not hand over', { cause: unreleased[0] })
    },
    acquire: async (partition, at) => {
      const { next } = createEpochs(await readPartitionStates(views))
      const refusal = await orders.acquire(at.url, partition, next())
      if (refusal !== null) throw new Error(`${refusal.code}: ${refusal.message}`)
    },
    serving: async (partition, places) => {
      const served = await Promise.all(places.map(({ url }) => orders.stateHashes(url)))
      return places.filter((_, index) => served[index]?.has(partition))
    },
    pidOf: ({ url }) => pidListeningOn(Number(new URL(url).port)),
    close: async () => {
      await views.close()
      await connection.close()
    },
  }
}
