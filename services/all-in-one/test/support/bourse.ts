import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '@bourse/common/testkit/servers/free-port.ts'
import { walk, writeManifests, type BankOptions, type PairOptions } from './manifests.ts'
import { freePorts } from './ports.ts'
import { runProgram, type Ended, type Running } from './process.ts'

/** What the tests' platforms are told besides the defaults. Limits are lifted: every call comes from one address. */
const ENVIRONMENT = {
  BOURSE_LOG_LEVEL: 'info',
  BOURSE_LIMIT_ADDRESS_REQUESTS_PER_SECOND: '100000',
  BOURSE_LIMIT_USER_REQUESTS_PER_SECOND: '100000',
  BOURSE_LIMIT_ADDRESS_SIGN_INS_PER_MINUTE: '100000',
  BOURSE_LIMIT_EMAIL_SIGN_INS_PER_MINUTE: '100000',
  BOURSE_LEDGER_PARTITIONS: '2',
  BOURSE_BRIDGE_PARTITIONS: '1',
  ENGINE_SNAPSHOT_INTERVAL: '2000',
} as const

/** The key and the token that every test platform is given. */
export const API_KEY = 'the-demo-banks-key-of-these-tests-0123456789'
export const ADMIN_TOKEN = 'the-administrators-token-of-these-tests-0123456789'

/** Which program the platform is: everything in one process, or a launcher with a process for each part. */
export interface BourseProgram {
  readonly file: 'main.ts' | 'distributed/main.ts'
  readonly args: readonly string[]
}

/** How a test's platform differs. */
export interface BourseOptions {
  readonly pairs?: readonly PairOptions[]
  readonly banks?: readonly BankOptions[]
  readonly env?: Readonly<Record<string, string>>
  /** Ports in a row that the program takes for its gateways. Default 1. */
  readonly gateways?: number
  /** Default: everything in one process. */
  readonly program?: BourseProgram
  /** An existing data folder (default: a new one). */
  readonly dataDir?: string
}

/** The last line that a program says of its start, whole: parts of it may come one by one. */
const READY = /^ready in \d+ ms\n/m

/** A platform as a process of its own: started, killed and started again on the same ports and folder. */
export interface Bourse {
  readonly url: string
  readonly exchangeUrl: string
  readonly bankUrl: string
  readonly dataDir: string
  readonly manifests: string
  /** Starts it; resolves once it is ready, with what it printed. */
  start(): Promise<string>
  /** Starts it where it is expected to refuse; resolves with how it ended and what it said. */
  startRefused(): Promise<Ended & { readonly said: string }>
  /** SIGKILL, to all its processes at once: no word, no flush. */
  kill(): Promise<void>
  /** SIGTERM: in order; resolves with how it ended. */
  stop(): Promise<Ended>
  /** The process's log so far. */
  log(): string
  /** Ends it if need be and removes its folders. */
  remove(): Promise<void>
}

/** The pairs of a test that wants no special ones. */
export const PAIRS: readonly PairOptions[] = [
  { symbol: 'BTC_USDC', prices: walk('60000') },
  { symbol: 'SOL_USDC', prices: walk('240') },
]

/** Prepares a platform; nothing runs yet. */
export const createBourse = async (options: BourseOptions = {}): Promise<Bourse> => {
  const folder = await mkdtemp(join(tmpdir(), 'bourse-e2e-'))
  const dataDir = options.dataDir ?? join(folder, 'data')
  const manifests = join(folder, 'manifests')
  await writeManifests(manifests, options.pairs ?? PAIRS, options.banks)
  const [port, exchangePort, bankPort] = [await freePorts(options.gateways ?? 1), await freePort(), await freePort()]
  const env = {
    ...ENVIRONMENT,
    BOURSE_MANIFESTS: manifests,
    BOURSE_DATA_DIR: dataDir,
    BOURSE_PORT: String(port),
    BOURSE_MOCK_EXCHANGE_PORT: String(exchangePort),
    BOURSE_MOCK_BANK_PORT: String(bankPort),
    BOURSE_BANK_DEMO_API_KEY: API_KEY,
    BOURSE_ADMIN_TOKEN: ADMIN_TOKEN,
    ...options.env,
  }
  let running: Running | null = null
  const { file, args }: BourseProgram = options.program ?? { file: 'main.ts', args: [] }
  const begin = (): Running => (running = runProgram(file, args, env, file !== 'main.ts'))
  const end = async (signal: 'SIGTERM' | 'SIGKILL'): Promise<Ended> => {
    if (running === null) throw new Error('the platform does not run')
    running.signal(signal)
    return running.ended
  }
  return {
    url: `http://127.0.0.1:${port}`,
    exchangeUrl: `http://127.0.0.1:${exchangePort}`,
    bankUrl: `http://127.0.0.1:${bankPort}`,
    dataDir,
    manifests,
    start: async () => {
      const begun = begin()
      await begun.said(READY)
      return begun.stdout()
    },
    startRefused: async () => {
      const begun = begin()
      const started = await Promise.race([begun.ended, begun.said(READY).catch(() => begun.ended)])
      if (started === undefined) {
        begun.signal('SIGKILL')
        await begun.ended
        throw new Error(`it started although it should have refused:\n${begun.stdout()}`)
      }
      return { ...started, said: begun.stderr() }
    },
    kill: async () => void (await end('SIGKILL')),
    stop: () => end('SIGTERM'),
    log: () => running?.stderr() ?? '',
    remove: async () => {
      if (running !== null) {
        running.signal('SIGKILL')
        await running.ended
      }
      await rm(folder, { recursive: true, force: true })
    },
  }
}
