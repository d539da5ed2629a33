import type { Units } from '@bourse/common/money/amount.ts'
import type { Clock } from '@bourse/common/ports/clock.ts'
import type { Random } from '@bourse/common/ports/random.ts'
import type { Logger } from '@bourse/common/telemetry/logger.ts'

/**
 * What a source saw, before anything is judged. A null time: the source gives none, the moment of arrival
 * stands in.
 */
export interface SourceTick {
  readonly feedBid: Units
  readonly feedAsk: Units
  readonly last: Units
  readonly exchangeTimeMs: number | null
}

/**
 * What may go wrong inside a source, counted by the service:
 * - `disconnected`: a connection was lost or could not be made;
 * - `silent`: a connection was given up because nothing came;
 * - `garbage`: a message that is not what the source promises;
 * - `out-of-order`: a message older than one already seen;
 * - `gap`: messages are missing between two;
 * - `failed`: an answer that is an error, or a source that cannot go on.
 */
export const sourceFaults = ['disconnected', 'silent', 'garbage', 'out-of-order', 'gap', 'failed'] as const
/** One of the faults. */
export type SourceFault = (typeof sourceFaults)[number]

/** What every source is given. */
export interface SourceDeps {
  readonly clock: Clock
  readonly random: Pick<Random, 'below'>
  readonly logger: Logger
  readonly onTick: (tick: SourceTick) => void
  readonly onFault: (fault: SourceFault) => void
}

/** A source that runs; it never throws into its deps and `stop` resolves when it calls them no more. */
export interface RunningSource {
  stop(): Promise<void>
}

/** Runs `work` until it ends or is told to stop; an error that is not the stopping is logged and counted. */
export const runUntilStopped = (
  { logger, onFault }: Pick<SourceDeps, 'logger' | 'onFault'>,
  work: (signal: AbortSignal) => Promise<void>,
): RunningSource => {
  const stopping = new AbortController()
  const running = work(stopping.signal).catch((error: unknown) => {
    // Sleeps end with the signal's reason when we stop: that is no fault. Anything else ends this source, visibly.
    if (stopping.signal.aborted) return
    onFault('failed')
    logger.error({ error }, 'price source failed and gives no more quotes until its manifest changes')
  })
  return {
    stop: async () => {
      stopping.abort(new Error('stopped'))
      await running
    },
  }
}
