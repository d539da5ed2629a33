import type { Logger } from 'pino'
import { archiveRecords } from '@bourse/common/kernel/archiver.ts'
import type { PartitionNumber } from '@bourse/common/kernel/partition.ts'
import type { Clock, Repeating } from '@bourse/common/ports/clock.ts'
import type { Adapters } from './adapters.ts'
import type { Projection } from './projection-thread.ts'
import type { Serving } from './serving.ts'

/** How often records that nothing needs any more are looked for, ms. */
export const ARCHIVE_INTERVAL_MS = 60_000
/** Records kept in the journal proper, however little needs them, and least worth a segment. */
export const RECORDS_KEPT_MIN = 10_000

/**
 * Through which record everything that reads a partition's journal has passed: oldest kept snapshot, unconfirmed
 * effects, views.
 */
const neededFrom = async (
  partition: PartitionNumber,
  deps: { readonly serving: Serving; readonly projection: Projection; readonly adapters: Adapters },
): Promise<bigint> => {
  const snapshots = await deps.adapters.snapshots.list(partition)
  const status = deps.serving.runners.get(partition)?.status()
  // A lane that is confirmed to its end needs no record, however old its cursor is.
  const cursors = status?.unconfirmedEffects === 0 ? [] : await deps.adapters.journal.loadCursors(partition)
  const bounds = [
    snapshots.at(-1)?.sequence ?? 0n,
    deps.projection.projectedThrough(partition),
    (status?.sequence ?? 0n) - BigInt(RECORDS_KEPT_MIN),
    ...cursors.map((cursor) => cursor.recordSequence),
  ]
  return bounds.reduce((lowest, bound) => (bound < lowest ? bound : lowest))
}

/** Moves old records into archive segments, now and then, beside everything else. */
export const startArchiving = (deps: {
  readonly serving: Serving
  readonly projection: Projection
  readonly adapters: Adapters
  readonly clock: Clock
  readonly logger: Logger
}): Repeating =>
  deps.clock.every(
    ARCHIVE_INTERVAL_MS,
    async () => {
      for (const partition of deps.serving.runners.keys()) {
        const through = await neededFrom(partition, deps)
        if (through - (await deps.adapters.journal.archivedThrough(partition)) < BigInt(RECORDS_KEPT_MIN)) continue
        const archived = await archiveRecords(deps.adapters.journal, partition, through)
        deps.logger.info({ partition, archived }, 'records were archived')
      }
    },
    (error) => deps.logger.warn({ err: error }, 'archiving failed; it goes on where it stopped'),
  )
