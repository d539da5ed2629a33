import { bankSecretFaults, type Config } from '../config/read.ts'
import type { ProgramName } from '../config/variables.ts'
import { formatFault, loadManifests, type Manifests } from '../resources/load.ts'
import type { ManifestDefaults } from '../resources/trading-pair.ts'
import { StartRefused } from './start-refused.ts'

/** What fills a manifest's silence, from the configuration. */
export const manifestDefaultsOf = (config: Config): ManifestDefaults => ({
  snapshotIntervalMs: config.snapshotIntervalMs,
  snapshotsKeep: config.snapshotsKeep,
})

/**
 * The manifests that the configuration names, with the secrets of their banks that the program needs all there.
 * @throws {StartRefused} with every fault of them
 */
export const readManifests = async (config: Config, program: ProgramName): Promise<Manifests> => {
  const loaded = await loadManifests(config.manifests, manifestDefaultsOf(config))
  if (!loaded.ok) throw new StartRefused(loaded.faults.map(formatFault))
  const faults = bankSecretFaults(
    config,
    loaded.manifests.banks.map((bank) => bank.name),
    program,
  )
  if (faults.length > 0) throw new StartRefused(faults)
  return loaded.manifests
}
