import { openMongo, type MongoConnection } from '../adapters/mongodb/connection.ts'
import { openMongoDirectory } from '../adapters/mongodb/directory.ts'
import { openMongoJournal } from '../adapters/mongodb/journal.ts'
import { checkMongo } from '../adapters/mongodb/preflight.ts'
import { readMongoTime } from '../adapters/mongodb/server-time.ts'
import { openMongoSnapshots } from '../adapters/mongodb/snapshots.ts'
import { openMongoViews } from '../adapters/mongodb/views.ts'
import type { Directory } from '../ports/directory.ts'
import type { Journal } from '../ports/journal.ts'
import type { Snapshots } from '../ports/snapshots.ts'
import type { Views } from '../ports/views.ts'
import type { Manifests } from '../resources/load.ts'
import { viewModels } from '../views/models.ts'
import type { ProgramName } from '../config/variables.ts'
import { given } from './given.ts'
import { openManifestSource, type ManifestSource } from './manifest-source.ts'
import { clockDifferenceMsMax, judgeFindings } from './preflight.ts'
import type { ProgramContext } from './run.ts'
import type { MeasuredServer } from './server-metrics.ts'

/** What a process keeps in MongoDB. */
export interface Stores {
  readonly connection: MongoConnection
  readonly journal: Journal
  readonly snapshots: Snapshots
  readonly views: Views
  readonly directory: Directory
}

/** Stores, and the manifests that were there. */
export interface StoresWithManifests {
  readonly stores: Stores
  readonly source: ManifestSource
  readonly manifests: Manifests
}

/** Connects to MongoDB. @throws {PortError} when it does not answer */
const connect = async ({ config, clock, logger, lifetime }: ProgramContext): Promise<MongoConnection> => {
  const connection = await openMongo({ url: given(config.cluster.mongoDbUrl).reveal(), clock, logger })
  lifetime.onStop(() => connection.close())
  return connection
}

/** Opens no more than the directory, for a process that keeps nothing. @throws {PortError} when it does not answer */
export const openDirectory = async (context: ProgramContext): Promise<Directory> => {
  const directory = await openMongoDirectory(await connect(context), { clock: context.clock })
  context.lifetime.onStop(() => directory.close())
  return directory
}

/** Looks at MongoDB and opens everything that is kept there. */
const openAll = async (
  { config, clock, logger, lifetime }: ProgramContext,
  connection: MongoConnection,
  manifests: Pick<Manifests, 'pairs'>,
): Promise<Stores> => {
  const findings = await checkMongo({ connection, clock, clockDifferenceMsMax: clockDifferenceMsMax(manifests.pairs) })
  judgeFindings(findings, config.profile, logger)
  const stores = {
    connection,
    journal: await openMongoJournal(connection),
    snapshots: await openMongoSnapshots(connection, { clock }),
    views: await openMongoViews(connection, { models: viewModels }),
    directory: await openMongoDirectory(connection, { clock }),
  }
  lifetime.onStop(async () => {
    await stores.views.close()
    await stores.directory.close()
    await stores.snapshots.close()
    await stores.journal.close()
  })
  return stores
}

/**
 * Connects to MongoDB, looks at it, and opens everything that is kept there.
 * @throws {StartRefused} in production, when it could lose data
 * @throws {PortError} when it does not answer
 */
export const openStores = async (context: ProgramContext, manifests: Pick<Manifests, 'pairs'>): Promise<Stores> =>
  openAll(context, await connect(context), manifests)

/**
 * Reads the manifests, from wherever the configuration says, and opens the stores.
 * @throws {StartRefused} on manifests that can't be used; in production, when MongoDB could lose data
 * @throws {PortError} when it does not answer
 */
export const openStoresWithManifests = async (
  context: ProgramContext,
  program: ProgramName,
): Promise<StoresWithManifests> => {
  let connection: MongoConnection | null = null
  const source = await openManifestSource(context, program, async () => {
    connection = await connect(context)
    return openMongoDirectory(connection, { clock: context.clock })
  })
  const manifests = await source.read()
  return { source, manifests, stores: await openAll(context, connection ?? (await connect(context)), manifests) }
}

/** What this process counts of MongoDB. */
export const measuredStores = ({ connection }: Stores): MeasuredServer => ({
  server: 'mongodb',
  connections: () => ({ database: connection.isConnected() }),
  counts: () => connection.counters(),
  timeMs: () => readMongoTime(connection),
})
