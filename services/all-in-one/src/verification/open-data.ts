import { openSqliteDirectory } from '@bourse/common/adapters/embedded/directory.ts'
import { openSqliteJournal } from '@bourse/common/adapters/embedded/journal.ts'
import { openFileSnapshots } from '@bourse/common/adapters/embedded/snapshots.ts'
import { openMongo } from '@bourse/common/adapters/mongodb/connection.ts'
import { openMongoDirectory } from '@bourse/common/adapters/mongodb/directory.ts'
import { openMongoJournal } from '@bourse/common/adapters/mongodb/journal.ts'
import { openMongoSnapshots } from '@bourse/common/adapters/mongodb/snapshots.ts'
import { allPartitions, type MarketPlace, type Topology } from '@bourse/common/platform/topology.ts'
import type { Clock } from '@bourse/common/ports/clock.ts'
import type { Directory } from '@bourse/common/ports/directory.ts'
import { createLogger } from '@bourse/common/telemetry/logger.ts'
import { createMachineFactories } from '../platform/machines.ts'
import { dataFolderAt } from '../platform/data-folder.ts'

/** The topology that the data was made with; `place` names the data for people. */
const recordedTopology = async (directory: Directory, place: string): Promise<Topology> => {
  const countAt = async (name: string): Promise<number> => Number((await directory.setting(name)) ?? '0')
  const ledgerPartitions = await countAt('topology.ledger')
  if (ledgerPartitions === 0) {
    throw new Error(`${place} holds no platform's data: it records no number of ledger partitions`)
  }
  const markets = new Map<string, MarketPlace>()
  for (let market = 1; ; market++) {
    const symbol = await directory.setting(`topology.number-market.${market}`)
    if (symbol === null) return { ledgerPartitions, bridgePartitions: await countAt('topology.bridge'), markets }
    markets.set(symbol, { symbol, market, partitions: await countAt(`topology.market.${symbol}`) })
  }
}

/** The machines that the data's partitions run on. */
const machinesOf = async (directory: Directory, place: string) => {
  const topology = await recordedTopology(directory, place)
  await directory.close()
  const { factoryOf } = createMachineFactories(topology)
  /** Every partition there is, whether the journal knows of it or not. */
  return { factoryOf, partitions: allPartitions(topology) }
}

/** Opens what a data folder holds, without a platform: journal, snapshots, and the machines its partitions run on. */
export const openData = async (dataDir: string, clock: Clock) => {
  const folder = dataFolderAt(dataDir)
  const journal = openSqliteJournal({ path: folder.journal })
  const snapshots = await openFileSnapshots({ folder: folder.snapshots, clock })
  const machines = await machinesOf(openSqliteDirectory({ path: folder.directory, clock }), dataDir)
  return {
    folder,
    journal,
    snapshots,
    ...machines,
    close: async () => {
      await snapshots.close()
      await journal.close()
    },
  }
}

/** Opens what a platform of many processes keeps in MongoDB, as `openData` does a folder. */
export const openMongoData = async (url: string, clock: Clock) => {
  const logger = createLogger({ name: 'verify', level: 'warn' })
  const connection = await openMongo({ url, clock, logger })
  try {
    const journal = await openMongoJournal(connection)
    const snapshots = await openMongoSnapshots(connection, { clock })
    const machines = await machinesOf(await openMongoDirectory(connection, { clock }), connection.address)
    return {
      journal,
      snapshots,
      ...machines,
      close: async () => {
        await snapshots.close()
        await journal.close()
        await connection.close()
      },
    }
  } catch (error) {
    await connection.close()
    throw error
  }
}
