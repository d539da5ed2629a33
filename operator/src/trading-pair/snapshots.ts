import { createHash } from 'node:crypto'
import type { Logger } from 'pino'
import type { PartitionNumber } from '@bourse/common/kernel/partition.ts'
import { openSnapshot, SnapshotError } from '@bourse/common/kernel/snapshot-codec.ts'
import type { Clock } from '@bourse/common/ports/clock.ts'
import { PortError } from '@bourse/common/ports/failure.ts'
import type { SnapshotInfo, Snapshots } from '@bourse/common/ports/snapshots.ts'

/** Pause between two verifications of a pair's snapshots, ms; longer after a long one … */
export const VERIFY_PAUSE_MS_MIN = 1_000
/** … so that at most one part in so many of the time goes into reading. */
export const VERIFY_SHARE = 10

const GOOD = 'good'
/** How often the lists of snapshots are read, ms. */
export const LIST_INTERVAL_MS = 5_000

/** What is known of the snapshots of a partition. */
export interface PartitionSnapshots {
  /** The newest that verified. */
  readonly good: SnapshotInfo | null
  readonly corrupt: readonly { readonly sequence: bigint; readonly why: string }[]
}

/** Where a snapshot is asked for. */
export interface SnapshotTarget {
  readonly partition: PartitionNumber
  /** Stores a snapshot now. Answers why it did not, or null. */
  readonly ask: () => Promise<string | null>
}

/** Looks after the snapshots of one pair. */
export interface SnapshotKeeper {
  /** Does what is due, one thing at a time: asks for snapshots, verifies one, removes old ones. Never rejects. */
  tend(
    targets: readonly SnapshotTarget[],
    policy: { readonly intervalMs: number; readonly keep: number },
  ): Promise<void>
  /** Asks for one of each now. Answers why some could not be stored, or null. */
  takeAll(targets: readonly SnapshotTarget[]): Promise<string | null>
  known(partition: PartitionNumber): PartitionSnapshots
  /** Why the last attempt at a snapshot failed; null when it did not. */
  readonly trouble: string | null
}

/**
 * What may go, of snapshots from the newest on: all behind the newest `keep`, but never the newest that verified. Shards count
 * every snapshot, so those they keep are never fewer than these.
 */
export const removable = (
  all: readonly SnapshotInfo[],
  keep: number,
  isGood: (sequence: bigint) => boolean,
): readonly SnapshotInfo[] => {
  const lastGood = all.find(({ sequence }) => isGood(sequence))
  // Before any is known to be good nothing is worth risking.
  if (lastGood === undefined) return []
  return all.slice(Math.max(1, keep)).filter((one) => one !== lastGood)
}

/**
 * Reads a snapshot back and recomputes what is recorded of it. Null when it is good, else what is wrong; undefined when it
 * is gone.
 * @throws {PortError} when the store does not answer
 */
export const verifySnapshot = async (
  snapshots: Pick<Snapshots, 'read'>,
  partition: PartitionNumber,
  info: SnapshotInfo,
): Promise<string | null | undefined> => {
  try {
    const bytes = await snapshots.read(partition, info.sequence)
    if (bytes === null) return undefined
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    if (sha256 !== info.sha256) return `its SHA-256 is ${sha256}, recorded is ${info.sha256}`
    openSnapshot(bytes, { partition, sequence: info.sequence }, Number.MAX_SAFE_INTEGER)
    return null
  } catch (error) {
    if (error instanceof SnapshotError) return error.message
    if (error instanceof PortError && error.kind === 'corrupt') return error.message
    throw error
  }
}

interface Judged {
  readonly info: SnapshotInfo
  /** GOOD, or what is wrong; null: not read yet. */
  verdict: string | null
  atMs: number
}

