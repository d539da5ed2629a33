import { addChecked } from '../shared/int128'
import { LIST_HEAD_BYTES, Trade } from './layout'
import { settledDeficit, settledFee, settledFunding, settledPnl, settledReturned, shownLiquidationPrice } from './rules'
import { market } from './state'

/** Writes an open trade as `openTradeLayout` of `src/trading/outcomes.ts` has it. */
export function writeOpenTrade(ptr: usize, trade: Trade): void {
  store<u64>(ptr, trade.number)
  store<i64>(ptr, trade.quantity, 8)
  store<i64>(ptr, trade.entryPrice, 16)
  store<i64>(ptr, shownLiquidationPrice(trade), 24)
  store<i64>(ptr, trade.openFee, 32)
  store<i64>(ptr, trade.openedAt, 40)
  store<i64>(ptr, trade.margin, 48)
  store<i64>(ptr, trade.stopLoss, 56)
  store<i64>(ptr, trade.takeProfit, 64)
  store<u32>(ptr, trade.direction, 72)
  store<u32>(ptr, trade.leverage, 76)
  store<u64>(ptr, trade.account, 80)
  store<u64>(ptr, trade.accountRest, 88)
  store<u64>(ptr, trade.openId, 96)
  store<u64>(ptr, trade.openIdRest, 104)
  store<i64>(ptr, trade.fundingAtOpen, 112)
  store<u32>(ptr, trade.ledgerPartition, 120)
  store<u32>(ptr, 0, 124)
}

/** Writes an open trade as `updatedTradeLayout` of `src/trading/outcomes.ts` has it. */
export function writeUpdatedTrade(ptr: usize, trade: Trade, now: i64): void {
  store<u64>(ptr, trade.number)
  store<i64>(ptr, trade.stopLoss, 8)
  store<i64>(ptr, trade.takeProfit, 16)
  store<i64>(ptr, shownLiquidationPrice(trade), 24)
  store<i64>(ptr, now, 32)
  store<i64>(ptr, trade.openedAt, 40)
  store<i64>(ptr, trade.quantity, 48)
  store<i64>(ptr, trade.entryPrice, 56)
  store<i64>(ptr, trade.openFee, 64)
  store<i64>(ptr, trade.margin, 72)
  store<u32>(ptr, trade.direction, 80)
  store<u32>(ptr, trade.leverage, 84)
  store<u64>(ptr, trade.account, 88)
  store<u64>(ptr, trade.accountRest, 96)
  store<u64>(ptr, trade.openId, 104)
  store<u64>(ptr, trade.openIdRest, 112)
  store<i64>(ptr, trade.fundingAtOpen, 120)
  store<u32>(ptr, trade.ledgerPartition, 128)
  store<u32>(ptr, 0, 132)
}

/** Writes a trade settled last by `settle` as `closedTradeLayout` of `src/trading/outcomes.ts` has it. */
export function writeClosedTrade(ptr: usize, trade: Trade, price: i64, reason: u32, now: i64): void {
  store<u64>(ptr, trade.number)
  store<i64>(ptr, price, 8)
  store<i64>(ptr, settledPnl, 16)
  store<i64>(ptr, addChecked(trade.openFee, settledFee), 24)
  store<i64>(ptr, settledReturned, 32)
  store<i64>(ptr, now, 40)
  store<i64>(ptr, settledFunding, 48)
  store<i64>(ptr, settledDeficit, 56)
  store<i64>(ptr, settledFee, 64)
  store<u32>(ptr, reason, 72)
  store<u32>(ptr, trade.direction, 76)
  store<i64>(ptr, trade.margin, 80)
  store<i64>(ptr, trade.quantity, 88)
  store<i64>(ptr, trade.entryPrice, 96)
  store<i64>(ptr, shownLiquidationPrice(trade), 104)
  store<i64>(ptr, trade.openFee, 112)
  store<i64>(ptr, trade.openedAt, 120)
  store<i64>(ptr, trade.stopLoss, 128)
  store<i64>(ptr, trade.takeProfit, 136)
  store<u64>(ptr, trade.account, 144)
  store<u64>(ptr, trade.accountRest, 152)
  store<u64>(ptr, trade.openId, 160)
  store<u64>(ptr, trade.openIdRest, 168)
  store<u32>(ptr, trade.leverage, 176)
  store<u32>(ptr, trade.ledgerPartition, 180)
}

/** Writes the head of a list of trades; answers where the first goes. */
export function writeListHead(ptr: usize, count: u32, more: bool): usize {
  store<u32>(ptr, count)
  store<u32>(ptr, <u32>more, 4)
  store<i64>(ptr, market.funding, 8)
  store<i64>(ptr, market.nextFunding, 16)
  return ptr + LIST_HEAD_BYTES
}
