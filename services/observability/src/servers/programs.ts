import { spawn, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { clock } from './program.ts'
import type { LauncherPlan, ProgramsMessage, RunningProgram } from './launcher-plan.ts'

/** The programs of a watched platform. */
export interface Programs {
  list(): Promise<readonly RunningProgram[]>
  /** What they logged so far, the end of it. */
  log(): string
  /** SIGTERM: in order. Once more is no error. */
  stop(): Promise<void>
}

/** Modules as former runs compiled them, where the scripts keep them: a start takes half as long. */
export const compileCache = fileURLToPath(new URL('../../../../node_modules/.cache/compile', import.meta.url))
/** Characters of the log that are kept. */
const LOG_CHARS_MAX = 4_000_000
const LIST_MS_MAX = 60_000

/** An environment without configuration of ours: what a platform is told is told in full. */
export const withoutOurs = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  Object.fromEntries(
    Object.entries(env).filter(([name]) => !/^(BOURSE|AUTH|ENGINE|POLLER)_/.test(name) && name !== 'NODE_OPTIONS'),
  )

const isReady = (message: unknown): boolean => (message as { kind?: unknown } | null)?.kind === 'ready'

const asked = async (child: ChildProcess): Promise<readonly RunningProgram[]> => {
  const over = new AbortController()
  const told = new Promise<readonly RunningProgram[]>((resolve, reject) => {
    const onMessage = (message: unknown): void => {
      const { kind, programs } = message as ProgramsMessage
      if (kind === 'programs') resolve(programs)
    }
    child.on('message', onMessage)
    over.signal.addEventListener('abort', () => child.off('message', onMessage))
    child.send('programs', (error) => {
      if (error !== null) reject(error)
    })
  })
  const late = clock.sleep(LIST_MS_MAX, over.signal).then(() => {
    throw new Error('the launcher does not name its programs')
  })
  try {
    return await Promise.race([told, late])
  } finally {
    // The clock's sleep ends with a rejection that nobody waits for any more.
    late.catch(() => undefined)
    over.abort()
  }
}

/**
 * Starts the launcher with `env` as its whole configuration; resolves when the platform takes orders. It stops when this process
 * ends, however that ends.
 * @throws when it ends before, with what it said
 */
export const startPrograms = async (options: {
  readonly plan: LauncherPlan
  readonly env: Readonly<Record<string, string>>
}): Promise<Programs> => {
  const launcher = fileURLToPath(new URL('launcher.ts', import.meta.url))
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', launcher, JSON.stringify(options.plan)],
    {
      env: { NODE_COMPILE_CACHE: compileCache, ...withoutOurs(process.env), ...options.env },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    },
  )
  let log = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    log = (log + text).slice(-LOG_CHARS_MAX)
  })
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  await new Promise<void>((resolve, reject) => {
    child.on('message', (message) => {
      if (isReady(message)) resolve()
    })
    void ended.then(() => reject(new Error(`the platform did not start: ${log.slice(-4_000)}`)))
  })
  return {
    list: () => asked(child),
    log: () => log,
    stop: async () => {
      child.kill('SIGTERM')
      await ended
    },
  }
}
