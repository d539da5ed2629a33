import { spawn } from 'node:child_process'
import { openSync, closeSync, readFileSync } from 'node:fs'

/** A server of a test: a program that ends with the test, however the test ends. */
export interface ChildServer {
  /** The process group the program runs in. */
  readonly group: number
  isRunning(): boolean
  /** SIGKILL to the program and all it started; resolves when it is gone. */
  kill(): Promise<void>
  /** Stops (SIGSTOP) or continues (SIGCONT) the program without ending it. */
  signal(name: 'SIGSTOP' | 'SIGCONT'): void
  /** The end of what it printed. */
  output(): string
}

/** What is run. */
export interface ChildServerOptions {
  readonly command: string
  readonly args: readonly string[]
  readonly env?: NodeJS.ProcessEnv
  readonly cwd?: string
  /** Takes what the program prints on both outputs. */
  readonly logFile: string
}

const OUTPUT_CHARS = 4_000
/**
 * The shell kills the program when the pipe to the test is closed, which the system does for a test that was killed itself: no
 * exit handler has to run. It ends, with its group, once the program is gone.
 */
const GUARD = [
  'exec 3<&0',
  '"$@" </dev/null 3<&- & program=$!',
  '( cat <&3 >/dev/null; kill -9 "$program" ) &',
  'wait "$program"; kill -9 0',
].join('\n')

/** Starts a program in a process group of its own. */
export const startChild = (options: ChildServerOptions): ChildServer => {
  const log = openSync(options.logFile, 'a')
  const child = spawn('/bin/sh', ['-c', GUARD, 'guard', options.command, ...options.args], {
    detached: true,
    stdio: ['pipe', log, log],
    env: options.env ?? process.env,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  })
  closeSync(log)
  let running = true
  const ended = new Promise<void>((resolve) => {
    const end = (): void => {
      running = false
      resolve()
    }
    child.once('exit', end)
    child.once('error', end)
  })
  const group = child.pid ?? 0
  child.unref()
  let stopped = false
  const send = (name: NodeJS.Signals): void => {
    try {
      if (running && group > 0) process.kill(-group, name)
    } catch {
      // It ended between the look and the signal.
    }
  }
  return {
    group,
    isRunning: () => running,
    kill: async () => {
      child.ref()
      // A guard that is stopped itself can't do it.
      if (stopped) send('SIGKILL')
      else child.stdin?.destroy()
      await ended
    },
    signal: (name) => {
      stopped = name === 'SIGSTOP'
      send(name)
    },
    output: () => readFileSync(options.logFile, 'utf8').slice(-OUTPUT_CHARS),
  }
}
