import { Worker } from 'node:worker_threads'
import { PortError } from '../../ports/failure.ts'
import type { ViewsJob, ViewsReply, ViewsRequest } from './views-messages.ts'
import { STATEMENTS_MAX, type ViewsWriter } from './views-writer.ts'

interface Waiting {
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

type JobOf<Job> = Job extends unknown ? Omit<Job, 'id'> : never

/** Numbers for the texts of statements, so that each travels once. */
const createTexts = () => {
  const numbers = new Map<string, number>()
  let fresh: [number, string][] = []
  return {
    numberOf: (sql: string): number => {
      const known = numbers.get(sql)
      if (known !== undefined) return known
      // The code fixes how many there are; a caller that makes texts up would fill both threads.
      if (numbers.size >= STATEMENTS_MAX) throw new PortError('full', `more than ${STATEMENTS_MAX} kinds of writes`)
      const number = numbers.size
      numbers.set(sql, number)
      fresh.push([number, sql])
      return number
    },
    takeFresh: (): readonly (readonly [number, string])[] => {
      const taken = fresh
      fresh = []
      return taken
    },
  }
}

/**
 * A writer in a thread of its own: what the views cost delays no command. Jobs that come while it is busy travel together
 * and share a commit. When the thread dies, what waits fails `unavailable` (it may have been done, which a
 * projection does again without harm) and so does everything after it.
 */
export const startViewsThread = (path: string): ViewsWriter => {
  const worker = new Worker(new URL('./views-worker.ts', import.meta.url), { workerData: path })
  const waiting = new Map<number, Waiting>()
  const texts = createTexts()
  let jobs: ViewsJob[] = []
  let jobsMade = 0
  let broken: PortError | null = null
  let closing: Promise<void> | null = null

  const post = (isLast: boolean): void => {
    const request: ViewsRequest = { texts: texts.takeFresh(), jobs, isLast }
    jobs = []
    worker.postMessage(JSON.stringify(request))
  }
  const give = (job: JobOf<ViewsJob>): Promise<void> =>
    new Promise((resolve, reject) => {
      if (broken !== null || closing !== null) {
        reject(broken ?? new PortError('closed', 'the views are closed'))
        return
      }
      const id = ++jobsMade
      waiting.set(id, { resolve, reject })
      jobs.push({ ...job, id })
      // While the thread is busy jobs gather: waking it costs more than a job, and one commit takes them all.
      if (jobs.length === waiting.size && jobs.length === 1) setImmediate(postGathered)
    })
  const postGathered = (): void => {
    if (jobs.length > 0 && closing === null && broken === null) post(false)
  }
  const fail = (error: unknown): void => {
    broken ??= new PortError('unavailable', 'the thread that writes the views has ended', { cause: error })
    for (const { reject } of waiting.values()) reject(broken)
    waiting.clear()
  }

  worker.on('message', (replies: ViewsReply) => {
    for (const [id, failure] of replies) {
      const one = waiting.get(id)
      waiting.delete(id)
      if (failure === null) one?.resolve()
      else
        one?.reject(failure.kind === 'bug' ? new Error(failure.message) : new PortError(failure.kind, failure.message))
    }
    if (jobs.length === waiting.size) postGathered()
  })
  worker.on('error', fail)
  const ended = new Promise<void>((resolve) => {
    worker.once('exit', (code) => {
      fail(new Error(`it ended with ${code}`))
      resolve()
    })
  })

  return {
    project: async (projection, partition, sequence, statements) =>
      give({
        projection,
        partition,
        sequence: String(sequence),
        statements: statements.map(({ sql, values }) => [texts.numberOf(sql), ...values]),
      }),
    clear: (projection, clear) => give({ projection, clear }),
    close: () => {
      if (closing !== null) return closing
      closing = ended
      if (broken === null) post(true)
      return closing
    },
  }
}
