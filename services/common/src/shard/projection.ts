import type { Logger } from 'pino'
import type { PartitionNumber } from '../kernel/partition.ts'
import { decodeRecord } from '../kernel/record.ts'
import type { Clock } from '../ports/clock.ts'
import type { Events } from '../ports/events.ts'
import { PortError } from '../ports/failure.ts'
import type { Journal } from '../ports/journal.ts'
import type { Views } from '../ports/views.ts'
import { startProjector, type Fold, type Projector } from '../views/projector.ts'

/** Pause before views that did not answer are asked again for their cursor, ms. */
export const PROJECTION_RETRY_MS = 500

/** The views of one partition, brought on beside its runner. */
export interface ShardProjection {
  /** Sequence the views have reached, as far as is known here. */
  through(): bigint
  /** The moment up to which they are complete, ms, if there are records that they lack. */
  asOfMs(): number
  /** What was not folded the next one folds. */
  stop(): Promise<void>
}

/**
 * Starts folding at the views' cursor. Never fails: views that are away are asked again, and meanwhile stand still, which
 * everybody sees as their lag.
 */
export const startShardProjection = (deps: {
  readonly projection: string
  readonly partition: PartitionNumber
  readonly fold: Fold
  /** The records of this process's runner. */
  readonly events: Events
  readonly views: Views
  readonly journal: Pick<Journal, 'read'>
  readonly clock: Clock
  readonly logger: Logger
}): ShardProjection => {
  const { projection, partition, fold, events, views, journal, clock, logger } = deps
  const quit = new AbortController()
  let projector: Projector | null = null
  let beganAtMs = 0

  const begin = async (): Promise<void> => {
    const cursor = await views.cursor(projection, partition)
    // The views are as of the moment of the first record that they lack.
    const lacking = await journal.read(partition, cursor + 1n)
    const asOfMs = lacking === null ? clock.nowMs() : Number(decodeRecord(lacking.body).now)
    const partitions = [partition]
    const started = await startProjector({ projection, partitions, foldOf: () => fold, events, views, clock, logger })
    beganAtMs = asOfMs
    projector = started
  }

  const start = async (): Promise<void> => {
    while (projector === null && !quit.signal.aborted) {
      try {
        await begin()
      } catch (error) {
        if (!(error instanceof PortError)) throw error
        logger.warn({ err: error, partition }, 'the views can not be brought on yet; it is tried again')
        await clock.sleep(PROJECTION_RETRY_MS, quit.signal).catch(() => undefined)
      }
    }
  }
  const started = start().catch((error: unknown) => logger.error({ err: error, partition }, 'the views stand still'))

  return {
    through: () => projector?.projectedThrough(partition) ?? 0n,
    asOfMs: () => Math.max(beganAtMs, projector?.projectedAtMs(partition) ?? 0),
    stop: async () => {
      quit.abort(new Error('the projection is stopped'))
      await started
      await projector?.stop()
    },
  }
}
