import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { startChild, type ChildServer } from './child.ts'
import { freePort, whenFree } from './free-port.ts'

/** A private Redis of a test, in memory only: what it held is gone after `kill` and `start`. */
export interface RedisServer {
  /** `redis://127.0.0.1:port`, with `:password@` when one was asked for. */
  readonly url: string
  readonly port: number
  /** Kills it and removes its folder. */
  stop(): Promise<void>
  /** Kills it (SIGKILL); its data is gone with it, its port is kept. */
  kill(): Promise<void>
  /** Starts it again, empty, on the same port. */
  start(): Promise<void>
  /** Freezes (SIGSTOP) or thaws (SIGCONT) it. */
  signal(name: 'SIGSTOP' | 'SIGCONT'): void
}

/** How the server is set up. */
export interface RedisServerOptions {
  /** What clients have to say (`requirepass`). None by default. */
  readonly password?: string
  /** Further arguments, as `--maxmemory 2mb`. */
  readonly args?: readonly string[]
}

const PROBE_PAUSE_MS = 10
const PROBE_TIMEOUT_MS = 1_000
const START_TIMEOUT_MS = 120_000
const ATTEMPTS_MAX = 3

const isExecutable = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
const serverPath = (): string | undefined =>
  (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((folder) => join(folder, 'redis-server'))
    .find(isExecutable)

/** Why no Redis can be started here and how to change that, or undefined when one can. */
export const redisMissing = (): string | undefined =>
  serverPath() === undefined ? 'Redis is not installed (apt-get install redis-server)' : undefined

const pause = (delayMs: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, delayMs))

/** Whether something answers a PING there, be it that a password is wanted. */
const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port })
    const done = (isUp: boolean): void => {
      socket.destroy()
      resolve(isUp)
    }
    socket.setTimeout(PROBE_TIMEOUT_MS, () => done(false))
    socket.once('error', () => done(false))
    socket.once('close', () => done(false))
    socket.once('connect', () => socket.write('PING\r\n'))
    socket.once('data', (answer: Buffer) => done(/^(\+PONG|-NOAUTH)/.test(answer.toString('latin1'))))
  })

const argumentsOf = (home: string, port: number, options: RedisServerOptions): readonly string[] => [
  ...['--bind', '127.0.0.1', '--port', String(port), '--dir', home],
  ...['--save', '', '--appendonly', 'no', '--daemonize', 'no'],
  ...(options.password === undefined ? [] : ['--requirepass', options.password]),
  ...(options.args ?? []),
]

/** Starts a Redis of one's own on a free port of the loopback; it answers when this resolves. */
export const startRedis = async (options: RedisServerOptions = {}): Promise<RedisServer> => {
  const command = serverPath()
  if (command === undefined) throw new Error(redisMissing())
  const home = mkdtempSync(join(tmpdir(), 'bourse-redis-'))
  const logFile = join(home, 'output.log')
  let child: ChildServer | null = null

  const kill = async (): Promise<void> => {
    await child?.kill()
    child = null
  }
  const startOn = async (port: number): Promise<void> => {
    await whenFree(port)
    const started = startChild({ command, args: argumentsOf(home, port, options), logFile })
    child = started
    const endMs = performance.now() + START_TIMEOUT_MS
    while (started.isRunning() && performance.now() < endMs) {
      // Who answers may be another one, which is why ours has ended.
      if ((await answers(port)) && started.isRunning()) return
      await pause(PROBE_PAUSE_MS)
    }
    const output = started.output()
    await kill()
    throw new Error(`Redis did not start: ${output}`)
  }

  let port = 0
  for (let attempt = 1; port === 0; attempt++) {
    const candidate = await freePort()
    try {
      await startOn(candidate)
      port = candidate
    } catch (error) {
      // The port was taken in between; a server that never comes up is the failure of the last attempt.
      if (attempt === ATTEMPTS_MAX) throw error
    }
  }
  const credentials = options.password === undefined ? '' : `:${options.password}@`
  return {
    url: `redis://${credentials}127.0.0.1:${port}`,
    port,
    stop: async () => {
      await kill()
      rmSync(home, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 })
    },
    kill,
    start: () => startOn(port),
    signal: (name) => child?.signal(name),
  }
}
