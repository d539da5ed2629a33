import type { FeedQuote } from '../ports/prices.ts'

/** Symbols followed by default: the markets a platform can have. */
export const SYMBOLS_MAX = 65_535

/** How far the feeds go and who hears what of them. */
export interface PriceFeedsOptions {
  /** Hears of a subscriber that threw; the others got their quote all the same. */
  readonly onSubscriberFailure?: ((error: unknown, symbol: string) => void) | undefined
  /** One symbol more is not followed. Default SYMBOLS_MAX. */
  readonly symbolsMax?: number | undefined
  /** Hears of each symbol once, when it is first asked for. */
  readonly onFollow?: (symbol: string) => void
}

/** The newest quote of each symbol in this process, and who waits for the next. */
export interface PriceFeeds {
  /** Follows a symbol from now on; false when `symbolsMax` others are followed. */
  follow(symbol: string): boolean
  /** Gives a quote to the subscribers of its symbol; false when it is not newer than the last, or its symbol not followed. */
  take(quote: FeedQuote): boolean
  latest(symbol: string): FeedQuote | null
  /** Gives the newest quote at once and every later one; returns what ends it. @throws {RangeError} when it can't be followed */
  subscribe(symbol: string, handler: (quote: FeedQuote) => void): () => void
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

/** Feeds of no symbol yet: what every adapter of the port Prices keeps in its own process. */
export const createPriceFeeds = (options: PriceFeedsOptions = {}): PriceFeeds => {
  const { onSubscriberFailure = () => undefined, symbolsMax = SYMBOLS_MAX, onFollow = () => undefined } = options
  const feeds = new Map<string, Feed>()

  const followed = (symbol: string): Feed | null => {
    const known = feeds.get(symbol)
    if (known !== undefined) return known
    if (feeds.size >= symbolsMax) return null
    const made: Feed = { latest: null, subscribers: new Set() }
    feeds.set(symbol, made)
    onFollow(symbol)
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
    follow: (symbol) => followed(symbol) !== null,
    take: (quote) => {
      const feed = feeds.get(quote.symbol)
      if (feed === undefined || (feed.latest !== null && quote.sequence <= feed.latest.sequence)) return false
      feed.latest = quote
      for (const subscriber of [...feed.subscribers]) {
        if (feed.subscribers.has(subscriber)) give(subscriber, quote)
      }
      return true
    },
    latest: (symbol) => feeds.get(symbol)?.latest ?? null,
    subscribe: (symbol, handler) => {
      const feed = followed(symbol)
      if (feed === null) throw new RangeError(`more than ${symbolsMax} symbols`)
      const subscriber: Subscriber = { handler, lastSequence: -Infinity }
      feed.subscribers.add(subscriber)
      if (feed.latest !== null) give(subscriber, feed.latest)
      return () => void feed.subscribers.delete(subscriber)
    },
  }
}
