import { rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { snapshotsFolder, startEmbeddedPlatform, type EmbeddedPlatform } from '../../servers/embedded-platform.ts'
import type { PrometheusServer } from '../../servers/prometheus.ts'
import type { Mode } from '../mode.ts'
import { copyData, plantImbalance } from '../plant.ts'
import { TRADING_PAGES } from '../pages.ts'
import { fillDisk, type SmallDisk } from '../small-disk.ts'

/** Label of the platform of one process, and of the copy of its data. */
export const EMBEDDED_NAMESPACE = 'gameday-embedded'
const COPY_NAMESPACE = 'gameday-embedded-copy'

/** Free part of a disk that is almost full: under the bound of its page, with room for a few more records. */
const ALMOST_FULL = 0.02

/** The platform of one process, watched. */
export interface EmbeddedWorld {
  readonly folder: string
  readonly manifests: string
  readonly platform: EmbeddedPlatform
  readonly prometheus: PrometheusServer
  /** What its data lie on, or why that is no disk of its own. */
  readonly disk: SmallDisk | string
}

/** What only the data folder of a platform of one process can show. */
export const EMBEDDED_MODES: readonly Mode<EmbeddedWorld>[] = [
  {
    name: 'snapshot-failing',
    title: 'Snapshots can not be written',
    door: 'the folder of the snapshots is replaced by a file',
    tells: ['BourseSnapshotFailing'],
    slowSeconds: 20,
    inject: async ({ platform: { dataDir } }) => {
      const folder = snapshotsFolder(dataDir)
      await rename(folder, `${folder}.aside`)
      await writeFile(folder, '')
      return async () => {
        await rm(folder)
        await rename(`${folder}.aside`, folder)
      }
    },
  },
  {
    name: 'disk-filling',
    title: 'The disk under the data fills',
    door: 'a small disk, and a file that leaves 2 % of it',
    tells: ['BourseDiskAlmostFull', 'BourseDiskFilling'],
    // Both simulators of this platform write to the same disk.
    alongside: [...TRADING_PAGES, 'BourseExchangeDown', 'BourseBankDown'],
    missing: ({ disk }) => (typeof disk === 'string' ? disk : undefined),
    slowSeconds: 10,
    inject: async ({ disk }) => {
      if (typeof disk === 'string') throw new Error(disk)
      const filler = join(disk.folder, 'filler')
      await fillDisk(disk.folder, filler, ALMOST_FULL)
      return () => rm(filler)
    },
  },
  {
    name: 'ledger-imbalance',
    title: 'The books do not sum to zero',
    door: 'a copy of the running data, one unit (1e-8) added to a customer in its snapshot, served by a second platform',
    tells: ['BourseLedgerImbalance'],
    slowSeconds: 20,
    inject: async ({ folder, manifests, platform, prometheus }) => {
      const copyDir = join(folder, 'copy')
      await copyData(platform.dataDir, join(folder, 'backup'), copyDir)
      await plantImbalance(copyDir)
      const copy = await startEmbeddedPlatform({ namespace: COPY_NAMESPACE, dataDir: copyDir, manifests })
      await prometheus.reload({ targets: [platform.target, copy.target] })
      return async () => {
        await copy.stop()
        await prometheus.reload({ targets: [platform.target] })
        await rm(copyDir, { recursive: true, force: true })
        await rm(join(folder, 'backup'), { recursive: true, force: true })
      }
    },
  },
]
