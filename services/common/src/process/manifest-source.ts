import { hasDirectoryManifests } from '../config/read.ts'
import type { ProgramName } from '../config/variables.ts'
import type { Directory, ManifestRecord } from '../ports/directory.ts'
import type { LoadedManifests, Manifests } from '../resources/load.ts'
import { parseStored } from '../resources/stored.ts'
import { watchManifests, type ManifestWatch } from '../resources/watch.ts'
import { manifestDefaultsOf, readManifests } from './manifests.ts'
import type { ProgramContext } from './run.ts'

/** How often stored manifests are looked at, ms. */
export const STORED_LOOK_INTERVAL_MS = 1_000

/** Where a process has its manifests from. */
export interface ManifestSource {
  /** New pairs and banks are served at once, those whose manifests are gone are not any more. */
  readonly isLive: boolean
  /** Looks that failed since the start: what was read before stands. */
  failures(): number
  /**
   * The manifests of now.
   * @throws {StartRefused} with every fault of a folder
   * @throws {PortError} when the directory does not answer
   */
  read(): Promise<Manifests>
  /** Hands over the whole new set after each change, from what `read` answered on. */
  watch(onChange: (loaded: LoadedManifests) => void, onError: (error: unknown) => void): Promise<ManifestWatch>
}

/** A folder of manifests: taken whole, or not at all. */
const folderSource = ({ config }: ProgramContext, program: ProgramName): ManifestSource => ({
  isLive: false,
  failures: () => 0,
  read: () => readManifests(config, program),
  watch: (onChange, onError) => watchManifests(config.manifests, onChange, onError, manifestDefaultsOf(config)),
})

const fingerprintOf = (records: readonly ManifestRecord[]): string =>
  JSON.stringify(records.map(({ kind, name, generation, document }) => [kind, name, generation, document]))

/**
 * Manifests that an operator stores in the directory. One that can't be read is set aside; looks that fail change nothing, are
 * counted, and the first of them in a row is told.
 */
export const createStoredSource = (
  { config, clock }: Pick<ProgramContext, 'config' | 'clock'>,
  directory: Pick<Directory, 'manifests'>,
): ManifestSource => {
  const defaults = manifestDefaultsOf(config)
  let known = ''
  let before: Manifests = { pairs: [], banks: [] }
  let failures = 0
  let isFailing = false
  /** Null when nothing is new. */
  const look = async (): Promise<Manifests | null> => {
    const records = await directory.manifests()
    const fingerprint = fingerprintOf(records)
    if (fingerprint === known) return null
    before = parseStored(records, defaults, before)
    known = fingerprint
    return before
  }
  return {
    isLive: true,
    failures: () => failures,
    read: async () => (await look()) ?? before,
    watch: (onChange, onError) => {
      const lookAgain = async (): Promise<void> => {
        try {
          const manifests = await look()
          isFailing = false
          if (manifests !== null) onChange({ ok: true, manifests })
        } catch (error) {
          failures += 1
          if (!isFailing) onError(error)
          isFailing = true
        }
      }
      return Promise.resolve(clock.every(STORED_LOOK_INTERVAL_MS, lookAgain, onError))
    },
  }
}

/** The source that the configuration names. The directory is asked for only where it is the source. */
export const openManifestSource = async (
  context: ProgramContext,
  program: ProgramName,
  openDirectory: () => Promise<Pick<Directory, 'manifests'>>,
): Promise<ManifestSource> =>
  hasDirectoryManifests(context.config)
    ? createStoredSource(context, await openDirectory())
    : folderSource(context, program)
