import { spawn, type ChildProcess } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The platform that is loaded, with its simulators. */
export interface LoadedPlatform {
  readonly url: string
  readonly bankKey: string
  readonly adminToken: string
  /** In order; repeatable. */
  stop(): Promise<void>
}

/** Every call comes from one address; everything else is as delivered. */
const RAISED = {
  BOURSE_LIMIT_ADDRESS_REQUESTS_PER_SECOND: '100000',
  BOURSE_LIMIT_USER_REQUESTS_PER_SECOND: '1000',
  BOURSE_LIMIT_ADDRESS_SIGN_INS_PER_MINUTE: '100000',
  BOURSE_LIMIT_ADDRESS_WEB_SOCKETS: '2000',
} as const

const START_MS_MAX = 300_000

/** Resolves with what the child printed once it is ready; rejects when it ends before. */
const ready = (child: ChildProcess): Promise<string> =>
  new Promise((resolve, reject) => {
    let said = ''
    const late = AbortSignal.timeout(START_MS_MAX)
    late.addEventListener('abort', () => reject(new Error(`the platform is not ready after ${START_MS_MAX} ms`)))
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      said += text
      if (/^ready in /m.test(said)) resolve(said)
    })
    child.once('error', reject)
    child.once('close', () => reject(new Error('the platform ended before it was ready; it has said why')))
  })

/** The environment without what would configure another platform. */
const inherited = (): Record<string, string> =>
  Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) =>
      value === undefined || /^(BOURSE|AUTH|ENGINE|POLLER)_/.test(name) ? [] : [[name, value]],
    ),
  )

/** Starts the platform of one process on free ports, with its data in a folder of its own inside `folder`. */
export const startLoadedPlatform = async (folder: string): Promise<LoadedPlatform> => {
  const dataDir = join(folder, 'data')
  const root = fileURLToPath(new URL('../../../../', import.meta.url))
  const child = spawn(process.execPath, [...process.execArgv, join(root, 'services/all-in-one/src/main.ts')], {
    cwd: root,
    env: {
      ...inherited(),
      BOURSE_DATA_DIR: dataDir,
      BOURSE_PORT: '0',
      BOURSE_MOCK_EXCHANGE_PORT: '0',
      BOURSE_MOCK_BANK_PORT: '0',
      BOURSE_LOG_LEVEL: 'warn',
      ...RAISED,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM')
    await ended
  }
  try {
    const said = await ready(child)
    const url = /^ +platform +(http\S+)$/m.exec(said)?.[1]
    if (url === undefined) throw new Error(`the platform does not say where it is:\n${said}`)
    const secret = async (name: string): Promise<string> =>
      (await readFile(join(dataDir, 'secrets', name), 'utf8')).trim()
    return { url, bankKey: await secret('bank-demo-api-key'), adminToken: await secret('admin-token'), stop }
  } catch (error) {
    await stop()
    throw error
  }
}
