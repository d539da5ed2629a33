import { SpecRefused, type ManifestSet } from '../resources/manifest-set.ts'
import type { LoadedManifests } from '../resources/load.ts'
import type { ManifestSource } from './manifest-source.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { ProgramContext } from './run.ts'

/** Pause before a changed manifest that a partition did not take is told again, ms; doubles … */
export const CHANGE_RETRY_MS_MIN = 1_000
/** … up to this. */
export const CHANGE_RETRY_MS_MAX = 30_000

/** Shows how often the manifests could not be looked at. */
export const measureManifests = (metrics: Pick<Metrics, 'sampled'>, { failures }: ManifestSource): void =>
  metrics.sampled('bourse_manifest_looks_failed', failures)

/**
 * Takes changed manifests into the set from now on; what a partition did not take (it is being moved, say) is told again until it
 * does or the manifests change once more. `onChange` is called after each attempt.
 */
export const keepManifests = async (
  context: Pick<ProgramContext, 'clock' | 'logger' | 'lifetime'>,
  source: Pick<ManifestSource, 'watch'>,
  set: Pick<ManifestSet, 'change'>,
  onChange: () => Promise<void> = () => Promise.resolve(),
): Promise<void> => {
  const { clock, logger, lifetime } = context
  const quit = new AbortController()
  let newest: LoadedManifests | null = null
  /** Aborted when newer manifests come: they wait for no pause. */
  let superseded = new AbortController()
  let telling: Promise<void> = Promise.resolve()

  const tell = async (loaded: LoadedManifests): Promise<void> => {
    for (let pauseMs = CHANGE_RETRY_MS_MIN; newest === loaded && !quit.signal.aborted; pauseMs *= 2) {
      try {
        await set.change(loaded)
        return
      } catch (error) {
        if (!(error instanceof SpecRefused)) throw error
        logger.warn({ err: error }, 'a changed manifest is not in force yet; it is told again')
      } finally {
        await onChange()
      }
      if (newest !== loaded) return
      const signal = AbortSignal.any([quit.signal, superseded.signal])
      await clock.sleep(Math.min(pauseMs, CHANGE_RETRY_MS_MAX), signal).catch(() => undefined)
    }
  }
  const onError = (error: unknown): void => logger.error({ err: error }, 'the manifests could not be read again')
  const watch = await source.watch((loaded) => {
    newest = loaded
    superseded.abort()
    superseded = new AbortController()
    telling = telling.then(() => tell(loaded)).catch(onError)
  }, onError)
  lifetime.onStop(async () => {
    quit.abort()
    await watch.stop()
    await telling
  })
}
