import { formatAmount } from '@bourse/common/money/amount.ts'
import type { TradeView } from '@bourse/common/views/models.ts'
import { momentOf } from '../engine/trade-fields.ts'

const optional = (units: bigint | null): string | null => (units === null ? null : formatAmount(units))

/** A trade of the view as answers carry it. */
export const listedTradeFields = (trade: TradeView): object => {
  const open = {
    tradeId: trade._id,
    asset: trade.asset,
    direction: trade.direction,
    margin: formatAmount(trade.margin),
    leverage: trade.leverage,
    quantity: formatAmount(trade.quantity),
    entryPrice: formatAmount(trade.entryPrice),
    liquidationPrice: optional(trade.liquidationPrice),
    stopLossPrice: optional(trade.stopLossPrice),
    takeProfitPrice: optional(trade.takeProfitPrice),
    openedAt: momentOf(trade.openedAt),
  }
  if (trade.status === 'open') return { ...open, status: 'open', fees: formatAmount(trade.openFee) }
  return {
    ...open,
    status: 'closed',
    exitPrice: optional(trade.exitPrice),
    pnl: optional(trade.pnl),
    fees: optional(trade.fees),
    funding: optional(trade.funding),
    returned: optional(trade.returned),
    reason: trade.reason,
    closedAt: trade.closedAt === null ? null : momentOf(trade.closedAt),
  }
}
