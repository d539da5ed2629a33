import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { createSystemClock } from '@bourse/common/adapters/system/clock.ts'
import type { Clock } from '@bourse/common/ports/clock.ts'
import type { Mutant } from '../mutants/mutant.ts'
import type { WorkerData, WorkerReply, WorkerRequest } from './messages.ts'
import type { SeedOptions, SeedReport } from './seed-report.ts'

/** A run that takes longer than this, in real time, hangs: ms. One takes seconds, on a machine that others use minutes. */
const RUN_MS_MAX = 900_000

/** Threads that run seeds. */
export interface Pool {
  /** Runs one seed when a thread is free. A run that breaks or hangs gives a report with a finding, never a rejection. */
  run(options: SeedOptions, onLine?: (line: string) => void): Promise<SeedReport>
  close(): Promise<void>
}

interface Job {
  readonly request: WorkerRequest
  readonly onLine: ((line: string) => void) | undefined
  readonly resolve: (report: SeedReport) => void
}

const failed = (seed: number, statement: string, message: string): SeedReport => ({
  seed,
  trace: '',
  findings: [{ statement, message }],
  faults: {},
  counts: { events: 0, calls: 0, records: 0, answers: {}, worldMs: 0 },
})

const startWorker = (workerData: WorkerData): Worker =>
  new Worker(new URL('./worker.ts', import.meta.url), { workerData })

/** One thread: takes the next job when its own is done; replaced by a new one when a run hangs or kills it. */
const createSlot = (clock: Clock, workerData: WorkerData, next: () => Job | undefined) => {
  let worker: Worker | null = null
  let job: Job | null = null
  let watchdog = new AbortController()

  const finish = (report: SeedReport): void => {
    watchdog.abort()
    const done = job
    job = null
    done?.resolve(report)
    take()
  }
  const replace = (statement: string, message: string): void => {
    const seed = job?.request.options.seed ?? 0
    worker?.removeAllListeners()
    // It hangs or is dead already: nothing is to be waited for.
    void worker?.terminate()
    worker = null
    if (job !== null) finish(failed(seed, statement, message))
  }
  const onReply = (reply: WorkerReply): void => {
    if (job?.request.number !== reply.number) return
    if (reply.kind === 'line') job.onLine?.(reply.line)
    else if (reply.kind === 'report') finish(reply.report)
    else replace('runs-through', reply.message)
  }
  const open = (): Worker => {
    const started = startWorker(workerData)
    started.on('message', onReply)
    started.on('error', (error) => replace('runs-through', error instanceof Error ? error.message : String(error)))
    return started
  }
  const watch = (): void => {
    watchdog = new AbortController()
    clock.sleep(RUN_MS_MAX, watchdog.signal).then(
      () => replace('runs-through', `the run hangs: no end after ${RUN_MS_MAX} ms`),
      () => undefined, // The run ended in time: the only reason the sleep ends early.
    )
  }
  const take = (): void => {
    if (job !== null) return
    const taken = next()
    if (taken === undefined) return
    job = taken
    worker ??= open()
    watch()
    worker.postMessage(taken.request)
  }
  return {
    take,
    close: async (): Promise<void> => {
      watchdog.abort()
      await worker?.terminate()
    },
  }
}

/** Starts a pool of as many threads as there are cores, or `threads`; each thread loads the product once. */
export const createPool = (options: { readonly threads?: number; readonly mutants?: readonly Mutant[] } = {}): Pool => {
  const { threads = availableParallelism(), mutants = [] } = options
  const clock = createSystemClock()
  const waiting: Job[] = []
  let numbers = 0
  const slots = Array.from({ length: threads }, () => createSlot(clock, { mutants }, () => waiting.shift()))
  return {
    run: (seedOptions, onLine) =>
      new Promise((resolve) => {
        const request = { number: ++numbers, options: seedOptions, verbose: onLine !== undefined }
        waiting.push({ request, onLine, resolve })
        for (const slot of slots) slot.take()
      }),
    close: async () => {
      await Promise.all(slots.map((slot) => slot.close()))
    },
  }
}
