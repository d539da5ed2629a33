import type { Units } from '@bourse/common/money/amount.ts'
import { createNormaliser } from '@bourse/market/normaliser.ts'
import { readTape, TapeError } from '@bourse/market/tape/read-tape.ts'
import type { TapeTick } from '@bourse/market/tape/read-tape.ts'
import { faultOfFile, ReplayInputError } from './input-error.ts'

/** Most ticks a replay holds in memory: 16 bytes each. */
export const TICKS_MAX = 50_000_000
const TICKS_AT_FIRST = 65_536

/**
 * The believed ticks of a tape, in order of time: column `timesMs` and column `prices` (units; a tape's one
 * price is bid and ask).
 */
export interface ReplayTape {
  readonly count: number
  readonly timesMs: Float64Array
  readonly prices: BigInt64Array
  /** Ticks the market's jump filter did not believe; no engine sees them. */
  readonly refused: number
}

interface Columns {
  readonly timesMs: Float64Array
  readonly prices: BigInt64Array
}

const grown = (tape: Columns, size: number): Columns => {
  const timesMs = new Float64Array(size)
  const prices = new BigInt64Array(size)
  timesMs.set(tape.timesMs)
  prices.set(tape.prices)
  return { timesMs, prices }
}

/**
 * Passes ticks through the same filter as live quotes and keeps what it believes. Their age does not matter:
 * `now` is the tick's time.
 */
export const tapeOf = async (
  ticks: AsyncIterable<TapeTick> | Iterable<TapeTick>,
  { symbol, maxJumpBps }: { readonly symbol: string; readonly maxJumpBps: Units },
): Promise<ReplayTape> => {
  const normaliser = createNormaliser({ symbol, maxJumpBps, maxAgeMs: null })
  let columns: Columns = {
    timesMs: new Float64Array(TICKS_AT_FIRST),
    prices: new BigInt64Array(TICKS_AT_FIRST),
  }
  let count = 0
  let refused = 0
  for await (const { timeMs, feedBid, feedAsk, last } of ticks) {
    if (timeMs <= 0)
      throw new ReplayInputError(
        `a tick of ${new Date(timeMs).toISOString()}; a tape begins after 1970-01-01T00:00:00Z`,
      )
    const accepted = normaliser.accept({
      feedBid,
      feedAsk,
      last,
      exchangeTimeMs: timeMs,
      receiveTimeMs: timeMs,
    })
    if (!accepted.ok) {
      refused += 1
      continue
    }
    if (count === TICKS_MAX) throw new ReplayInputError(`more than ${TICKS_MAX} ticks; replay the tape in parts`)
    if (count === columns.timesMs.length) columns = grown(columns, Math.min(2 * count, TICKS_MAX))
    columns.timesMs[count] = timeMs
    columns.prices[count] = feedBid
    count += 1
  }
  return {
    count,
    timesMs: columns.timesMs.subarray(0, count),
    prices: columns.prices.subarray(0, count),
    refused,
  }
}

/**
 * Reads a tape into memory.
 * @throws {ReplayInputError} naming the file, and the line of the first bad row
 */
export const loadTape = async (
  file: string,
  market: { readonly symbol: string; readonly maxJumpBps: Units },
): Promise<ReplayTape> => {
  try {
    return await tapeOf(readTape(file), market)
  } catch (error) {
    throw faultOfFile(file, error, (known) => known instanceof TapeError || known instanceof ReplayInputError)
  }
}

/** Index of the first tick at or after a moment, from index `from` on; `count` when there is none. */
export const firstTickAt = ({ timesMs, count }: ReplayTape, momentMs: number, from: number): number => {
  let low = from
  let high = count
  while (low < high) {
    const middle = (low + high) >>> 1
    if (timesMs[middle]! < momentMs) low = middle + 1
    else high = middle
  }
  return low
}
