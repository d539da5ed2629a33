import { readFileSync } from 'node:fs'
import type { Units } from '../money/amount.ts'
import { readValue } from './parse-value.ts'
import type { ValueOfKind } from './parse-value.ts'
import { createSecret } from './secret.ts'
import type { Secret } from './secret.ts'
import { bankVariableName, bankVariables, foreignPrefixes, MANIFESTS_IN_DIRECTORY, variables } from './variables.ts'
import type { BankVariable, Profile, ProgramName, Variable, VariableKind, VariableName } from './variables.ts'

/** The environment as the process was given it. */
export type Environment = Readonly<Record<string, string | undefined>>

/** What the process's environment says, read once by its main. Amounts in units, durations in ms. */
export interface Config {
  readonly profile: Profile
  /** A folder, a file, or MANIFESTS_IN_DIRECTORY. */
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
  readonly traces: TraceSettings
  readonly limits: ConfiguredLimits
  readonly snapshotIntervalMs: number
  readonly snapshotsKeep: number
  /** Intervals after which a partition stores a snapshot unasked. */
  readonly snapshotSlack: number
  /** Null: every pair with a poll source. */
  readonly pollerAssets: readonly string[] | null
  readonly pollerIntervalMs: number
  /** The separate processes' own. */
  readonly cluster: ClusterConfig
  /** The text of every secret that was given, by which it is known in a log; of a server's URL its password. */
  secretTexts(): readonly string[]
  /** A bank's secret, or null when none was given. `bank` is the manifest's metadata.name. */
  bankSecret(bank: string, variable: BankVariable): Secret | null
}

/** What only the separate processes read. A program that requires one of these has it (see `variables.ts`). */
export interface ClusterConfig {
  readonly rabbitMqUrl: Secret | null
  readonly mongoDbUrl: Secret | null
  readonly redisUrl: Secret | null
  readonly namespace: string
  readonly shardName: string | null
  readonly servicePort: number
  /** Null: a gateway takes any, the platform of one process has none. */
  readonly telemetryPort: number | null
  readonly serviceUrl: string | null
  readonly controlToken: Secret | null
  readonly demoCallbackUrl: string | null
  /** Simulators that a gateway lets banks steer; null in production. */
  readonly sandboxExchangeUrl: string | null
  readonly sandboxBankUrl: string | null
  /** Null: the banks' webhook secrets come from the environment. */
  readonly webhookSecretsDir: string | null
  readonly kubernetesNamespace: string | null
  readonly podName: string | null
  readonly watchNodes: boolean
  readonly shardTemplate: string | null
}

