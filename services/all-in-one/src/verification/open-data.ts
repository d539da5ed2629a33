import { openSqliteDirectory } from '@bourse/common/adapters/embedded/directory.ts'
import { openSqliteJournal } from '@bourse/common/adapters/embedded/journal.ts'
import { openFileSnapshots } from '@bourse/common/adapters/embedded/snapshots.ts'
import type { Topology } from '@bourse/common/platform/topology.ts'
import type { Clock } from '@bourse/common/ports/clock.ts'
import { createMachineFactories } from '../platform/machines.ts'
import { dataFolderAt } from '../platform/data-folder.ts'

/** Opens what a data folder holds, without a platform: journal, snapshots, and the machines its partitions run on. */
export const openData = async (dataDir: string, clock: Clock) => {
  const folder = dataFolderAt(dataDir)
  const journal = openSqliteJournal({ path: folder.journal })
  const snapshots = await openFileSnapshots({ folder: folder.snapshots, clock })
  const directory = openSqliteDirectory({ path: folder.directory, clock })
  const ledgerPartitions = Number((await directory.setting('topology.ledger')) ?? '0')
  await directory.close()
  if (ledgerPartitions === 0)
    throw new Error(`${dataDir} holds no platform's data: it records no number of ledger partitions`)
  const topology: Topology = { ledgerPartitions, bridgePartitions: 1, markets: new Map() }
  const { factoryOf } = createMachineFactories(topology)
  return {
    folder,
    journal,
    snapshots,
    factoryOf,
    close: async () => {
      await snapshots.close()
      await journal.close()
    },
  }
}
