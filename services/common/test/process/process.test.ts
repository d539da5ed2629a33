import { spawn } from 'node:child_process'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from '@jest/globals'
import { pino } from 'pino'
import { createSystemClock } from '@bourse/common/adapters/system/clock.ts'
import { createSystemRandom } from '@bourse/common/adapters/system/random.ts'
import type { Finding } from '@bourse/common/ports/finding.ts'
import { startHealthServer, type ProcessHealth } from '@bourse/common/process/health-server.ts'
import { createLifetime } from '@bourse/common/process/lifetime.ts'
import { clockDifferenceMsMax, judgeFindings } from '@bourse/common/process/preflight.ts'
import { keptSecret, openSecretsFolder } from '@bourse/common/process/secrets.ts'
import { StartRefused } from '@bourse/common/process/start-refused.ts'
import type { TradingPair } from '@bourse/common/resources/trading-pair.ts'

const finding = (code: string, losesData: boolean): Finding => ({
  service: 'rabbitmq',
  code,
  message: `${code} was found`,
  remedy: `mend ${code}`,
  losesData,
})

describe('the look at the backing services', () => {
  const judged = (profile: 'development' | 'production', findings: readonly Finding[]) => {
    const lines: Record<string, unknown>[] = []
    const logger = pino({ level: 'warn' }, { write: (line) => void lines.push(JSON.parse(line) as never) })
    let refused: readonly string[] = []
    try {
      judgeFindings(findings, profile, logger)
    } catch (error) {
      if (!(error instanceof StartRefused)) throw error
      refused = error.faults
    }
    return { refused, warned: lines.map(({ code, remedy, msg }) => [code, remedy, msg]) }
  }
  const both = [finding('queue-not-durable', true), finding('memory-unbounded', false)]

  test('refuses in production what could lose data, and warns of the rest', () => {
    expect(judged('production', both)).toEqual({
      refused: ['rabbitmq (queue-not-durable): queue-not-durable was found; mend queue-not-durable'],
      warned: [['memory-unbounded', 'mend memory-unbounded', 'memory-unbounded was found']],
    })
  })

  test('warns of everything in development, each with its remedy', () => {
    const { refused, warned } = judged('development', both)
    expect(refused).toEqual([])
    expect(warned.map(([code, remedy]) => [code, remedy])).toEqual([
      ['queue-not-durable', 'mend queue-not-durable'],
      ['memory-unbounded', 'mend memory-unbounded'],
    ])
    expect(judged('production', [])).toEqual({ refused: [], warned: [] })
  })

  test('lets clocks be apart by the least age up to which a market believes a price', () => {
    const pair = (maxAgeSeconds: number) => ({ spec: { prices: { maxAgeSeconds } } }) as TradingPair
    expect(clockDifferenceMsMax([pair(4), pair(2), pair(60)])).toBe(2_000)
    expect(clockDifferenceMsMax([pair(60)])).toBe(5_000)
    expect(clockDifferenceMsMax([])).toBe(5_000)
  })
})

describe('a lifetime', () => {
  test('stops everything once, the youngest first', async () => {
    const lifetime = createLifetime()
    const stopped: number[] = []
    for (const part of [1, 2, 3]) lifetime.onStop(() => void stopped.push(part))
    expect(lifetime.stopping).toBe(false)
    await Promise.all([lifetime.stop(), lifetime.stop()])
    expect(stopped).toEqual([3, 2, 1])
    expect(lifetime.stopping).toBe(true)
  })
})

describe('kept secrets', () => {
  const folders: string[] = []
  afterAll(() => Promise.all(folders.map((path) => rm(path, { recursive: true }))))

  test('are made once, and the folder and they are for this user alone', async () => {
    const root = await mkdtemp(join(tmpdir(), 'bourse-secrets-'))
    folders.push(root)
    const folder = await openSecretsFolder(root)
    const made = await keptSecret(folder, 'token', createSystemRandom())
    expect(made.made).toBe(true)
    expect(made.value.length).toBeGreaterThanOrEqual(32)
    expect(await keptSecret(await openSecretsFolder(root), 'token', createSystemRandom())).toEqual({
      value: made.value,
      made: false,
    })
    expect((await stat(folder.secrets)).mode & 0o777).toBe(0o700)
    expect((await stat(join(folder.secrets, 'token'))).mode & 0o777).toBe(0o600)
  })
})

describe('the health of a process', () => {
  test('is told with its reasons, and so are its metrics', async () => {
    let health: ProcessHealth = { ready: false, reasons: ['BTC_USDC has had no quote'], detail: { feeds: [] } }
    const server = await startHealthServer({
      host: '127.0.0.1',
      port: 0,
      token: null,
      levels: { get: () => 'silent', set: () => undefined },
      clock: createSystemClock(),
      health: () => health,
      metrics: { expose: () => Promise.resolve({ contentType: 'text/plain; version=0.0.4', text: 'bourse_one 1\n' }) },
      logger: pino({ level: 'silent' }),
    })
    const ask = async (path: string) => {
      const response = await fetch(server.url + path, { headers: { connection: 'close' } })
      return [response.status, await response.text()] as const
    }
    expect(await ask('/health/live')).toEqual([200, '{"status":"ok"}'])
    expect(await ask('/health/ready')).toEqual([503, JSON.stringify(health)])
    health = { ready: true, reasons: [] }
    expect(await ask('/health/ready')).toEqual([200, JSON.stringify(health)])
    expect(await ask('/metrics')).toEqual([200, 'bourse_one 1\n'])
    expect((await ask('/control'))[0]).toBe(404)
    await Promise.all([server.stop(), server.stop()])
    await expect(fetch(`${server.url}/health/live`)).rejects.toThrow()
  })
})

describe('a process that breaks', () => {
  const script = `
    import { runProgram } from ${JSON.stringify(new URL('../../src/process/run.ts', import.meta.url).href)}
    const breaks = () => Promise.reject(new Error('no answer of amqp://bourse:hunter2-PLANTED@broker'))
    const start = async () => (setTimeout(breaks, 1), setTimeout(() => {}, 60_000), { banner: [], url: '' })
    await runProgram({ program: 'platform', name: 'test', title: 'The test', start })`

  test('says why in a log line without secrets, and exits 1', async () => {
    const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
      env: { PATH: process.env['PATH'], NODE_NO_WARNINGS: '1' },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    let said = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => void (said += text))
    const code = await new Promise((resolve) => child.once('close', resolve))
    const [line = '', ...rest] = said.trim().split('\n')
    expect(code).toBe(1)
    expect(JSON.parse(line)).toMatchObject({
      level: 60,
      msg: 'The test broke: nobody expected this error',
      err: { message: 'no answer of amqp://[redacted]@broker' },
    })
    expect(rest).toEqual(['The test broke: no answer of amqp://[redacted]@broker'])
  })
})
