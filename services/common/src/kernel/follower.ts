import type { Logger } from 'pino'
import type { Clock } from '../ports/clock.ts'
import { PortError } from '../ports/failure.ts'
import type { PartitionNumber } from './partition.ts'
import { openRecovery, type Recovered, type Recovery, type RecoveryDeps, type RecoveryReport } from './recovery.ts'

/** How often a follower looks for what the partition's owner has appended, ms. */
export const FOLLOW_INTERVAL_MS = 50

/** Follows a partition's journal while another owner serves it: the machine holds its state but for the last moment. */
export interface Follower {
  /** Sequence and `now` of the last record followed. */
  readonly sequence: bigint
  readonly now: bigint
  report(): RecoveryReport
  /**
   * Ends following with the state through the journal's head, as it is read now; null when following had ended with a
   * failure, or ends so: then the state is worthless. The state is given away once.
   */
  take(): Promise<Recovered | null>
  /** Ends following; what was followed is dropped. */
  stop(): Promise<void>
}

/** A journal that is away for a while leaves the state as it was; everything else makes it worthless. */
const isPassing = (error: unknown): boolean =>
  error instanceof PortError && error.kind !== 'corrupt' && error.kind !== 'closed'

/**
 * Restores a partition's state and follows its journal from then on, every record verified and replayed. Resolves when all
 * that the journal held has been replayed once.
 * @param onEnded hears, at most once, why following ended by itself: a broken record, a replay that came out differently
 * @throws {RecordError} when the journal can't be trusted as it is
 */
export const startFollower = async (
  deps: RecoveryDeps & {
    readonly clock: Clock
    readonly logger: Logger
    readonly onEnded: (error: Error) => void
  },
  partition: PartitionNumber,
): Promise<Follower> => {
  let recovery: Recovery | null = await openRecovery(deps, partition)
  await recovery.readOn()
  const quit = new AbortController()
  let { sequence, now } = recovery.state
  let lastReport = recovery.report()

  const note = (followed: Recovery): void => {
    ;({ sequence, now } = followed.state)
    lastReport = followed.report()
  }

  const end = (error: unknown): void => {
    recovery = null
    deps.onEnded(error instanceof Error ? error : new Error(String(error)))
  }

  const follow = async (): Promise<void> => {
    while (recovery !== null && !quit.signal.aborted) {
      try {
        await deps.clock.sleep(FOLLOW_INTERVAL_MS, quit.signal)
      } catch {
        return // Stopped while it waited.
      }
      try {
        await recovery.readOn()
        note(recovery)
      } catch (error) {
        if (isPassing(error)) deps.logger.warn({ err: error }, 'the journal could not be followed; it is tried again')
        else end(error)
      }
    }
  }
  const following = follow()

  const stop = async (): Promise<void> => {
    quit.abort(new Error('following was stopped'))
    await following
    recovery = null
  }

  return {
    get sequence() {
      return sequence
    },
    get now() {
      return now
    },
    report: () => lastReport,
    take: async () => {
      quit.abort(new Error('the followed state is taken'))
      await following
      const followed = recovery
      recovery = null
      try {
        return followed === null ? null : await followed.finish()
      } catch (error) {
        end(error)
        return null
      }
    },
    stop,
  }
}
