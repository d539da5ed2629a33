import {
  add128, addChecked, compare128, divideFloor128, high128, mulChecked, mulDivTruncate, multiply, narrow, subChecked,
} from '../shared/int128'
import { CODE_INVALID_COMMAND, CODE_OK, commandBody } from '../shared/io'
import { isFeed, isTime } from './checks'
import { BPS_MAX, FUNDING_MAX, MARKET_NOT_FOUND, VALUE_MAX_ROOT } from './codes'
import { market } from './state'
import { rekey } from './trades'

/** The first funding instant after `time`; 0 when the market has none. */
export function instantAfter(time: i64): i64 {
  const interval = mulChecked(<i64>market.fundingIntervalSeconds, 1_000)
  return interval == 0 ? 0 : mulChecked(addChecked(time / interval, 1), interval)
}

/** How far F may go either way: 2 × |F| × the largest quantity stays within VALUE_MAX. */
function fundingLimit(): i64 {
  if (market.quantityMax == 0) return FUNDING_MAX
  const low = multiply(VALUE_MAX_ROOT, VALUE_MAX_ROOT)
  const limit = divideFloor128(low, <i64>high128, addChecked(market.quantityMax, market.quantityMax))
  return high128 != 0 || limit > <u64>FUNDING_MAX ? FUNDING_MAX : <i64>limit
}

/** One instant's step of F, towards zero: (feedBid + feedAsk) × clamp(rate, ±cap) ÷ 20000. */
function fundingStep(feedBid: i64, feedAsk: i64): i64 {
  const cap = market.fundingCapBps
  const rate = min<i64>(max<i64>(market.fundingRateBps, subChecked(0, cap)), cap)
  return mulDivTruncate(addChecked(feedBid, feedAsk), rate, BPS_MAX << 1)
}

/** Applies every funding instant up to `time` on this feed, and gives every trade its new liquidation key; answers how many. */
export function fund(time: i64, feedBid: i64, feedAsk: i64): i64 {
  const due = market.nextFunding
  if (due == 0 || due > time) return 0
  const interval = mulChecked(<i64>market.fundingIntervalSeconds, 1_000)
  const instants = addChecked(1, subChecked(time / interval, due / interval))
  const limit = fundingLimit()
  const lowest = subChecked(0, limit)
  const before = market.funding
  const step = fundingStep(feedBid, feedAsk)
  const movedLow = multiply(instants, step)
  const low = add128(movedLow, <i64>high128, <u64>before, before >> 63)
  const high = <i64>high128
  if (compare128(low, high, <u64>limit, 0) > 0) market.funding = limit
  else if (compare128(low, high, <u64>lowest, lowest >> 63) < 0) market.funding = lowest
  else market.funding = narrow(low, high)
  market.nextFunding = instantAfter(time)
  if (market.funding != before) rekey()
  return instants
}

/** FUNDING: writes F, the next instant and how many were applied at `out`. */
export function applyFunding(command: usize, out: usize): u16 {
  const body = commandBody(command)
  const dueTime = load<i64>(body)
  const feedBid = load<i64>(body, 8)
  const feedAsk = load<i64>(body, 16)
  if (!isFeed(feedBid, feedAsk) || !isTime(dueTime)) return CODE_INVALID_COMMAND
  if (market.specified == 0) return MARKET_NOT_FOUND
  const instants = fund(dueTime, feedBid, feedAsk)
  store<i64>(out, market.funding)
  store<i64>(out, market.nextFunding, 8)
  store<i64>(out, instants, 16)
  return CODE_OK
}
