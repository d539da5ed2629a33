import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { describe, expect, test } from '@jest/globals'
import { generate } from '@bourse/common/config/generate-page.ts'
import { readValue } from '@bourse/common/config/parse-value.ts'
import { bankSecretFaults, readConfig } from '@bourse/common/config/read.ts'
import type { Config, Environment } from '@bourse/common/config/read.ts'
import { createSecret } from '@bourse/common/config/secret.ts'

const LONG = 'a-secret-of-more-than-thirty-two-characters'
const PRODUCTION = { BOURSE_PROFILE: 'production', BOURSE_ADMIN_TOKEN: LONG, AUTH_JWT_SECRET: LONG }

const noFiles = (path: string): string => {
  throw new Error(`ENOENT: ${path}`)
}

const RABBITMQ = 'amqp://desk:hidden@broker.example:5672/%2f'
const MONGODB = 'mongodb://desk:hidden@store.example:27017/bourse?replicaSet=rs0'
const REDIS = 'redis://:hidden@cache.example:6379'

const configOf = (env: Environment, files = noFiles): Config => {
  const read = readConfig(env, 'platform', files)
  if ('faults' in read) throw new Error(read.faults.join('\n'))
  return read.config
}

const faultsOf = (env: Environment, files = noFiles): readonly string[] => {
  const read = readConfig(env, 'platform', files)
  return 'faults' in read ? read.faults : []
}

