/** The profiles: what is convenient on one machine, and what may face customers. */
export type Profile = 'development' | 'production'

/**
 * The programs that read the configuration. `platform` is everything in one process, `launcher` starts the separate ones
 * on one machine; `operator` runs them on Kubernetes; the others are the separate processes.
 */
export const programs = [
  'platform',
  'launcher',
  'operator',
  'gateway',
  'ledger',
  'trading',
  'bridge',
  'market',
] as const
/** One of the programs. */
export type ProgramName = (typeof programs)[number]

/**
 * How a variable's text is read. `secret` and `server` (the URL of a backing service, which may hold a password) never print and
 * may come from a file named by `<NAME>_FILE`.
 */
export type VariableKind =
  | 'text'
  | 'name'
  | 'whole'
  | 'ratio'
  | 'power-of-two'
  | 'boolean'
  | 'amount'
  | 'choice'
  | 'url'
  | 'server'
  | 'list'
  | 'secret'

/** One environment variable. Defaults are texts, read like the variable itself; null: none. */
export interface Variable {
  readonly kind: VariableKind
  readonly defaults: Readonly<Record<Profile, string | null>>
  /** By profile: the programs that do not start without it. */
  readonly required?: Readonly<Partial<Record<Profile, readonly ProgramName[]>>>
  /** Bounds of a whole number (inclusive). */
  readonly minimum?: number
  readonly maximum?: number
  readonly choices?: readonly string[]
  /** What a server's URL begins with, without the colon. */
  readonly protocols?: readonly string[]
  /** Shortest secret, in characters. */
  readonly lengthMin?: Readonly<Record<Profile, number>>
  readonly description: string
}

const same = (value: string | null): Variable['defaults'] => ({ development: value, production: value })
const whole = (value: string, minimum: number, maximum: number, description: string) =>
  ({ kind: 'whole', defaults: same(value), minimum, maximum, description }) as const
const port = (value: string, what: string) => whole(value, 0, 65_535, `Port of ${what}; 0 takes any free one.`)
const partitions = (value: string, what: string) =>
  ({
    kind: 'power-of-two',
    defaults: same(value),
    minimum: 1,
    maximum: 256,
    description: `Partitions of ${what}: a power of two, fixed when the data is first made; a changed number is refused.`,
  }) as const
const secret = (required: Variable['required'], production: number, description: string) => ({
  kind: 'secret' as const,
  defaults: same(null),
  required: required ?? {},
  lengthMin: { development: 8, production },
  description,
})
const always = (...names: readonly ProgramName[]) => ({ development: names, production: names })
const server = (protocols: readonly string[], names: readonly ProgramName[], description: string) => ({
  kind: 'server' as const,
  defaults: same(null),
  required: always(...names),
  protocols,
  description,
})
/** The processes that serve partitions. */
const SHARDS = ['ledger', 'trading', 'bridge'] as const
const text = (value: string | null, description: string) =>
  ({ kind: 'text', defaults: same(value), description }) as const
const list = (description: string) => ({ kind: 'list', defaults: same(null), description }) as const

/** What BOURSE_MANIFESTS says when the manifests are in the directory, where the operator stores them. */
export const MANIFESTS_IN_DIRECTORY = 'directory'

