import type { TradingPairSpec } from '@bourse/common/resources/trading-pair.ts'

/** A quote as its source gave it: prices in units, times in ms. */
export interface SourcedQuote {
  readonly bid: bigint
  readonly ask: bigint
  readonly timeMs: number
  readonly receivedMs: number
}

/** Says after each quote what is wrong with the market's belief in it, or null. One judge for each life of a market's process. */
export type MarketJudge = (pair: TradingPairSpec, quote: SourcedQuote, isBelieved: boolean) => string | null

/** What a judge knows of a symbol. */
interface Known {
  /** Bid and ask added up, of the last quote that was to be believed. */
  believed: bigint | null
  /** Of those since that are too far from it, newest last, as long as they agree. */
  far: bigint[]
  timeMs: number
  receivedMs: number
}

const HIGHEST = 1_000_000_000n * 100_000_000n
const AHEAD_MS_MAX = 10_000
const AGREEING = 3
/** 10,000 bps, in the units of a spec's bps. */
const WHOLE = 1_000_000_000_000n

const isNear = (sum: bigint, from: bigint, bps: bigint): boolean => {
  const apart = sum < from ? from - sum : sum - from
  return apart * WHOLE <= from * bps
}

/** Makes a judge that knows nothing: what the contract says of quotes, reckoned apart from the market's own filter. */
export const createMarketJudge = (): MarketJudge => {
  const symbols = new Map<string, Known>()
  const isBad = (known: Known, pair: TradingPairSpec, { bid, ask, timeMs, receivedMs }: SourcedQuote): boolean => {
    if (bid < 1n || ask < bid || ask > HIGHEST || ask > 2n * bid) return true
    // Our own clock was put back: the order of times begins anew.
    if (receivedMs < known.receivedMs) known.timeMs = -Infinity
    known.receivedMs = receivedMs
    const ageMs = receivedMs - timeMs
    return ageMs > pair.prices.maxAgeSeconds * 1_000 || ageMs < -AHEAD_MS_MAX || timeMs < known.timeMs
  }
  const shouldBelieve = (known: Known, pair: TradingPairSpec, quote: SourcedQuote): boolean => {
    if (isBad(known, pair, quote)) return false
    known.timeMs = quote.timeMs
    const sum = quote.bid + quote.ask
    const { maxJumpBps } = pair.prices
    if (known.believed !== null && !isNear(sum, known.believed, maxJumpBps)) {
      if (!known.far.every((other) => isNear(sum, other, maxJumpBps))) known.far = []
      known.far.push(sum)
      if (known.far.length < AGREEING) return false
    }
    known.far = []
    known.believed = sum
    return true
  }
  return (pair, quote, isBelieved) => {
    const fresh: Known = { believed: null, far: [], timeMs: -Infinity, receivedMs: -Infinity }
    const known = symbols.get(pair.symbol) ?? fresh
    symbols.set(pair.symbol, known)
    if (shouldBelieve(known, pair, quote) === isBelieved) return null
    const { bid, ask, timeMs, receivedMs } = quote
    const told = `${bid} ${ask} of ${timeMs} received at ${receivedMs}`
    return `the market ${isBelieved ? 'believes' : 'does not believe'} a quote of ${pair.symbol} (${told})`
  }
}
