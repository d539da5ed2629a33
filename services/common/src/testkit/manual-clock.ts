import type { Clock, Repeating } from '../ports/clock.ts'

/** A clock that stands still until told to move. */
export interface ManualClock extends Clock {
  /**
   * Moves time on and wakes every sleeper in the order of its moment, each at its own moment; after each one the event
   * loop gets turns, so that what it set off has happened and new sleeps within the span are woken too.
   */
  advance(deltaMs: number): Promise<void>
  /** Moves wall-clock time alone, either way, as a corrected clock does; nobody wakes. */
  jump(deltaMs: number): void
  /** How many sleep. */
  sleepers(): number
}

interface Sleeper {
  readonly atMs: number
  readonly order: number
  wake(): void
}

/** Turns of the event loop after each step: enough for a message, its append and its answer. */
const TURNS_PER_STEP = 8

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

const turns = async (): Promise<void> => {
  for (let count = 0; count < TURNS_PER_STEP; count++) await turn()
}

const earliestOf = (sleepers: ReadonlySet<Sleeper>): Sleeper | undefined => {
  let earliest: Sleeper | undefined
  for (const sleeper of sleepers) {
    const isEarlier = earliest === undefined || sleeper.atMs < earliest.atMs
    if (isEarlier || (sleeper.atMs === earliest?.atMs && sleeper.order < earliest.order)) earliest = sleeper
  }
  return earliest
}

/** A task that repeats on any clock's `sleep`. */
const repeat = (
  clock: Pick<Clock, 'sleep'>,
  intervalMs: number,
  task: () => Promise<void> | void,
  onError: (error: unknown) => void,
): Repeating => {
  const stopping = new AbortController()
  const run = async (): Promise<void> => {
    for (;;) {
      try {
        await clock.sleep(intervalMs, stopping.signal)
      } catch {
        return // Stopped: the only reason a sleep of ours ends early.
      }
      try {
        await task()
      } catch (error) {
        onError(error)
      }
      if (stopping.signal.aborted) return
    }
  }
  const running = run()
  return {
    stop: () => {
      stopping.abort(new Error('stopped'))
      return running
    },
  }
}

/** Makes a clock (port Clock) for tests and simulations. Monotonic time starts at 0. */
export const createManualClock = (startMs: number): ManualClock => {
  const sleepers = new Set<Sleeper>()
  let elapsedMs = 0
  let wallOffsetMs = startMs
  let orders = 0

  const sleep = (delayMs: number, signal?: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      const reason = (): Error => (signal?.reason instanceof Error ? signal.reason : new Error('the sleep was aborted'))
      if (signal?.aborted === true) return reject(reason())
      const onAbort = (): void => {
        sleepers.delete(sleeper)
        reject(reason())
      }
      const sleeper: Sleeper = {
        atMs: elapsedMs + Math.max(0, delayMs),
        order: orders++,
        wake: () => {
          signal?.removeEventListener('abort', onAbort)
          resolve()
        },
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      sleepers.add(sleeper)
    })

  const advance = async (deltaMs: number): Promise<void> => {
    if (!(deltaMs >= 0)) throw new RangeError(`a clock advances by ${deltaMs} ms`)
    const endMs = elapsedMs + deltaMs
    await turns()
    for (;;) {
      const next = earliestOf(sleepers)
      if (next === undefined || next.atMs > endMs) break
      elapsedMs = Math.max(elapsedMs, next.atMs)
      sleepers.delete(next)
      next.wake()
      await turns()
    }
    elapsedMs = endMs
  }

  return {
    nowMs: () => Math.floor(wallOffsetMs + elapsedMs),
    monotonicMs: () => elapsedMs,
    sleep,
    every: (intervalMs, task, onError) => repeat({ sleep }, intervalMs, task, onError),
    advance,
    jump: (deltaMs) => void (wallOffsetMs += deltaMs),
    sleepers: () => sleepers.size,
  }
}
