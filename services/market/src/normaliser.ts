import { parseAmount } from '@bourse/common/money/amount.ts'
import type { Units } from '@bourse/common/money/amount.ts'
import type { FeedQuote } from '@bourse/common/ports/prices.ts'

/** A quote as a source gives it. Prices are units of 1e-8, moments ms. */
export interface SourceQuote {
  readonly feedBid: Units
  readonly feedAsk: Units
  readonly last: Units
  readonly exchangeTimeMs: number
  readonly receiveTimeMs: number
}

/**
 * Why a quote is not believed:
 * - `not-positive`: a price of zero or less;
 * - `crossed`: bid above ask;
 * - `absurd`: a price above one billion, or an ask more than twice the bid;
 * - `stale`: older than the market allows when it arrived;
 * - `future`: more than 10 s ahead of its arrival;
 * - `out-of-order`: older than the last quote;
 * - `jump`: further than maxJumpBps from the last quote and not yet confirmed.
 */
export const rejectReasons = ['not-positive', 'crossed', 'absurd', 'stale', 'future', 'out-of-order', 'jump'] as const
/** One of the reasons. */
export type RejectReason = (typeof rejectReasons)[number]

/** What the normaliser of one symbol is told. */
export interface NormaliserOptions {
  readonly symbol: string
  /** Units of 1e-8 bp: the largest move that one quote is believed for. */
  readonly maxJumpBps: Units
  /**
   * A quote older than this when it arrives is `stale`; null: the age does not matter (a recorded tape read as
   * fast as it goes).
   */
  readonly maxAgeMs: number | null
  /** Sequence of the first quote; default 1. */
  readonly firstSequence?: number
}

/** The normaliser of one symbol. */
export interface Normaliser {
  /** The quote as the platform sees it, or why it is not believed. */
  accept(quote: SourceQuote): Normalised
  /** How many were refused so far, by reason. */
  rejected(): Readonly<Record<RejectReason, number>>
}

/** The outcome of one quote. */
export type Normalised =
  { readonly ok: true; readonly quote: FeedQuote } | { readonly ok: false; readonly reason: RejectReason }

/** Quotes that must agree before a jump is believed. */
export const CONFIRMATIONS = 3
/** Highest price that is not absurd, units: as high as the engine reckons with. */
export const PRICE_MAX_UNITS = parseAmount('1000000000')
/** How far ahead of its arrival a quote's time may be: clocks differ. */
const FUTURE_MS_MAX = 10_000
/** 10,000 bps in units of 1e-8 bp. */
const BPS_ONE = 1_000_000_000_000n

/** Twice the mid price: exact, where the mid of two prices may be half a unit. */
const twiceMid = ({ feedBid, feedAsk }: SourceQuote): bigint => feedBid + feedAsk

const isWithin = (price: bigint, from: bigint, maxJumpBps: bigint): boolean => {
  const distance = price > from ? price - from : from - price
  return distance * BPS_ONE <= from * maxJumpBps
}

const badPrice = ({ feedBid, feedAsk, last }: SourceQuote): RejectReason | null => {
  if (feedBid <= 0n || feedAsk <= 0n || last <= 0n) return 'not-positive'
  if (feedBid > feedAsk) return 'crossed'
  if (feedAsk > PRICE_MAX_UNITS || last > PRICE_MAX_UNITS || feedAsk > feedBid * 2n) return 'absurd'
  return null
}

/**
 * One symbol's filter between any source and everything that trades on its prices. It holds no clock: the same
 * quotes give the same decisions, live and in a replay.
 *
 * A quote whose mid price is further than maxJumpBps from the last believed one waits: the third consecutive
 * quote that agrees is believed, and is the new last. Two quotes agree when their mid prices are within
 * maxJumpBps of each other; each new one must agree with all that wait, or it starts the waiting anew. A quote
 * within maxJumpBps of the last believed one ends the waiting. Quotes refused for other reasons count neither
 * for nor against.
 *
 * When arrivals go back in time our own clock was set back: the order by time then begins anew, or a feed
 * without times of its own would be refused until the clock has caught up.
 */
export const createNormaliser = ({
  symbol,
  maxJumpBps,
  maxAgeMs,
  firstSequence = 1,
}: NormaliserOptions): Normaliser => {
  const rejected = Object.fromEntries(rejectReasons.map((reason) => [reason, 0])) as Record<RejectReason, number>
  let lastTwiceMid: bigint | undefined
  let lastTimeMs = Number.NEGATIVE_INFINITY
  let lastReceiveMs = Number.NEGATIVE_INFINITY
  let nextSequence = firstSequence
  let waiting: bigint[] = []

  const badTime = ({ exchangeTimeMs, receiveTimeMs }: SourceQuote): RejectReason | null => {
    if (receiveTimeMs < lastReceiveMs) lastTimeMs = Number.NEGATIVE_INFINITY
    lastReceiveMs = receiveTimeMs
    if (maxAgeMs !== null && receiveTimeMs - exchangeTimeMs > maxAgeMs) return 'stale'
    if (exchangeTimeMs - receiveTimeMs > FUTURE_MS_MAX) return 'future'
    return exchangeTimeMs < lastTimeMs ? 'out-of-order' : null
  }
  const isBelieved = (price: bigint): boolean => {
    if (lastTwiceMid === undefined || isWithin(price, lastTwiceMid, maxJumpBps)) return true
    const agrees = waiting.every((other) => isWithin(price, other, maxJumpBps))
    waiting = agrees ? [...waiting, price] : [price]
    return waiting.length >= CONFIRMATIONS
  }
  const judge = (quote: SourceQuote): RejectReason | null => {
    const bad = badPrice(quote) ?? badTime(quote)
    if (bad !== null) return bad
    lastTimeMs = quote.exchangeTimeMs
    return isBelieved(twiceMid(quote)) ? null : 'jump'
  }
  return {
    accept: (quote) => {
      const reason = judge(quote)
      if (reason !== null) {
        rejected[reason] += 1
        return { ok: false, reason }
      }
      waiting = []
      lastTwiceMid = twiceMid(quote)
      const sequence = nextSequence
      nextSequence += 1
      return { ok: true, quote: { symbol, ...quote, sequence } }
    },
    rejected: () => ({ ...rejected }),
  }
}