describe('the configuration', () => {
  test('of an empty environment is the development default', () => {
    expect(configOf({ PATH: '/bin' })).toMatchObject({
      profile: 'development',
      manifests: 'crds/samples',
      dataDir: '.bourse',
      host: '127.0.0.1',
      port: 3000,
      mockExchangePort: 3001,
      mockBankPort: 3002,
      exchangeUrl: null,
      demoBalance: 1_000_000_000_000n,
      ledgerPartitions: 4,
      bridgePartitions: 2,
      adminToken: null,
      jwtSecret: null,
      logLevel: 'info',
      snapshotIntervalMs: 15_000,
      snapshotsKeep: 10,
      pollerAssets: null,
      pollerIntervalMs: 1_000,
    })
  })

  test('reads each kind of value from its text', () => {
    const config = configOf({
      BOURSE_PORT: '0',
      BOURSE_DEMO_BALANCE: '12.5',
      BOURSE_LEDGER_PARTITIONS: '16',
      BOURSE_EXCHANGE_URL: 'https://exchange.example/',
      POLLER_ASSETS: 'BTC_USDC, ETH_USDC',
      BOURSE_LIMIT_BODY_BYTES: '2048',
      BOURSE_LOG_LEVEL: 'debug',
    })
    expect(config).toMatchObject({
      port: 0,
      demoBalance: 1_250_000_000n,
      ledgerPartitions: 16,
      exchangeUrl: 'https://exchange.example',
      pollerAssets: ['BTC_USDC', 'ETH_USDC'],
      limits: { bodyBytesMax: 2_048 },
      logLevel: 'debug',
    })
  })

  test('tells all faults together', () => {
    const faults = faultsOf({
      BOURSE_PORT: '70000',
      BOURSE_BRIDGE_PARTITIONS: '3',
      BOURSE_DEMO_BALANCE: '1e3',
      BOURSE_LOG_LEVEL: 'loud',
      BOURSE_PRT: '1',
      BOURSE_EXCHANGE_URL: 'exchange',
      POLLER_UPDATE_INTERVAL: '1.5',
      BOURSE_PROFILE: 'staging',
    })
    expect(faults).toHaveLength(8)
    for (const name of [
      'BOURSE_PORT is',
      'BOURSE_BRIDGE_PARTITIONS is',
      'BOURSE_LOG_LEVEL is',
      'BOURSE_EXCHANGE_URL is',
      'POLLER_UPDATE_INTERVAL is',
      'BOURSE_PROFILE is',
      'BOURSE_PRT is not a variable of the platform',
      "BOURSE_DEMO_BALANCE '1e3'",
    ]) {
      expect(faults).toContainEqual(expect.stringContaining(name))
    }
  })

  test.each(['BOURSE_CLUSTER_NAME', 'BOURSE_TEST_SEED', 'SOMETHING_ELSE', 'BOURSE_BANK_DEMO_API_KEY'])(
    'lets %s be set',
    (name) => {
      expect(faultsOf({ [name]: LONG })).toEqual([])
    },
  )

  test.each(['BOURSE_BANK_DEMO_KEY', 'BOURSE_PORT_FILE', 'BOURSE_', 'BOURSE_CLUSTERS'])('refuses %s', (name) => {
    expect(faultsOf({ [name]: LONG })).toEqual([expect.stringContaining(`${name} is not a variable`)])
  })

  test('takes an empty variable for none', () => {
    expect(configOf({ BOURSE_PORT: '', BOURSE_ADMIN_TOKEN: '' })).toMatchObject({ port: 3000, adminToken: null })
    expect(faultsOf({ ...PRODUCTION, AUTH_JWT_SECRET: '' })).toEqual([
      expect.stringContaining('AUTH_JWT_SECRET is required'),
    ])
  })

  test('of production requires every secret, at full length, and gives nothing away', () => {
    expect(faultsOf({ BOURSE_PROFILE: 'production' })).toHaveLength(2)
    expect(faultsOf({ ...PRODUCTION, AUTH_JWT_SECRET: 'only-31-characters-of-a-secret.' })).toHaveLength(1)
    for (const name of ['BOURSE_SANDBOX_EXCHANGE_URL', 'BOURSE_SANDBOX_BANK_URL'])
      expect(faultsOf({ ...PRODUCTION, [name]: 'http://127.0.0.1:3001' })).toEqual([
        `${name} must not be set in the production profile, which has no simulators; remove it`,
      ])
    expect(faultsOf({ ...PRODUCTION, BOURSE_DEMO_BALANCE: '1' })).toEqual([
      expect.stringContaining('BOURSE_DEMO_BALANCE must be 0'),
    ])
    const config = configOf(PRODUCTION)
    expect(config.demoBalance).toBe(0n)
    expect(bankSecretFaults(config, ['demo-bank'])).toEqual([
      expect.stringContaining('BOURSE_BANK_DEMO_BANK_API_KEY is required'),
      expect.stringContaining('BOURSE_BANK_DEMO_BANK_WEBHOOK_SECRET is required'),
    ])
  })

  test('has the secrets of banks by their manifest names, and refuses a key shorter than 32 characters', () => {
    const config = configOf({ BOURSE_BANK_DEMO_BANK_API_KEY: LONG })
    expect(config.bankSecret('demo-bank', 'API_KEY')?.reveal()).toBe(LONG)
    expect(config.bankSecret('demo-bank', 'WEBHOOK_SECRET')).toBeNull()
    expect(faultsOf({ BOURSE_BANK_DEMO_API_KEY: 'x'.repeat(31) })).toEqual([
      'BOURSE_BANK_DEMO_API_KEY has 31 characters; give 32 or more',
    ])
    expect(faultsOf({ BOURSE_BANK_DEMO_API_KEY: 'x'.repeat(32) })).toEqual([])
  })

  test('takes a secret from a file, without the line break at its end', () => {
    const files = (path: string): string => (path === '/run/key' ? `${LONG}\n` : noFiles(path))
    const config = configOf({ AUTH_JWT_SECRET_FILE: '/run/key', BOURSE_BANK_DEMO_API_KEY_FILE: '/run/key' }, files)
    expect(config.jwtSecret?.reveal()).toBe(LONG)
    expect(config.bankSecret('demo', 'API_KEY')?.reveal()).toBe(LONG)
    expect(faultsOf({ AUTH_JWT_SECRET_FILE: '/run/none' }, files)).toEqual([expect.stringContaining('cannot be read')])
    expect(faultsOf({ AUTH_JWT_SECRET_FILE: '/run/key', AUTH_JWT_SECRET: LONG }, files)).toEqual([
      expect.stringContaining('both set'),
    ])
  })

  test('never prints a secret, nor quotes it in a fault', () => {
    const secret = createSecret(LONG)
    expect(
      [String(secret), JSON.stringify({ secret }), inspect({ secret }), `${secret.toString()}`].join(),
    ).not.toContain(LONG)
    expect(inspect(configOf(PRODUCTION), { depth: 9 })).not.toContain(LONG)
    expect(faultsOf({ AUTH_JWT_SECRET: 'short' }).join()).not.toContain('short')
  })

  test('knows booleans as true and false only', () => {
    const variable = { kind: 'boolean', defaults: { development: null, production: null }, description: '' } as const
    expect(readValue('true', variable, 'development')).toEqual({ value: true })
    expect(readValue('false', variable, 'development')).toEqual({ value: false })
    for (const text of ['1', 'yes', 'TRUE', ' true'])
      expect(readValue(text, variable, 'development')).toHaveProperty('fault')
  })

  test('is documented in docs/configuration.md as the table has it', () => {
    const page = readFileSync(join(import.meta.dirname, '../../../../docs/configuration.md'), 'utf8')
    expect(page).toBe(generate())
  })

  test.each([
    ['ledger', ['BOURSE_RABBITMQ_URL', 'BOURSE_MONGODB_URL', 'BOURSE_SHARD_NAME', 'BOURSE_CONTROL_TOKEN']],
    [
      'trading',
      ['BOURSE_RABBITMQ_URL', 'BOURSE_MONGODB_URL', 'BOURSE_REDIS_URL', 'BOURSE_SHARD_NAME', 'BOURSE_CONTROL_TOKEN'],
    ],
    [
      'bridge',
      ['BOURSE_EXCHANGE_URL', 'BOURSE_RABBITMQ_URL', 'BOURSE_MONGODB_URL', 'BOURSE_SHARD_NAME', 'BOURSE_CONTROL_TOKEN'],
    ],
    ['gateway', ['BOURSE_RABBITMQ_URL', 'BOURSE_MONGODB_URL', 'BOURSE_REDIS_URL', 'BOURSE_CONTROL_TOKEN']],
    ['market', ['BOURSE_REDIS_URL']],
    ['launcher', ['BOURSE_RABBITMQ_URL', 'BOURSE_MONGODB_URL', 'BOURSE_REDIS_URL']],
    ['operator', ['BOURSE_MONGODB_URL', 'BOURSE_CONTROL_TOKEN']],
    ['platform', []],
  ] as const)('asks of %s only for what it needs, and tells everything that is missing', (program, missing) => {
    const read = readConfig({}, program, noFiles)
    const faults = 'faults' in read ? read.faults : []
    expect(faults.map((fault) => fault.split(' ')[0])).toEqual([...missing])
    for (const fault of faults) expect(fault).toContain(`is required by ${program}; set it`)
  })

  test('of production asks only the edge for the secrets of the edge', () => {
    const shard = { BOURSE_RABBITMQ_URL: RABBITMQ, BOURSE_MONGODB_URL: MONGODB, BOURSE_SHARD_NAME: 'ledger-0' }
    const env = { BOURSE_PROFILE: 'production', BOURSE_CONTROL_TOKEN: LONG, ...shard }
    expect(readConfig(env, 'ledger', noFiles)).toHaveProperty('config.cluster.shardName', 'ledger-0')
    const gateway = readConfig({ ...env, BOURSE_REDIS_URL: REDIS }, 'gateway', noFiles)
    expect(gateway).toHaveProperty('faults.length', 2)
    const short = readConfig({ ...env, BOURSE_CONTROL_TOKEN: 'only-eight' }, 'ledger', noFiles)
    expect(short).toEqual({ faults: ['BOURSE_CONTROL_TOKEN has 10 characters; give 32 or more'] })
    const read = readConfig(env, 'ledger', noFiles)
    const config = 'config' in read ? read.config : configOf({})
    expect(bankSecretFaults(config, ['demo'], 'ledger')).toEqual([])
    expect(bankSecretFaults(config, ['demo'], 'bridge')).toEqual([expect.stringContaining('WEBHOOK_SECRET')])
    expect(bankSecretFaults(config, ['demo'], 'gateway')).toEqual([expect.stringContaining('API_KEY')])
  })

  test('of manifests in the directory asks the market for it, and takes them for no process that nobody operates', () => {
    const env = { BOURSE_MANIFESTS: 'directory', BOURSE_REDIS_URL: REDIS }
    expect(readConfig(env, 'market', noFiles)).toEqual({
      faults: [expect.stringContaining('BOURSE_MONGODB_URL is required by market with BOURSE_MANIFESTS=directory')],
    })
    const all = { ...env, BOURSE_MONGODB_URL: MONGODB, BOURSE_RABBITMQ_URL: RABBITMQ }
    expect(readConfig(all, 'market', noFiles)).toHaveProperty('config.manifests', 'directory')
    for (const program of ['platform', 'launcher'] as const)
      expect(readConfig(all, program, noFiles)).toEqual({
        faults: [expect.stringContaining('BOURSE_MANIFESTS=directory')],
      })
    expect(readConfig({ BOURSE_MANIFESTS: './directory' }, 'platform', noFiles)).toHaveProperty('config')
  })

  test('asks for no secrets of banks that are in the directory or in a folder', () => {
    const shard = { BOURSE_RABBITMQ_URL: RABBITMQ, BOURSE_MONGODB_URL: MONGODB, BOURSE_SHARD_NAME: 'bridge-0' }
    const env = { BOURSE_PROFILE: 'production', BOURSE_CONTROL_TOKEN: LONG, BOURSE_EXCHANGE_URL: 'http://x', ...shard }
    const faultsWith = (more: object): readonly string[] => {
      const read = readConfig({ ...env, ...more }, 'bridge', noFiles)
      return 'config' in read ? bankSecretFaults(read.config, ['demo'], 'bridge') : read.faults
    }
    expect(faultsWith({})).toHaveLength(1)
    expect(faultsWith({ BOURSE_MANIFESTS: 'directory' })).toEqual([])
    expect(faultsWith({ BOURSE_WEBHOOK_SECRETS_DIR: '/run/webhooks' })).toEqual([])
    expect(faultsWith({ ENGINE_SNAPSHOT_SLACK: '0' })).toEqual([expect.stringContaining('ENGINE_SNAPSHOT_SLACK')])
  })

  test('takes the URL of a backing service, from a file too, and never prints it nor quotes a wrong one', () => {
    const files = (path: string): string => (path === '/run/url' ? `${MONGODB}\n` : noFiles(path))
    const env = { BOURSE_RABBITMQ_URL: RABBITMQ, BOURSE_MONGODB_URL_FILE: '/run/url', BOURSE_REDIS_URL: REDIS }
    const { cluster } = configOf(env, files)
    expect([cluster.rabbitMqUrl, cluster.mongoDbUrl, cluster.redisUrl].map((url) => url?.reveal())).toEqual([
      RABBITMQ,
      MONGODB,
      REDIS,
    ])
    expect(inspect(configOf(env, files), { depth: 9 }) + JSON.stringify(cluster)).not.toContain('hidden')
    for (const wrong of [
      'http://desk:hidden@broker.example',
      'desk:hidden@broker.example',
      'amqp://',
      'amqp://a hidden',
    ]) {
      const faults = faultsOf({ BOURSE_RABBITMQ_URL: wrong })
      expect(faults).toEqual([
        'BOURSE_RABBITMQ_URL is not a URL of its server; give one that begins with amqp:// or amqps://',
      ])
    }
  })

  test.each(['Bourse', '1st', 'a b', 'a.b', 'x'.repeat(64)])('refuses %s as a name', (name) => {
    expect(faultsOf({ BOURSE_NAMESPACE: name })).toEqual([expect.stringContaining('BOURSE_NAMESPACE is')])
  })
})
