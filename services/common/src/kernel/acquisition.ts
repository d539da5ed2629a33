import type { Logger } from 'pino'
import type { Clock } from '../ports/clock.ts'
import { startFollower, type Follower } from './follower.ts'
import type { PartitionNumber } from './partition.ts'
import { recoverPartition, type Recovered, type RecoveryDeps, type RecoveryReport } from './recovery.ts'

/** Where a partition's state comes from when it is to be served: a follower that is almost there, or a recovery. */
export interface Acquisition {
  /** Restores and follows, while another serves. Rejects when the journal can't be trusted. */
  prepare(): Promise<RecoveryReport>
  /**
   * The state through the journal's head: the followed one, once; else recovered from the newest trusted snapshot.
   * @throws {RecordError} when the journal can't be trusted
   */
  acquire(): Promise<Recovered>
  /** The follower as long as nobody took its state, for who asks how far it is. */
  readonly follower: Follower | null
  /** Drops what is followed; waits for a preparation that runs. */
  stop(): Promise<void>
}

/** Makes an acquisition; `onEnded` hears why following ended by itself. */
export const createAcquisition = (
  deps: RecoveryDeps & {
    readonly partition: PartitionNumber
    readonly clock: Clock
    readonly logger: Logger
    readonly onEnded: (error: Error) => void
  },
): Acquisition => {
  const { partition, logger } = deps
  let follower: Follower | null = null
  let preparing: Promise<unknown> = Promise.resolve()
  let isStopped = false

  const sayDoubts = ({ doubted }: RecoveryReport): void => {
    for (const doubt of doubted)
      logger.error({ doubt: { ...doubt, sequence: String(doubt.sequence) } }, 'a snapshot was passed over')
  }

  const begin = async (): Promise<RecoveryReport> => {
    const onEnded = (error: Error): void => {
      follower = null
      logger.error({ err: error }, 'following the journal has ended')
      deps.onEnded(error)
    }
    const started = await startFollower({ ...deps, onEnded }, partition)
    sayDoubts(started.report())
    if (isStopped) await started.stop()
    else follower = started
    return started.report()
  }

  return {
    get follower() {
      return follower
    },
    prepare: () => {
      const begun = begin()
      // Who waits for it here only wants to know that it has ended.
      preparing = begun.catch(() => undefined)
      return begun
    },
    acquire: async () => {
      await preparing
      const followed = (await follower?.take()) ?? null
      follower = null
      if (followed !== null) return followed
      const recovered = await recoverPartition(deps, partition)
      sayDoubts(recovered.report)
      return recovered
    },
    stop: async () => {
      isStopped = true
      await preparing
      await follower?.stop()
      follower = null
    },
  }
}
