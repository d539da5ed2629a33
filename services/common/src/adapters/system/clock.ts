import type { Clock, Repeating } from '../../ports/clock.ts'

/** Longest delay one timer of Node takes; longer sleeps are made of several. */
const TIMER_MS_MAX = 2_147_483_647

const abortReason = (signal: AbortSignal): Error =>
  signal.reason instanceof Error ? signal.reason : new Error('the sleep was aborted', { cause: signal.reason })

/** Sleeps at least `delayMs` by the monotonic clock: Node's timers count whole milliseconds and may ring a fraction early. */
const sleep = (delayMs: number, signal?: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    if (signal?.aborted === true) return reject(abortReason(signal))
    const endMs = performance.now() + delayMs
    let timer: NodeJS.Timeout
    const onAbort = (): void => {
      clearTimeout(timer)
      reject(abortReason(signal!))
    }
    const wait = (): void => {
      const leftMs = endMs - performance.now()
      if (leftMs > 0) {
        timer = setTimeout(wait, Math.min(Math.ceil(leftMs), TIMER_MS_MAX))
        return
      }
      signal?.removeEventListener('abort', onAbort)
      resolve()
    }
    signal?.addEventListener('abort', onAbort, { once: true })
    timer = setTimeout(wait, Math.min(Math.max(Math.ceil(delayMs), 0), TIMER_MS_MAX))
  })

/** Runs `task` again and again. Its timers keep the process alive until `stop`. */
const every = (intervalMs: number, task: () => Promise<void> | void, onError: (error: unknown) => void): Repeating => {
  let stopped = false
  let running: Promise<void> = Promise.resolve()
  let timer: NodeJS.Timeout
  const run = async (): Promise<void> => {
    try {
      await task()
    } catch (error) {
      onError(error)
    }
    if (!stopped) timer = setTimeout(start, intervalMs)
  }
  const start = (): void => {
    running = run()
  }
  timer = setTimeout(start, intervalMs)
  return {
    stop: async () => {
      stopped = true
      clearTimeout(timer)
      await running
    },
  }
}

/** The machine's clock (port Clock). An `onError` of `every` that throws is a bug and ends the process. */
export const createSystemClock = (): Clock => ({
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep,
  every,
})

/** Wall-clock ms at which the monotonic clock of this process was 0, finer than ms: spans of several processes are laid by it. */
export const monotonicOriginMs = (): number => performance.timeOrigin
