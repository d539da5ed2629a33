import type { FeedQuote, Prices } from '@bourse/common/ports/prices.ts'
import type { TradingPairSpec } from '@bourse/common/resources/trading-pair.ts'
import { priceFields } from '../market/price-fields.ts'

/** The latest prices as messages, each written once and handed to every reader. */
export interface PriceHub {
  /** Whether the asset is a market. */
  has(asset: string): boolean
  /** Hands the latest message, if there is one, and then every new one to `listener`, until the returned function is called. */
  subscribe(asset: string, listener: (message: Buffer) => void): () => void
  stop(): void
}

interface Feed {
  readonly listeners: Set<(message: Buffer) => void>
  latest: Buffer | null
  stop: () => void
}

/** One subscription per asset that somebody reads, whatever the number of readers. */
export const createPriceHub = ({
  prices,
  pairs,
}: {
  readonly prices: Prices
  readonly pairs: () => readonly TradingPairSpec[]
}): PriceHub => {
  const feeds = new Map<string, Feed>()
  const pairOf = (asset: string): TradingPairSpec | undefined => pairs().find(({ symbol }) => symbol === asset)

  const messageOf = (pair: TradingPairSpec, quote: FeedQuote): Buffer =>
    Buffer.from(
      JSON.stringify({ channel: `prices:${pair.symbol}`, sequence: quote.sequence, data: priceFields(pair, quote) }),
    )

  const open = (asset: string): Feed => {
    const feed: Feed = { listeners: new Set(), latest: null, stop: () => undefined }
    feed.stop = prices.subscribe(asset, (quote) => {
      const pair = pairOf(asset)
      if (pair === undefined) return
      const message = messageOf(pair, quote)
      feed.latest = message
      for (const listener of feed.listeners) listener(message)
    })
    feeds.set(asset, feed)
    return feed
  }

  return {
    has: (asset) => pairOf(asset) !== undefined,
    subscribe: (asset, listener) => {
      const feed = feeds.get(asset) ?? open(asset)
      if (feed.latest !== null) listener(feed.latest)
      feed.listeners.add(listener)
      return () => {
        feed.listeners.delete(listener)
        if (feed.listeners.size > 0 || feeds.get(asset) !== feed) return
        feed.stop()
        feeds.delete(asset)
      }
    },
    stop: () => {
      for (const feed of feeds.values()) feed.stop()
      feeds.clear()
    },
  }
}
