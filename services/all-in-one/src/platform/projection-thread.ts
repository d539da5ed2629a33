import { Worker } from 'node:worker_threads'
import type { Logger } from 'pino'
import type { PartitionNumber } from '@bourse/common/kernel/partition.ts'
import { decodeRecord } from '@bourse/common/kernel/record.ts'
import { allPartitions, type Topology } from '@bourse/common/platform/topology.ts'
import type { Clock } from '@bourse/common/ports/clock.ts'
import type { Journal } from '@bourse/common/ports/journal.ts'
import type { Views } from '@bourse/common/ports/views.ts'
import { createProgress } from '@bourse/common/views/progress.ts'
import type { Projector } from '@bourse/common/views/projector.ts'
import { PROJECTION } from './projections.ts'
import type { ProjectionReply, ProjectionRequest, ProjectionTask } from './projection-messages.ts'

/** The views kept up to date by a thread of their own. */
export interface Projection extends Omit<Projector, 'onProjected'> {
  /** Called with each account (hex) that has new trade events in the views. */
  onTradeEvents(listener: (account: string) => void): void
}

/**
 * Starts the thread. It reads the journal's file itself: what the views cost, and even telling it of a record, delays no
 * command. When it dies the views stand still, which everybody sees as their lag.
 */
export const startProjection = async (deps: {
  readonly topology: Topology
  readonly journalPath: string
  readonly viewsPath: string
  readonly views: Views
  readonly journal: Journal
  readonly clock: Clock
  readonly logger: Logger
}): Promise<Projection> => {
  const { topology, logger } = deps
  const progress = createProgress(deps.clock)
  const listeners: ((account: string) => void)[] = []
  const completeAtMs = new Float64Array(new SharedArrayBuffer(Float64Array.BYTES_PER_ELEMENT))
  for (const partition of allPartitions(topology)) {
    const cursor = await deps.views.cursor(PROJECTION, partition)
    // The views are as of the moment of the first record that they lack.
    const lacking = await deps.journal.read(partition, cursor + 1n)
    progress.note(partition, cursor, lacking === null ? deps.clock.nowMs() : Number(decodeRecord(lacking.body).now))
  }

  const { ledgerPartitions, bridgePartitions, markets } = topology
  const { journalPath, viewsPath } = deps
  const places = { journalPath, viewsPath, completeAtMs: completeAtMs.buffer }
  const task: ProjectionTask = { ...places, ledgerPartitions, bridgePartitions, markets }
  const worker = new Worker(new URL('./projection-worker.ts', import.meta.url), { workerData: task })
  let isStopping = false
  worker.on('message', (reply: ProjectionReply) => {
    if (reply.kind === 'failed') {
      const { partition, message } = reply
      logger.error({ partition, why: message }, 'the views could not take a record; it comes again')
      return
    }
    for (const [partition, sequence, atMs] of reply.reached) progress.note(partition, sequence, atMs)
    for (const account of reply.accounts) for (const listener of listeners) listener(account)
  })
  worker.on('error', (error) => logger.error({ err: error }, 'the thread that folds the views has ended'))
  const ended = new Promise<void>((resolve) => {
    worker.once('exit', (code) => {
      if (!isStopping) logger.error({ code }, 'the views are not brought on any more; start the platform again')
      resolve()
    })
  })
  const tell = (request: ProjectionRequest): void => worker.postMessage(request)

  return {
    projectedThrough: progress.through,
    projectedAtMs: (partition) => Math.max(progress.atMs(partition), completeAtMs[0]!),
    waitFor: (partition: PartitionNumber, sequence, timeoutMs) => {
      if (progress.through(partition) < sequence) tell('look')
      return progress.waitFor(partition, sequence, timeoutMs)
    },
    onTradeEvents: (listener) => void listeners.push(listener),
    stop: async () => {
      isStopping = true
      tell('end')
      await ended
    },
  }
}
