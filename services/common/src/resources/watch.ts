import { watch } from 'chokidar'
import { loadManifests } from './load.ts'
import type { LoadedManifests } from './load.ts'
import { manifestDefaults } from './trading-pair.ts'
import type { ManifestDefaults } from './trading-pair.ts'

/** A watch that runs; `stop` resolves when no callback will come any more. */
export interface ManifestWatch {
  stop(): Promise<void>
}

/** How long a file must rest before it is read, so that a file half written is not. */
const REST_MS = 100

/**
 * Reads a folder of manifests again after each change in it and hands over the result: the whole new set, or
 * all its faults (the platform then stays with what it had). Changes during a reading are covered by one more
 * reading; the first call comes with the first change, not at the start. Resolves when the watch stands.
 */
export const watchManifests = async (
  folder: string,
  onChange: (loaded: LoadedManifests) => Promise<void> | void,
  onError: (error: unknown) => void,
  defaults: ManifestDefaults = manifestDefaults,
): Promise<ManifestWatch> => {
  let dirty = false
  let stopped = false
  let reading: Promise<void> | undefined
  const readWhileDirty = async (): Promise<void> => {
    while (dirty && !stopped) {
      dirty = false
      try {
        await onChange(await loadManifests(folder, defaults))
      } catch (error) {
        // One failed change must not end the watch: the next one may be the repair.
        onError(error)
      }
    }
  }
  const onEvent = (): void => {
    dirty = true
    reading ??= readWhileDirty().finally(() => {
      reading = undefined
    })
  }
  const watcher = watch(folder, {
    ignoreInitial: true,
    depth: 0,
    awaitWriteFinish: { stabilityThreshold: REST_MS, pollInterval: REST_MS / 4 },
  })
  watcher.on('add', onEvent).on('change', onEvent).on('unlink', onEvent).on('error', onError)
  await new Promise<void>((resolve) => {
    watcher.once('ready', resolve)
  })
  return {
    stop: async () => {
      stopped = true
      await watcher.close()
      await reading
    },
  }
}
