import type { Units } from '@bourse/common/money/amount.ts'
import type { FeedQuote, Prices } from '@bourse/common/ports/prices.ts'
import { directions } from '@bourse/risk-rules/trading/numbers.ts'
import { pnlOf, quoteOf, type Quote } from '@bourse/risk-rules/trading/quote.ts'
import type { TradingPairSpec } from '@bourse/common/resources/trading-pair.ts'
import type { OpenTrade } from '@bourse/trading/client/types.ts'

/** What a pair trades at by a feed quote, by the engine's own rules. */
export const marketQuoteOf = (
  pair: Pick<TradingPairSpec, 'tickSize' | 'spreadBps'>,
  { feedBid, feedAsk }: Pick<FeedQuote, 'feedBid' | 'feedAsk'>,
): Quote => quoteOf(feedBid, feedAsk, pair.spreadBps, pair.tickSize)

/** What says what a trade is worth now. */
export interface Valuation {
  readonly pairs: () => readonly TradingPairSpec[]
  readonly prices: Pick<Prices, 'latest'>
}

/** The pnl of closing at the latest quote, before fees and funding, by the engine's own rules; null without a quote. */
export const unrealizedPnlOf = (
  { pairs, prices }: Valuation,
  { asset, direction, quantity, entryPrice }: OpenTrade,
): Units | null => {
  const pair = pairs().find(({ symbol }) => symbol === asset)
  const quote = prices.latest(asset)
  if (pair === undefined || quote === null) return null
  return pnlOf({ direction: directions[direction], quantity, entryPrice }, marketQuoteOf(pair, quote))
}
