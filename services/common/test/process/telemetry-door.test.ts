import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { pino } from 'pino'
import { createSecret } from '@bourse/common/config/secret.ts'
import { startHealthServer, type HealthServer } from '@bourse/common/process/health-server.ts'
import { levelsOf, type LogLevel, type LogLevels } from '@bourse/common/telemetry/log-levels.ts'
import { createLogger, type Logger } from '@bourse/common/telemetry/logger.ts'
import { until } from '@bourse/common/testkit/contracts/scenario.ts'
import { createManualClock, type ManualClock } from '@bourse/common/testkit/manual-clock.ts'

const TOKEN = 'the-token-of-the-tests-0123456789'
let level: LogLevel
let door: HealthServer
let clock: ManualClock

interface Over {
  readonly token?: string | null
  readonly logger?: Logger
  readonly levels?: LogLevels
}
const ofTheTest: LogLevels = { get: () => level, set: (wanted) => void (level = wanted) }
const open = (over: Over = {}): Promise<HealthServer> => {
  const { token = TOKEN, levels = ofTheTest, logger = pino({ level: 'silent' }) } = over
  return startHealthServer({
    host: '127.0.0.1',
    port: 0,
    token: token === null ? null : createSecret(token),
    health: () => ({ ready: true, reasons: [] }),
    metrics: { expose: () => Promise.resolve({ contentType: 'text/plain', text: 'up 1\n' }) },
    levels,
    clock,
    logger,
  })
}

beforeEach(async () => {
  level = 'info'
  clock = createManualClock(1_700_000_000_000)
  door = await open()
})
afterEach(() => door.stop())

const ask = (method: string, path: string, body?: unknown, token: string | null = TOKEN, signal?: AbortSignal) =>
  fetch(`${door.url}${path}`, {
    method,
    // Each on a connection of its own: one that was left idle may be closed while it is asked.
    headers: { connection: 'close', ...(token === null ? {} : { authorization: `Bearer ${token}` }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(signal === undefined ? {} : { signal }),
  })
const call = async (...args: Parameters<typeof ask>) => {
  const response = await ask(...args)
  return { status: response.status, body: (await response.json()) as Record<string, unknown> }
}
const CHILD = fileURLToPath(new URL('./telemetry-door-child.ts', import.meta.url))
/** The door of a process of its own, in real time: its whole heap is small, where that of a test process takes minutes. */
const inAnotherProcess = async (): Promise<void> => {
  await door.stop()
  const child = spawn(process.execPath, ['--no-warnings', CHILD, TOKEN], { stdio: ['pipe', 'pipe', 'inherit'] })
  const closed = once(child, 'close')
  const [url] = (await once(child.stdout, 'data')) as [Buffer]
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL')
    await closed
  }
  door = { url: url.toString().trim(), stop }
}

describe('the telemetry door', () => {
  test('shows metrics to anybody and nothing under /control without the token', async () => {
    expect(await (await ask('GET', '/metrics', undefined, null)).text()).toBe('up 1\n')
    for (const [method, path] of [
      ['GET', '/control/log-level'],
      ['PUT', '/control/log-level'],
      ['POST', '/control/profile/cpu'],
      ['POST', '/control/profile/heap'],
    ] as const) {
      expect(await call(method, path, undefined, null)).toMatchObject({
        status: 401,
        body: { code: 'UNAUTHENTICATED' },
      })
      expect((await call(method, path, undefined, `${TOKEN}x`)).status).toBe(401)
    }
    expect(level).toBe('info')
    expect(await call('GET', '/control/nothing')).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } })
    expect(await call('POST', '/control/log-level')).toMatchObject({
      status: 405,
      body: { code: 'METHOD_NOT_ALLOWED' },
    })
  })

  test('has no control without a configured token, and says what to do; a short token is refused', async () => {
    await door.stop()
    door = await open({ token: null })
    const { status, body } = await call('GET', '/control/log-level')
    expect([status, body['code']]).toEqual([404, 'NOT_FOUND'])
    expect(body['message']).toContain('BOURSE_CONTROL_TOKEN')
    await expect(open({ token: 'short' })).rejects.toThrow('give 32 or more')
    // Nobody could get in with it.
    await expect(open({ token: 'x'.repeat(513) })).rejects.toThrow('give 512 or fewer')
    const longest = 'x'.repeat(512)
    await door.stop()
    door = await open({ token: longest })
    expect((await call('GET', '/control/log-level', undefined, longest)).status).toBe(200)
  })
})

