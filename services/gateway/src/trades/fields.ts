import { formatAmount } from '@bourse/common/money/amount.ts'
import type { TradeView } from '@bourse/common/views/models.ts'
import { openTradeJson } from '@bourse/trading/codec/present.ts'
import { momentOf } from '../engine/trade-fields.ts'

const optional = (units: bigint | null): string | null => (units === null ? null : formatAmount(units))

/** A trade of the view as answers carry it. */
export const listedTradeFields = (trade: TradeView): object => {
  const { _id: tradeId, openedAt: openedAtMs, status } = trade
  const open = openTradeJson({ ...trade, tradeId, openedAtMs, fundingCost: 0n })
  if (status === 'open') return { ...open, status, fees: formatAmount(trade.openFee) }
  return {
    ...open,
    status,
    exitPrice: optional(trade.exitPrice),
    pnl: optional(trade.pnl),
    fees: optional(trade.fees),
    funding: optional(trade.funding),
    returned: optional(trade.returned),
    reason: trade.reason,
    closedAt: trade.closedAt === null ? null : momentOf(trade.closedAt),
  }
}
