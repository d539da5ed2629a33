import type { Clock, Repeating } from '@bourse/common/ports/clock.ts'
import type { World } from '../world/world.ts'
import { createTurn } from './pace.ts'
import type { Process } from './process.ts'

/**
 * Wall-clock time at which every world begins, ms: what stands outside the processes has its clock right. Some minutes before
 * midnight (UTC), so that most runs live through the turn of a day of limits and through an instant of funding.
 */
export const WORLD_EPOCH_MS = 1_780_012_650_000

/** A process's clock, and how far its wall time is off. */
export interface ProcessClock {
  readonly clock: Clock
  jump(deltaMs: number): void
}

const reasonOf = (signal: AbortSignal): Error =>
  signal.reason instanceof Error ? signal.reason : new Error('the sleep was aborted', { cause: signal.reason })

/** Makes the clock (port Clock) of a process. Its monotonic time is the world's. */
export const createProcessClock = (world: World, process: Process): ProcessClock => {
  const { pace } = process
  let offsetMs = WORLD_EPOCH_MS
  const wakes = `${process.name} wakes`
  const upkeep = `${process.name} repeats`

  const sleep = (delayMs: number, signal?: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      if (process.state === 'killed') return
      if (signal?.aborted === true) return reject(reasonOf(signal))
      const wake = (): void => {
        signal?.removeEventListener('abort', onAbort)
        resolve()
      }
      const scheduled = world.schedule(Math.max(0, delayMs), wakes, () => process.enter(wake))
      const onAbort = (): void => {
        scheduled.cancel()
        reject(reasonOf(signal!))
      }
      signal?.addEventListener('abort', onAbort, { once: true })
    })

  const every = (
    intervalMs: number,
    task: () => Promise<void> | void,
    onError: (error: unknown) => void,
  ): Repeating => {
    const turn = createTurn()
    let running: Promise<void> | null = null
    let isStopped = false
    const next = (): void => {
      running = null
      if (!isStopped && process.state !== 'killed') pace.schedule(turn, intervalMs, upkeep, () => process.enter(run))
    }
    const run = (): void => {
      if (isStopped) return
      try {
        const done = task()
        if (done === undefined) return next()
        running = done.catch(onError).then(next)
      } catch (error) {
        onError(error)
        next()
      }
    }
    next()
    return {
      stop: async () => {
        isStopped = true
        pace.cancel(turn)
        await running
      },
    }
  }

  return {
    clock: {
      nowMs: () => offsetMs + world.nowMs(),
      monotonicMs: () => world.nowMs(),
      sleep,
      every,
    },
    jump: (deltaMs) => void (offsetMs += deltaMs),
  }
}