describe('the log level', () => {
  test('is shown, set for good, and refused with what there is to choose from', async () => {
    expect((await call('GET', '/control/log-level')).body).toEqual({ level: 'info', returnsTo: null, returnsAt: null })
    expect(await call('PUT', '/control/log-level', { level: 'warn' })).toEqual({
      status: 200,
      body: { level: 'warn', returnsTo: null, returnsAt: null },
    })
    expect(level).toBe('warn')
    for (const body of [
      {},
      { level: 'loud' },
      { level: 'debug', forSeconds: 0 },
      { level: 'debug', forSeconds: 3_601 },
    ]) {
      const refused = await call('PUT', '/control/log-level', body)
      expect([refused.status, refused.body['code']]).toEqual([400, 'INVALID_REQUEST'])
      expect(refused.body['message']).toContain('fatal, error, warn, info, debug, trace, silent')
    }
    expect(level).toBe('warn')
  })

  test('of a limited time returns to the one set for good, also when another was set for a time before', async () => {
    const { body } = await call('PUT', '/control/log-level', { level: 'debug', forSeconds: 60 })
    expect(body).toEqual({
      level: 'debug',
      returnsTo: 'info',
      returnsAt: new Date(clock.nowMs() + 60_000).toISOString(),
    })
    await clock.advance(30_000)
    await call('PUT', '/control/log-level', { level: 'trace', forSeconds: 60 })
    await clock.advance(59_000)
    expect(level).toBe('trace')
    await clock.advance(1_000)
    expect(level).toBe('info')
    expect((await call('GET', '/control/log-level')).body).toEqual({ level: 'info', returnsTo: null, returnsAt: null })
  })

  test('set for good during a limited time stays', async () => {
    await call('PUT', '/control/log-level', { level: 'debug', forSeconds: 60 })
    await call('PUT', '/control/log-level', { level: 'error' })
    await clock.advance(120_000)
    expect(level).toBe('error')
  })

  test('tells of every change, also of one to silent and back, in a line that keeps its own level', async () => {
    const lines: string[] = []
    const logger = createLogger({
      name: 'test',
      level: 'info',
      destination: { write: (line) => void lines.push(line) },
    })
    await door.stop()
    door = await open({ logger, levels: levelsOf(logger) })
    await call('PUT', '/control/log-level', { level: 'silent', forSeconds: 60 })
    await clock.advance(60_000)
    const told = lines.map((line) => {
      expect(line.match(/"level":/g)).toHaveLength(1)
      const { level: weight, logLevelBefore, logLevel } = JSON.parse(line) as Record<string, unknown>
      return [weight, logLevelBefore, logLevel]
    })
    expect(told).toEqual([
      [40, 'info', 'silent'],
      [40, 'silent', 'info'],
    ])
  })
})

interface CpuProfile {
  readonly nodes: readonly { readonly callFrame: { readonly functionName: string } }[]
}

describe('profiles', () => {
  test('of the CPU name the function that is busy; a second one meanwhile is refused', async () => {
    let [turns, runs] = [0, 0]
    const busyInTheTest = (): void => {
      const untilMs = performance.now() + 5
      while (performance.now() < untilMs) turns += 1
      runs += 1
    }
    const busy = setInterval(busyInTheTest, 10)
    const profile = ask('POST', '/control/profile/cpu?seconds=1')
    await until(() => clock.sleepers() === 1)
    for (const path of ['/control/profile/cpu', '/control/profile/heap', '/control/profile/heap?full=true'])
      expect(await call('POST', path)).toMatchObject({ status: 409, body: { code: 'PROFILE_RUNNING' } })
    runs = 0
    await until(() => runs > 50)
    await clock.advance(1_000)
    const response = await profile
    clearInterval(busy)
    expect(turns).toBeGreaterThan(0)
    expect(response.headers.get('content-disposition')).toMatch(/^attachment; filename="bourse-.*\.cpuprofile"$/)
    const { nodes } = (await response.json()) as CpuProfile
    expect(nodes.map(({ callFrame }) => callFrame.functionName)).toContain('busyInTheTest')
  })

  test('of the heap are those of the time asked for, and the whole heap only when it is asked for', async () => {
    await inAnotherProcess()
    const sampled = await call('POST', '/control/profile/heap?seconds=1')
    expect(sampled.body).toHaveProperty('head')
    const full = await ask('POST', '/control/profile/heap?full=true')
    expect(full.headers.get('content-disposition')).toContain('.heapsnapshot')
    expect((await full.text()).slice(0, 20)).toContain('{"snapshot"')
    // It was given back: the next one is taken.
    expect((await call('POST', '/control/profile/cpu?seconds=1')).status).toBe(200)
  })

  test('of too long, of no length, or of an unknown kind are refused', async () => {
    for (const query of ['seconds=0', 'seconds=61', 'seconds=1.5', 'seconds=', 'seconds=1&seconds=2'])
      expect(await call('POST', `/control/profile/cpu?${query}`)).toMatchObject({
        status: 400,
        body: { code: 'INVALID_REQUEST', message: 'seconds must be a whole number from 1 to 60' },
      })
    expect((await call('POST', '/control/profile/heap?full=yes')).status).toBe(400)
    expect((await call('POST', '/control/profile/gpu')).status).toBe(404)
  })

  test('of a caller who leaves end at once', async () => {
    const left = new AbortController()
    const profile = ask('POST', '/control/profile/cpu?seconds=60', undefined, TOKEN, left.signal)
    await until(() => clock.sleepers() === 1)
    left.abort()
    await expect(profile).rejects.toThrow()
    // The clock stands still: nothing else ends it.
    await until(() => clock.sleepers() === 0)
    const next = call('POST', '/control/profile/cpu?seconds=1')
    await until(() => clock.sleepers() === 1)
    await clock.advance(1_000)
    expect((await next).status).toBe(200)
  })
})
