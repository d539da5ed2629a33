import type { Clock, Repeating } from '../../ports/clock.ts'

const sleep = (delayMs: number, signal?: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(signal.reason as Error)
      return
    }
    const onAbort = (): void => {
      clearTimeout(timer)
      reject(signal?.reason as Error)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    }, Math.max(0, delayMs))
    signal?.addEventListener('abort', onAbort, { once: true })
  })

const every = (intervalMs: number, task: () => Promise<void> | void, onError: (error: unknown) => void): Repeating => {
  const stopping = new AbortController()
  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      try {
        await sleep(intervalMs, stopping.signal)
      } catch {
        return
      }
      try {
        await task()
      } catch (error) {
        onError(error)
      }
    }
  }
  const running = run()
  return {
    stop: async () => {
      stopping.abort(new Error('stopped'))
      await running
    },
  }
}

/** The clock of the machine it runs on. */
export const createSystemClock = (): Clock => ({
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep,
  every,
})
