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

const configOf = (env: Environment, files = noFiles): Config => {
  const read = readConfig(env, files)
  if ('faults' in read) throw new Error(read.faults.join('\n'))
  return read.config
}

const faultsOf = (env: Environment, files = noFiles): readonly string[] => {
  const read = readConfig(env, files)
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
})
