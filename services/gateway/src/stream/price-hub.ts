import type { FeedQuote, Prices } from '@bourse/common/ports/prices.ts'
import type { TradingPairSpec } from '@bourse/common/resources/trading-pair.ts'
import { priceFields } from '../market/price-fields.ts'
import { textFrame } from './frame.ts'

/** The latest prices as frames, each written once and handed to every reader. */
export interface PriceHub {
  /** Whether the asset is a market. */
  has(asset: string): boolean
  /**
   * Hands the latest frame, if there is one, and then the newest after every turn of the event loop that brought one to
   * `listener`, until the returned function is called. Quotes come faster than they can be handed out only when several
   * come in one turn: then all but the last are superseded before anybody could have read them.
   */
  subscribe(asset: string, listener: (frame: Buffer) => void): () => void
  stop(): void
}

interface Feed {
  readonly listeners: Set<(frame: Buffer) => void>
  /** The newest quote; its frame is made when somebody is to get it. */
  quote: FeedQuote | null
  frame: Buffer | null
  isDue: boolean
  stop: () => void
}

/** One subscription per asset that somebody reads, whatever the number of readers. */
export const createPriceHub = ({
  prices,
  pairs,
  superseded,
}: {
  readonly prices: Prices
  readonly pairs: () => readonly TradingPairSpec[]
  /** Hears how many readers a superseded quote would have gone to. */
  readonly superseded: (readers: number) => void
}): PriceHub => {
  const feeds = new Map<string, Feed>()
  const pairOf = (asset: string): TradingPairSpec | undefined => pairs().find(({ symbol }) => symbol === asset)

  const frameOf = (asset: string, feed: Feed): Buffer | null => {
    const pair = pairOf(asset)
    if (feed.quote === null || pair === undefined) return null
    const { sequence } = feed.quote
    feed.frame ??= textFrame(
      JSON.stringify({ channel: `prices:${asset}`, sequence, data: priceFields(pair, feed.quote) }),
    )
    return feed.frame
  }
  const handOut = (asset: string, feed: Feed): void => {
    feed.isDue = false
    const frame = frameOf(asset, feed)
    if (frame !== null) for (const listener of feed.listeners) listener(frame)
  }

  const open = (asset: string): Feed => {
    const feed: Feed = { listeners: new Set(), quote: null, frame: null, isDue: false, stop: () => undefined }
    feed.stop = prices.subscribe(asset, (quote) => {
      feed.quote = quote
      feed.frame = null
      if (feed.isDue) {
        superseded(feed.listeners.size)
        return
      }
      feed.isDue = true
      setImmediate(() => {
        handOut(asset, feed)
      })
    })
    feeds.set(asset, feed)
    return feed
  }

  return {
    has: (asset) => pairOf(asset) !== undefined,
    subscribe: (asset, listener) => {
      const feed = feeds.get(asset) ?? open(asset)
      // What is due will bring the newest anyway.
      const frame = feed.isDue ? null : frameOf(asset, feed)
      if (frame !== null) listener(frame)
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
