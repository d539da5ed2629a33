import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse, stringify } from 'yaml'
import { freePort } from '@bourse/common/testkit/servers/free-port.ts'
import { startProgram } from './program.ts'

const SAMPLES = fileURLToPath(new URL('../../../../../../crds/samples', import.meta.url))

/** The bank of the benchmarks: the sample one under a name of its own. */
const BANK = 'bench'
/** What a bank needs to call: the key that the measured platform is given. */
export const BANK_API_KEY = 'the-demo-banks-key-of-the-benchmarks-0123456789'
/** What the simulated bank checks webhooks with. */
export const WEBHOOK_SECRET = 'the-demo-banks-webhook-secret-of-the-benchmarks'

/** The limits that one address with one bank reaches at full load; everything else is as delivered. */
const RAISED = {
  BOURSE_LOG_LEVEL: 'warn',
  BOURSE_LIMIT_ADDRESS_REQUESTS_PER_SECOND: '1000000',
  BOURSE_LIMIT_USER_REQUESTS_PER_SECOND: '1000000',
  BOURSE_LIMIT_ADDRESS_SIGN_INS_PER_MINUTE: '1000000',
  BOURSE_LIMIT_WEB_SOCKETS: '5000',
  BOURSE_LIMIT_ADDRESS_WEB_SOCKETS: '5000',
} as const

/** A part of a manifest as it is written. */
export type ManifestSpec = Record<string, unknown>

/** The platform that is measured, in a process of its own on a data folder of its own. */
export interface MeasuredPlatform {
  readonly host: string
  readonly port: number
  readonly pid: number
  /** Stops it and removes its folder. */
  stop(): Promise<void>
}

interface Manifest {
  readonly metadata: ManifestSpec
  readonly spec: ManifestSpec
}

const change = async (path: string, alter: (manifest: Manifest) => void): Promise<void> => {
  const manifest = parse(await readFile(path, 'utf8')) as Manifest
  alter(manifest)
  await writeFile(path, stringify(manifest))
}

/** Limits of the sample bank that a benchmark reaches: how much it may trade in a day, and how fast. */
const liftBank = (spec: ManifestSpec): void => {
  spec['limits'] = {
    requestsPerSecond: 100_000,
    dailyAmount: '9999999999',
    dailyAmountPerCustomer: '999999999',
    currency: 'AZN',
  }
}

/**
 * Starts `services/all-in-one/src/main.ts` on the sample manifests with raised rates. `alterPairs` changes the specs of the
 * pairs by name (`btc-usdc`), `alterBank` the demo bank's.
 */
export const startPlatform = async (
  options: {
    readonly env?: Readonly<Record<string, string>>
    readonly alterPairs?: Readonly<Record<string, (spec: ManifestSpec) => void>>
    readonly alterBank?: (spec: ManifestSpec) => void
  } = {},
): Promise<MeasuredPlatform> => {
  const folder = await mkdtemp(join(tmpdir(), 'bourse-bench-'))
  const manifests = join(folder, 'manifests')
  await cp(SAMPLES, manifests, { recursive: true })
  for (const [name, alter] of Object.entries(options.alterPairs ?? {}))
    await change(join(manifests, `${name}.yaml`), ({ spec }) => {
      alter(spec)
    })
  await change(join(manifests, 'bank-demo.yaml'), (manifest) => {
    // Not `demo`: that one's callback is always the simulator inside the platform.
    manifest.metadata['name'] = BANK
    liftBank(manifest.spec)
    options.alterBank?.(manifest.spec)
  })
  const port = await freePort()
  const program = await startProgram({
    file: 'services/all-in-one/src/main.ts',
    ready: /ready in \d+ ms/,
    env: {
      ...RAISED,
      BOURSE_MANIFESTS: manifests,
      BOURSE_DATA_DIR: join(folder, 'data'),
      BOURSE_PORT: String(port),
      BOURSE_MOCK_EXCHANGE_PORT: '0',
      BOURSE_MOCK_BANK_PORT: '0',
      BOURSE_DEMO_BALANCE: '10000000',
      BOURSE_BANK_BENCH_API_KEY: BANK_API_KEY,
      BOURSE_BANK_BENCH_WEBHOOK_SECRET: WEBHOOK_SECRET,
      ...options.env,
    },
  })
  return {
    host: '127.0.0.1',
    port,
    pid: program.pid,
    stop: async () => {
      await program.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