/** Makes a keeper. `onCorrupt` hears once of each corrupt snapshot. */
export const createSnapshotKeeper = (deps: {
  readonly snapshots: Snapshots
  readonly clock: Clock
  readonly logger: Logger
  readonly onCorrupt: (partition: PartitionNumber, sequence: bigint, why: string) => void
}): SnapshotKeeper => {
  const { snapshots, clock, logger } = deps
  const judged = new Map<PartitionNumber, Map<bigint, Judged>>()
  let askDueAtMs: number | null = null
  let verifyDueAtMs = 0
  let listDueAtMs = 0
  let trouble: string | null = null
  let isBusy = false

  const of = (partition: PartitionNumber): readonly Judged[] =>
    [...(judged.get(partition)?.values() ?? [])].sort((one, other) =>
      one.info.sequence > other.info.sequence ? -1 : 1,
    )

  const list = async (partition: PartitionNumber): Promise<void> => {
    const before = judged.get(partition)
    const listed = await snapshots.list(partition)
    judged.set(
      partition,
      new Map(
        listed.map((info) => {
          const known = before?.get(info.sequence)
          // Another snapshot at the same sequence is a new one.
          const isSame = known !== undefined && known.info.sha256 === info.sha256 && known.info.atMs === info.atMs
          return [info.sequence, isSame ? known : { info, verdict: null, atMs: 0 }]
        }),
      ),
    )
  }

  const ask = async (targets: readonly SnapshotTarget[]): Promise<string | null> => {
    let failure: string | null = null
    for (const target of targets) failure = (await target.ask()) ?? failure
    trouble = failure
    return failure
  }

  const judge = async (partition: PartitionNumber, one: Judged): Promise<void> => {
    const wrong = await verifySnapshot(snapshots, partition, one.info)
    one.atMs = Math.max(1, clock.monotonicMs())
    if (wrong === undefined) judged.get(partition)?.delete(one.info.sequence)
    else if (wrong === null) one.verdict = GOOD
    else {
      if (one.verdict !== wrong) deps.onCorrupt(partition, one.info.sequence, wrong)
      one.verdict = wrong
    }
  }

  const verifyOne = async (partitions: readonly PartitionNumber[]): Promise<void> => {
    const all = partitions.flatMap((partition) => of(partition).map((one) => ({ partition, one })))
    // Unread ones first, the newest of them; then the one that was read longest ago.
    const [next] = all.sort((a, b) => a.one.atMs - b.one.atMs || (a.one.info.sequence > b.one.info.sequence ? -1 : 1))
    if (next === undefined) return
    const beganAtMs = clock.monotonicMs()
    try {
      await judge(next.partition, next.one)
    } finally {
      const nowMs = clock.monotonicMs()
      verifyDueAtMs = nowMs + Math.max(VERIFY_PAUSE_MS_MIN, (nowMs - beganAtMs) * VERIFY_SHARE)
    }
  }

  /** Removes what may go. The newest good one is read once more before: it may have been damaged since it verified. */
  const prune = async (partition: PartitionNumber, keep: number): Promise<void> => {
    for (;;) {
      const all = of(partition)
      const good = all.filter(({ verdict }) => verdict === GOOD)
      const isGood = (sequence: bigint): boolean => good.some(({ info }) => info.sequence === sequence)
      const infos = all.map(({ info }) => info)
      const [newest] = good
      const gone = removable(infos, keep, isGood)
      if (gone.length === 0 || newest === undefined) return
      await judge(partition, newest)
      if (newest.verdict !== GOOD || judged.get(partition)?.has(newest.info.sequence) !== true) continue
      for (const { sequence } of gone) {
        await snapshots.remove(partition, sequence)
        judged.get(partition)?.delete(sequence)
      }
      return
    }
  }

  const doWhatIsDue: SnapshotKeeper['tend'] = async (targets, { intervalMs, keep }) => {
    const nowMs = clock.monotonicMs()
    const partitions = targets.map(({ partition }) => partition)
    askDueAtMs ??= nowMs
    if (nowMs >= askDueAtMs) {
      askDueAtMs = nowMs + intervalMs
      await ask(targets)
      listDueAtMs = 0
    }
    if (clock.monotonicMs() < verifyDueAtMs) return
    if (clock.monotonicMs() >= listDueAtMs) {
      for (const partition of partitions) await list(partition)
      listDueAtMs = clock.monotonicMs() + LIST_INTERVAL_MS
    }
    await verifyOne(partitions)
    for (const partition of partitions) await prune(partition, keep)
  }

  return {
    tend: async (targets, policy) => {
      if (isBusy || targets.length === 0) return
      isBusy = true
      try {
        await doWhatIsDue(targets, policy)
      } catch (error) {
        logger.warn({ err: error }, 'the snapshots could not be looked after; that is tried again')
      } finally {
        isBusy = false
      }
    },
    takeAll: ask,
    known: (partition) => {
      const all = of(partition)
      return {
        good: all.find(({ verdict }) => verdict === GOOD)?.info ?? null,
        corrupt: all.flatMap(({ info, verdict }) =>
          verdict === null || verdict === GOOD ? [] : [{ sequence: info.sequence, why: verdict }],
        ),
      }
    },
    get trouble() {
      return trouble
    },
  }
}
