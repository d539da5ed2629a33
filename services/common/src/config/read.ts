import { readFileSync } from 'node:fs'
import type { Units } from '../money/amount.ts'
import { readValue } from './parse-value.ts'
import type { ValueOfKind } from './parse-value.ts'
import { createSecret } from './secret.ts'
import type { Secret } from './secret.ts'
import { bankVariableName, bankVariables, foreignPrefixes, variables } from './variables.ts'
import type { BankVariable, Profile, Variable, VariableKind, VariableName } from './variables.ts'

/** The environment as the process was given it. */
export type Environment = Readonly<Record<string, string | undefined>>

/** What the process's environment says, read once by its main. Amounts in units, durations in ms. */
export interface Config {
  readonly profile: Profile
  readonly manifests: string
  readonly dataDir: string
  readonly host: string
  readonly port: number
  readonly mockExchangePort: number
  readonly mockBankPort: number
  /** Null: the simulated exchange. */
  readonly exchangeUrl: string | null
  readonly demoBalance: Units
  readonly ledgerPartitions: number
  readonly bridgePartitions: number
  /** Null only in development: one is made into the data folder. */
  readonly adminToken: Secret | null
  /** Null only in development: one is made into the data folder. */
  readonly jwtSecret: Secret | null
  readonly allowedOrigins: readonly string[]
  readonly trustedProxies: readonly string[]
  readonly logLevel: 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent'
  readonly limits: ConfiguredLimits
  readonly snapshotIntervalMs: number
  readonly snapshotsKeep: number
  /** Null: every pair with a poll source. */
  readonly pollerAssets: readonly string[] | null
  readonly pollerIntervalMs: number
  /** A bank's secret, or null when none was given. `bank` is the manifest's metadata.name. */
  bankSecret(bank: string, variable: BankVariable): Secret | null
}

/** Bounds of the edge that an operator may set. */
export interface ConfiguredLimits {
  readonly bodyBytesMax: number
  readonly requestTimeoutMs: number
  readonly connectionsMax: number
  readonly requestsInFlightMax: number
  readonly addressRequestsPerSecond: number
  readonly userRequestsPerSecond: number
  readonly addressSignInsPerMinute: number
  readonly emailSignInsPerMinute: number
  readonly webSocketsMax: number
  readonly addressWebSocketsMax: number
}

/** The configuration, or everything that is wrong with the environment, a sentence each. */
export type ReadConfig = { readonly config: Config } | { readonly faults: readonly string[] }

/** Reads a secret's file; throws as `readFileSync` does. */
export type ReadSecretFile = (path: string) => string

const BANK_NAME = /^BOURSE_BANK_([A-Z0-9_]+?)_(API_KEY|WEBHOOK_SECRET)$/
const FILE_SUFFIX = '_FILE'
const isFixed = (name: string): name is VariableName => Object.hasOwn(variables, name)
const isSecret = (name: string): boolean => (isFixed(name) ? variables[name].kind === 'secret' : BANK_NAME.test(name))

const isKnown = (name: string): boolean =>
  isFixed(name) ||
  BANK_NAME.test(name) ||
  (name.endsWith(FILE_SUFFIX) && isSecret(name.slice(0, -FILE_SUFFIX.length))) ||
  foreignPrefixes.some((prefix) => name.startsWith(prefix))

