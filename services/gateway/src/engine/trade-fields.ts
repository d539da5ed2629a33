import { formatAmount, type Units } from '@bourse/common/money/amount.ts'
import type { ClosedTrade, OpenTrade } from '@bourse/trading/client/types.ts'

const optional = (units: Units | null): string | null => (units === null ? null : formatAmount(units))

/** A moment as answers carry it. */
export const momentOf = (atMs: number): string => new Date(atMs).toISOString()

/** A trade as opening answers it. */
export const openTradeFields = (trade: OpenTrade) => ({
  tradeId: trade.tradeId,
  asset: trade.asset,
  direction: trade.direction,
  margin: formatAmount(trade.margin),
  leverage: trade.leverage,
  quantity: formatAmount(trade.quantity),
  entryPrice: formatAmount(trade.entryPrice),
  liquidationPrice: optional(trade.liquidationPrice),
  stopLossPrice: optional(trade.stopLossPrice),
  takeProfitPrice: optional(trade.takeProfitPrice),
  openedAt: momentOf(trade.openedAtMs),
})

/** A trade as closing answers it. */
export const closedTradeFields = (trade: ClosedTrade) => ({
  ...openTradeFields(trade),
  exitPrice: formatAmount(trade.exitPrice),
  pnl: formatAmount(trade.pnl),
  fees: formatAmount(trade.fees),
  funding: formatAmount(trade.funding),
  returned: formatAmount(trade.returned),
  reason: trade.reason,
  closedAt: momentOf(trade.closedAtMs),
})

/** An open trade with what it is worth at the current quote, or null without one. */
export const valuedTradeFields = (trade: OpenTrade, pnl: Units | null) => ({
  ...openTradeFields(trade), pnl: optional(pnl), fees: formatAmount(trade.openFee), funding: formatAmount(trade.fundingCost),
})
