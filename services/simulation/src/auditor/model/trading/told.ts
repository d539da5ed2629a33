import { directions, type ClosedTrade, type OpenTrade } from '@bourse/risk-rules/trading/codec.ts'
import { isLiquidationPrice } from '../../arithmetic/cfd.ts'
import { hex } from '../../evidence/bytes.ts'
import { differences } from '../differences.ts'
import type { End, Trade } from './trade.ts'

const sharedFields = (trade: Trade) => ({
  tradeNumber: trade.number,
  quantity: trade.quantity,
  entryPrice: trade.entryPrice,
  openFee: trade.openFee,
  openedAt: trade.openedAt,
  margin: trade.margin,
  stopLoss: trade.stopLoss,
  takeProfit: trade.takeProfit,
  direction: trade.isLong ? directions.LONG : directions.SHORT,
  leverage: trade.leverage,
  account: trade.account,
  openId: trade.openId,
  ledgerPartition: trade.ledgerPartition,
})

const withTexts = (told: OpenTrade | ClosedTrade) => ({ ...told, account: hex(told.account), openId: hex(told.openId) })

/** What is wrong in how an open trade is told, with F of that moment; empty when nothing is. */
export const faultsOfOpen = (told: OpenTrade, trade: Trade, funding: bigint, tick: bigint): string => {
  const wrong = differences(withTexts(told), { ...sharedFields(trade), fundingAtOpen: trade.fundingAtOpen })
  if (wrong !== '') return wrong
  return isLiquidationPrice(trade, told.liquidationPrice, funding, tick)
    ? ''
    : `liquidationPrice ${told.liquidationPrice} is not the one`
}

/** What is wrong in how a closed trade is told; empty when nothing is. */
export const faultsOfClosed = (told: ClosedTrade, trade: Trade, end: End, tick: bigint): string => {
  const { pnl, funding, returned, deficit, reason, exitPrice, closedAt, fee } = end
  const result = {
    pnl,
    funding,
    returned,
    deficit,
    reason,
    exitPrice,
    closedAt,
    closeFee: fee,
    fees: trade.openFee + fee,
  }
  const wrong = differences(withTexts(told), { ...sharedFields(trade), ...result })
  if (wrong !== '') return wrong
  return isLiquidationPrice(trade, told.liquidationPrice, end.fundingAt, tick)
    ? ''
    : `liquidationPrice ${told.liquidationPrice} is not the one`
}