/** An empty variable is as good as none: shells and compose files cannot unset one. */
const given = (env: Environment, name: string): string | undefined => {
  const text = env[name]
  return text === undefined || text === '' ? undefined : text
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

interface Reader {
  readonly faults: string[]
  text(name: string): string | undefined
}

/** Texts of variables; a secret also from its file, without the line break editors put at the end. */
const createReader = (env: Environment, readSecretFile: ReadSecretFile): Reader => {
  const faults: string[] = []
  const fromFile = (name: string, path: string): string | undefined => {
    try {
      const text = readSecretFile(path).replace(/\r?\n$/, '')
      if (text === '') faults.push(`${name}${FILE_SUFFIX} names an empty file; put the secret into it`)
      return text === '' ? undefined : text
    } catch (error) {
      // Reported with all other faults; the message has the path, never the content.
      faults.push(`${name}${FILE_SUFFIX} cannot be read (${messageOf(error)}); name a readable file`)
      return undefined
    }
  }
  const text = (name: string): string | undefined => {
    const direct = given(env, name)
    const path = isSecret(name) ? given(env, `${name}${FILE_SUFFIX}`) : undefined
    if (direct !== undefined && path !== undefined)
      faults.push(`${name} and ${name}${FILE_SUFFIX} are both set; keep one`)
    return direct ?? (path === undefined ? undefined : fromFile(name, path))
  }
  return { faults, text }
}

type Values = { readonly [Name in VariableName]: ValueOfKind[(typeof variables)[Name]['kind']] | null }

const readVariables = (reader: Reader, profile: Profile): Values => {
  const valueOf = ([name, variable]: [string, Variable]): ValueOfKind[VariableKind] | null => {
    const own = reader.text(name)
    if (own === undefined && (variable.required ?? []).includes(profile)) {
      const or = variable.kind === 'secret' ? ` or ${name}${FILE_SUFFIX}` : ''
      reader.faults.push(`${name} is required in the ${profile} profile; set it${or}`)
      return null
    }
    const text = own ?? variable.defaults[profile]
    if (text === null) return null
    const read = readValue(text, variable, profile)
    if ('value' in read) return read.value
    reader.faults.push(`${name} ${read.fault}`)
    return null
  }
  return Object.fromEntries(Object.entries(variables).map((entry) => [entry[0], valueOf(entry)])) as unknown as Values
}

const readBankSecrets = (env: Environment, reader: Reader): ReadonlyMap<string, Secret> => {
  const stems = Object.keys(env).map((name) => (name.endsWith(FILE_SUFFIX) ? name.slice(0, -FILE_SUFFIX.length) : name))
  const secrets = new Map<string, Secret>()
  for (const name of new Set(stems)) {
    const variable = BANK_NAME.exec(name)?.[2] as BankVariable | undefined
    const text = variable === undefined ? undefined : reader.text(name)
    if (variable === undefined || text === undefined) continue
    const least = bankVariables[variable].lengthMin
    if (text.length < least) reader.faults.push(`${name} has ${text.length} characters; give ${least} or more`)
    else secrets.set(name, createSecret(text))
  }
  return secrets
}

/** A value that has a default in both profiles. */
const set = <Value>(value: Value | null): Value => {
  if (value === null) throw new Error('a variable with a default has no value')
  return value
}

const limitsOf = (values: Values): ConfiguredLimits => ({
  bodyBytesMax: set(values.BOURSE_LIMIT_BODY_BYTES),
  requestTimeoutMs: set(values.BOURSE_LIMIT_REQUEST_TIMEOUT_MS),
  connectionsMax: set(values.BOURSE_LIMIT_CONNECTIONS),
  requestsInFlightMax: set(values.BOURSE_LIMIT_REQUESTS_IN_FLIGHT),
  addressRequestsPerSecond: set(values.BOURSE_LIMIT_ADDRESS_REQUESTS_PER_SECOND),
  userRequestsPerSecond: set(values.BOURSE_LIMIT_USER_REQUESTS_PER_SECOND),
  addressSignInsPerMinute: set(values.BOURSE_LIMIT_ADDRESS_SIGN_INS_PER_MINUTE),
  emailSignInsPerMinute: set(values.BOURSE_LIMIT_EMAIL_SIGN_INS_PER_MINUTE),
  webSocketsMax: set(values.BOURSE_LIMIT_WEB_SOCKETS),
  addressWebSocketsMax: set(values.BOURSE_LIMIT_ADDRESS_WEB_SOCKETS),
})

const configOf = (profile: Profile, values: Values, bankSecrets: ReadonlyMap<string, Secret>): Config => ({
  profile,
  manifests: set(values.BOURSE_MANIFESTS),
  dataDir: set(values.BOURSE_DATA_DIR),
  host: set(values.BOURSE_HOST),
  port: set(values.BOURSE_PORT),
  mockExchangePort: set(values.BOURSE_MOCK_EXCHANGE_PORT),
  mockBankPort: set(values.BOURSE_MOCK_BANK_PORT),
  exchangeUrl: values.BOURSE_EXCHANGE_URL,
  demoBalance: set(values.BOURSE_DEMO_BALANCE),
  ledgerPartitions: set(values.BOURSE_LEDGER_PARTITIONS),
  bridgePartitions: set(values.BOURSE_BRIDGE_PARTITIONS),
  adminToken: values.BOURSE_ADMIN_TOKEN,
  jwtSecret: values.AUTH_JWT_SECRET,
  allowedOrigins: values.BOURSE_ALLOWED_ORIGINS ?? [],
  trustedProxies: values.BOURSE_TRUSTED_PROXIES ?? [],
  logLevel: set(values.BOURSE_LOG_LEVEL) as Config['logLevel'],
  limits: limitsOf(values),
  snapshotIntervalMs: set(values.ENGINE_SNAPSHOT_INTERVAL),
  snapshotsKeep: set(values.ENGINE_MAX_SNAPSHOTS),
  pollerAssets: values.POLLER_ASSETS,
  pollerIntervalMs: set(values.POLLER_UPDATE_INTERVAL),
  bankSecret: (bank, variable) => bankSecrets.get(bankVariableName(bank, variable)) ?? null,
})

/**
 * Reads the whole environment. All faults are told together: unknown `BOURSE_*` (a misspelt one would be
 * ignored in silence), texts that are not what the table says, secrets missing in production. An empty variable
 * counts as not set.
 */
export const readConfig = (
  env: Environment,
  readSecretFile: ReadSecretFile = (path) => readFileSync(path, 'utf8'),
): ReadConfig => {
  const reader = createReader(env, readSecretFile)
  const unknown = Object.keys(env).filter(
    (name) => name.startsWith('BOURSE_') && given(env, name) !== undefined && !isKnown(name),
  )
  reader.faults.push(
    ...unknown.sort().map((name) => `${name} is not a variable of the platform; remove it or check its spelling`),
  )
  const profile: Profile = given(env, 'BOURSE_PROFILE') === 'production' ? 'production' : 'development'
  const values = readVariables(reader, profile)
  const bankSecrets = readBankSecrets(env, reader)
  if (profile === 'production' && (values.BOURSE_DEMO_BALANCE ?? 0n) > 0n) {
    reader.faults.push('BOURSE_DEMO_BALANCE must be 0 in the production profile, which gives nothing away; remove it')
  }
  return reader.faults.length > 0 ? { faults: reader.faults } : { config: configOf(profile, values, bankSecrets) }
}

/** What is missing for the banks of the manifests: in production each has its API key and webhook secret given. */
export const bankSecretFaults = (config: Config, banks: readonly string[]): string[] =>
  config.profile === 'development'
    ? []
    : banks.flatMap((bank) =>
        (Object.keys(bankVariables) as BankVariable[])
          .filter((variable) => config.bankSecret(bank, variable) === null)
          .map((variable) => bankVariableName(bank, variable))
          .map((name) => `${name} is required in the production profile; set it or ${name}${FILE_SUFFIX}`),
      )
