import { formatAmount, type Units } from '@bourse/common/money/amount.ts'
import type { OpenTrade } from '@bourse/trading/client/types.ts'
import { openTradeJson } from '@bourse/trading/codec/present.ts'

/** A moment as answers carry it. */
export const momentOf = (atMs: number): string => new Date(atMs).toISOString()

/** An open trade with what it is worth at the current quote, or null without one. */
export const valuedTradeFields = (trade: OpenTrade, pnl: Units | null): object => ({
  ...openTradeJson(trade),
  pnl: pnl === null ? null : formatAmount(pnl),
  fees: formatAmount(trade.openFee),
  funding: formatAmount(trade.fundingCost),
})
