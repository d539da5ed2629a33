import { randomBytes } from 'node:crypto'
import { mkdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { openSqliteDirectory } from '@bourse/common/adapters/embedded/directory.ts'
import { openSqliteJournal } from '@bourse/common/adapters/embedded/journal.ts'
import { openFileSnapshots } from '@bourse/common/adapters/embedded/snapshots.ts'
import { createSystemClock } from '@bourse/common/adapters/system/clock.ts'
import type { PartitionNumber } from '@bourse/common/kernel/partition.ts'
import { recoverPartition } from '@bourse/common/kernel/recovery.ts'
import { ledgerPartitionOf, type Topology } from '@bourse/common/platform/topology.ts'
import { parseAmount } from '@bourse/common/money/amount.ts'
import { freePort } from '@bourse/common/testkit/servers/free-port.ts'
import { customerAccountKey, transactionTypes } from '@bourse/risk-rules/ledger/accounts.ts'
import { encodeLedgerCommand, openAccountInstruction } from '@bourse/risk-rules/ledger/codec.ts'
import { dataFolderAt } from '@bourse/all-in-one/platform/data-folder.ts'
import { createMachineFactories } from '@bourse/all-in-one/platform/machines.ts'
import { SEGMENT_COMMANDS } from '../../market.ts'
import { startProgram, type Program } from '../wire/support/program.ts'
import { appendRecord } from './journal-data.ts'

/** Starts the platform as delivered on a data folder; `port` is where it listens. */
export const startOn = async (folder: string): Promise<Program & { readonly port: number }> => {
  const port = await freePort()
  const program = await startProgram({
    file: 'services/all-in-one/src/main.ts',
    ready: /ready in \d+ ms/,
    env: {
      BOURSE_LOG_LEVEL: 'warn',
      BOURSE_DATA_DIR: folder,
      BOURSE_PORT: String(port),
      BOURSE_MOCK_EXCHANGE_PORT: '0',
      BOURSE_MOCK_BANK_PORT: '0',
    },
  })
  return { ...program, port }
}

const topologyIn = async (path: string): Promise<Topology> => {
  const directory = openSqliteDirectory({ path, clock: createSystemClock() })
  const ledgerPartitions = Number(await directory.setting('topology.ledger'))
  await directory.close()
  return { ledgerPartitions, bridgePartitions: 1, markets: new Map() }
}

const openAccount = (owner: Uint8Array): Uint8Array =>
  encodeLedgerCommand(
    { id: randomBytes(16), requestHash: randomBytes(16) },
    openAccountInstruction(customerAccountKey(owner, 'USDC'), parseAmount('10000'), transactionTypes.OPEN_ACCOUNT),
  )

/** Journals the opening of `accounts` accounts in the ledger partitions they belong to. */
const openAccounts = async (root: string, accounts: number): Promise<void> => {
  const folder = dataFolderAt(root)
  const topology = await topologyIn(folder.directory)
  const owners = new Map<PartitionNumber, Uint8Array[]>()
  for (let account = 0; account < accounts; account++) {
    const owner = new Uint8Array(randomBytes(16))
    const partition = ledgerPartitionOf(topology, owner)
    const list = owners.get(partition) ?? []
    list.push(owner)
    owners.set(partition, list)
  }
  const clock = createSystemClock()
  const journal = openSqliteJournal({ path: folder.journal })
  const snapshots = await openFileSnapshots({ folder: folder.snapshots, clock })
  const { factoryOf } = createMachineFactories(topology)
  for (const [partition, all] of owners) {
    const { state } = await recoverPartition({ journal, snapshots, factory: factoryOf(partition) }, partition)
    for (let from = 0; from < all.length; from += SEGMENT_COMMANDS) {
      const commands = all.slice(from, from + SEGMENT_COMMANDS).map(openAccount)
      await appendRecord(state, journal, commands, BigInt(clock.nowMs()))
    }
  }
  await snapshots.close()
  await journal.close()
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  )

/**
 * The folder inside `shared` with a platform's data that has so many accounts: a platform made it, and one has run on it
 * since and stopped in order, so that its views and snapshots are complete.
 */
export const preparePlatform = async (shared: string, accounts: number): Promise<string> => {
  const folder = join(shared, `platform-${accounts}`)
  if (await exists(folder)) return folder
  const aside = `${folder}.partial`
  await rm(aside, { recursive: true, force: true })
  await mkdir(aside, { recursive: true })
  await (await startOn(aside)).stop()
  await openAccounts(aside, accounts)
  await (await startOn(aside)).stop()
  await rename(aside, folder)
  return folder
}
