import { openSqliteDirectory } from '@bourse/common/adapters/embedded/directory.ts'
import { openSqliteJournal } from '@bourse/common/adapters/embedded/journal.ts'
import { openFileSnapshots } from '@bourse/common/adapters/embedded/snapshots.ts'
import { allPartitions, type MarketPlace, type Topology } from '@bourse/common/platform/topology.ts'
import type { Clock } from '@bourse/common/ports/clock.ts'
import type { Directory } from '@bourse/common/ports/directory.ts'
import { createMachineFactories } from '../platform/machines.ts'
import { dataFolderAt } from '../platform/data-folder.ts'

/** The topology that the data was made with. */
const recordedTopology = async (directory: Directory, dataDir: string): Promise<Topology> => {
  const countAt = async (name: string): Promise<number> => Number((await directory.setting(name)) ?? '0')
  const ledgerPartitions = await countAt('topology.ledger')
  if (ledgerPartitions === 0) {
    throw new Error(`${dataDir} holds no platform's data: it records no number of ledger partitions`)
  }
  const markets = new Map<string, MarketPlace>()
  for (let market = 1; ; market++) {
    const symbol = await directory.setting(`topology.number-market.${market}`)
    if (symbol === null) return { ledgerPartitions, bridgePartitions: await countAt('topology.bridge'), markets }
    markets.set(symbol, { symbol, market, partitions: await countAt(`topology.market.${symbol}`) })
  }
}

/** Opens what a data folder holds, without a platform: journal, snapshots, and the machines its partitions run on. */
export const openData = async (dataDir: string, clock: Clock) => {
  const folder = dataFolderAt(dataDir)
  const journal = openSqliteJournal({ path: folder.journal })
  const snapshots = await openFileSnapshots({ folder: folder.snapshots, clock })
  const directory = openSqliteDirectory({ path: folder.directory, clock })
  const topology = await recordedTopology(directory, dataDir)
  await directory.close()
  const { factoryOf } = createMachineFactories(topology)
  return {
    folder,
    journal,
    snapshots,
    factoryOf,
    /** Every partition there is, whether the journal knows of it or not. */
    partitions: allPartitions(topology),
    close: async () => {
      await snapshots.close()
      await journal.close()
    },
  }
}
