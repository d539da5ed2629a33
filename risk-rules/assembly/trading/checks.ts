import {
  addChecked, compare128, compareProducts, divideFloor128, high128, multiply, multiply128, subChecked, WHOLE,
} from '../shared/int128'
import { equal16 } from '../shared/hash-index'
import { CODE_INVALID_COMMAND, CODE_OK } from '../shared/io'
import {
  AMOUNT_OVERFLOW, EXPOSURE_LIMIT, INVALID_STOP_LOSS, INVALID_TAKE_PROFIT, LEVERAGE_TOO_HIGH, LONG, MARGIN_TOO_SMALL,
  MARKET_NOT_FOUND, NOTIONAL_MAX, NOTIONAL_TOO_HIGH, PRICE_MAX, PRICE_MOVED, PRICE_STALE, QUANTITY_MAX, TIME_MAX,
  TOO_MANY_TRADES, TRADE_CLOSED, TRADE_NOT_FOUND, VALUE_MAX_ROOT, WOULD_LIQUIDATE,
} from './codes'
import { Stored, TABLE_TIERS, TIER_BYTES, Trade } from './layout'
import { ask, bid, floorTo, isLiquidatedAt, liquidationKey, makeQuote } from './rules'
import { market, storedAt, tableAt } from './state'
import { countOfAccount, firstOfAccount, isSlot, slotOfNumber } from './trades'

/** Whether the feed is two prices that can be. */
export function isFeed(feedBid: i64, feedAsk: i64): bool {
  return feedBid > 0 && feedAsk >= feedBid && feedAsk <= PRICE_MAX
}

/** Whether it is a time in ms that can be. */
export function isTime(time: i64): bool {
  return time > 0 && time <= TIME_MAX
}

/** Whether the largest quantity ever opened would be worth too much at this ask for 64 bits. */
export function isBeyondValue(price: i64): bool {
  return compareProducts(price, market.quantityMax, VALUE_MAX_ROOT, VALUE_MAX_ROOT) > 0
}

/** Makes the quote of a command's 24 bytes (feedBid, feedAsk, quoteTime), or answers why there is none to trade on. */
export function quoteFor(ptr: usize, now: i64): u16 {
  const feedBid = load<i64>(ptr)
  const feedAsk = load<i64>(ptr, 8)
  const time = load<i64>(ptr, 16)
  if (feedBid == 0 || feedAsk == 0 || time == 0) return PRICE_STALE
  if (!isFeed(feedBid, feedAsk) || !isTime(time)) return CODE_INVALID_COMMAND
  if (market.maxAgeMs != 0 && subChecked(now, time) > market.maxAgeMs) return PRICE_STALE
  makeQuote(feedBid, feedAsk)
  return isBeyondValue(ask) ? AMOUNT_OVERFLOW : CODE_OK
}

/** Slot of the trade that `findOwn` found last. */
export let ownSlot: u32 = 0

/** Finds the open trade that 24 bytes of a command (account, trade number) name, for `ownSlot`, or answers why there is none. */
export function findOwn(ptr: usize): u16 {
  if (market.specified == 0) return MARKET_NOT_FOUND
  const number = load<u64>(ptr, 16)
  if (number == 0 || number > market.lastNumber) return TRADE_NOT_FOUND
  ownSlot = slotOfNumber(number)
  if (!isSlot(ownSlot)) return TRADE_CLOSED
  const account = changetype<usize>(storedAt(ownSlot)) + offsetof<Stored>('account')
  return equal16(account, ptr) ? CODE_OK : TRADE_NOT_FOUND
}

/** Whether a price is worse than the worst given (0 = none given). */
export function isBeyondWorst(buys: bool, price: i64, worst: i64): bool {
  return worst != 0 && (buys ? price > worst : price < worst)
}

/** Check 1: leverage and margin. */
function checkLeverage(margin: i64, leverage: u32): u16 {
  if (leverage > market.maxLeverage) return LEVERAGE_TOO_HIGH
  const low = multiply(margin, <i64>leverage)
  const high = <i64>high128
  const table = tableAt(market.currentTableSlot) + TABLE_TIERS
  let k = market.tierCount - 1
  while (compare128(low, high, <u64>load<i64>(table + <usize>k * TIER_BYTES), 0) < 0) k--
  if (leverage > load<u32>(table + <usize>k * TIER_BYTES, 16)) return LEVERAGE_TOO_HIGH
  return margin < market.minMargin ? MARGIN_TOO_SMALL : CODE_OK
}

