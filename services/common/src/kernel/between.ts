import { PortError } from '../ports/failure.ts'
import type { PartitionState } from './partition-state.ts'

/** Questions about a state that a loop is changing: each is asked between two records. */
export interface Between {
  /** Asks now when no loop runs, else between two records. Rejects with what `task` throws, and when there is no state. */
  ask<Value>(task: (served: PartitionState) => Value): Promise<Value>
  /** Answers what waits: the loop calls it between two records, and whoever ends the loop. */
  run(): void
  readonly waiting: number
}

/** Makes the list of questions; `describe` says what the partition is while it has no state. */
export const createBetween = (deps: {
  readonly stateOf: () => PartitionState | null
  readonly isLooping: () => boolean
  readonly describe: () => string
  readonly wake: () => void
}): Between => {
  const waiting: (() => void)[] = []
  return {
    ask: (task) =>
      new Promise((resolve, reject) => {
        const attempt = (): void => {
          try {
            const state = deps.stateOf()
            if (state === null) throw new PortError('unavailable', deps.describe())
            resolve(task(state))
          } catch (error) {
            reject(error instanceof Error ? error : new Error(String(error)))
          }
        }
        if (!deps.isLooping()) return attempt()
        waiting.push(attempt)
        deps.wake()
      }),
    run: () => {
      for (const task of waiting.splice(0)) task()
    },
    get waiting() {
      return waiting.length
    },
  }
}
