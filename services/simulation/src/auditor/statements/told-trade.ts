import type { PartitionNumber } from '@bourse/common/kernel/partition.ts'
import type { OpenTrade } from '@bourse/trading/client/types.ts'
import { partitionOfTrade, placeOfTradeId } from '@bourse/trading/codec/trade-id.ts'
import { fundingCostOf, isLiquidationPrice } from '../arithmetic/cfd.ts'
import { differences } from '../model/differences.ts'
import type { TradeLife, TradingBook } from '../model/trading/book.ts'
import type { Trade } from '../model/trading/trade.ts'
import type { Case } from './case.ts'

/** How a client is told of a trade, open or closed. */
export const sharedFields = (trade: Trade) => ({
  direction: trade.isLong ? 'LONG' : 'SHORT',
  margin: trade.margin,
  leverage: trade.leverage,
  quantity: trade.quantity,
  entryPrice: trade.entryPrice,
  stopLossPrice: trade.stopLoss === 0n ? null : trade.stopLoss,
  takeProfitPrice: trade.takeProfit === 0n ? null : trade.takeProfit,
  openFee: trade.openFee,
  openedAtMs: Number(trade.openedAt),
})

/** The trade behind a public id, and the market that has it. */
export const lifeAt = (
  { books }: Case,
  tradeId: string,
): { readonly life: TradeLife; readonly book: TradingBook; readonly partition: PartitionNumber } | null => {
  const place = placeOfTradeId(tradeId)
  const partition = place === null ? 0 : partitionOfTrade(place)
  const book = books.markets.get(partition)
  const life = book?.lives.get(place?.tradeNumber ?? 0n)
  return book === undefined || life === undefined ? null : { life, book, partition }
}

/** What is wrong in how an open trade is told with its stops and F of that moment; empty when nothing is. */
export const faultsOfTrade = (
  told: OpenTrade,
  trade: Trade,
  { book }: { readonly book: TradingBook },
  funding: bigint,
): string => {
  const wrong = differences({ ...told }, { ...sharedFields(trade), fundingCost: fundingCostOf(trade, funding) })
  if (wrong !== '') return wrong
  const tick = book.terms?.tickSize ?? 1n
  return isLiquidationPrice(trade, told.liquidationPrice ?? 0n, funding, tick)
    ? ''
    : `liquidationPrice ${told.liquidationPrice}`
}
