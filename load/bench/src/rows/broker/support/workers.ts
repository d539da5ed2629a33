import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** How long a worker may take to answer or to end, ms: it ends one that hangs, not one that is slow. */
const ANSWER_MS_MAX = 600_000

/** A program of this folder in a process of its own. */
export interface Worker {
  /** Asks it one of its questions. Rejects with what it says when it can't answer, or when it has ended. */
  ask<Answer>(question: string, argument?: unknown): Promise<Answer>
  /** Stops it in order, then with SIGKILL when that takes too long; resolves once it has ended. */
  stop(): Promise<void>
}

/** What a parent asks; `serveParent` answers. */
export interface Question {
  readonly number: number
  readonly question: string
  readonly argument: unknown
}

/** An answer, or why there is none. The first one, of number 0, says that the worker is there. */
export interface Answer {
  readonly number: number
  readonly value?: unknown
  readonly error?: string
}

interface Waiting {
  resolve(value: unknown): void
  reject(error: Error): void
}

/** The question that ends a worker; every worker answers it. */
export const STOP = 'stop'

/**
 * Starts a program (`programs/<name>.ts`) with its settings and waits until it is there.
 * @throws when it ends or takes too long before that
 */
export const startWorker = async (name: string, settings: object): Promise<Worker> => {
  const file = fileURLToPath(new URL(`../programs/${name}.ts`, import.meta.url))
  const child = fork(file, [JSON.stringify(settings)], {
    execArgv: ['--disable-warning=ExperimentalWarning'],
    env: { ...process.env, NODE_OPTIONS: process.env['BOURSE_BENCH_NODE_OPTIONS'] ?? '' },
    stdio: ['ignore', 2, 2, 'ipc'],
    serialization: 'advanced',
  })
  const waiting = new Map<number, Waiting>()
  let asked = 0
  let isOver = false
  const ended = new Promise<void>((resolve) => {
    child.once('exit', (code, signal) => {
      isOver = true
      for (const { reject } of waiting.values()) reject(new Error(`${name} ended with ${signal ?? `code ${code}`}`))
      waiting.clear()
      resolve()
    })
  })
  child.on('message', ({ number, value, error }: Answer) => {
    const found = waiting.get(number)
    waiting.delete(number)
    if (error === undefined) found?.resolve(value)
    else found?.reject(new Error(`${name}: ${error}`))
  })
  const answerTo = <Value>(number: number): Promise<Value> =>
    new Promise<Value>((resolve, reject) => {
      if (isOver) return reject(new Error(`${name} has ended`))
      const timer = setTimeout(() => child.kill('SIGKILL'), ANSWER_MS_MAX)
      waiting.set(number, {
        resolve: (value) => {
          clearTimeout(timer)
          resolve(value as Value)
        },
        reject: (error) => {
          clearTimeout(timer)
          reject(error)
        },
      })
    })
  const ask = <Value>(question: string, argument?: unknown): Promise<Value> => {
    const number = ++asked
    const answer = answerTo<Value>(number)
    if (!isOver) child.send({ number, question, argument } satisfies Question)
    return answer
  }
  await answerTo(0)
  return {
    ask,
    stop: async () => {
      // A worker that fell over while it was stopped is over as well.
      if (!isOver) await ask(STOP).catch(() => child.kill('SIGKILL'))
      if (!isOver) child.disconnect()
      await ended
    },
  }
}
