import { CODE_INVALID_COMMAND, CODE_OK, commandBody } from '../shared/io'
import { findOwn, isBeyondWorst, ownSlot, quoteFor } from './checks'
import { LONG, MARKET_HALTED, PRICE_MOVED, REASON_LIQUIDATION, REASON_USER, SHORT, STATE_HALTED } from './codes'
import { emitClosed } from './effects'
import { writeClosedTrade } from './records'
import { ask, bid, settle } from './rules'
import { market, storedAt } from './state'
import { directionOf, removeTrade, tradeIn } from './trades'

/** Closes the trade in `slot`: settles it, writes it at `out`, tells the ledger, takes it out. */
export function closeTrade(slot: u32, price: i64, reason: u32, commandIndex: u32, now: i64, out: usize): void {
  const trade = tradeIn(slot)
  settle(trade, price, reason == REASON_LIQUIDATION ? market.liquidationBps : market.closeBps)
  writeClosedTrade(out, trade, price, reason, now)
  emitClosed(commandIndex, trade, out, reason)
  removeTrade(slot)
}

/** CLOSE: writes the closed trade at `out` and answers OK, or why not. */
export function applyClose(command: usize, commandIndex: u32, now: i64, out: usize): u16 {
  const body = commandBody(command)
  const worstPrice = load<i64>(body, 24)
  if (worstPrice < 0) return CODE_INVALID_COMMAND
  const missing = findOwn(body)
  if (missing != CODE_OK) return missing
  if (market.state == STATE_HALTED) return MARKET_HALTED
  const code = quoteFor(body + 32, now)
  if (code != CODE_OK) return code
  const direction = directionOf(storedAt(ownSlot))
  const price = direction == LONG ? bid : ask
  if (isBeyondWorst(direction == SHORT, price, worstPrice)) return PRICE_MOVED
  closeTrade(ownSlot, price, REASON_USER, commandIndex, now, out)
  return CODE_OK
}
