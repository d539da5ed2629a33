/** Most events that one redelivery sends. */
export const REDELIVERY_EVENTS_MAX = 100

/** Sequences from the first to the last, both included. */
export interface EventRange {
  readonly from: number
  readonly to: number
}

/** A sequence that was typed, or null. */
export const readSequence = (text: string): number | null => {
  const plain = text.trim()
  if (!/^[1-9]\d{0,15}$/.test(plain)) return null
  const value = Number(plain)
  return Number.isSafeInteger(value) ? value : null
}

/** Which events to send again; an empty end means the first alone. Or what is wrong, in words. */
export const readEventRange = (
  from: string,
  to: string,
): { readonly ok: true; readonly range: EventRange } | { readonly ok: false; readonly words: string } => {
  const first = readSequence(from)
  if (first === null) return { ok: false, words: 'Give the sequence of the first event, a whole number from 1.' }
  const last = to.trim() === '' ? first : readSequence(to)
  if (last === null) return { ok: false, words: 'The last sequence is a whole number from 1, or empty for one event.' }
  if (last < first) return { ok: false, words: 'The last sequence must not be before the first.' }
  if (last - first + 1 > REDELIVERY_EVENTS_MAX)
    return { ok: false, words: `At most ${REDELIVERY_EVENTS_MAX} events go at once; choose a shorter range.` }
  return { ok: true, range: { from: first, to: last } }
}

/** Events of one page. */
export const EVENT_PAGE = 50

/** Where the page before starts: events are numbered without gaps, so its place follows from the numbers. */
export const pageBefore = (after: number): number => Math.max(0, after - EVENT_PAGE)

/**
 * Finds where the page of the newest events starts, with few questions. `countAfter(after, limit)` answers how many
 * events stand after a sequence, at most `limit`. Events only become more: the steps double until one is not full, then halve.
 */
export const newestPageAfter = async (
  countAfter: (after: number, limit: number) => Promise<number>,
): Promise<number> => {
  /** There is an event after this one. */
  let low = 0
  let step = EVENT_PAGE
  while ((await countAfter(low + step, 1)) > 0) {
    low += step
    step *= 2
  }
  /** There is none after this one. */
  let high = low + step
  while (high - low > EVENT_PAGE) {
    const middle = low + Math.floor((high - low) / 2)
    if ((await countAfter(middle, 1)) > 0) low = middle
    else high = middle
  }
  const last = low + (await countAfter(low, EVENT_PAGE))
  return Math.max(0, last - EVENT_PAGE)
}
