import type { Clock } from '../ports/clock.ts'
import { createManualClock } from './manual-clock.ts'

/** A clock that runs by itself and stands still while the process does. */
export interface PatientClock extends Clock {
  /** Time ends: who sleeps then sleeps for good. Once more is no error. */
  stop(): Promise<void>
}

/** Time moves on by no more than this at once, and after each step the event loop has its turns. */
const STEP_MS_MAX = 5
const PAUSE_MS = 1

/**
 * Makes a clock (port Clock) that goes as real time does while the event loop turns freely, and slower where the machine lets the
 * process wait: a limit of 300 ms then ends what really hangs, and never what was only not given the processor. For tests that
 * have both ends of their connections in one process. Monotonic time starts at 0.
 */
export const createPatientClock = (startMs: number): PatientClock => {
  const { advance, nowMs, monotonicMs, sleep, every } = createManualClock(startMs)
  let isStopped = false
  const run = async (): Promise<void> => {
    for (let lastMs = performance.now(); !isStopped;) {
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
      const realMs = performance.now()
      await advance(Math.min(realMs - lastMs, STEP_MS_MAX))
      lastMs = realMs
    }
  }
  const running = run()
  return {
    nowMs,
    monotonicMs,
    sleep,
    every,
    stop: () => {
      isStopped = true
      return running
    },
  }
}
