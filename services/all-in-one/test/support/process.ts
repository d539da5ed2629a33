import { spawn } from 'node:child_process'
import { inRoot } from '../../../common/tooling/paths.mjs'

/** How a program ended. */
export interface Ended {
  /** Null when a signal ended it. */
  readonly code: number | null
  readonly signal: string | null
}

/** A running program. */
export interface Running {
  readonly ended: Promise<Ended>
  /** Everything it said so far. */
  stdout(): string
  stderr(): string
  signal(name: 'SIGTERM' | 'SIGKILL'): void
  /** Resolves when standard output matches; rejects when the program ended before. */
  said(wanted: RegExp): Promise<void>
}

/** Programs with children that must not outlive a test that breaks off. */
const groups = new Set<number>()
process.once('exit', () => {
  for (const group of groups) signalGroup(group, 'SIGKILL')
})

const signalGroup = (group: number, name: 'SIGTERM' | 'SIGKILL'): void => {
  try {
    process.kill(-group, name)
  } catch (error) {
    // All of it is gone already.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/**
 * Starts a TypeScript program of this service with `env` as its whole BOURSE configuration. With `isGroup` a SIGKILL strikes it
 * and all its children at once.
 */
export const runProgram = (
  file: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  isGroup = false,
): Running => {
  const inherited = Object.entries(process.env).filter(([name]) => !/^(BOURSE|AUTH|ENGINE|POLLER)_/.test(name))
  const child = spawn(process.execPath, [inRoot(`services/all-in-one/src/${file}`), ...args], {
    cwd: inRoot('.'),
    env: { ...Object.fromEntries(inherited), NODE_OPTIONS: '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: isGroup,
  })
  const group = isGroup ? (child.pid ?? null) : null
  if (group !== null) groups.add(group)
  let out = ''
  let errors = ''
  let isOver = false
  const listeners = new Set<() => void>()
  const heard = (): void => {
    for (const listener of listeners) listener()
  }
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
    heard()
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text
  })
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => {
      isOver = true
      if (group !== null) groups.delete(group)
      resolve({ code, signal })
      heard()
    })
  })
  return {
    ended,
    stdout: () => out,
    stderr: () => errors,
    signal: (name) => {
      if (group !== null && name === 'SIGKILL') signalGroup(group, name)
      else child.kill(name)
    },
    said: (wanted) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const found = wanted.test(out)
          if (!found && !isOver) return
          listeners.delete(look)
          if (found) resolve()
          else reject(new Error(`it ended without saying ${wanted}:\n${errors.slice(-4_000)}${out.slice(-2_000)}`))
        }
        listeners.add(look)
        look()
      }),
  }
}

/** What a command said by the time it ended. */
export interface CommandResult {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs one of the commands to its end. */
export const runCommand = async (
  name: 'verify' | 'backup' | 'restore',
  args: readonly string[],
): Promise<CommandResult> => {
  const running = runProgram(`commands/${name}.ts`, args)
  const { code } = await running.ended
  return { code, stdout: running.stdout(), stderr: running.stderr() }
}

/** The JSON report on a command's last line. */
export const reportOf = <Report>(result: CommandResult): Report => {
  const last = result.stdout.trimEnd().split('\n').at(-1) ?? ''
  return JSON.parse(last) as Report
}
