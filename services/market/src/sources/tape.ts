import { UNITS_PER_WHOLE } from '@bourse/common/money/amount.ts'
import type { TapeSource } from '@bourse/common/resources/price-source.ts'
import { readTape } from '../tape/read-tape.ts'
import type { TapeTick } from '../tape/read-tape.ts'
import { runUntilStopped } from './source.ts'
import type { RunningSource, SourceDeps } from './source.ts'

/** The pause between the last tick of a loop and the first of the next. */
const LOOP_PAUSE_MS = 1_000

const scaled = (spanMs: number, speed: bigint): number => Number((BigInt(spanMs) * UNITS_PER_WHOLE) / speed)

/**
 * Plays a tape: its first tick now, the others at their distance from it divided by the speed; a tick's time is
 * the moment it is played. At the end it begins again a second later, or stops, as the manifest says. A tick
 * that is late delays no other.
 */
export const startTape = (
  spec: TapeSource,
  deps: SourceDeps,
  read: (path: string) => AsyncIterable<TapeTick> = readTape,
): RunningSource =>
  runUntilStopped(deps, async (signal) => {
    const { clock, onTick } = deps
    do {
      const begin = clock.monotonicMs()
      let firstMs: number | undefined
      for await (const { timeMs, feedBid, feedAsk, last } of read(spec.file)) {
        firstMs ??= timeMs
        const playedMs = scaled(timeMs - firstMs, spec.speed)
        const waitMs = playedMs - (clock.monotonicMs() - begin)
        if (waitMs > 0) await clock.sleep(waitMs, signal)
        signal.throwIfAborted()
        onTick({ feedBid, feedAsk, last, exchangeTimeMs: null })
      }
      if (spec.atEnd === 'loop') await clock.sleep(LOOP_PAUSE_MS, signal)
    } while (spec.atEnd === 'loop')
    deps.logger.info({ file: spec.file }, 'tape is at its end')
  })
