import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { openSqliteJournal } from '@bourse/common/adapters/embedded/journal.ts'
import { openFileSnapshots } from '@bourse/common/adapters/embedded/snapshots.ts'
import { openMongo } from '@bourse/common/adapters/mongodb/connection.ts'
import { openMongoJournal } from '@bourse/common/adapters/mongodb/journal.ts'
import { openMongoSnapshots } from '@bourse/common/adapters/mongodb/snapshots.ts'
import { createSystemClock } from '@bourse/common/adapters/system/clock.ts'
import type { Journal } from '@bourse/common/ports/journal.ts'
import type { Snapshots } from '@bourse/common/ports/snapshots.ts'
import type { MongoServer } from '@bourse/common/testkit/servers/mongodb.ts'
import { startProxy, type Proxy } from '@bourse/common/testkit/servers/proxy.ts'
import { pino } from 'pino'
import { storeHandlers } from './remote-stores.ts'
import type { Handlers } from './rpc.ts'

/** Where the journal of a run is: what judges it reads it without any proxy. */
export interface RunStores {
  readonly label: string
  readonly journal: Journal
  readonly snapshots: Snapshots
  /** For the shards; null when they ask the test through `handlers`. */
  readonly mongoUrl: string | null
  /** Between the shards and MongoDB. */
  readonly proxy: Proxy | null
  readonly handlers: Handlers
  close(): Promise<void>
}

/** Journal and snapshots in files of the test's process, which the shards reach through it. */
export const openSqliteStores = async (folder: string): Promise<RunStores> => {
  await mkdir(folder, { recursive: true })
  const journal = openSqliteJournal({ path: join(folder, 'journal.db') })
  const snapshots = await openFileSnapshots({ folder: join(folder, 'snapshots'), clock: createSystemClock() })
  return {
    label: 'SQLite',
    journal,
    snapshots,
    mongoUrl: null,
    proxy: null,
    handlers: storeHandlers(journal, snapshots),
    close: async () => {
      await snapshots.close()
      await journal.close()
    },
  }
}

const proxied = (url: string, proxy: Proxy): string => url.replace(/127\.0\.0\.1:\d+/u, `127.0.0.1:${proxy.port}`)

/** Journal and snapshots in a database of a MongoDB, which the shards reach through a proxy. */
export const openMongoStores = async (server: MongoServer, database: string): Promise<RunStores> => {
  const clock = createSystemClock()
  const url = server.urlOf(database)
  // A server that is not ours to reach under another address is spoken to as it is.
  const port = server.kind === 'given' ? null : Number(new URL(server.url).port)
  const proxy = port === null ? null : await startProxy({ port })
  const connection = await openMongo({ url, clock, logger: pino({ level: 'silent' }) })
  const shardUrl = proxy === null ? url : proxied(url, proxy)
  return {
    label: server.label,
    journal: await openMongoJournal(connection),
    snapshots: await openMongoSnapshots(connection, { clock }),
    // A replica set names its members' own addresses: a direct connection stays with the proxy's.
    mongoUrl:
      proxy === null || server.kind !== 'mongod' ? shardUrl : shardUrl.replace(/\?.*/u, '?directConnection=true'),
    proxy,
    handlers: {},
    close: async () => {
      await connection.close()
      await proxy?.stop()
    },
  }
}
