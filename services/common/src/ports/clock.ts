/**
 * Clock.
 *
 * C1 `nowMs` is wall-clock time in whole milliseconds since the epoch. It may jump either way.
 * C2 `sleep` resolves no sooner than `delayMs` after the call, and at once rejects with the signal's reason when
 *    aborted.
 * C3 `every` calls `task` again and again, never two at once, `intervalMs` after the last one ended, until stopped; a
 *    failing task is handed to `onError` and the next one still comes.
 * C4 `monotonicMs` never goes back; only differences mean something.
 */
export interface Clock {
  nowMs(): number
  monotonicMs(): number
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>
  every(intervalMs: number, task: () => Promise<void> | void, onError: (error: unknown) => void): Repeating
}

/** A repeating task; `stop` resolves when the task that runs has ended. */
export interface Repeating {
  stop(): Promise<void>
}
