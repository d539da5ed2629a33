import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { startEmbeddedPlatform } from '../servers/embedded-platform.ts'
import { startLoad, type Load } from '../servers/load.ts'
import { writeManifests } from '../servers/manifests.ts'
import { startPrometheus } from '../servers/prometheus.ts'
import { startTicker } from '../servers/ticker.ts'
import type { DrillDeps } from './drill.ts'
import { booksOf, drillDeps, rulesFor, scrapeIntervalMs, startOnCall, type GamedaySettings } from './gameday.ts'
import { EMBEDDED_NAMESPACE, type EmbeddedWorld } from './modes/embedded.ts'
import { mountSmallDisk } from './small-disk.ts'

const DISK_BYTES = 512 * 1024 * 1024
const LOAD = { tradersPerSecond: 4, banksPerSecond: 4 }

/** The platform of one process with its on-call engineer. */
export interface EmbeddedGameday {
  readonly load: Load
  readonly deps: DrillDeps<EmbeddedWorld>
  stop(): Promise<void>
}

/** Starts it on a small disk where one can be mounted, with frequent snapshots, a load and its alerts. */
export const startEmbeddedGameday = async (settings: GamedaySettings): Promise<EmbeddedGameday> => {
  const folder = join(settings.folder, 'embedded')
  const stops: (() => Promise<void>)[] = []
  /** Whatever fails, the rest is stopped, and the disk is no mount any more. */
  const stop = async (): Promise<void> => {
    const failures: unknown[] = []
    for (const one of stops.splice(0).reverse()) await one().catch((error: unknown) => failures.push(error))
    if (failures.length > 0) throw new AggregateError(failures, 'not everything could be stopped')
  }
  try {
    await mkdir(folder, { recursive: true })
    const disk = await mountSmallDisk(join(folder, 'disk'), DISK_BYTES)
    if (typeof disk !== 'string') stops.push(disk.unmount)
    const ticker = await startTicker()
    stops.push(ticker.stop)
    const manifests = join(folder, 'manifests')
    await writeManifests(manifests, ticker.url)
    const platform = await startEmbeddedPlatform({
      namespace: EMBEDDED_NAMESPACE,
      dataDir: join(folder, 'disk', 'data'),
      manifests,
      env: { ENGINE_SNAPSHOT_INTERVAL: '100' },
    })
    stops.push(platform.stop)
    const onCall = await startOnCall(folder)
    stops.push(onCall.stop)
    const prometheus = await startPrometheus({
      folder: join(folder, 'prometheus'),
      targets: [platform.target],
      // The copy of a drill is another namespace; alerts tell them apart.
      rulesText: rulesFor(`=~"${EMBEDDED_NAMESPACE}.*"`, settings.timeScale),
      scrapeIntervalMs: scrapeIntervalMs(settings.timeScale),
      alertmanagerUrl: onCall.url,
    })
    stops.push(prometheus.stop)
    const load = await startLoad({ gatewayUrl: () => platform.url, bankKey: platform.bankKey, ...LOAD })
    stops.push(load.stop)
    const world: EmbeddedWorld = { folder, manifests, platform, prometheus, disk }
    const books = (): Promise<string | null> => booksOf(prometheus, EMBEDDED_NAMESPACE)
    return { load, deps: drillDeps(settings, { world, prometheus, onCall, books, served: load.probe }), stop }
  } catch (error) {
    await stop()
    throw error
  }
}
