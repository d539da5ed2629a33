import type { BusReply } from '../../ports/bus.ts'

/** Whoever waits for a reply. */
export interface Asker {
  /** Gives the reply; one that comes after the deadline, or a second one, is dropped. */
  answer(reply: BusReply): void
  fail(error: Error): void
  timedOut(): void
  /** Where the asker stands in the deadlines; theirs alone. */
  dueTick: number
}

/** The deadlines of all askers: one wheel instead of a timer for each. */
export interface Deadlines {
  /** Remembers an asker until it is removed or its moment (monotonic ms) has passed. */
  add(asker: Asker, dueAtMs: number): void
  /** Forgets an asker; false when it was not waiting any more. */
  remove(asker: Asker): boolean
  /** Times out every asker whose moment has passed, never one before its moment. */
  expire(nowMs: number): void
  failAll(error: Error): void
}

/** A wheel of ticks of `tickMs`; adding and removing are O(1), a sweep costs the ticks passed and the askers due. */
export const createDeadlines = (tickMs: number): Deadlines => {
  const ticks = new Map<number, Set<Asker>>()
  let sweptTick = -1

  const takeTick = (tick: number): Iterable<Asker> => {
    const askers = ticks.get(tick) ?? []
    ticks.delete(tick)
    return askers
  }

  return {
    add: (asker, dueAtMs) => {
      // The tick after the moment: when a tick is swept all of its moments have passed.
      const tick = Math.max(Math.ceil(dueAtMs / tickMs), sweptTick + 1)
      asker.dueTick = tick
      const askers = ticks.get(tick)
      if (askers === undefined) ticks.set(tick, new Set([asker]))
      else askers.add(asker)
    },
    remove: (asker) => {
      const askers = ticks.get(asker.dueTick)
      if (askers === undefined || !askers.delete(asker)) return false
      if (askers.size === 0) ticks.delete(asker.dueTick)
      return true
    },
    expire: (nowMs) => {
      const last = Math.floor(nowMs / tickMs)
      // After a long pause it is cheaper to walk the ticks that hold somebody than those that have passed.
      const due =
        last - sweptTick > ticks.size ? [...ticks.keys()].filter((tick) => tick <= last).sort((a, b) => a - b) : null
      const from = sweptTick + 1
      sweptTick = Math.max(sweptTick, last)
      if (due !== null) for (const tick of due) for (const asker of takeTick(tick)) asker.timedOut()
      else for (let tick = from; tick <= last; tick++) for (const asker of takeTick(tick)) asker.timedOut()
    },
    failAll: (error) => {
      const all = [...ticks.values()]
      ticks.clear()
      for (const askers of all) for (const asker of askers) asker.fail(error)
    },
  }
}