/** Where traces go, and how many. */
export interface TraceSettings {
  /** Null: nothing is traced. */
  readonly endpoint: string | null
  /** Part of the traces that begin here, 0 to 1. */
  readonly ratio: number
  /** Null: the program's name. */
  readonly serviceName: string | null
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
const isSecretKind = (kind: VariableKind): boolean => kind === 'secret' || kind === 'server'
const isSecret = (name: string): boolean => (isFixed(name) ? isSecretKind(variables[name].kind) : BANK_NAME.test(name))

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

/** Who asks for a variable: the profile, or, when it is needed in any, the program. */
const requirerOf = ({ required = {} }: Variable, profile: Profile, program: ProgramName): string =>
  (required.development ?? []).includes(program) ? `by ${program}` : `in the ${profile} profile`

const readVariables = (reader: Reader, profile: Profile, program: ProgramName): Values => {
  const valueOf = ([name, variable]: [string, Variable]): ValueOfKind[VariableKind] | null => {
    const own = reader.text(name)
    if (own === undefined && (variable.required?.[profile] ?? []).includes(program)) {
      const or = isSecretKind(variable.kind) ? ` or ${name}${FILE_SUFFIX}` : ''
      reader.faults.push(`${name} is required ${requirerOf(variable, profile, program)}; set it${or}`)
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

const clusterOf = (values: Values): ClusterConfig => ({
  rabbitMqUrl: values.BOURSE_RABBITMQ_URL,
  mongoDbUrl: values.BOURSE_MONGODB_URL,
  redisUrl: values.BOURSE_REDIS_URL,
  namespace: set(values.BOURSE_NAMESPACE),
  shardName: values.BOURSE_SHARD_NAME,
  servicePort: set(values.BOURSE_SERVICE_PORT),
  telemetryPort: values.BOURSE_TELEMETRY_PORT,
  serviceUrl: values.BOURSE_SERVICE_URL,
  controlToken: values.BOURSE_CONTROL_TOKEN,
  demoCallbackUrl: values.BOURSE_DEMO_CALLBACK_URL,
  sandboxExchangeUrl: values.BOURSE_SANDBOX_EXCHANGE_URL,
  sandboxBankUrl: values.BOURSE_SANDBOX_BANK_URL,
  webhookSecretsDir: values.BOURSE_WEBHOOK_SECRETS_DIR,
  kubernetesNamespace: values.BOURSE_KUBERNETES_NAMESPACE,
  podName: values.BOURSE_POD_NAME,
  watchNodes: set(values.BOURSE_WATCH_NODES),
  shardTemplate: values.BOURSE_SHARD_TEMPLATE,
})

const isHidden = (value: unknown): value is Secret =>
  typeof value === 'object' && value !== null && 'reveal' in value && typeof value.reveal === 'function'

/** As the server is told it; a text that can't be decoded is taken as it is. */
const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch (error) {
    if (!(error instanceof URIError)) throw error
    return text
  }
}

const secretTextsOf = (values: Values, bankSecrets: ReadonlyMap<string, Secret>): readonly string[] =>
  [...Object.values(values).filter(isHidden), ...bankSecrets.values()].flatMap((secret) => {
    const text = secret.reveal()
    if (!text.includes('://')) return [text, ...text.split(',')]
    // Where a server is may be read, not who signs in.
    const password = /:\/\/[^/@:]*:([^/]+)@/.exec(text)?.[1] ?? ''
    return [password, decoded(password)]
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
  traces: {
    endpoint: values.OTEL_EXPORTER_OTLP_ENDPOINT,
    ratio: set(values.OTEL_TRACES_SAMPLER_ARG),
    serviceName: values.OTEL_SERVICE_NAME,
  },
  limits: limitsOf(values),
  snapshotIntervalMs: set(values.ENGINE_SNAPSHOT_INTERVAL),
  snapshotsKeep: set(values.ENGINE_MAX_SNAPSHOTS),
  snapshotSlack: set(values.ENGINE_SNAPSHOT_SLACK),
  pollerAssets: values.POLLER_ASSETS,
  pollerIntervalMs: set(values.POLLER_UPDATE_INTERVAL),
  cluster: clusterOf(values),
  secretTexts: () => secretTextsOf(values, bankSecrets),
  bankSecret: (bank, variable) => bankSecrets.get(bankVariableName(bank, variable)) ?? null,
})

/** What is wrong with manifests in the directory for this program, where they are wanted. */
const directoryFaults = (values: Values, program: ProgramName): string[] => {
  if (values.BOURSE_MANIFESTS !== MANIFESTS_IN_DIRECTORY) return []
  if (program === 'platform' || program === 'launcher')
    return [
      'BOURSE_MANIFESTS=directory is for the processes that an operator runs; name a folder (./directory is one too)',
    ]
  return program === 'market' && values.BOURSE_MONGODB_URL === null
    ? ['BOURSE_MONGODB_URL is required by market with BOURSE_MANIFESTS=directory; set it or BOURSE_MONGODB_URL_FILE']
    : []
}

/**
 * Reads the whole environment for a program. All faults are told together: unknown `BOURSE_*` (a misspelt one would be
 * ignored in silence), texts that are not what the table says, variables missing that this program requires. An empty
 * variable counts as not set.
 */
export const readConfig = (
  env: Environment,
  program: ProgramName = 'platform',
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
  const values = readVariables(reader, profile, program)
  const bankSecrets = readBankSecrets(env, reader)
  reader.faults.push(...directoryFaults(values, program))
  for (const name of ['BOURSE_SANDBOX_EXCHANGE_URL', 'BOURSE_SANDBOX_BANK_URL'] as const) {
    if (profile === 'production' && values[name] !== null)
      reader.faults.push(`${name} must not be set in the production profile, which has no simulators; remove it`)
  }
  if (profile === 'production' && (values.BOURSE_DEMO_BALANCE ?? 0n) > 0n) {
    reader.faults.push('BOURSE_DEMO_BALANCE must be 0 in the production profile, which gives nothing away; remove it')
  }
  return reader.faults.length > 0 ? { faults: reader.faults } : { config: configOf(profile, values, bankSecrets) }
}

/** Whether the manifests are in the directory, and with them the banks' API keys. */
export const hasDirectoryManifests = (config: Pick<Config, 'manifests'>): boolean =>
  config.manifests === MANIFESTS_IN_DIRECTORY

/**
 * What is missing for the banks of the manifests: in production each has its API key and webhook secret given, where they are
 * needed and come from the environment.
 */
export const bankSecretFaults = (
  config: Config,
  banks: readonly string[],
  program: ProgramName = 'platform',
): string[] =>
  config.profile === 'development' || hasDirectoryManifests(config)
    ? []
    : banks.flatMap((bank) =>
        (Object.keys(bankVariables) as BankVariable[])
          .filter(
            (variable) =>
              program === 'platform' || program === 'launcher' || bankVariables[variable].requiredBy === program,
          )
          .filter((variable) => variable !== 'WEBHOOK_SECRET' || config.cluster.webhookSecretsDir === null)
          .filter((variable) => config.bankSecret(bank, variable) === null)
          .map((variable) => bankVariableName(bank, variable))
          .map((name) => `${name} is required in the production profile; set it or ${name}${FILE_SUFFIX}`),
      )
