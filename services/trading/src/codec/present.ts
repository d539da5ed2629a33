import { formatAmount } from '@bourse/common/money/amount.ts'
import { partitionParts, type PartitionNumber } from '@bourse/common/kernel/partition.ts'
import {
  closeReasons,
  directions,
  type CloseReasonName,
  type ClosedTrade as ClosedRecord,
  type DirectionName,
  type OpenTrade as OpenRecord,
} from '@bourse/risk-rules/trading/codec.ts'
import { fundingCostOf } from '@bourse/risk-rules/trading/quote.ts'
import { tradeIdOf } from './trade-id.ts'

/** An open trade of a machine in the edge's words; units and ms. */
export interface OpenTradeFields {
  readonly tradeId: string
  readonly asset: string
  readonly direction: DirectionName
  readonly margin: bigint
  readonly leverage: number
  readonly quantity: bigint
  readonly entryPrice: bigint
  readonly liquidationPrice: bigint | null
  readonly stopLossPrice: bigint | null
  readonly takeProfitPrice: bigint | null
  readonly openFee: bigint
  readonly openedAtMs: number
  readonly fundingCost: bigint
}

/** A closed trade of a machine in the edge's words; units and ms. */
export interface ClosedTradeFields extends OpenTradeFields {
  readonly exitPrice: bigint
  readonly pnl: bigint
  readonly fees: bigint
  readonly funding: bigint
  readonly returned: bigint
  readonly reason: CloseReasonName
  readonly closedAtMs: number
}

const nameOf = <Names extends Record<string, number>>(names: Names, number: number): keyof Names & string => {
  const found = Object.keys(names).find((name) => names[name] === number)
  if (found === undefined) throw new RangeError(`${number} is none of ${Object.keys(names).join(', ')}`)
  return found
}

const orNull = (units: bigint): bigint | null => (units === 0n ? null : units)

const shared = (
  asset: string,
  partition: PartitionNumber,
  trade: OpenRecord | ClosedRecord,
): Omit<OpenTradeFields, 'fundingCost'> => {
  const { market, index } = partitionParts(partition)
  return {
    tradeId: tradeIdOf({ market, partitionIndex: index, tradeNumber: trade.tradeNumber }),
    asset,
    direction: nameOf(directions, trade.direction),
    margin: trade.margin,
    leverage: trade.leverage,
    quantity: trade.quantity,
    entryPrice: trade.entryPrice,
    liquidationPrice: orNull(trade.liquidationPrice),
    stopLossPrice: orNull(trade.stopLoss),
    takeProfitPrice: orNull(trade.takeProfit),
    openFee: trade.openFee,
    openedAtMs: Number(trade.openedAt),
  }
}

/** An open trade as clients know it; `funding` is today's F. */
export const openTradeFields = (
  asset: string,
  partition: PartitionNumber,
  trade: OpenRecord,
  funding: bigint,
): OpenTradeFields => ({
  ...shared(asset, partition, trade),
  fundingCost: fundingCostOf(trade.direction, trade.quantity, funding, trade.fundingAtOpen),
})

/** A closed trade as clients know it. */
export const closedTradeFields = (
  asset: string,
  partition: PartitionNumber,
  trade: ClosedRecord,
): ClosedTradeFields => ({
  ...shared(asset, partition, trade),
  fundingCost: trade.funding,
  exitPrice: trade.exitPrice,
  pnl: trade.pnl,
  fees: trade.fees,
  funding: trade.funding,
  returned: trade.returned,
  reason: nameOf(closeReasons, trade.reason),
  closedAtMs: Number(trade.closedAt),
})

const text = (units: bigint | null): string | null => (units === null ? null : formatAmount(units))

/** An open trade on the wire: decimal strings, ISO times. */
export const openTradeJson = (trade: OpenTradeFields): Record<string, unknown> => ({
  tradeId: trade.tradeId,
  asset: trade.asset,
  direction: trade.direction,
  margin: formatAmount(trade.margin),
  leverage: trade.leverage,
  quantity: formatAmount(trade.quantity),
  entryPrice: formatAmount(trade.entryPrice),
  liquidationPrice: text(trade.liquidationPrice),
  stopLossPrice: text(trade.stopLossPrice),
  takeProfitPrice: text(trade.takeProfitPrice),
  openedAt: new Date(trade.openedAtMs).toISOString(),
})

/** A closed trade on the wire: decimal strings, ISO times. */
export const closedTradeJson = (trade: ClosedTradeFields): Record<string, unknown> => ({
  ...openTradeJson(trade),
  exitPrice: formatAmount(trade.exitPrice),
  pnl: formatAmount(trade.pnl),
  fees: formatAmount(trade.fees),
  funding: formatAmount(trade.funding),
  returned: formatAmount(trade.returned),
  reason: trade.reason,
  closedAt: new Date(trade.closedAtMs).toISOString(),
})
