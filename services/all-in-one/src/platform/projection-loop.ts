import type { JournalReader } from '@bourse/common/adapters/embedded/journal-reader.ts'
import type { ViewsBatch } from '@bourse/common/adapters/embedded/views-batch.ts'
import type { PartitionNumber } from '@bourse/common/kernel/partition.ts'
import { decodeRecord } from '@bourse/common/kernel/record.ts'
import { PortError } from '@bourse/common/ports/failure.ts'
import type { ViewWrite } from '@bourse/common/ports/views.ts'
import { tradeEventModel, type TradeEventView } from '@bourse/common/views/models.ts'
import type { Fold } from '@bourse/common/views/projector.ts'
import { PROJECTION } from './projections.ts'
import type { Projected } from './projection-messages.ts'

/** Records and bytes that one look at the journal takes, and so one commit of the views at most about that. */
export const LOOK_RECORDS_MAX = 1_024
const LOOK_BYTES_MAX = 4 * 1_048_576
/** Pause before a partition whose record could not be folded or written is tried again, ms. */
const RETRY_PAUSE_MS = 100

interface Taken {
  readonly partition: PartitionNumber
  readonly sequence: bigint
  readonly body: Uint8Array
}

/** Brings the views on. */
export interface ProjectionLoop {
  /** Folds what the journal has, up to a bound, in one transaction; true when there may be more right away. */
  step(): Promise<boolean>
}

/** What a loop needs. */
export interface ProjectionLoopDeps {
  readonly partitions: readonly PartitionNumber[]
  readonly foldOf: (partition: PartitionNumber) => Fold
  readonly journal: JournalReader
  readonly views: ViewsBatch
  /** Monotonic. */
  readonly nowMs: () => number
  /** Hears that everything which the journal held when this step began is in the views. */
  readonly onComplete: () => void
  readonly onProjected: (projected: Projected) => void
  readonly onFailure: (error: unknown, partition: PartitionNumber) => void
}

const accountsIn = (writes: readonly ViewWrite[]): readonly string[] =>
  writes
    .filter(({ model }) => model.name === tradeEventModel.name)
    .map(({ fields }) => (fields as unknown as TradeEventView).account)

/**
 * Folds the records of all partitions in the order they were appended. A partition that is behind that order (at the start,
 * after a failure) is read on its own until it has caught up; it holds no other up.
 */
export const createProjectionLoop = (deps: ProjectionLoopDeps): ProjectionLoop => {
  const { journal, views, nowMs } = deps
  const folds = new Map(deps.partitions.map((partition) => [partition, deps.foldOf(partition)]))
  const reached = new Map(deps.partitions.map((partition) => [partition, views.cursor(PROJECTION, partition)]))
  /** Partitions to be read on their own, and from when on, monotonic ms. */
  const behind = new Map<PartitionNumber, number>(deps.partitions.map((partition) => [partition, 0]))
  let place = journal.newestPlace()

  /** Adds a page of a partition's own records; it is not behind any more when there are no others. */
  const takeBehind = async (partition: PartitionNumber, taken: Taken[], seen: Map<PartitionNumber, bigint>) => {
    let records = 0
    let bytes = 0
    for await (const { sequence, body } of journal.readFrom(partition, reached.get(partition)! + 1n)) {
      taken.push({ partition, sequence, body })
      seen.set(partition, sequence)
      records += 1
      bytes += body.length
      if (records >= LOOK_RECORDS_MAX || bytes >= LOOK_BYTES_MAX) return
    }
    behind.delete(partition)
  }

  /** Adds what was appended behind `place`; true when there may be more. */
  const takeNew = (taken: Taken[], seen: Map<PartitionNumber, bigint>): boolean => {
    // Places rise unless all records were removed: then everybody is read on their own once.
    const newest = journal.newestPlace()
    if (newest === place) return false
    if (newest < place) {
      for (const partition of deps.partitions) behind.set(partition, 0)
      place = newest
      return true
    }
    const records = journal.after(place, LOOK_RECORDS_MAX, LOOK_BYTES_MAX)
    for (const record of records) {
      const { partition, sequence } = record
      place = record.place
      const before = seen.get(partition) ?? reached.get(partition)
      if (before === undefined || behind.has(partition) || sequence <= before) continue
      if (sequence === before + 1n) {
        taken.push(record)
        seen.set(partition, sequence)
      } else behind.set(partition, 0)
    }
    return place < newest
  }

  /** Folds and writes one record. False when it can't be: its partition waits, the others go on. */
  const project = async ({ partition, sequence, body }: Taken, accounts: Set<string>): Promise<number | null> => {
    try {
      const record = decodeRecord(body)
      const writes = await folds.get(partition)!(record)
      views.add(PROJECTION, partition, sequence, writes)
      for (const account of accountsIn(writes)) accounts.add(account)
      return Number(record.now)
    } catch (error) {
      // The database refused: nothing of the transaction is to stay.
      if (error instanceof PortError && error.kind !== 'corrupt') throw error
      deps.onFailure(error, partition)
      behind.set(partition, nowMs() + RETRY_PAUSE_MS)
      return null
    }
  }

  const projectAll = async (taken: readonly Taken[]): Promise<Projected> => {
    const got = new Map<PartitionNumber, readonly [number, bigint, number]>()
    const stalled = new Set<PartitionNumber>()
    const accounts = new Set<string>()
    views.begin()
    for (const one of taken) {
      if (stalled.has(one.partition)) continue
      const atMs = await project(one, accounts)
      if (atMs === null) stalled.add(one.partition)
      else got.set(one.partition, [one.partition, one.sequence, atMs])
    }
    views.commit()
    return { reached: [...got.values()], accounts: [...accounts] }
  }

  const step = async (): Promise<boolean> => {
    const taken: Taken[] = []
    const seen = new Map<PartitionNumber, bigint>()
    for (const [partition, fromMs] of [...behind]) if (fromMs <= nowMs()) await takeBehind(partition, taken, seen)
    const mayHaveMore = takeNew(taken, seen)
    if (taken.length === 0) {
      if (!mayHaveMore && behind.size === 0) deps.onComplete()
      return mayHaveMore
    }
    try {
      const projected = await projectAll(taken)
      for (const [partition, sequence] of projected.reached) reached.set(partition, sequence)
      deps.onProjected(projected)
      if (!mayHaveMore && behind.size === 0) deps.onComplete()
      return mayHaveMore || [...behind.values()].some((fromMs) => fromMs <= nowMs())
    } catch (error) {
      views.rollBack()
      for (const { partition } of taken) behind.set(partition, nowMs() + RETRY_PAUSE_MS)
      deps.onFailure(error, taken[0]!.partition)
      return false
    }
  }
  return { step }
}
