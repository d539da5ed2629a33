import type { Units } from '@bourse/common/money/amount.ts'

/** An order for the market price. */
export interface ProviderOrder {
  /** Ours; the provider executes an order with the same id once. */
  readonly clientOrderId: string
  readonly symbol: string
  readonly side: 'BUY' | 'SELL'
  /** Decimal string. */
  readonly quantity: string
  /** Ms; the provider refuses the order later. */
  readonly validUntilMs: number
}

/** The market price, or why there is none. */
export type TickerResult =
  { readonly kind: 'price'; readonly price: Units } | { readonly kind: 'unavailable'; readonly reason: string }

/** What became of an order. `unknown`: it may have been executed; ask. `absent`: the provider has not got it (yet). */
export type OrderResult =
  | { readonly kind: 'filled'; readonly executedPrice: Units; readonly executedQuantity: Units }
  | { readonly kind: 'rejected'; readonly reason: string }
  | { readonly kind: 'absent' }
  | { readonly kind: 'unknown'; readonly reason: string }

/**
 * Liquidity provider: an exchange where bank trades are covered.
 *
 * Q1 `ticker` asks the provider at the moment of the call; it never answers from before.
 * Q2 `place` sends the order once. `filled` and `rejected` are final; everything the provider did not clearly say is `unknown`.
 * Q3 `ask` says what became of an order by our id, and sends nothing.
 * Q4 Each call ends within the provider's own time limit; none throws but for the caller's abort.
 * Q5 A text that is no amount is not a price: `unavailable` or `unknown`.
 */
export interface LiquidityProvider {
  ticker(symbol: string, signal?: AbortSignal): Promise<TickerResult>
  place(order: ProviderOrder, signal?: AbortSignal): Promise<OrderResult>
  ask(clientOrderId: string, signal?: AbortSignal): Promise<OrderResult>
}
