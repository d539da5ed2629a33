import type { PartitionNumber } from '@bourse/common/kernel/partition.ts'
import type { Clock } from '@bourse/common/ports/clock.ts'
import { PortError } from '@bourse/common/ports/failure.ts'
import type { Views } from '@bourse/common/ports/views.ts'

/** First pause between two looks at a cursor that somebody waits for, ms; it doubles … */
export const CURSOR_LOOK_MS_MIN = 5
/** … up to this. */
export const CURSOR_LOOK_MS_MAX = 100

/** How far the views of each partition are, as seen from a process that does not fold them. */
export interface ViewProgress {
  /** Resolves true once the views hold everything through `sequence`, false when that takes longer than `timeoutMs`. */
  waitFor(partition: PartitionNumber, sequence: bigint, timeoutMs: number): Promise<boolean>
  /** Resolves once the views hold everything through `sequence`; rejects only when aborted. */
  reach(partition: PartitionNumber, sequence: bigint, signal: AbortSignal): Promise<void>
}

interface Waiting {
  readonly sequence: bigint
  readonly resolve: () => void
}

/**
 * Follows cursors only while somebody waits for one, one question at a time per partition, however many wait. A look that fails
 * (the views do not answer) is made again.
 */
export const createViewProgress = (deps: {
  readonly views: Pick<Views, 'cursor'>
  readonly projection: string
  readonly clock: Clock
  readonly onFailure: (error: unknown) => void
}): ViewProgress => {
  const { views, projection, clock } = deps
  const seen = new Map<PartitionNumber, bigint>()
  const waiting = new Map<PartitionNumber, Set<Waiting>>()

  const look = async (partition: PartitionNumber): Promise<void> => {
    try {
      const through = await views.cursor(projection, partition)
      // A look that began earlier may end later.
      if (through > (seen.get(partition) ?? 0n)) seen.set(partition, through)
    } catch (error) {
      if (!(error instanceof PortError)) throw error
      deps.onFailure(error)
    }
  }
  const follow = async (partition: PartitionNumber, waiters: Set<Waiting>): Promise<void> => {
    let pauseMs = CURSOR_LOOK_MS_MIN
    while (waiters.size > 0) {
      await look(partition)
      for (const waiter of [...waiters]) if (waiter.sequence <= (seen.get(partition) ?? 0n)) waiter.resolve()
      if (waiters.size === 0) break
      await clock.sleep(pauseMs)
      pauseMs = Math.min(pauseMs * 2, CURSOR_LOOK_MS_MAX)
    }
    waiting.delete(partition)
  }

  const reach = (partition: PartitionNumber, sequence: bigint, signal: AbortSignal): Promise<void> => {
    if ((seen.get(partition) ?? 0n) >= sequence) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const known = waiting.get(partition)
      const waiters = known ?? new Set<Waiting>()
      const end = (): void => {
        waiters.delete(waiter)
        signal.removeEventListener('abort', onAbort)
      }
      const waiter = { sequence, resolve: () => (end(), resolve()) }
      const onAbort = (): void => (end(), reject(new Error('nobody waits any more')))
      if (signal.aborted) return onAbort()
      signal.addEventListener('abort', onAbort, { once: true })
      waiters.add(waiter)
      if (known !== undefined) return
      waiting.set(partition, waiters)
      follow(partition, waiters).catch(deps.onFailure)
    })
  }
  return {
    reach,
    waitFor: async (partition, sequence, timeoutMs) => {
      const over = new AbortController()
      const ended = new AbortController()
      const late = clock.sleep(timeoutMs, ended.signal).then(
        () => over.abort(),
        () => undefined,
      )
      const inTime = await reach(partition, sequence, over.signal).then(
        () => true,
        () => false,
      )
      ended.abort()
      await late
      return inTime
    },
  }
}
