import type { Clock } from '@bourse/common/ports/clock.ts'
import type { FeedQuote } from '@bourse/common/ports/prices.ts'
import type { TradingPair } from '@bourse/common/resources/trading-pair.ts'
import { createMarketJudge } from './market-judge.ts'
import { createNormaliser, type Normaliser } from '@bourse/market/normaliser.ts'

/** The market's process: what every source's quotes pass before anybody trades on them. */
export interface MarketPart {
  /** A quote of the source, received now; `ageMs` ago by the source's own time. Null when it is not believed. */
  accept(asset: string, bid: bigint, ask: bigint, ageMs: number): FeedQuote | null
}

/**
 * Makes the market's part of a process, with a normaliser per pair as the market service makes it: sequences begin at the
 * clock's milliseconds and above what was published last.
 */
export const createMarketPart = (deps: {
  readonly clock: Clock
  readonly pairs: readonly TradingPair[]
  readonly latest: (symbol: string) => FeedQuote | null
  /** Hears what is wrong with what the market believes. */
  readonly report: (what: string) => void
}): MarketPart => {
  const normalisers = new Map<string, Normaliser>(
    deps.pairs.map(({ spec }) => [
      spec.symbol,
      createNormaliser({
        symbol: spec.symbol,
        maxJumpBps: spec.prices.maxJumpBps,
        maxAgeMs: spec.prices.maxAgeSeconds * 1_000,
        firstSequence: Math.max(deps.clock.nowMs(), (deps.latest(spec.symbol)?.sequence ?? 0) + 1),
      }),
    ]),
  )
  const judge = createMarketJudge()
  return {
    accept: (asset, feedBid, feedAsk, ageMs) => {
      const receiveTimeMs = deps.clock.nowMs()
      const normalised = normalisers
        .get(asset)
        ?.accept({ feedBid, feedAsk, last: feedBid, exchangeTimeMs: receiveTimeMs - ageMs, receiveTimeMs })
      const isBelieved = normalised?.ok === true
      const spec = deps.pairs.find((pair) => pair.spec.symbol === asset)?.spec
      const timeMs = receiveTimeMs - ageMs
      const quote = { bid: feedBid, ask: feedAsk, timeMs, receivedMs: receiveTimeMs }
      const wrong = spec === undefined ? null : judge(spec, quote, isBelieved)
      if (wrong !== null) deps.report(wrong)
      return isBelieved ? normalised.quote : null
    },
  }
}
