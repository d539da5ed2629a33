import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort } from '@bourse/common/testkit/servers/free-port.ts'
import { compileCache, withoutOurs } from './programs.ts'
import type { ScrapeTarget } from './prometheus.ts'
import { BANK_KEY, LIFTED_LIMITS } from './watched-settings.ts'

/** How a platform of one process is set up. */
export interface EmbeddedOptions {
  readonly namespace: string
  readonly dataDir: string
  /** Folder of its manifests. */
  readonly manifests: string
  readonly env?: Readonly<Record<string, string>>
}

/** A platform of one process: all series in one place, its journal in a folder. */
export interface EmbeddedPlatform {
  readonly url: string
  readonly bankKey: string
  readonly dataDir: string
  readonly target: ScrapeTarget
  /** SIGTERM: in order. Once more is no error. */
  stop(): Promise<void>
}

const MAIN = fileURLToPath(new URL('../../../all-in-one/src/main.ts', import.meta.url))

/**
 * Starts it on free ports; it is ready when this resolves, and its supervisor ends it with this process.
 * @throws when it ends before it is ready, with what it said
 */
export const startEmbeddedPlatform = async (options: EmbeddedOptions): Promise<EmbeddedPlatform> => {
  const { namespace, dataDir, manifests } = options
  const port = await freePort()
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', MAIN], {
    env: {
      NODE_COMPILE_CACHE: compileCache,
      ...withoutOurs(process.env),
      ...LIFTED_LIMITS,
      BOURSE_MANIFESTS: manifests,
      BOURSE_DATA_DIR: dataDir,
      BOURSE_PORT: String(port),
      BOURSE_MOCK_EXCHANGE_PORT: '0',
      BOURSE_MOCK_BANK_PORT: '0',
      ...options.env,
    },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  let log = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    log = (log + text).slice(-4_000)
  })
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  await new Promise<void>((resolve, reject) => {
    child.once('message', () => resolve())
    void ended.then(() => reject(new Error(`the platform of one process did not start: ${log}`)))
  })
  const url = `http://127.0.0.1:${port}`
  return {
    url,
    bankKey: BANK_KEY,
    dataDir,
    target: { job: 'bourse', url, labels: { namespace, pod: `${namespace}-0` } },
    stop: async () => {
      child.kill('SIGTERM')
      await ended
    },
  }
}

/** Where the snapshots of a data folder are. */
export const snapshotsFolder = (dataDir: string): string => join(dataDir, 'snapshots')
