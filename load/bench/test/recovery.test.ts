import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { until } from '@bourse/common/testkit/contracts/scenario.ts'
import { placesIn, prepare } from '../src/rows/recovery/journal-data.ts'
import { recover, startServing } from '../src/rows/recovery/partition.ts'
import { preparePlatform, startOn } from '../src/rows/recovery/platform-data.ts'

const SIZE = { openTrades: 20_000, records: 2_000, commandsPerRecord: 2 } as const
const ACCOUNTS = 2_000
const LIMIT_MS = 600_000

let shared = ''

beforeAll(async () => {
  shared = await mkdtemp(join(tmpdir(), 'bourse-recovery-'))
})
afterAll(() => rm(shared, { recursive: true }))

describe('a partition that starts in a new process', () => {
  test(
    'has the state that was written, from its snapshot and the records behind it',
    async () => {
      const folder = await prepare(shared, 'partition', SIZE)
      const { report } = await startServing(folder)
      expect(report).toMatchObject({ replayed: SIZE.records, doubted: 0, snapshot: '1' })
      expect(report.stateHash).toBe(await readFile(placesIn(folder).stateHash, 'utf8'))
      expect(await recover(folder, SIZE)).toBeGreaterThan(0)
    },
    LIMIT_MS,
  )

  test(
    'does not serve when its only snapshot is damaged and the records in it are gone',
    async () => {
      const folder = await prepare(shared, 'damaged', { openTrades: 1_000, records: 50, commandsPerRecord: 1 })
      const { snapshots } = placesIn(folder)
      const [partition] = await readdir(snapshots)
      const [name] = await readdir(join(snapshots, partition!))
      const bytes = await readFile(join(snapshots, partition!, name!))
      bytes[bytes.length >> 1]! ^= 1
      await writeFile(join(snapshots, partition!, name!), bytes)
      await expect(startServing(folder)).rejects.toThrow('exit code 1')
    },
    LIMIT_MS,
  )
})

describe('the embedded platform with many accounts', () => {
  test(
    'starts, serves and stops in order, again and again',
    async () => {
      const folder = await preparePlatform(shared, ACCOUNTS)
      for (let start = 0; start < 2; start++) {
        const platform = await startOn(folder)
        await until(async () => (await fetch(`http://127.0.0.1:${platform.port}/readyz`)).status === 200)
        await platform.stop()
      }
    },
    LIMIT_MS,
  )
})
