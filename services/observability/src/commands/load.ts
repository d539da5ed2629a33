/**
 * `npm run load -- smoke|load|stress|spike|soak [--url URL]`: k6 against a platform, its books checked afterwards. Without a URL
 * it starts the platform of one process on a folder of its own and stops it again. The last line is
 * `{"passed","failed","skipped"}`; exits 99 when a bound was crossed, 1 when the run itself broke, 2 when there is no k6.
 */
import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Command, InvalidArgumentError, Option } from 'commander'
import { findK6 } from '../load/k6.ts'
import { startLoadedPlatform, type LoadedPlatform } from '../load/platform.ts'

const PROFILES = ['smoke', 'load', 'stress', 'spike', 'soak'] as const

/** What k6 exits with when a bound was crossed; everything else but 0 is a run that broke. */
const BOUND_CROSSED = 99

interface LoadOptions {
  readonly url?: string
  readonly json?: string
  readonly html?: string
  readonly rate?: number
  readonly time?: number
  readonly bankKey?: string
  readonly adminToken?: string
  readonly metrics?: readonly string[]
}

const positive = (text: string): number => {
  const value = Number(text)
  if (value > 0 && value < Infinity) return value
  throw new InvalidArgumentError('give a number above 0.')
}
const address = (text: string): string => {
  if (/^https?:\/\/[^/]+/.test(text) && URL.canParse(text)) return text
  throw new InvalidArgumentError('give a URL such as http://127.0.0.1:3000.')
}
const addresses = (text: string, before: readonly string[] = []): readonly string[] => [...before, address(text)]

const program = new Command('load')
  .description('loads a platform with k6 and checks its books afterwards')
  .argument('<profile>', PROFILES.join(', '))
  .option(
    '--url <url>',
    'a running platform: localhost, a port-forward, any address (default: one is started)',
    address,
  )
  .option('--json <file>', "the summary as JSON: bounds, checks, every figure of k6's")
  .option('--html <file>', 'the summary as a page')
  .option('--rate <factor>', 'all rates times this', positive)
  .option('--time <factor>', 'all lengths times this', positive)
  .addOption(
    new Option('--bank-key <key>', "the bank's API key; without it no bank takes part").env('BOURSE_LOAD_BANK_KEY'),
  )
  .addOption(
    new Option('--admin-token <token>', "the administrator's token, to read the ledger").env('BOURSE_LOAD_ADMIN_TOKEN'),
  )
  .option(
    '--metrics <url>',
    "a ledger shard's /metrics, for the sums; may be given again (default: the gateway's)",
    addresses,
  )
  .parse()
const [profile = ''] = program.args
const options = program.opts<LoadOptions>()

/** An address for people: who signs in there is nobody's to read. */
const shownAddress = (text: string): string => {
  const { origin, pathname } = new URL(text)
  return `${origin}${pathname}`.replace(/\/+$/, '')
}

const given = (values: Readonly<Record<string, string | number | undefined>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]])),
  )

/** What k6's scripts are told; a platform that was started is told about first. */
const environmentOf = (platform: LoadedPlatform | null, json: string): Record<string, string> =>
  given({
    BOURSE_LOAD_URL: options.url ?? platform?.url,
    // What the environment names is another platform's.
    BOURSE_LOAD_BANK_KEY: platform?.bankKey ?? options.bankKey,
    BOURSE_LOAD_ADMIN_TOKEN: platform?.adminToken ?? options.adminToken,
    BOURSE_LOAD_METRICS: options.metrics?.join(',') ?? (platform === null ? undefined : ''),
    BOURSE_LOAD_RATE: options.rate,
    BOURSE_LOAD_TIME: options.time,
    BOURSE_LOAD_JSON: json,
    BOURSE_LOAD_HTML: options.html === undefined ? undefined : resolve(options.html),
  })

const runK6 = (k6: string, env: Record<string, string>): Promise<number> =>
  new Promise((done, reject) => {
    const script = fileURLToPath(new URL(`../../../../load/k6/${profile}.ts`, import.meta.url))
    const child = spawn(k6, ['run', '--no-usage-report', '--quiet', script], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'inherit', 'inherit'],
    })
    // k6 ends its iterations, tears down and reports; we wait for that.
    const interrupt = (): void => void child.kill('SIGINT')
    process.on('SIGINT', interrupt)
    process.on('SIGTERM', interrupt)
    child.once('error', reject)
    child.once('close', (code) => done(code ?? 1))
  })

interface Totals {
  readonly passed: number
  readonly failed: number
  readonly skipped: readonly unknown[]
}

const totalsIn = async (file: string, code: number): Promise<Totals> => {
  try {
    const { passed, failed, skipped } = JSON.parse(await readFile(file, 'utf8')) as Totals
    // A run that broke off says more with its code than its checks do.
    return { passed, failed: failed === 0 && code !== 0 ? 1 : failed, skipped }
  } catch {
    // k6 broke before it had anything to report, and has said why.
    return { passed: 0, failed: 1, skipped: [] }
  }
}

const load = async (k6: string): Promise<number> => {
  const folder = await mkdtemp(join(tmpdir(), 'bourse-load-'))
  const json = options.json === undefined ? join(folder, 'summary.json') : resolve(options.json)
  let platform: LoadedPlatform | null = null
  try {
    if (options.url === undefined) platform = await startLoadedPlatform(folder)
    const url = options.url ?? platform?.url ?? ''
    process.stdout.write(`${profile}: k6 against ${shownAddress(url)}\n`)
    // An earlier run's must not be taken for one that this run broke off before it wrote its own.
    await rm(json, { force: true })
    const code = await runK6(k6, environmentOf(platform, json))
    const totals = await totalsIn(json, code)
    await platform?.stop()
    platform = null
    process.stdout.write(`${JSON.stringify(totals)}\n`)
    if (code === 0 || code === BOUND_CROSSED) return totals.failed > 0 ? BOUND_CROSSED : code
    return 1
  } finally {
    await platform?.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

const main = async (): Promise<number> => {
  if (!(PROFILES as readonly string[]).includes(profile)) {
    process.stderr.write(`load: '${profile}' is no profile; there are ${PROFILES.join(', ')}\n`)
    return 2
  }
  const k6 = await findK6()
  if ('path' in k6) return load(k6.path)
  process.stderr.write(`load: ${k6.missing}\n`)
  process.stdout.write(
    `${JSON.stringify({ passed: 0, failed: 0, skipped: [{ name: profile, reason: k6.missing }] })}\n`,
  )
  return 2
}

try {
  process.exitCode = await main()
} catch (error) {
  process.stderr.write(`load: ${error instanceof Error ? error.message : String(error)}\n`)
  process.stdout.write(`${JSON.stringify({ passed: 0, failed: 1, skipped: [] })}\n`)
  process.exitCode = 1
}
