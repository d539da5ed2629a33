import type { FeedQuote, Prices } from '../../ports/prices.ts'

/** What the prices in memory tell and how far they go. */
export interface MemoryPricesOptions {
  /** Hears of a subscriber that threw; the others got their quote all the same. */
  readonly onSubscriberFailure?: (error: unknown, symbol: string) => void
  /** Symbols kept; a quote of one more is dropped. Default 65,535, the markets a platform can have. */
  readonly symbolsMax?: number
}

interface Subscriber {
  readonly handler: (quote: FeedQuote) => void
  /** Sequence of the last quote it got: one published from within a handler must not overtake. */
  lastSequence: number
}

interface Feed {
  latest: FeedQuote | null
  readonly subscribers: Set<Subscriber>
}

/** Prices in this process (port Prices): handlers run inside `publish`. */
export const createMemoryPrices = (options: MemoryPricesOptions = {}): Prices => {
  const { onSubscriberFailure = () => undefined, symbolsMax = 65_535 } = options
  const feeds = new Map<string, Feed>()

  const feedOf = (symbol: string): Feed | null => {
    const known = feeds.get(symbol)
    if (known !== undefined) return known
    if (feeds.size >= symbolsMax) return null
    const made: Feed = { latest: null, subscribers: new Set() }
    feeds.set(symbol, made)
    return made
  }
  const give = (subscriber: Subscriber, quote: FeedQuote): void => {
    if (quote.sequence <= subscriber.lastSequence) return
    subscriber.lastSequence = quote.sequence
    try {
      subscriber.handler(quote)
    } catch (error) {
      onSubscriberFailure(error, quote.symbol)
    }
  }

  return {
    publish: (quote) => {
      const feed = feedOf(quote.symbol)
      if (feed === null || (feed.latest !== null && quote.sequence <= feed.latest.sequence)) return
      feed.latest = quote
      for (const subscriber of [...feed.subscribers]) {
        if (feed.subscribers.has(subscriber)) give(subscriber, quote)
      }
    },
    latest: (symbol) => feeds.get(symbol)?.latest ?? null,
    subscribe: (symbol, handler) => {
      const feed = feedOf(symbol)
      if (feed === null) throw new RangeError(`more than ${symbolsMax} symbols`)
      const subscriber: Subscriber = { handler, lastSequence: -Infinity }
      feed.subscribers.add(subscriber)
      if (feed.latest !== null) give(subscriber, feed.latest)
      return () => void feed.subscribers.delete(subscriber)
    },
  }
}
