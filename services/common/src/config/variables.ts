/** The profiles: what is convenient on one machine, and what may face customers. */
export type Profile = 'development' | 'production'

/** How a variable's text is read. `secret` never prints and may come from a file named by `<NAME>_FILE`. */
export type VariableKind =
  'text' | 'whole' | 'power-of-two' | 'boolean' | 'amount' | 'choice' | 'url' | 'list' | 'secret'

/** One environment variable. Defaults are texts, read like the variable itself; null: none. */
export interface Variable {
  readonly kind: VariableKind
  readonly defaults: Readonly<Record<Profile, string | null>>
  /** The profiles that do not start without it. */
  readonly required?: readonly Profile[]
  /** Bounds of a whole number (inclusive). */
  readonly minimum?: number
  readonly maximum?: number
  readonly choices?: readonly string[]
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
const secret = (required: readonly Profile[], production: number, description: string) =>
  ({ kind: 'secret', defaults: same(null), required, lengthMin: { development: 8, production }, description }) as const
const text = (value: string | null, description: string) =>
  ({ kind: 'text', defaults: same(value), description }) as const
const list = (description: string) => ({ kind: 'list', defaults: same(null), description }) as const

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
    'Folder (or one file) of TradingPair and Bank manifests; read again on change.',
  ),
  BOURSE_DATA_DIR: text('.bourse', 'Folder of everything the platform keeps.'),
  BOURSE_HOST: text('127.0.0.1', 'Address to listen on.'),
  BOURSE_PORT: port('3000', 'the platform: both APIs, the web socket, health and metrics'),
  BOURSE_MOCK_EXCHANGE_PORT: port('3001', 'the simulated exchange'),
  BOURSE_MOCK_BANK_PORT: port('3002', 'the simulated bank'),
  BOURSE_EXCHANGE_URL: {
    kind: 'url',
    defaults: same(null),
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
    ['production'],
    32,
    'Bearer token of administration. In development one is made once into the data folder.',
  ),
  AUTH_JWT_SECRET: secret(['production'], 32, 'Signs sessions. In development one is made once into the data folder.'),
  BOURSE_MOCK_BANK_WEBHOOK_SECRETS: secret(
    [],
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
    description: 'API key of the bank, 32 characters or more. In development one is made and printed once.',
  },
  WEBHOOK_SECRET: {
    lengthMin: 16,
    description: "Signs the bank's webhooks, 16 characters or more. In development one is made.",
  },
} as const

/** Which of a bank's two variables. */
export type BankVariable = keyof typeof bankVariables

/** The name of a bank's variable. */
export const bankVariableName = (bank: string, variable: BankVariable): string =>
  `BOURSE_BANK_${bank.toUpperCase().replaceAll('-', '_')}_${variable}`

/** A `BOURSE_*` variable that is not the platform's but may be set: the cluster's and the tests' own. */
export const foreignPrefixes = ['BOURSE_CLUSTER_', 'BOURSE_TEST_'] as const
