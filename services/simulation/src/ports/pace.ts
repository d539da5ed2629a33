import type { World, Scheduled } from '../world/world.ts'

/**
 * Keeps simulated hours cheap. The repeating tasks of a process (upkeep, healing looks) come less and less often while nothing
 * else happens to it, and at their own pace again with the first thing that does. A clock promises only that an interval is no
 * shorter than asked for.
 */
export interface Pace {
  /**
   * Something happened that the repeating tasks may have to see to: a message, a reply, a record. What a sleeper or an answer
   * from outside leads to is one of these.
   */
  note(): void
  /** Schedules the next run of a repeating task. `turn` is the task's own mark, made by `createTurn`. */
  schedule(turn: Turn, intervalMs: number, what: string, task: () => void): void
  /** The task does not run any more. */
  cancel(turn: Turn): void
}

/** Where one repeating task stands. */
export interface Turn {
  scheduled: Scheduled | null
  /** Things noted when it last ran. */
  noted: number
  stretch: number
}

/** A task that has not run yet. */
export const createTurn = (): Turn => ({ scheduled: null, noted: -1, stretch: 1 })

/** Makes the pace of one process; no interval is stretched beyond `stretchedMsMax`. */
export const createPace = (world: World, stretchedMsMax: number): Pace => {
  let noted = 0
  /** Turns that come later than asked for, with how to hasten them. */
  const stretched = new Map<Turn, () => void>()

  return {
    note: () => {
      noted += 1
      if (stretched.size === 0) return
      const hasten = [...stretched.values()]
      stretched.clear()
      for (const task of hasten) task()
    },
    cancel: (turn) => {
      turn.scheduled?.cancel()
      stretched.delete(turn)
    },
    schedule: (turn, intervalMs, what, task) => {
      const isQuiet = turn.noted === noted
      turn.noted = noted
      const longest = Math.max(1, Math.floor(stretchedMsMax / intervalMs))
      turn.stretch = isQuiet ? Math.min(turn.stretch * 2, longest) : 1
      const run = (): void => {
        stretched.delete(turn)
        task()
      }
      const delayMs = intervalMs * turn.stretch
      turn.scheduled = world.schedule(delayMs, what, run)
      if (turn.stretch === 1) return
      const dueAtMs = world.nowMs() + delayMs
      stretched.set(turn, () => {
        turn.stretch = 1
        if (dueAtMs - world.nowMs() <= intervalMs) return
        turn.scheduled?.cancel()
        turn.scheduled = world.schedule(intervalMs, what, run)
      })
    },
  }
}
