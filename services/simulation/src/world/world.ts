import { createSeededRandom, type SeededRandom } from '@bourse/common/testkit/seeded-random.ts'
import { createEventHeap, type WaitingEvent } from './event-heap.ts'
import { createTrace, type Trace } from './trace.ts'

/** Something that will happen; `cancel` makes that it does not. */
export interface Scheduled {
  cancel(): void
}

/**
 * The simulated world: one time, one order of all events, one source of chance, all of it decided by the seed.
 *
 * Nothing happens but in an event. After each event every promise that it settled has run to its end, before the next event
 * begins: with everything outside simulated, the code in between is deterministic.
 */
export interface World {
  readonly seed: number
  readonly trace: Trace
  /** Events that have happened. */
  readonly events: number
  /** World time, ms since the world began; whole numbers. */
  nowMs(): number
  /** A stream of chance of its own for each name: what one part draws moves no other part's draws. */
  chance(stream: string): SeededRandom
  /** Puts an event in the order: after `delayMs` and, at one moment, in the order of scheduling. `what` goes into the trace. */
  schedule(delayMs: number, what: string, task: () => void): Scheduled
  /**
   * Lets events happen until `isDone` (asked before the first and after each one), until a limit is reached, or until nothing is
   * scheduled any more. When nothing is left within the duration, the time is that of its end. Rejects with what an event throws.
   */
  run(isDone: () => boolean, limits: { readonly durationMsMax: number; readonly eventsMax: number }): Promise<RunEnd>
}

/** Why `run` came back. */
export type RunEnd = 'done' | 'duration' | 'events' | 'nothing-scheduled'

/** Mixes a stream's name into the seed (FNV-1a, then a multiplicative mix), 32 bits. */
const streamSeed = (seed: number, name: string): number => {
  let mixed = (0x811c9dc5 ^ Math.imul(seed, 0x9e3779b1)) >>> 0
  for (let index = 0; index < name.length; index++) mixed = Math.imul(mixed ^ name.charCodeAt(index), 0x01000193)
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b)
  return (mixed ^ (mixed >>> 13)) >>> 0
}

/*
 * Between two events every settled promise has to run to its end. A tick that was asked for from within a microtask comes when
 * no microtask is left, and costs a quarter of a turn of the event loop. Kept aside: a run forbids the real ones.
 */
const { nextTick } = process
const settled = Promise.resolve()

/**
 * Makes a world in which nothing is scheduled. `onLine` hears the lines of the trace.
 */
export const createWorld = (seed: number, options: { readonly onLine?: (line: string) => void } = {}): World => {
  const trace = createTrace(options.onLine)
  const heap = createEventHeap()
  const streams = new Map<string, SeededRandom>()
  let nowMs = 0
  let orders = 0
  let events = 0
  let isRunning = false

  const happen = (event: WaitingEvent): void => {
    heap.pop()
    const { task } = event
    nowMs = event.atMs
    events += 1
    trace.note(`${nowMs} ${event.what}`)
    event.task = null
    task!()
  }

  const run: World['run'] = (isDone, limits) => {
    if (isRunning) throw new Error('the world runs already')
    isRunning = true
    const endMs = nowMs + limits.durationMsMax
    const eventsEnd = events + limits.eventsMax
    /** Lets one event happen, or says why none may. */
    const next = (): RunEnd | null => {
      if (isDone()) return 'done'
      if (events >= eventsEnd) return 'events'
      const event = heap.peek()
      if (event === undefined || event.atMs > endMs) {
        if (endMs < Infinity) nowMs = endMs
        return event === undefined ? 'nothing-scheduled' : 'duration'
      }
      happen(event)
      return null
    }
    return new Promise<RunEnd>((resolve, reject) => {
      const step = (): void => {
        try {
          const end = next()
          if (end === null) return goOn()
          isRunning = false
          resolve(end)
        } catch (error) {
          isRunning = false
          reject(error instanceof Error ? error : new Error(String(error)))
        }
      }
      const tick = (): void => nextTick(step)
      // Neither `tick` nor `step` throws, so this promise settles well.
      const goOn = (): void => void settled.then(tick)
      goOn()
    })
  }

  return {
    seed,
    trace,
    get events() {
      return events
    },
    nowMs: () => nowMs,
    chance: (stream) => {
      const known = streams.get(stream)
      if (known !== undefined) return known
      const made = createSeededRandom(streamSeed(seed, stream))
      streams.set(stream, made)
      return made
    },
    schedule: (delayMs, what, task) => {
      if (!(delayMs >= 0)) throw new RangeError(`a delay of ${delayMs} ms`)
      const event: WaitingEvent = { atMs: nowMs + Math.ceil(delayMs), order: orders++, what, task }
      heap.push(event)
      return { cancel: () => heap.cancel(event) }
    },
    run,
  }
}
