/** What time is to the desk; a test gives its own. */
export interface DeskClock {
  /** Wall clock of this machine, ms since the epoch. */
  nowMs(): number
  /** Runs `task` once after so many ms; the answer takes it back. */
  schedule(delayMs: number, task: () => void): () => void
  /** Runs `task` before the next frame is drawn; the answer takes it back. A hidden page draws none. */
  frame(task: () => void): () => void
}

/** The browser's clock. */
export const createBrowserClock = (): DeskClock => ({
  nowMs: () => Date.now(),
  schedule: (delayMs, task) => {
    const timer = setTimeout(task, delayMs)
    return () => {
      clearTimeout(timer)
    }
  },
  frame: (task) => {
    const frame = requestAnimationFrame(task)
    return () => {
      cancelAnimationFrame(frame)
    }
  },
})

/** The server's clock as this machine knows it. */
export interface ServerTime {
  nowMs(): number
  /** Learns from an answer's `Date` header; `startedMs` and `endedMs` are this machine's, around the call. */
  observe(headers: Headers, startedMs: number, endedMs: number): void
}

/** A `Date` header says the second; the answer was written within it. */
const DATE_RESOLUTION_MS = 999

/**
 * How far the server's clock is from this machine's. Each answer says: at some moment between asking and hearing, the server's
 * clock was within that second. The offset is kept within what all answers allow; one that contradicts the others begins anew
 * (a clock was set). No answer yet: both clocks are taken for the same.
 */
export const createServerTime = (clock: Pick<DeskClock, 'nowMs'>): ServerTime => {
  let low = Number.NEGATIVE_INFINITY
  let high = Number.POSITIVE_INFINITY
  const offsetMs = (): number => (Number.isFinite(low) && Number.isFinite(high) ? Math.round((low + high) / 2) : 0)
  return {
    nowMs: () => clock.nowMs() + offsetMs(),
    observe: (headers, startedMs, endedMs) => {
      const dateMs = Date.parse(headers.get('date') ?? '')
      if (Number.isNaN(dateMs) || endedMs < startedMs) return
      const [least, most] = [dateMs - endedMs, dateMs + DATE_RESOLUTION_MS - startedMs]
      const [nextLow, nextHigh] = [Math.max(low, least), Math.min(high, most)]
      const fits = nextLow <= nextHigh
      low = fits ? nextLow : least
      high = fits ? nextHigh : most
    },
  }
}