/** Check 2: q = floorTo(M × L ÷ E, lot); −1 when it is beyond any quantity. */
function quantityOf(margin: i64, leverage: u32, entry: i64): i64 {
  const notionalLow = multiply(margin, <i64>leverage)
  const scaledLow = multiply128(notionalLow, <i64>high128, WHOLE)
  const low = divideFloor128(scaledLow, <i64>high128, entry)
  if (high128 != 0 || <i64>low < 0) return -1
  return floorTo(<i64>low, market.lotSize)
}

function magnitude(value: i64): i64 {
  return value < 0 ? subChecked(0, value) : value
}

/** Check 3: notional, number of trades, exposure. */
function checkLimits(account: usize, long: bool, quantity: i64, entry: i64): u16 {
  if (quantity < 0 || quantity > QUANTITY_MAX) return NOTIONAL_TOO_HIGH
  if (compareProducts(quantity, entry, NOTIONAL_MAX, WHOLE) > 0) return NOTIONAL_TOO_HIGH
  const twice = addChecked(quantity, quantity)
  if (compareProducts(twice, magnitude(market.funding), VALUE_MAX_ROOT, VALUE_MAX_ROOT) > 0) return NOTIONAL_TOO_HIGH
  if (compareProducts(quantity, ask, VALUE_MAX_ROOT, VALUE_MAX_ROOT) > 0) return NOTIONAL_TOO_HIGH
  const maxNotional = market.maxNotional
  if (maxNotional != 0 && compareProducts(quantity, entry, maxNotional, WHOLE) > 0) return NOTIONAL_TOO_HIGH
  if (market.maxOpenTrades != 0) {
    const first = firstOfAccount(account)
    if (isSlot(first) && countOfAccount(first) >= market.maxOpenTrades) return TOO_MANY_TRADES
  }
  const net = market.netQuantity
  const after = magnitude(long ? addChecked(net, quantity) : subChecked(net, quantity))
  if (after <= magnitude(net)) return CODE_OK
  const maxNet = market.maxNetNotional
  const over = maxNet != 0 && compareProducts(after, entry, maxNet, WHOLE) > 0
  return over || after > QUANTITY_MAX ? EXPOSURE_LIMIT : CODE_OK
}

/** Check 4: stops (0 = none) lie on their side of the closing price, on the tick. */
export function checkStops(long: bool, stop: i64, target: i64, closing: i64): u16 {
  if (stop != 0 && (stop % market.tickSize != 0 || (long ? stop >= closing : stop <= closing))) return INVALID_STOP_LOSS
  if (target == 0) return CODE_OK
  return target % market.tickSize != 0 || (long ? target <= closing : target >= closing) ? INVALID_TAKE_PROFIT : CODE_OK
}

/**
 * The contract's checks of an opening in their order, at the quote made last. `trade` is a draft: what the
 * command says is set; entry price, quantity and liquidation key are set here.
 */
export function checkOpen(trade: Trade, worstPrice: i64): u16 {
  const long = trade.direction == LONG
  const entry = long ? ask : bid
  const closing = long ? bid : ask
  if (entry == 0) return PRICE_STALE
  let code = checkLeverage(trade.margin, trade.leverage)
  if (code != CODE_OK) return code
  const quantity = quantityOf(trade.margin, trade.leverage, entry)
  if (quantity == 0) return MARGIN_TOO_SMALL
  code = checkLimits(changetype<usize>(trade) + offsetof<Trade>('account'), long, quantity, entry)
  if (code != CODE_OK) return code
  code = checkStops(long, trade.stopLoss, trade.takeProfit, closing)
  if (code != CODE_OK) return code
  trade.quantity = quantity
  trade.entryPrice = entry
  trade.fundingAtOpen = market.funding
  trade.table = market.currentTable
  trade.tableSlot = market.currentTableSlot
  trade.liquidationKey = liquidationKey(trade)
  if (isLiquidatedAt(trade, closing)) return WOULD_LIQUIDATE
  return isBeyondWorst(long, entry, worstPrice) ? PRICE_MOVED : CODE_OK
}
