import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** The repository's folder. */
const ROOT = fileURLToPath(new URL('../../../../../../', import.meta.url))

/** How long a program may take to say that it is there, and to end when it is asked to, ms. */
const START_MS_MAX = 300_000
const STOP_MS_MAX = 120_000

/** A program in a process of its own. */
export interface Program {
  /** What it had said when it was there. */
  readonly said: string
  readonly pid: number
  /** SIGTERM, then SIGKILL when it takes too long; resolves once it has ended. */
  stop(): Promise<void>
}

/** Variables of the platform in this process's environment must not reach a program that is measured. */
const inherited = (): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(BOURSE|AUTH|ENGINE|POLLER)_/.test(name)))

/**
 * Starts a TypeScript program (a path from the repository's root) and waits until its output matches `ready`.
 * @throws when it ends or takes too long before that, with what it said
 */
export const startProgram = async (options: {
  readonly file: string
  readonly env: Readonly<Record<string, string>>
  readonly ready: RegExp
}): Promise<Program> => {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', `${ROOT}${options.file}`], {
    cwd: ROOT,
    env: { ...inherited(), NODE_OPTIONS: process.env['BOURSE_BENCH_NODE_OPTIONS'] ?? '', ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  let isOver = false
  const ended = new Promise<void>((resolve) => {
    child.once('close', () => {
      isOver = true
      resolve()
    })
  })
  const stop = async (): Promise<void> => {
    if (isOver) return
    child.kill('SIGTERM')
    const hard = setTimeout(() => child.kill('SIGKILL'), STOP_MS_MAX)
    await ended
    clearTimeout(hard)
  }
  const isReady = new Promise<boolean>((resolve) => {
    const timer = setTimeout(() => {
      resolve(false)
    }, START_MS_MAX)
    const hear = (text: string): void => {
      // Only its beginning is of interest: a program that talks on must not fill this process's memory.
      if (said.length < 65_536) said += text
      if (!options.ready.test(said)) return
      clearTimeout(timer)
      resolve(true)
    }
    child.stdout.setEncoding('utf8').on('data', hear)
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      if (said.length < 65_536) said += text
    })
    void ended.then(() => {
      clearTimeout(timer)
      resolve(false)
    })
  })
  if (await isReady) return { said, pid: child.pid ?? 0, stop }
  child.kill('SIGKILL')
  await ended
  throw new Error(`${options.file} did not start:\n${said.slice(-4_000)}`)
}
