/** How much of a span is left: what a person sees while a quote lives. */
export interface Countdown {
  readonly leftMs: number
  /** Whole seconds, rounded up: it says 0 only when it is over. */
  readonly seconds: number
  readonly isOver: boolean
  /** Whole percent that is left, for a bar. */
  readonly percent: number
}

/**
 * Until when a quote may be used, by this tab's own clock, ms: its life is counted from when it was asked for. The server counts
 * from when it made the quote, which is later, so that this never promises more than there is, and a clock that goes wrong
 * here or there changes nothing.
 */
export const quoteDeadlineMs = (askedAtMs: number, ttlSeconds: number): number => askedAtMs + ttlSeconds * 1_000

/** What is left of a span of `wholeMs` that ends at `deadlineMs`. */
export const countdownOf = (deadlineMs: number, wholeMs: number, nowMs: number): Countdown => {
  const leftMs = Math.min(wholeMs, Math.max(0, deadlineMs - nowMs))
  return {
    leftMs,
    seconds: Math.ceil(leftMs / 1_000),
    isOver: leftMs === 0,
    percent: wholeMs === 0 ? 0 : Math.floor((leftMs * 100) / wholeMs),
  }
}
