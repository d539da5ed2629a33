import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { describeUnless } from '@bourse/common/testkit/skip.ts'
import {
  startWatchedPlatform,
  watchedPlatformMissing,
  type WatchedPlatform,
} from '../../src/servers/watched-platform.ts'
import { until } from '../until.ts'

const LIMIT_MS = 600_000

describeUnless(watchedPlatformMissing(), 'a watched platform', () => {
  let folder = ''
  let platform: WatchedPlatform | undefined

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'bourse-watched-'))
    platform = await startWatchedPlatform({ folder, prometheus: { scrapeIntervalMs: 5_000 } })
  }, LIMIT_MS)
  afterAll(async () => {
    await platform?.stop()
    await rm(folder, { recursive: true, force: true })
  }, LIMIT_MS)

  test(
    'has every program and RabbitMQ scraped under its own name, and every operation of its load answered',
    async () => {
      const { prometheus, load } = platform!
      const expected = ['bridge-0', 'gateway-0', 'ledger-0', 'market', 'rabbitmq-0', 'trading-0', 'trading-1'].map(
        (pod) => `${pod} 1`,
      )
      const upNow = async (): Promise<readonly string[]> =>
        (await prometheus.query('up{namespace="gameday"}'))
          .map(({ metric, value }) => `${metric['pod']} ${value}`)
          .sort()
      // A scrape that was late on a busy machine is followed by one that is not.
      await until(upNow, (up) => up.join() === expected.join())
      await until(
        () => Promise.resolve(load?.counts().answered ?? 0),
        (answered) => answered > 20,
      )
      expect(load?.counts()).toMatchObject({ givenUp: 0, contradicted: 0 })
      expect(await load?.probe()).toBeNull()
    },
    LIMIT_MS,
  )

  test(
    'a program that is killed is started again on the ports it had',
    async () => {
      const { programs, load } = platform!
      const found = async () => (await programs()).find(({ name }) => name === 'trading-0')
      const before = await found()
      process.kill(before?.pid ?? 0, 'SIGKILL')
      const after = await until(found, (program) => program?.restarts !== 0)
      expect(after).toMatchObject({ restarts: 1, url: before?.url })
      expect(await load?.probe()).toBeNull()
    },
    LIMIT_MS,
  )
})
