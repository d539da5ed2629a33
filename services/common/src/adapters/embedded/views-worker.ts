/** The thread that writes the views: takes `ViewsRequest`s, answers with `ViewsReply`s. Its data is the file's path. */
import { DatabaseSync, type SQLInputValue } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'
import { PortError } from '../../ports/failure.ts'
import { tuneViews } from './views-tuning.ts'
import type { ViewsJob, ViewsReply, ViewsRequest } from './views-messages.ts'
import { createViewsWriter } from './views-writer.ts'

const port = parentPort
if (port === null) throw new Error('this file is run as a thread')
const database = new DatabaseSync(String(workerData))
tuneViews(database)
const writer = createViewsWriter(database)
const texts = new Map<number, string>()

const boundOf = ([number, ...values]: readonly SQLInputValue[]) => {
  const sql = texts.get(Number(number))
  if (sql === undefined) throw new Error(`statement ${String(number)} was never sent`)
  return { sql, values }
}

const run = (job: ViewsJob): Promise<void> =>
  'clear' in job
    ? writer.clear(job.projection, job.clear)
    : writer.project(job.projection, job.partition, BigInt(job.sequence), job.statements.map(boundOf))

let replies: ViewsReply[number][] = []
/** All that ended with one commit is told with one message. */
const reply = (one: ViewsReply[number]): void => {
  if (replies.push(one) > 1) return
  setImmediate(() => {
    port.postMessage(replies)
    replies = []
  })
}

const perform = async (job: ViewsJob): Promise<void> => {
  try {
    await run(job)
    reply([job.id, null])
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    reply([job.id, { kind: error instanceof PortError ? error.kind : 'bug', message }])
  }
}

const end = async (): Promise<void> => {
  await writer.close()
  database.close()
  port.close()
}

port.on('message', (text: string) => {
  const request = JSON.parse(text) as ViewsRequest
  for (const [number, sql] of request.texts) texts.set(number, sql)
  // `perform` never rejects: every failure is told.
  for (const job of request.jobs) void perform(job)
  if (request.isLast) void end()
})
