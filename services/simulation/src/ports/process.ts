import type { PortError } from '@bourse/common/ports/failure.ts'
import type { World } from '../world/world.ts'
import type { Pace } from './pace.ts'

/**
 * A simulated process, as the ports know it: the gate between the world and its code.
 *
 * Killed, its code stands still for ever: nothing calls it, and what it calls has no answer. Paused, all that would call it
 * waits, in order, until it is resumed.
 */
export interface Process {
  readonly name: string
  readonly state: 'open' | 'paused' | 'killed'
  /** How often its repeating tasks come. */
  readonly pace: Pace
  /** Calls into the process: now, after its pause, or never. Also for what is asked of it: its own calls wait like that too. */
  enter(task: () => void): void
  /** Called once when it is killed, after its state says so. */
  onKilled(listener: () => void): void
  /** Called at the start and at the end of each pause. */
  onPaused(listener: (isPaused: boolean) => void): void
  kill(): void
  pause(): void
  resume(): void
}

/** Makes an open process. */
export const createProcess = (world: World, name: string, pace: Pace): Process => {
  const killed: (() => void)[] = []
  const paused: ((isPaused: boolean) => void)[] = []
  let state: Process['state'] = 'open'
  /** What came during a pause: it overtakes nothing and nothing overtakes it. */
  let waiting: (() => void)[] = []
  let isCatchingUp = false
  const what = `${name} catches up`

  const catchUp = (): void => {
    if (waiting.length === 0 || isCatchingUp) return
    isCatchingUp = true
    world.schedule(0, what, () => {
      isCatchingUp = false
      if (state !== 'open') return
      const task = waiting.shift()
      task?.()
      catchUp()
    })
  }

  return {
    name,
    pace,
    get state() {
      return state
    },
    enter: (task) => {
      if (state === 'killed') return
      if (state === 'open' && waiting.length === 0) task()
      else waiting.push(task)
    },
    onKilled: (listener) => void killed.push(listener),
    onPaused: (listener) => void paused.push(listener),
    kill: () => {
      if (state === 'killed') return
      state = 'killed'
      waiting = []
      for (const listener of killed.splice(0)) listener()
      paused.length = 0
    },
    pause: () => {
      if (state !== 'open') return
      state = 'paused'
      for (const listener of paused) listener(true)
    },
    resume: () => {
      if (state !== 'paused') return
      state = 'open'
      for (const listener of paused) listener(false)
      catchUp()
    },
  }
}

/**
 * A call of a process to something outside it: `start` gets the promise's two ends, which settle it within the process. It never
 * settles when the process is killed first.
 */
export const callOf = <Value>(
  process: Process,
  start: (resolve: (value: Value) => void, reject: (error: Error) => void) => void,
): Promise<Value> =>
  new Promise<Value>((resolve, reject) => {
    process.enter(() =>
      start(
        (value) => process.enter(() => resolve(value)),
        (error) => process.enter(() => reject(error)),
      ),
    )
  })

/**
 * A call that arrives after a delay, drawn as it leaves: there `task` is done, and then the call fails with `failure`, or
 * answers what the task gave. Whether something is done before it fails is the caller's to say, by what the task does.
 */
export const callLater = <Value>(
  process: Process,
  world: World,
  arrival: { readonly delayMs: () => number; readonly what: string },
  task: () => Value,
  failure: PortError | null,
): Promise<Value> =>
  callOf(process, (resolve, reject) => {
    world.schedule(arrival.delayMs(), arrival.what, () => {
      try {
        const value = task()
        if (failure === null) resolve(value)
        else reject(failure)
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)))
      }
    })
  })