/** Every variable that the platform reads, by name; those of single banks are in `bankVariables`. */
export const variables = {
  BOURSE_PROFILE: {
    kind: 'choice',
    defaults: same('development'),
    choices: ['development', 'production'],
    description: 'production requires every secret, makes cookies Secure and gives nothing away.',
  },
  BOURSE_MANIFESTS: text(
    'crds/samples',
    'Folder (or one file) of TradingPair and Bank manifests; read again on change. `directory`: separate processes read what ' +
      "the operator stored in MongoDB, once a second, and banks' API keys too; the market then needs BOURSE_MONGODB_URL.",
  ),
  BOURSE_DATA_DIR: text('.bourse', 'Folder of everything the platform keeps.'),
  BOURSE_HOST: text('127.0.0.1', 'Address to listen on.'),
  BOURSE_PORT: port('3000', 'the platform: both APIs, the web socket, health'),
  BOURSE_MOCK_EXCHANGE_PORT: port('3001', 'the simulated exchange'),
  BOURSE_MOCK_BANK_PORT: port('3002', 'the simulated bank'),
  BOURSE_EXCHANGE_URL: {
    kind: 'url',
    defaults: same(null),
    required: always('bridge'),
    description: 'Exchange that bank trades are executed at. Without it: the simulated one, at whatever port it got.',
  },
  BOURSE_DEMO_BALANCE: {
    kind: 'amount',
    defaults: { development: '10000', production: '0' },
    description:
      'What a new trading account gets from the promotion account, in USDC. ' +
      'Production gives nothing: only 0 is taken there.',
  },
  BOURSE_LEDGER_PARTITIONS: partitions('4', 'the ledger'),
  BOURSE_BRIDGE_PARTITIONS: partitions('2', 'the bridge'),
  BOURSE_ADMIN_TOKEN: secret(
    { production: ['platform', 'launcher', 'gateway'] },
    32,
    'Bearer token of administration. In development one is made once into the data folder.',
  ),
  AUTH_JWT_SECRET: secret(
    { production: ['platform', 'launcher', 'gateway'] },
    32,
    'Signs sessions. In development one is made once into the data folder.',
  ),
  BOURSE_RABBITMQ_URL: server(
    ['amqp', 'amqps'],
    ['launcher', 'gateway', ...SHARDS],
    'RabbitMQ of the separate processes: commands, replies and events.',
  ),
  BOURSE_MONGODB_URL: server(
    ['mongodb', 'mongodb+srv'],
    ['launcher', 'operator', 'gateway', ...SHARDS],
    'MongoDB of the separate processes, with the name of the database (`bourse` without one): journal, snapshots, views and ' +
      'directory.',
  ),
  BOURSE_REDIS_URL: server(
    ['redis', 'rediss'],
    ['launcher', 'gateway', 'trading', 'market'],
    'Redis of the separate processes: prices, rate limits, cache. It may forget everything at any time.',
  ),
  BOURSE_NAMESPACE: {
    kind: 'name',
    defaults: same('bourse'),
    description: 'What the names in RabbitMQ and Redis begin with, so that several platforms may share them.',
  },
  BOURSE_SHARD_NAME: {
    kind: 'name',
    defaults: same(null),
    required: always(...SHARDS),
    description: 'Name of a ledger, trading or bridge process, one of its own each.',
  },
  BOURSE_SERVICE_PORT: port('3100', 'health and metrics; at a shard also its control interface'),
  BOURSE_SERVICE_URL: {
    kind: 'url',
    defaults: same(null),
    description: "Where others reach this process's BOURSE_SERVICE_PORT. Without it: BOURSE_HOST and the port.",
  },
  BOURSE_TELEMETRY_PORT: {
    kind: 'whole',
    defaults: same(null),
    minimum: 0,
    maximum: 65_535,
    description:
      'Port of health, metrics, log level and profiles of a process whose BOURSE_PORT faces customers; 0 takes any free one. ' +
      'Without it a gateway takes any free one, and the platform of one process has its metrics on BOURSE_PORT and no such port.',
  },
  BOURSE_CONTROL_TOKEN: secret(
    always('operator', 'gateway', ...SHARDS),
    32,
    'Bearer token of the control interface of shards and of every telemetry port. In development the launcher, or the platform ' +
      'with BOURSE_TELEMETRY_PORT, makes one once.',
  ),
  BOURSE_DEMO_CALLBACK_URL: {
    kind: 'url',
    defaults: same(null),
    description:
      'Where a bridge process calls the demo bank, and the operator looks for it, instead of at what its manifest says.',
  },
  BOURSE_SANDBOX_EXCHANGE_URL: {
    kind: 'url',
    defaults: same(null),
    description:
      'Of the simulated exchange, where a gateway of the development profile lets banks steer it (/api/v1/sandbox). Refused in ' +
      'production; the platform of one process knows its own.',
  },
  BOURSE_SANDBOX_BANK_URL: {
    kind: 'url',
    defaults: same(null),
    description: 'As BOURSE_SANDBOX_EXCHANGE_URL, of the simulator that plays the back end of bank demo.',
  },
  BOURSE_WEBHOOK_SECRETS_DIR: text(
    null,
    "Folder of the banks' webhook secrets for a bridge process: a file named as the bank, one secret a line, the newest first. " +
      'All of them sign. A file is read again when it changed; a bank without one is told again later.',
  ),
  BOURSE_KUBERNETES_NAMESPACE: text(
    null,
    "Namespace that the operator watches. Without it: that of its pod's service account.",
  ),
  BOURSE_POD_NAME: text(null, "Name of the operator's pod, by which it leads. Without it: the host's name."),
  BOURSE_WATCH_NODES: {
    kind: 'boolean',
    defaults: same('false'),
    description:
      'Whether the operator reads the nodes: partitions then leave a cordoned one before its pods do. It takes a ClusterRole.',
  },
  BOURSE_SHARD_TEMPLATE: text(
    null,
    'File with the pod template (YAML) of which the operator makes the shards of a trading pair.',
  ),
  BOURSE_MOCK_BANK_WEBHOOK_SECRETS: secret(
    {},
    8,
    'Webhook secrets the simulated bank accepts when it runs as a process of its own, comma separated.',
  ),
  BOURSE_ALLOWED_ORIGINS: list(
    "Origins that may use sessions besides the platform's own, comma separated (`https://desk.example`).",
  ),
  BOURSE_TRUSTED_PROXIES: list(
    'Address ranges of proxies whose x-forwarded-for is believed, comma separated (`10.0.0.0/8`).',
  ),
  BOURSE_LOG_LEVEL: {
    kind: 'choice',
    defaults: same('info'),
    choices: ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'],
    description: 'Least severity that is logged (to standard error).',
  },
  OTEL_EXPORTER_OTLP_ENDPOINT: {
    kind: 'url',
    defaults: same(null),
    description:
      'Collector of traces, without `/v1/traces`: OTLP over HTTP as JSON, usually on port 4318. Without it nothing is traced. ' +
      '`OTEL_EXPORTER_OTLP_HEADERS` and the like are read by OpenTelemetry itself.',
  },
  OTEL_TRACES_SAMPLER_ARG: {
    kind: 'ratio',
    defaults: same('0.01'),
    description:
      'Part of the requests whose traces are recorded, 0 to 1; under a caller that sends `traceparent` it is as the caller says.',
  },
  OTEL_SERVICE_NAME: text(null, "Name of the service in traces. Without it: the program's, `bourse-ledger`."),
  BOURSE_LIMIT_BODY_BYTES: whole('65536', 1_024, 16_777_216, 'Largest request body.'),
  BOURSE_LIMIT_REQUEST_TIMEOUT_MS: whole(
    '10000',
    100,
    600_000,
    'A request that has not arrived whole by then is answered 408.',
  ),
  BOURSE_LIMIT_CONNECTIONS: whole('10000', 1, 1_000_000, 'Open connections.'),
  BOURSE_LIMIT_REQUESTS_IN_FLIGHT: whole(
    '2000',
    1,
    1_000_000,
    'Requests worked on at one moment; more are answered 503.',
  ),
  BOURSE_LIMIT_ADDRESS_REQUESTS_PER_SECOND: whole(
    '100',
    1,
    1_000_000,
    'Requests of one address without a session or key.',
  ),
  BOURSE_LIMIT_USER_REQUESTS_PER_SECOND: whole('100', 1, 1_000_000, 'Requests of one signed-in user.'),
  BOURSE_LIMIT_ADDRESS_SIGN_INS_PER_MINUTE: whole('120', 1, 1_000_000, 'Sign-in attempts of one address.'),
  BOURSE_LIMIT_EMAIL_SIGN_INS_PER_MINUTE: whole('6', 1, 1_000_000, 'Sign-in attempts for one e-mail address.'),
  BOURSE_LIMIT_WEB_SOCKETS: whole('2000', 1, 1_000_000, 'Open web sockets.'),
  BOURSE_LIMIT_ADDRESS_WEB_SOCKETS: whole('200', 1, 1_000_000, 'Open web sockets of one address.'),
  ENGINE_SNAPSHOT_INTERVAL: whole(
    '15000',
    100,
    86_400_000,
    'Milliseconds between snapshots where the manifest is silent.',
  ),
  ENGINE_SNAPSHOT_SLACK: whole(
    '1',
    1,
    100,
    'A partition stores a snapshot by itself only after this many intervals: more than 1 where an operator asks for them.',
  ),
  ENGINE_MAX_SNAPSHOTS: whole('10', 1, 1_000, 'Snapshots kept per partition where the manifest is silent.'),
  POLLER_ASSETS: list(
    'Pairs whose poll source is asked, comma separated (`BTC_USDC,ETH_USDC`). Without it: every pair with one.',
  ),
  POLLER_UPDATE_INTERVAL: whole(
    '1000',
    100,
    86_400_000,
    'Milliseconds between two questions of a poll source where the manifest is silent.',
  ),
} as const satisfies Record<string, Variable>

/** Name of a variable of the table. */
export type VariableName = keyof typeof variables

/**
 * What a bank's variables are: `BOURSE_BANK_<NAME>_API_KEY` for the bank `demo-bank` is
 * `BOURSE_BANK_DEMO_BANK_API_KEY`.
 */
export const bankVariables = {
  API_KEY: {
    lengthMin: 32,
    requiredBy: 'gateway',
    description: 'API key of the bank, 32 characters or more. In development one is made and printed once.',
  },
  WEBHOOK_SECRET: {
    lengthMin: 16,
    requiredBy: 'bridge',
    description: "Signs the bank's webhooks, 16 characters or more. In development one is made.",
  },
} as const

/** Which of a bank's two variables. */
export type BankVariable = keyof typeof bankVariables

/** The name of a bank's variable. */
export const bankVariableName = (bank: string, variable: BankVariable): string =>
  `BOURSE_BANK_${bank.toUpperCase().replaceAll('-', '_')}_${variable}`

/** A `BOURSE_*` variable that is not the platform's but may be set: the cluster's, the tests' and the load's own. */
export const foreignPrefixes = ['BOURSE_CLUSTER_', 'BOURSE_TEST_', 'BOURSE_LOAD_', 'BOURSE_K6'] as const
