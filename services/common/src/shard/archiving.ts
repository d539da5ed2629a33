import type { Logger } from 'pino'
import { archiveRecords } from '../kernel/archiver.ts'
import type { PartitionNumber } from '../kernel/partition.ts'
import type { RunnerStatus } from '../kernel/runner-types.ts'
import type { Clock, Repeating } from '../ports/clock.ts'
import type { Journal } from '../ports/journal.ts'
import type { Snapshots } from '../ports/snapshots.ts'

/** How often records that nothing needs any more are looked for, ms. */
export const ARCHIVE_INTERVAL_MS = 60_000
/** Records kept in the journal proper, however little needs them, and least worth a segment. */
export const RECORDS_KEPT_MIN = 10_000

/** A partition that is served here. */
export interface ServedPartition {
  readonly partition: PartitionNumber
  readonly status: Pick<RunnerStatus, 'sequence' | 'unconfirmedEffects'>
  /** Sequence that its views have reached. */
  readonly viewSequence: bigint
}

interface ArchivingDeps {
  /** The partitions served at the moment it is asked. */
  readonly served: () => Iterable<ServedPartition>
  readonly journal: Journal
  readonly snapshots: Snapshots
  readonly clock: Clock
  readonly logger: Logger
}

/**
 * Through which record everything that reads a partition's journal has passed: oldest kept snapshot, unconfirmed
 * effects, views.
 */
const neededFrom = async (
  { partition, status, viewSequence }: ServedPartition,
  { snapshots, journal }: ArchivingDeps,
): Promise<bigint> => {
  const kept = await snapshots.list(partition)
  // A lane that is confirmed to its end needs no record, however old its cursor is.
  const cursors = status.unconfirmedEffects === 0 ? [] : await journal.loadCursors(partition)
  const bounds = [
    kept.at(-1)?.sequence ?? 0n,
    viewSequence,
    status.sequence - BigInt(RECORDS_KEPT_MIN),
    ...cursors.map((cursor) => cursor.recordSequence),
  ]
  return bounds.reduce((lowest, bound) => (bound < lowest ? bound : lowest))
}

/** Moves old records into archive segments, now and then, beside everything else. */
export const startArchiving = (deps: ArchivingDeps): Repeating => {
  const { journal, logger } = deps
  const archive = async (one: ServedPartition): Promise<void> => {
    const { partition } = one
    const through = await neededFrom(one, deps)
    if (through - (await journal.archivedThrough(partition)) < BigInt(RECORDS_KEPT_MIN)) return
    const archived = await archiveRecords(journal, partition, through)
    logger.info({ partition, archived }, 'records were archived')
  }
  const onFailure = (error: unknown): void =>
    logger.warn({ err: error }, 'archiving failed; it goes on where it stopped')
  return deps.clock.every(
    ARCHIVE_INTERVAL_MS,
    async () => {
      // A partition whose records can't be archived holds up no other.
      for (const one of deps.served()) await archive(one).catch(onFailure)
    },
    onFailure,
  )
}
