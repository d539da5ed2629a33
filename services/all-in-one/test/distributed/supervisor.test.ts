import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { pino } from 'pino'
import { createSystemClock } from '@bourse/common/adapters/system/clock.ts'
import { LIMIT_MS } from '../support/limits.ts'
import type { Clock } from '@bourse/common/ports/clock.ts'
import { supervise, type Supervised } from '../../src/distributed/supervisor.ts'

const clock = createSystemClock()
const logger = pino({ level: 'silent' })

const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await clock.sleep(20)
}

describe('a supervised program', () => {
  let dataDir: string
  let supervised: Supervised | null = null
  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'bourse-supervisor-'))
  })
  afterEach(async () => {
    await supervised?.stop()
    await rm(dataDir, { recursive: true })
  })

  const start = async (
    onRestart: (url: string, signal: AbortSignal) => Promise<void>,
    ages: Clock = clock,
  ): Promise<Supervised> => {
    supervised = await supervise({
      name: 'exchange',
      program: 'mock-exchange',
      env: { BOURSE_MOCK_EXCHANGE_PORT: '0', BOURSE_DATA_DIR: dataDir },
      onRestart: ({ url }, signal) => onRestart(url, signal),
      clock: ages,
      logger,
    })
    return supervised
  }

  test(
    'is started again also when it dies while it is being put to work',
    async () => {
      const worked: string[] = []
      let endedInVain = 0
      // As a shard is told what to serve: again and again, until it does or there is no use.
      const one = await start(async (url, signal) => {
        worked.push(url)
        while (!signal.aborted) await clock.sleep(5, signal).catch(() => undefined)
        endedInVain += 1
      })
      for (const times of [1, 2]) {
        process.kill(one.pid(), 'SIGKILL')
        await until(() => worked.length === times)
        expect(one.restarts()).toBe(times)
        expect(worked.at(-1)).toBe(one.url())
        expect(endedInVain).toBe(times - 1)
      }
      const pid = one.pid()
      await one.stop()
      expect(endedInVain).toBe(2)
      expect(() => process.kill(pid, 0)).toThrow('ESRCH')
    },
    LIMIT_MS,
  )

  test(
    'that dies again and again is started again ever more slowly',
    async () => {
      // By this clock every one dies at once, however long the machine stood still.
      const one = await start(() => Promise.resolve(), { ...clock, monotonicMs: () => 0 })
      const pausesMs: number[] = []
      for (const times of [1, 2, 3, 4]) {
        const diedAtMs = performance.now()
        process.kill(one.pid(), 'SIGKILL')
        await until(() => one.restarts() === times)
        pausesMs.push(performance.now() - diedAtMs)
      }
      expect(pausesMs[3]).toBeGreaterThanOrEqual(800)
    },
    LIMIT_MS,
  )
})
