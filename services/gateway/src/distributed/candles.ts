import type { FeedQuote, Prices } from '@bourse/common/ports/prices.ts'
import { createCandles, type Candles } from '@bourse/market/client/candles.ts'
import type { CandleSource } from '../platform-inspector.ts'

/** Quotes of the past that the bars of a symbol begin with, at most. */
export const SEED_QUOTES_MAX = 4_096

/** Bars that this process makes itself from the quotes it sees. */
export interface OwnCandles {
  readonly read: CandleSource
  /** Takes these symbols from now on too, each beginning with the quotes that are still known. */
  follow(symbols: readonly string[]): Promise<void>
  stop(): void
}

/** Makes bars of nothing yet. `recentQuotes` answers oldest first; when it fails the bars begin with the next quote. */
export const createOwnCandles = (deps: {
  readonly prices: Pick<Prices, 'subscribe'>
  readonly recentQuotes: (symbol: string, limit: number) => Promise<readonly FeedQuote[]>
  readonly onFailure: (error: unknown, symbol: string) => void
}): OwnCandles => {
  const bySymbol = new Map<string, { readonly candles: Candles; readonly unsubscribe: () => void }>()
  const past = async (symbol: string): Promise<readonly FeedQuote[]> => {
    try {
      return await deps.recentQuotes(symbol, SEED_QUOTES_MAX)
    } catch (error) {
      deps.onFailure(error, symbol)
      return []
    }
  }
  return {
    read: (asset, interval, limit) => bySymbol.get(asset)?.candles.read(interval, limit) ?? [],
    follow: async (symbols) => {
      for (const symbol of symbols.filter((one) => !bySymbol.has(one))) {
        const candles = createCandles()
        let lastSequence = -1
        const add = (quote: FeedQuote): void => {
          if (quote.sequence <= lastSequence) return
          lastSequence = quote.sequence
          candles.add(quote)
        }
        for (const quote of await past(symbol)) add(quote)
        bySymbol.set(symbol, { candles, unsubscribe: deps.prices.subscribe(symbol, add) })
      }
    },
    stop: () => {
      for (const { unsubscribe } of bySymbol.values()) unsubscribe()
      bySymbol.clear()
    },
  }
}
