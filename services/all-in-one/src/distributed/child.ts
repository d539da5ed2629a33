import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { ReadyMessage } from '@bourse/common/process/run.ts'

/** The programs of a platform of many processes, each its `main.ts`. */
export type ChildProgram = 'ledger' | 'trading' | 'bridge' | 'market' | 'gateway' | 'mock-exchange' | 'mock-bank'

/** How a child ended. */
export interface ChildEnd {
  readonly code: number | null
  readonly signal: string | null
}

/** A program that runs as a process of its own and is ready. */
export interface Child {
  readonly pid: number
  /** Where its health (or, for a simulator, its service) is. */
  readonly url: string
  /** Where its health, metrics and control are; a simulator has none and names its service. */
  readonly telemetryUrl: string
  readonly ended: Promise<ChildEnd>
  /** SIGTERM; resolves when it has ended. SIGKILL when that takes longer than `patienceMs`. */
  stop(patienceMs: number): Promise<ChildEnd>
}

/** What a child is started with. */
export interface ChildOptions {
  readonly name: string
  readonly program: ChildProgram
  /** On top of this process's own environment. */
  readonly env: Readonly<Record<string, string>>
  readonly sleep: (delayMs: number, signal?: AbortSignal) => Promise<void>
  /** Ends it while it is not ready yet. */
  readonly signal?: AbortSignal
}

const isReady = (message: unknown): message is ReadyMessage =>
  typeof message === 'object' && message !== null && (message as { kind?: unknown }).kind === 'ready'

/** The simulators log to standard output. */
const isSimulator = (program: ChildProgram): boolean => program.startsWith('mock-')

/**
 * Starts a program and waits until it says that it is ready. What it logs goes to our standard error. It ends when this process
 * does, however that ends.
 * @throws when it ends before it is ready; why, it has said itself
 */
export const startChild = async ({ name, program, env, sleep, signal }: ChildOptions): Promise<Child> => {
  const file = fileURLToPath(new URL(`../../../${program}/src/main.ts`, import.meta.url))
  const child = spawn(process.execPath, [...process.execArgv, file], {
    env: { ...process.env, ...env },
    stdio: ['ignore', isSimulator(program) ? 2 : 'ignore', 2, 'ipc'],
  })
  const ended = new Promise<ChildEnd>((resolve) => {
    child.once('error', () => resolve({ code: null, signal: null }))
    child.once('exit', (code, signal) => resolve({ code, signal }))
  })
  const giveUp = (): void => void child.kill('SIGTERM')
  signal?.addEventListener('abort', giveUp, { once: true })
  const { url, telemetryUrl } = await new Promise<ReadyMessage>((resolve, reject) => {
    child.on('message', (message) => {
      if (isReady(message)) resolve(message)
    })
    void ended.then((end) =>
      reject(new Error(`${name} ended before it was ready (${end.signal ?? `exit ${end.code}`}); it has said why`)),
    )
  }).finally(() => signal?.removeEventListener('abort', giveUp))
  return {
    pid: child.pid ?? 0,
    url,
    telemetryUrl,
    ended,
    stop: async (patienceMs) => {
      child.kill('SIGTERM')
      const over = new AbortController()
      sleep(patienceMs, over.signal).then(
        () => child.kill('SIGKILL'),
        () => undefined,
      )
      const end = await ended
      over.abort()
      return end
    },
  }
}
