import type { Logger } from 'pino'
import { createSystemIds } from '@bourse/common/adapters/system/ids.ts'
import { createSystemRandom } from '@bourse/common/adapters/system/random.ts'
import { bankSecretFaults, type Config } from '@bourse/common/config/read.ts'
import { partitionName, type PartitionNumber } from '@bourse/common/kernel/partition.ts'
import { allPartitions, openTopology, type Topology } from '@bourse/common/platform/topology.ts'
import type { Clock } from '@bourse/common/ports/clock.ts'
import type { Ids } from '@bourse/common/ports/ids.ts'
import type { Random } from '@bourse/common/ports/random.ts'
import { formatFault, loadManifests, type Manifests } from '@bourse/common/resources/load.ts'
import { openAdapters, type Adapters } from './adapters.ts'
import { prepareBankSecrets, type MadeKey } from './bank-secrets.ts'
import { dataFolderAt, keptSecret, prepareDataFolder, type DataFolder } from './data-folder.ts'
import type { Lifetime } from './lifetime.ts'

/** A configuration or a manifest that can't be used; every fault is a line. */
export class StartRefused extends Error {
  override readonly name = 'StartRefused'
  readonly faults: readonly string[]
  constructor(faults: readonly string[]) {
    super(faults.join('\n'))
    this.faults = faults
  }
}

/** What every part of the platform stands on. */
export interface Foundation {
  readonly config: Config
  readonly manifests: Manifests
  readonly folder: DataFolder
  readonly adapters: Adapters
  readonly topology: Topology
  readonly adminToken: string
  readonly jwtSecret: string
  readonly madeKeys: readonly MadeKey[]
  /** By bank. */
  readonly webhookSecrets: ReadonlyMap<string, string>
  /** What opening found that an operator should know, a sentence each; none after an orderly stop. */
  readonly findings: readonly string[]
  readonly clock: Clock
  readonly ids: Ids
  readonly random: Random
  readonly logger: Logger
}

const manifestsOf = async (config: Config): Promise<Manifests> => {
  const defaults = { snapshotIntervalMs: config.snapshotIntervalMs, snapshotsKeep: config.snapshotsKeep }
  const loaded = await loadManifests(config.manifests, defaults)
  if (!loaded.ok) throw new StartRefused(loaded.faults.map(formatFault))
  const banks = loaded.manifests.banks.map((bank) => bank.name)
  const faults = bankSecretFaults(config, banks)
  if (faults.length > 0) throw new StartRefused(faults)
  return loaded.manifests
}

/** A journal without its directory would give markets other numbers than its partitions have. */
const requireDirectory = async ({ journal, directory }: Adapters): Promise<void> => {
  const partitions = await journal.partitions()
  if (partitions.length === 0 || (await directory.setting('topology.ledger')) !== null) return
  throw new StartRefused(['the journal has records but the directory is empty: restore the directory from a backup'])
}

const UNORDERLY_END = 'the last run did not end in order: the journal was checked and replayed'

const findingsOf = (
  adapters: Adapters,
  served: readonly PartitionNumber[],
  present: readonly PartitionNumber[],
): string[] => {
  const orphans = present.filter((partition) => !served.includes(partition))
  const unserved = orphans.map(
    (partition) => `${partitionName(partition)} has records, but no manifest names its market: not served`,
  )
  return adapters.journal.opened.wasClosedCleanly ? unserved : [UNORDERLY_END, ...unserved]
}

/**
 * Reads the manifests, opens the data folder, settles the topology and the secrets.
 * @throws {StartRefused} with every fault that was found
 */
export const openFoundation = async (
  config: Config,
  lifetime: Lifetime,
  logger: Logger,
  clock: Clock,
): Promise<Foundation> => {
  const manifests = await manifestsOf(config)
  const folder = dataFolderAt(config.dataDir)
  await prepareDataFolder(folder)
  const ids = createSystemIds()
  const random = createSystemRandom()
  const adapters = await openAdapters(folder, clock, logger)
  lifetime.onStop(adapters.close)
  await requireDirectory(adapters)
  const topology = await openTopology(adapters.directory, {
    ledgerPartitions: config.ledgerPartitions,
    bridgePartitions: config.bridgePartitions,
    markets: manifests.pairs.map(({ spec }) => ({ symbol: spec.symbol, partitions: spec.engine.partitions })),
  })
  const banks = manifests.banks.map((bank) => bank.name)
  const { directory } = adapters
  const { made, webhookSecrets } = await prepareBankSecrets({ config, folder, directory, random, clock, banks })
  const findings = findingsOf(adapters, allPartitions(topology), await adapters.journal.partitions())
  for (const finding of findings) logger.warn(finding)
  return {
    config,
    manifests,
    folder,
    adapters,
    topology,
    adminToken: config.adminToken?.reveal() ?? (await keptSecret(folder, 'admin-token', random)).value,
    jwtSecret: config.jwtSecret?.reveal() ?? (await keptSecret(folder, 'jwt-secret', random)).value,
    madeKeys: made,
    webhookSecrets,
    findings,
    clock,
    ids,
    random,
    logger,
  }
}
