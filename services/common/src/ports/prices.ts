/** A quote as the normaliser gives it. Prices are units of 1e-8. */
export interface FeedQuote {
  readonly symbol: string
  readonly feedBid: bigint
  readonly feedAsk: bigint
  readonly last: bigint
  /** The source's time, ms. */
  readonly exchangeTimeMs: number
  /** When we received it, ms. */
  readonly receiveTimeMs: number
  /** Per symbol, rising by at least 1. */
  readonly sequence: number
}

/**
 * Prices: the latest quote of each symbol, and a stream of them.
 *
 * P1 Subscribers of a symbol get its quotes in order of sequence; one that is not newer is dropped.
 * P2 `latest` is the last published quote, or null.
 * P3 A new subscriber gets the latest quote first, when there is one.
 * P4 A failing subscriber harms no other.
 * P5 It may forget everything; nothing is kept over a restart.
 */
export interface Prices {
  publish(quote: FeedQuote): void
  latest(symbol: string): FeedQuote | null
  subscribe(symbol: string, handler: (quote: FeedQuote) => void): () => void
}
