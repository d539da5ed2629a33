import { fork, type ChildProcess } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { createPeer, type Handlers, type Peer } from './rpc.ts'
import { SETTINGS_VARIABLE, type PartSettings } from './settings.ts'

/** Which program a part runs. */
export type PartProgram = 'shard-child' | 'gateway-child'

const START_MS_MAX = 120_000
const STOP_MS_MAX = 60_000
const LOG_CHARS = 3_000

/** A process of the platform under test: killed, it can be started again under the same settings. */
export interface ChildPart {
  readonly name: string
  /** Starts it; resolves once it is ready. */
  start(): Promise<void>
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>
  /** Asks it to end in order, and insists. */
  stop(): Promise<void>
  isRunning(): boolean
  /** Whether the process that runs now has said that it is ready. */
  isReady(): boolean
  /** Resolves when the process that runs now has ended. */
  ended(): Promise<void>
  call<Value>(method: string, ...args: readonly unknown[]): Promise<Value>
  /** The end of its log. */
  log(): string
  /** How it ended where nobody killed it, a line each. */
  crashes(): readonly string[]
}

interface Live {
  readonly child: ChildProcess
  readonly peer: Peer
  readonly ended: Promise<void>
}

/** Makes a part; `handlers` is what it may ask of the test. */
export const createChildPart = (
  program: PartProgram,
  settings: PartSettings,
  logFile: string,
  handlers: Handlers,
): ChildPart => {
  const file = fileURLToPath(new URL(`${program}.ts`, import.meta.url))
  const { name } = settings
  let live: Live | null = null
  let readyChild: ChildProcess | null = null
  const crashes: string[] = []
  const log = (): string => readFileSync(logFile, 'utf8').slice(-LOG_CHARS)

  const start = async (): Promise<void> => {
    if (live !== null) throw new Error(`${name} is running`)
    const output = openSync(logFile, 'a')
    const child = fork(file, [], {
      execArgv: ['--disable-warning=ExperimentalWarning'],
      env: { ...process.env, NODE_OPTIONS: '', [SETTINGS_VARIABLE]: JSON.stringify(settings) },
      serialization: 'advanced',
      stdio: ['ignore', output, output, 'ipc'],
    })
    closeSync(output)
    const ready = Promise.withResolvers<void>()
    const peer = createPeer(child, { ...handlers, ready: () => Promise.resolve(ready.resolve()) })
    const ended = new Promise<void>((resolve) => {
      child.once('close', (code, signal) => {
        if (live?.child === child) live = null
        if (signal !== 'SIGKILL') crashes.push(`${name} ended by itself (${code ?? signal}): ${log()}`)
        ready.reject(new Error(`${name} ended: ${log()}`))
        resolve()
      })
    })
    live = { child, peer, ended }
    const slow = setTimeout(
      () => ready.reject(new Error(`${name} was not ready in ${START_MS_MAX} ms: ${log()}`)),
      START_MS_MAX,
    )
    await ready.promise.finally(() => clearTimeout(slow))
    readyChild = child
  }

  const kill = async (): Promise<void> => {
    const dying = live
    dying?.child.kill('SIGKILL')
    await dying?.ended
  }

  return {
    name,
    start,
    kill,
    stop: async () => {
      if (live === null) return
      const asked = live.peer.call('stop').catch(() => undefined)
      await Promise.race([asked, new Promise<void>((resolve) => setTimeout(resolve, STOP_MS_MAX).unref())])
      await kill()
    },
    isRunning: () => live !== null,
    isReady: () => live !== null && live.child === readyChild,
    ended: () => live?.ended ?? Promise.resolve(),
    call: (method, ...args) =>
      live === null ? Promise.reject(new Error(`${name} is not running`)) : live.peer.call(method, ...args),
    log,
    crashes: () => crashes,
  }
}
