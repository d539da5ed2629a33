import type { Clock } from '@bourse/common/ports/clock.ts'
import type { Metrics } from '@bourse/common/telemetry/metrics.ts'

/** Pause after the first failure of a key; doubled with each. */
export const ITEM_DELAY_MS_FIRST = 5
/** Longest pause after failures of one key: so much later than what was in the way is over, at most, its work goes on. */
export const ITEM_DELAY_MS_MAX = 30_000
/** Failures of all keys together: this many at once … */
export const RETRY_BURST = 100
/** … and then this many a second. */
export const RETRIES_PER_SECOND = 10

/** Series of all queues of a process, under the names that stock dashboards know. */
export interface WorkQueueMetrics {
  added(queue: string): void
  depth(queue: string, keys: number): void
  waited(queue: string, durationMs: number): void
  worked(queue: string, durationMs: number): void
  retried(queue: string): void
  /** All running work together, and the longest. */
  unfinished(queue: string, sumMs: number, longestMs: number): void
}

/** Makes the series; once per registry. */
export const createWorkQueueMetrics = (metrics: Metrics): WorkQueueMetrics => {
  const depth = metrics.gauge('workqueue_depth')
  const adds = metrics.counter('workqueue_adds_total')
  const retries = metrics.counter('workqueue_retries_total')
  const queued = metrics.histogram('workqueue_queue_duration_seconds')
  const worked = metrics.histogram('workqueue_work_duration_seconds')
  const unfinished = metrics.gauge('workqueue_unfinished_work_seconds')
  const longest = metrics.gauge('workqueue_longest_running_processor_seconds')
  return {
    added: (name) => {
      adds.inc({ name })
      retries.inc({ name }, 0)
    },
    depth: (name, keys) => depth.set({ name }, keys),
    waited: (name, durationMs) => queued.observe({ name }, durationMs / 1000),
    worked: (name, durationMs) => worked.observe({ name }, durationMs / 1000),
    retried: (name) => retries.inc({ name }),
    unfinished: (name, sumMs, longestMs) => {
      unfinished.set({ name }, sumMs / 1000)
      longest.set({ name }, longestMs / 1000)
    },
  }
}

/**
 * A queue of keys.
 *
 * Q1 A key that waits is not added a second time.
 * Q2 A key that is being worked on is given to nobody else; added meanwhile, it comes again after `done`.
 * Q3 Of several `addAfter` of one key the earliest moment counts.
 * Q4 No add is lost: after it the key is taken at least once more, unless the queue was closed.
 */
export interface WorkQueue {
  add(key: string): void
  addAfter(key: string, delayMs: number): void
  /** Adds after the key's growing pause and the pause of all failures together, but no sooner than `leastMs`. */
  addRateLimited(key: string, leastMs?: number): void
  /** The key's failures are over. */
  forget(key: string): void
  /** The next key, when there is one; null once closed. Whoever takes a key says `done`. */
  take(): Promise<string | null>
  done(key: string): void
  /** Keys that wait to be taken. */
  readonly length: number
  /** Writes the gauges of work under way. */
  report(): void
  /** Gives out nothing more, forgets what waits, and resolves when all that was taken is done. */
  close(): Promise<void>
}

/** Pause of all failures together: a bucket of tokens that may go into debt; the debt is the pause. */
const createRetryBucket = (clock: Clock): (() => number) => {
  let tokens: number = RETRY_BURST
  let filledAtMs = clock.monotonicMs()
  return () => {
    const nowMs = clock.monotonicMs()
    tokens = Math.min(RETRY_BURST, tokens + ((nowMs - filledAtMs) * RETRIES_PER_SECOND) / 1000) - 1
    filledAtMs = nowMs
    return tokens >= 0 ? 0 : (-tokens * 1000) / RETRIES_PER_SECOND
  }
}

