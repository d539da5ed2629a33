/** The thread that folds the views from the journal: its data is a `ProjectionTask`. It takes requests, tells replies. */
import { setPriority } from 'node:os'
import { parentPort, workerData } from 'node:worker_threads'
import { openJournalReader } from '@bourse/common/adapters/embedded/journal-reader.ts'
import { openViewsBatch } from '@bourse/common/adapters/embedded/views-batch.ts'
import { createSystemClock } from '@bourse/common/adapters/system/clock.ts'
import { allPartitions } from '@bourse/common/platform/topology.ts'
import { viewModels } from '@bourse/common/views/models.ts'
import { createProjectionLoop } from './projection-loop.ts'
import type { ProjectionReply, ProjectionRequest, ProjectionTask } from './projection-messages.ts'
import { createFolds } from './projections.ts'

/** Pause between looks: what gathers meanwhile shares a commit, and the pages it changes are written once. */
const LOOK_INTERVAL_MS = 10
/** How often the journal's log of changes is moved into its file while records come, ms. */
const CHECKPOINT_INTERVAL_MS = 250
/** Commands come before views. On Linux a thread has a priority of its own. */
const NICENESS = 5

const port = parentPort
if (port === null) throw new Error('this file is run as a thread')
const task = workerData as ProjectionTask
if (process.platform === 'linux') setPriority(NICENESS)

const clock = createSystemClock()
const journal = openJournalReader(task.journalPath)
const views = openViewsBatch(task.viewsPath, viewModels)
const completeAtMs = new Float64Array(task.completeAtMs)
let lookBeganAtMs = 0
const tell = (reply: ProjectionReply): void => port.postMessage(reply)
let isEnding = false
let isNew = false
let resting = new AbortController()

const loop = createProjectionLoop({
  partitions: allPartitions(task),
  // The folds look things up and write nothing.
  foldOf: createFolds(task, views),
  journal,
  views,
  nowMs: () => clock.monotonicMs(),
  onComplete: () => void (completeAtMs[0] = lookBeganAtMs),
  onProjected: (projected) => {
    isNew = true
    tell({ kind: 'projected', ...projected })
  },
  onFailure: (error, partition) =>
    tell({
      kind: 'failed',
      partition,
      message: error instanceof Error ? (error.stack ?? error.message) : String(error),
    }),
})

port.on('message', (request: ProjectionRequest) => {
  if (request === 'end') isEnding = true
  resting.abort()
})

const rest = async (): Promise<void> => {
  resting = new AbortController()
  try {
    await clock.sleep(LOOK_INTERVAL_MS, resting.signal)
  } catch {
    // Told to look at once.
  }
}

let checkpointedAtMs = clock.monotonicMs()
const checkpoint = (): void => {
  if (!isNew || clock.monotonicMs() - checkpointedAtMs < CHECKPOINT_INTERVAL_MS) return
  isNew = false
  journal.checkpoint()
  checkpointedAtMs = clock.monotonicMs()
}

for (let hasMore = true; hasMore || !isEnding;) {
  lookBeganAtMs = clock.nowMs()
  hasMore = await loop.step()
  checkpoint()
  if (!hasMore && !isEnding) await rest()
}
journal.close()
views.close()
port.close()
