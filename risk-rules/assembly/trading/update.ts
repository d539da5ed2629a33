import { CODE_INVALID_COMMAND, CODE_OK, commandBody } from '../shared/io'
import { checkStops, findOwn, ownSlot, quoteFor } from './checks'
import { LONG, MARKET_HALTED, STATE_HALTED } from './codes'
import { emitUpdated } from './effects'
import { writeUpdatedTrade } from './records'
import { ask, bid } from './rules'
import { market, storedAt } from './state'
import { directionOf, GROUP_STOP, GROUP_TARGET, setTrigger, tradeIn } from './trades'

/** A stop or target that stays as it is. */
const KEEP: i64 = -1

/** Judges what is set anew: it needs an open market and a quote; what is kept or taken away needs neither. */
function checkSet(stop: i64, target: i64, quote: usize, now: i64): u16 {
  if (market.state == STATE_HALTED) return MARKET_HALTED
  const code = quoteFor(quote, now)
  if (code != CODE_OK) return code
  const long = directionOf(storedAt(ownSlot)) == LONG
  return checkStops(long, max<i64>(stop, 0), max<i64>(target, 0), long ? bid : ask)
}

/** UPDATE: gives an open trade other stops, writes it at `out` and answers OK, or why not. */
export function applyUpdate(command: usize, commandIndex: u32, now: i64, out: usize): u16 {
  const body = commandBody(command)
  const stop = load<i64>(body, 24)
  const target = load<i64>(body, 32)
  if (stop < KEEP || target < KEEP || (stop == KEEP && target == KEEP)) return CODE_INVALID_COMMAND
  const missing = findOwn(body)
  if (missing != CODE_OK) return missing
  if (stop > 0 || target > 0) {
    const code = checkSet(stop, target, body + 40, now)
    if (code != CODE_OK) return code
  }
  if (stop != KEEP) setTrigger(GROUP_STOP, ownSlot, stop)
  if (target != KEEP) setTrigger(GROUP_TARGET, ownSlot, target)
  const trade = tradeIn(ownSlot)
  writeUpdatedTrade(out, trade, now)
  emitUpdated(commandIndex, trade)
  return CODE_OK
}