/** Keys that are to be added later; one moment per key. */
const createTimers = (clock: Clock, ring: (key: string) => void) => {
  const timers = new Map<string, { readonly atMs: number; readonly cancel: AbortController }>()
  return {
    set(key: string, delayMs: number): void {
      const atMs = clock.monotonicMs() + delayMs
      const known = timers.get(key)
      if (known !== undefined && known.atMs <= atMs) return
      known?.cancel.abort(new Error('an earlier moment counts'))
      const timer = { atMs, cancel: new AbortController() }
      timers.set(key, timer)
      void clock.sleep(delayMs, timer.cancel.signal).then(
        () => {
          timers.delete(key)
          ring(key)
        },
        () => undefined, // Cancelled: whoever did has taken it out.
      )
    },
    clear(): void {
      for (const { cancel } of timers.values()) cancel.abort(new Error('the queue is closed'))
      timers.clear()
    },
  }
}

/** Makes an empty queue; `name` is its label. Keys are names of objects: as many as there are objects, no limit of its own. */
export const createWorkQueue = (name: string, clock: Clock, metrics: WorkQueueMetrics): WorkQueue => {
  /** Key → when it was added, in the order of adding. */
  const waiting = new Map<string, number>()
  /** Key → when it was taken. */
  const working = new Map<string, number>()
  /** Added while it was worked on. */
  const again = new Set<string>()
  const failures = new Map<string, number>()
  const takers: ((key: string | null) => void)[] = []
  const drained = Promise.withResolvers<void>()
  const retryPauseMs = createRetryBucket(clock)
  let isClosed = false

  const takeNow = (): string | null => {
    const first = waiting.entries().next()
    if (first.done === true) return null
    const [key, addedAtMs] = first.value
    waiting.delete(key)
    const nowMs = clock.monotonicMs()
    working.set(key, nowMs)
    metrics.waited(name, nowMs - addedAtMs)
    metrics.depth(name, waiting.size)
    return key
  }
  const add = (key: string): void => {
    if (isClosed || waiting.has(key) || again.has(key)) return
    metrics.added(name)
    if (working.has(key)) return void again.add(key)
    waiting.set(key, clock.monotonicMs())
    metrics.depth(name, waiting.size)
    const taker = takers.shift()
    taker?.(takeNow())
  }
  const timers = createTimers(clock, add)
  const addAfter = (key: string, delayMs: number): void => {
    if (isClosed) return
    if (delayMs <= 0) add(key)
    else timers.set(key, delayMs)
  }

  return {
    add,
    addAfter,
    addRateLimited(key, leastMs = 0) {
      const failed = failures.get(key) ?? 0
      failures.set(key, failed + 1)
      const itemMs = Math.min(ITEM_DELAY_MS_FIRST * 2 ** failed, ITEM_DELAY_MS_MAX)
      metrics.retried(name)
      addAfter(key, Math.max(itemMs, retryPauseMs(), leastMs))
    },
    forget: (key) => void failures.delete(key),
    take: () => {
      const key = isClosed ? null : takeNow()
      if (key !== null || isClosed) return Promise.resolve(key)
      return new Promise((resolve) => takers.push(resolve))
    },
    done(key) {
      const takenAtMs = working.get(key)
      if (takenAtMs === undefined) throw new Error(`done with a key that nobody took: ${key}`)
      metrics.worked(name, clock.monotonicMs() - takenAtMs)
      working.delete(key)
      if (again.delete(key)) add(key)
      if (isClosed && working.size === 0) drained.resolve()
    },
    get length() {
      return waiting.size
    },
    report() {
      const nowMs = clock.monotonicMs()
      const runningMs = [...working.values()].map((takenAtMs) => nowMs - takenAtMs)
      metrics.unfinished(
        name,
        runningMs.reduce((sum, each) => sum + each, 0),
        Math.max(0, ...runningMs),
      )
    },
    close() {
      isClosed = true
      timers.clear()
      waiting.clear()
      again.clear()
      metrics.depth(name, 0)
      for (const taker of takers.splice(0)) taker(null)
      if (working.size === 0) drained.resolve()
      return drained.promise
    },
  }
}
