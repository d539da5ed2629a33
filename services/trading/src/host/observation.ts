import type { FeedQuote } from '@bourse/common/ports/prices.ts'
import type { TradingQuote } from './trading-host.ts'

/** A quote as the trading machines' host takes it. */
export const observationOf = (quote: FeedQuote): TradingQuote => ({
  feedBid: quote.feedBid,
  feedAsk: quote.feedAsk,
  timeMs: quote.receiveTimeMs,
})
