import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from '@jest/globals'
import { createSystemRandom } from '@bourse/common/adapters/system/random.ts'
import { readConfig, type Config } from '@bourse/common/config/read.ts'
import { partitionNumber } from '@bourse/common/kernel/partition.ts'
import { allPartitions } from '@bourse/common/platform/topology.ts'
import { planShards } from '../../src/distributed/plan.ts'
import { prepareSecrets } from '../../src/distributed/secrets.ts'

const SERVERS = {
  BOURSE_RABBITMQ_URL: 'amqp://127.0.0.1:1',
  BOURSE_MONGODB_URL: 'mongodb://127.0.0.1:1',
  BOURSE_REDIS_URL: 'redis://127.0.0.1:1',
}

const configOf = (env: Readonly<Record<string, string>>): Config => {
  const read = readConfig({ ...SERVERS, ...env }, 'launcher')
  if ('faults' in read) throw new Error(read.faults.join('\n'))
  return read.config
}

describe('the plan of who serves what', () => {
  const topology = {
    ledgerPartitions: 4,
    bridgePartitions: 1,
    markets: new Map([
      ['BTC_USDC', { symbol: 'BTC_USDC', market: 1, partitions: 2 }],
      ['SOL_USDC', { symbol: 'SOL_USDC', market: 2, partitions: 4 }],
    ]),
  }

  test('gives every partition to one shard of its machine, evenly', () => {
    const plan = planShards(allPartitions(topology), { ledger: 3, trading: 4, bridge: 2 })
    expect(plan.map(({ name, partitions }) => [name, partitions.length])).toEqual([
      ['ledger-0', 2],
      ['ledger-1', 1],
      ['ledger-2', 1],
      ['trading-0', 2],
      ['trading-1', 2],
      ['trading-2', 1],
      ['trading-3', 1],
      ['bridge-0', 1],
      ['bridge-1', 0],
    ])
    expect(plan.flatMap(({ partitions }) => partitions).sort()).toEqual([...allPartitions(topology)].sort())
    expect(plan[0]?.partitions).toEqual([partitionNumber('ledger', 0), partitionNumber('ledger', 3)])
  })
})

describe('the secrets of many processes', () => {
  const folders: string[] = []
  const folder = async (): Promise<string> => {
    const made = await mkdtemp(join(tmpdir(), 'bourse-launch-'))
    folders.push(made)
    return made
  }
  afterAll(() => Promise.all(folders.map((path) => rm(path, { recursive: true }))))

  test('are made once, readable by this user alone, and told to the children as files', async () => {
    const dataDir = await folder()
    const config = configOf({ BOURSE_DATA_DIR: dataDir })
    const first = await prepareSecrets(config, ['demo-bank'], createSystemRandom())
    expect(Object.keys(first.env).sort()).toEqual([
      'AUTH_JWT_SECRET_FILE',
      'BOURSE_ADMIN_TOKEN_FILE',
      'BOURSE_BANK_DEMO_BANK_API_KEY_FILE',
      'BOURSE_BANK_DEMO_BANK_WEBHOOK_SECRET_FILE',
      'BOURSE_CONTROL_TOKEN_FILE',
    ])
    for (const path of Object.values(first.env)) expect((await stat(path)).mode & 0o777).toBe(0o600)
    const key = (await readFile(join(dataDir, 'secrets', 'bank-demo-bank-api-key'), 'utf8')).trim()
    expect(first.madeKeys).toEqual([{ bank: 'demo-bank', apiKey: key }])
    const again = await prepareSecrets(config, ['demo-bank'], createSystemRandom())
    expect(again).toEqual({ ...first, madeKeys: [] })
    // Each child finds them whole: no variable of theirs is unknown or too short.
    const child = readConfig(
      { ...SERVERS, ...first.env, BOURSE_DATA_DIR: dataDir, BOURSE_PROFILE: 'production' },
      'gateway',
    )
    expect(child).toHaveProperty('config.profile', 'production')
  })

  test('that the environment gives are left to it', async () => {
    const given = 'a-secret-of-more-than-thirty-two-characters'
    const config = configOf({
      BOURSE_DATA_DIR: await folder(),
      AUTH_JWT_SECRET: given,
      BOURSE_ADMIN_TOKEN: given,
      BOURSE_CONTROL_TOKEN: given,
      BOURSE_BANK_NORTH_API_KEY: given,
      BOURSE_BANK_NORTH_WEBHOOK_SECRET: given,
    })
    expect(await prepareSecrets(config, ['north'], createSystemRandom())).toEqual({
      env: {},
      controlToken: given,
      webhookSecrets: [given],
      madeKeys: [],
      adminTokenFile: null,
    })
  })
})
