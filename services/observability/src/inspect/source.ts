import { existsSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { dataFolderAt } from '@bourse/all-in-one/platform/data-folder.ts'
import { readRecords } from '@bourse/common/adapters/embedded/journal-records.ts'
import { createJournalStatements } from '@bourse/common/adapters/embedded/journal-statements.ts'
import { openMongo } from '@bourse/common/adapters/mongodb/connection.ts'
import { createMongoJournalReader } from '@bourse/common/adapters/mongodb/journal.ts'
import type { PartitionNumber } from '@bourse/common/kernel/partition.ts'
import { verifyBytes } from '@bourse/common/kernel/record.ts'
import { allPartitions, partitionTitle, type MarketPlace, type Topology } from '@bourse/common/platform/topology.ts'
import type { Clock } from '@bourse/common/ports/clock.ts'
import { PortError } from '@bourse/common/ports/failure.ts'
import type { StoredRecord } from '@bourse/common/ports/journal.ts'
import { createLogger } from '@bourse/common/telemetry/logger.ts'
import { InspectFault } from './fault.ts'

/** What a platform's data is read from. Nothing is ever written there. */
export interface InspectSource {
  /** The data for people: the folder, or host and database. */
  readonly place: string
  readonly topology: Topology
  /** Every partition there is, by number. */
  readonly partitions: readonly PartitionNumber[]
  /** Records of a partition from a sequence on, archived ones included. */
  readFrom(partition: PartitionNumber, sequence: bigint): AsyncIterable<StoredRecord>
  close(): Promise<void>
}

/** Reads a setting of the directory; null for none. */
type ReadSetting = (name: string) => Promise<string | null>

const topologyOf = async (setting: ReadSetting, place: string): Promise<Topology> => {
  const countAt = async (name: string): Promise<number> => Number((await setting(name)) ?? '0')
  const ledgerPartitions = await countAt('topology.ledger')
  if (ledgerPartitions === 0)
    throw new InspectFault(
      `${place} holds no platform's data; name the folder with --data-dir or the MongoDB with --mongodb`,
    )
  const markets = new Map<string, MarketPlace>()
  for (let market = 1; ; market++) {
    const symbol = await setting(`topology.number-market.${market}`)
    if (symbol === null) return { ledgerPartitions, bridgePartitions: await countAt('topology.bridge'), markets }
    markets.set(symbol, { symbol, market, partitions: await countAt(`topology.market.${symbol}`) })
  }
}

/** What a database of SQLite has beside it while somebody has it open, or after he died. */
const writtenBeside = (path: string): boolean => existsSync(`${path}-wal`)

/**
 * Opens a database without leaving anything beside it. One that nobody has open is read as a file that does not change: SQLite
 * would make a `-wal` and a `-shm` there otherwise, which might not be the platform's to write any more.
 */
const openReadOnly = (path: string, place: string): DatabaseSync => {
  if (!existsSync(path))
    throw new InspectFault(`${place} holds no platform's data (no ${path}); name the folder with --data-dir`)
  const url = pathToFileURL(path)
  if (!writtenBeside(path)) url.searchParams.set('immutable', '1')
  try {
    const database = new DatabaseSync(url, { readOnly: true })
    database.prepare('SELECT count(*) FROM sqlite_schema').get()
    return database
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new InspectFault(`${path} can't be read (${reason}); check that it is a journal of Bourse and yours to read`)
  }
}

/** A journal's records in a file; one that a platform opens meanwhile is opened anew. */
const openJournalFile = (path: string, place: string) => {
  let isStill = !writtenBeside(path)
  let database = openReadOnly(path, place)
  let statements = createJournalStatements(database)
  return {
    readFrom: (partition: PartitionNumber, sequence: bigint): AsyncIterable<StoredRecord> => {
      if (isStill && writtenBeside(path)) {
        isStill = false
        database.close()
        database = openReadOnly(path, place)
        statements = createJournalStatements(database)
      }
      return readRecords(statements, partition, sequence, () => undefined)
    },
    close: (): void => database.close(),
  }
}

/** The records as they were written. @throws {RecordError} at one whose bytes are others, before anything of it is shown */
const verified = async function* (
  partition: PartitionNumber,
  records: AsyncIterable<StoredRecord>,
): AsyncGenerator<StoredRecord> {
  for await (const record of records) {
    verifyBytes(record, partition)
    yield record
  }
}

/** Opens a data folder for reading, also while a platform writes to it. @throws {InspectFault} where there is none */
export const openFolder = async (dataDir: string): Promise<InspectSource> => {
  const folder = dataFolderAt(dataDir)
  const directory = openReadOnly(folder.directory, dataDir)
  const setting = directory.prepare('SELECT value FROM settings WHERE name = ?')
  const topology = await topologyOf(async (name) => {
    const value = setting.get(name)?.['value']
    return typeof value === 'string' ? value : null
  }, dataDir)
  directory.close()
  const journal = openJournalFile(folder.journal, dataDir)
  return {
    place: dataDir,
    topology,
    partitions: allPartitions(topology),
    readFrom: (partition, sequence) => verified(partition, journal.readFrom(partition, sequence)),
    close: async () => journal.close(),
  }
}

/** Opens what a platform of many processes keeps in MongoDB. @throws {InspectFault} where there is none, or no server answers */
export const openMongoSource = async (url: string, clock: Clock): Promise<InspectSource> => {
  const logger = createLogger({ name: 'inspect', level: 'error' })
  const connection = await openMongo({ url, clock, logger }).catch((error: unknown) => {
    if (!(error instanceof PortError)) throw error
    throw new InspectFault(
      `${error.message}; check --mongodb (or BOURSE_MONGODB_URL) and that the server can be reached`,
    )
  })
  try {
    // Before anything else is opened: what is not a platform's database is left as it is.
    const settings = connection.database.collection<{ readonly _id: string; readonly value: string }>(
      'directory_settings',
    )
    const topology = await topologyOf(
      async (name) => (await settings.findOne({ _id: name }))?.value ?? null,
      connection.address,
    )
    const journal = createMongoJournalReader(connection)
    return {
      place: connection.address,
      topology,
      partitions: allPartitions(topology),
      readFrom: (partition, sequence) => verified(partition, journal.readFrom(partition, sequence)),
      close: () => connection.close(),
    }
  } catch (error) {
    await connection.close()
    throw error
  }
}

/** Finds a partition by what people write: `ledger/3`, `trading/BTC_USDC/0`, `bridge/1`, or its number. @throws {InspectFault} */
export const partitionNamed = ({ topology, partitions }: InspectSource, text: string): PartitionNumber => {
  const found = partitions.find(
    (partition) => partitionTitle(topology, partition) === text || String(partition) === text,
  )
  if (found !== undefined) return found
  const known = partitions.map((partition) => partitionTitle(topology, partition))
  throw new InspectFault(`'${text}' is no partition of this platform; there are ${known.join(', ')}`)
}
