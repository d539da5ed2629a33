import type { SeededRandom } from '@bourse/common/testkit/seeded-random.ts'
import type { Trace } from './trace.ts'

/** Something that will happen; `cancel` makes that it does not. */
export interface Scheduled {
  cancel(): void
}

/**
 * The simulated world: one time, one order of all events, one source of chance, all of it decided by the seed.
 *
 * Nothing happens but in an event. After each event every promise that it settled has run to its end, before the next event begins:
 * with everything outside simulated, the code in between is deterministic.
 */
export interface World {
  readonly seed: number
  readonly trace: Trace
  /** World time, ms since the world began; whole numbers. */
  nowMs(): number
  /** A stream of chance of its own for each name: what one part draws moves no other part's draws. */
  chance(stream: string): SeededRandom
  /** Puts an event in the order: after `delayMs` and, at one moment, in the order of scheduling. `what` goes into the trace. */
  schedule(delayMs: number, what: string, task: () => void): Scheduled
  /**
   * Lets events happen until `isDone` (asked after each one) or until the limits are reached, or nothing is scheduled any more.
   */
  run(isDone: () => boolean, limits: { readonly durationMsMax: number; readonly eventsMax: number }): Promise<RunEnd>
}

/** Why `run` came back. */
export type RunEnd = 'done' | 'duration' | 'events' | 'nothing-scheduled'
