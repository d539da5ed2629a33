import type { Logger } from 'pino'
import { embeddedMessagingNames } from '@bourse/common/adapters/embedded/bus.ts'
import { createSystemIds } from '@bourse/common/adapters/system/ids.ts'
import { createSystemRandom } from '@bourse/common/adapters/system/random.ts'
import type { Config } from '@bourse/common/config/read.ts'
import { partitionName, type PartitionNumber } from '@bourse/common/kernel/partition.ts'
import { allPartitions, type Topology } from '@bourse/common/platform/topology.ts'
import type { Clock } from '@bourse/common/ports/clock.ts'
import type { Ids } from '@bourse/common/ports/ids.ts'
import type { Tracer } from '@bourse/common/ports/tracing.ts'
import type { Random } from '@bourse/common/ports/random.ts'
import { readManifests } from '@bourse/common/process/manifests.ts'
import { keptSecret } from '@bourse/common/process/secrets.ts'
import { settleTopology } from '@bourse/common/process/topology.ts'
import type { Manifests } from '@bourse/common/resources/load.ts'
import type { LogLevels } from '@bourse/common/telemetry/log-levels.ts'
import { createTracedBus } from '@bourse/common/telemetry/tracing/traced-bus.ts'
import type { Metrics } from '@bourse/common/telemetry/metrics.ts'
import type { ProgramContext } from '@bourse/common/process/run.ts'
import { openAdapters, type Adapters } from './adapters.ts'
import { prepareBankSecrets, type MadeKey } from './bank-secrets.ts'
import { dataFolderAt, prepareDataFolder, type DataFolder } from './data-folder.ts'
import type { Lifetime } from '@bourse/common/process/lifetime.ts'

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
  readonly levels: LogLevels
  readonly metrics: Metrics
  readonly tracer: Tracer | undefined
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
  { config, logger, levels, metrics, tracer, clock }: Omit<ProgramContext, 'lifetime'>,
  lifetime: Lifetime,
): Promise<Foundation> => {
  const manifests = await readManifests(config, 'platform')
  const folder = dataFolderAt(config.dataDir)
  await prepareDataFolder(folder)
  const ids = createSystemIds()
  const random = createSystemRandom()
  const opened = await openAdapters(folder, clock, logger)
  lifetime.onStop(opened.close)
  const bus = tracer === undefined ? opened.bus : createTracedBus(opened.bus, tracer, embeddedMessagingNames)
  const adapters = { ...opened, bus }
  const topology = await settleTopology({ config, manifests, ...adapters })
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
    levels,
    metrics,
    tracer,
  }
}
