import { decimalsOfStep, formatAmount } from '@bourse/common/money/amount.ts'
import type { FeedQuote } from '@bourse/common/ports/prices.ts'
import type { TradingPairSpec } from '@bourse/common/resources/trading-pair.ts'
import { marketQuoteOf } from './quotation.ts'

/** A quote as clients see it: bid and ask with the pair's spread, in the tick's decimals. */
export const priceFields = (pair: TradingPairSpec, quote: FeedQuote) => {
  const { bid, ask } = marketQuoteOf(pair, quote)
  const decimals = decimalsOfStep(pair.tickSize)
  return {
    asset: pair.symbol,
    bid: formatAmount(bid, decimals),
    ask: formatAmount(ask, decimals),
    last: formatAmount(quote.last),
    time: new Date(quote.exchangeTimeMs).toISOString(),
    sequence: quote.sequence,
  }
}
