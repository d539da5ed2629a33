import type { Units } from '@bourse/common/money/amount.ts'
import type { FeedQuote } from '@bourse/common/ports/prices.ts'
import { directions } from '@bourse/risk-rules/trading/numbers.ts'
import { pnlOf, quoteOf, type Quote } from '@bourse/risk-rules/trading/quote.ts'
import type { TradingPairSpec } from '@bourse/common/resources/trading-pair.ts'
import type { OpenTrade } from '@bourse/trading/client/types.ts'

/** What a pair trades at by a feed quote, by the engine's own rules. */
export const marketQuoteOf = (
  pair: Pick<TradingPairSpec, 'tickSize' | 'spreadBps'>,
  { feedBid, feedAsk }: Pick<FeedQuote, 'feedBid' | 'feedAsk'>,
): Quote => quoteOf(feedBid, feedAsk, pair.spreadBps, pair.tickSize)

/** The pnl of closing at the quote, before fees and funding, by the engine's own rules. */
export const unrealizedPnlOf = ({ direction, quantity, entryPrice }: OpenTrade, quote: Quote): Units =>
  pnlOf({ direction: directions[direction], quantity, entryPrice }, quote)
