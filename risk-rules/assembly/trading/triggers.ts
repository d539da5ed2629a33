/**
 * The feed prices from which on a tick does something, kept between commands: an idle tick costs a few
 * compares. With tick t and the spread's fractions n/d (bid) and m/d (ask), and K a multiple of t:
 *
 *   bid ≤ K  iff  feedBid × n < (K + t) × d        bid ≥ K  iff  feedBid × n ≥ K × d
 *   ask ≥ K  iff  feedAsk × m > (K − t) × d        ask ≤ K  iff  feedAsk × m ≤ K × d
 */
import { heapCount, heapKeyAt } from '../shared/heap'
import { addChecked, divideCeil128, divideFloor128, high128, multiply, subChecked } from '../shared/int128'
import { isFeed } from './checks'
import { LONG, QUANTITY_MAX, SHORT, STATE_HALTED, VALUE_MAX_ROOT } from './codes'
import { askNumerator, bidNumerator, ceilTo, denominator } from './rules'
import { heapOf, market } from './state'
import { GROUP_LIQUIDATION, GROUP_STOP, GROUP_TARGET, heapKey } from './trades'

let isStale: bool = true
let bidAtMost: i64 = 0
let bidAtLeast: i64 = 0
let askAtLeast: i64 = 0
let askAtMost: i64 = 0
/** From this ask on a TICK would be refused: the largest quantity would be worth too much. */
let askRefused: i64 = 0

/** A command may have changed what triggers. */
export function forgetTriggers(): void {
  isStale = true
}

/** The price at which the first of a heap fires; `none` when it is empty. */
function topPrice(group: u32, direction: u32, none: i64): i64 {
  const heap = heapOf(group, direction)
  return heapCount(heap) == 0 ? none : heapKey(group, direction, heapKeyAt(heap, 0))
}

/** price × d ÷ n, down or up; the highest i64 when it is beyond that. */
function toFeed(price: i64, numerator: i64, up: bool): i64 {
  const productLow = multiply(price, denominator)
  const productHigh = <i64>high128
  const low = up ? divideCeil128(productLow, productHigh, numerator) : divideFloor128(productLow, productHigh, numerator)
  return <i64>high128 > 0 || (high128 == 0 && <i64>low < 0) ? i64.MAX_VALUE : <i64>low
}

/** The lowest feedAsk whose ask is at least K (> 0). */
function lowestFeedAsk(price: i64): i64 {
  const below = toFeed(subChecked(price, market.tickSize), askNumerator, false)
  return below == i64.MAX_VALUE ? below : addChecked(below, 1)
}

function refusedFrom(): i64 {
  const quantity = market.quantityMax
  if (quantity == 0) return i64.MAX_VALUE
  const low = divideFloor128(multiply(VALUE_MAX_ROOT, VALUE_MAX_ROOT), <i64>high128, quantity)
  const isFar = high128 != 0 || low > <u64>QUANTITY_MAX
  return isFar ? i64.MAX_VALUE : lowestFeedAsk(ceilTo(addChecked(<i64>low, 1), market.tickSize))
}

function deriveTriggers(): void {
  const highest = i64.MAX_VALUE
  const low = max(topPrice(GROUP_LIQUIDATION, LONG, -1), topPrice(GROUP_STOP, LONG, -1))
  bidAtMost = low < 0 ? -1 : toFeed(addChecked(low, market.tickSize), bidNumerator, true)
  if (bidAtMost > 0 && bidAtMost < highest) bidAtMost = subChecked(bidAtMost, 1)
  const target = topPrice(GROUP_TARGET, LONG, highest)
  bidAtLeast = target == highest ? highest : toFeed(target, bidNumerator, true)
  const high = min(topPrice(GROUP_LIQUIDATION, SHORT, highest), topPrice(GROUP_STOP, SHORT, highest))
  askAtLeast = high == highest ? highest : high <= 0 ? 0 : lowestFeedAsk(high)
  const targetBelow = topPrice(GROUP_TARGET, SHORT, -1)
  askAtMost = targetBelow < 0 ? -1 : toFeed(targetBelow, askNumerator, false)
  askRefused = refusedFrom()
  isStale = false
}

/** Whether a TICK with this quote would do anything. */
export function wouldTrigger(feedBid: i64, feedAsk: i64, time: i64): i32 {
  if (market.specified == 0 || market.state == STATE_HALTED) return 0
  if (!isFeed(feedBid, feedAsk) || time <= 0) return 0
  if (isStale) deriveTriggers()
  if (feedAsk >= askRefused) return 0
  if (market.firstTickAt == 0 || (market.nextFunding != 0 && market.nextFunding <= time)) return 1
  return <i32>(feedBid <= bidAtMost || feedBid >= bidAtLeast || feedAsk >= askAtLeast || feedAsk <= askAtMost)
}
