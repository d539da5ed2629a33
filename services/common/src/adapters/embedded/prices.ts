import type { Prices } from '../../ports/prices.ts'
import { createPriceFeeds, type PriceFeedsOptions } from '../price-feeds.ts'

/** Whom the prices in memory tell and how far they go. */
export type MemoryPricesOptions = Omit<PriceFeedsOptions, 'onFollow'>

/** Prices in this process (port Prices): handlers run inside `publish`. */
export const createMemoryPrices = (options: MemoryPricesOptions = {}): Prices => {
  const feeds = createPriceFeeds(options)
  return {
    publish: (quote) => {
      if (feeds.follow(quote.symbol)) feeds.take(quote)
    },
    latest: feeds.latest,
    subscribe: feeds.subscribe,
  }
}
