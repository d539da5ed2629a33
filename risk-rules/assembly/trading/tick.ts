import { heapCount, heapFirstChild, heapKeyAt, heapSlotAt } from '../shared/heap'
import { CODE_INVALID_COMMAND, CODE_OK, commandBody } from '../shared/io'
import { isBeyondValue, isFeed, isTime } from './checks'
import { closeTrade } from './close'
import {
  AMOUNT_OVERFLOW, CLOSES_MAX, LONG, MARKET_HALTED, MARKET_NOT_FOUND, REASON_LIQUIDATION, REASON_STOP_LOSS, REASON_TAKE_PROFIT,
  SHORT, STATE_HALTED,
} from './codes'
import { fund, instantAfter } from './funding'
import { CLOSED_TRADE_BYTES, LIST_HEAD_BYTES } from './layout'
import { writeListHead } from './records'
import { ask, bid, makeQuote } from './rules'
import { heapOf, market, pending, pendingNext, setPendingNext, storedAt } from './state'
import { setWordAt, sortWords, wordAt } from './sort'
import { directionOf, GROUP_LIQUIDATION, GROUP_STOP, GROUP_TARGET, heapKey, numberOf, slotOfNumber, takeTrade } from './trades'

const GROUP_SHIFT: u64 = 42
const NUMBER_MASK: u64 = (1 << 42) - 1

@inline
function closingPrice(direction: u32): i64 {
  return direction == LONG ? bid : ask
}

/** Up to which key a heap's entries fire at the quote made last. */
@inline
function threshold(group: u32, direction: u32): i64 {
  return heapKey(group, direction, closingPrice(direction))
}

/**
 * Adds what fires in one heap to `pending`, which has `count` words; answers how many it has then. Walks the
 * part of the heap at or below the threshold only (down to a first child, on to the next sibling, up when there is none); a trade
 * that a group before has taken is passed over.
 */
function collect(group: u32, direction: u32, count: u32): u32 {
  const heap = heapOf(group, direction)
  const limit = threshold(group, direction)
  const entries = heapCount(heap)
  if (entries == 0 || heapKeyAt(heap, 0) > limit) return count
  let index: u32 = 0
  while (true) {
    const slot = heapSlotAt(heap, index)
    if (takeTrade(slot)) {
      setWordAt(pending, count, (<u64>group << GROUP_SHIFT) | numberOf(storedAt(slot)))
      count++
    }
    let next = heapFirstChild(index)
    let end = min(next + 4, entries)
    while (true) {
      while (next < end && heapKeyAt(heap, next) > limit) next++
      if (next < end) break
      if (index == 0) return count
      next = index + 1
      index = (index - 1) >> 2
      end = min(heapFirstChild(index) + 4, entries)
    }
    index = next
  }
}

/** Bytes of the outcome of the closing part that was written last. */
export let listBytes: u32 = 0

function reasonOf(group: u32): u32 {
  if (group == GROUP_LIQUIDATION) return REASON_LIQUIDATION
  return group == GROUP_STOP ? REASON_STOP_LOSS : REASON_TAKE_PROFIT
}

/** Group of a word of `pending`, as the reason it closes for. */
export function pendingReason(word: u64): u32 {
  return reasonOf(<u32>(word >> GROUP_SHIFT))
}

/** Trade number of a word of `pending`. */
export function pendingNumber(word: u64): u64 {
  return word & NUMBER_MASK
}

/** Closes the next trades of the running tick and writes them at `out`. */
function closePending(commandIndex: u32, now: i64, out: usize): void {
  const count = min(market.pendingCount, CLOSES_MAX)
  let at = out + LIST_HEAD_BYTES
  for (let i: u32 = 0; i < count; i++) {
    const word = wordAt(pending, pendingNext + i)
    const slot = slotOfNumber(pendingNumber(word))
    const price = directionOf(storedAt(slot)) == LONG ? market.pendingBid : market.pendingAsk
    closeTrade(slot, price, pendingReason(word), commandIndex, now, at)
    at += CLOSED_TRADE_BYTES
  }
  market.pendingCount -= count
  setPendingNext(market.pendingCount == 0 ? 0 : pendingNext + count)
  if (market.pendingCount == 0) {
    market.pendingBid = 0
    market.pendingAsk = 0
  }
  writeListHead(out, count, market.pendingCount != 0)
  listBytes = <u32>(at - out)
}

/** TICK: funding that is due, then liquidations, stops and targets, each in opening order. */
export function applyTick(command: usize, commandIndex: u32, now: i64, out: usize): u16 {
  const body = commandBody(command)
  const feedBid = load<i64>(body)
  const feedAsk = load<i64>(body, 8)
  const time = load<i64>(body, 16)
  let previousBid = load<i64>(body, 24)
  let previousAsk = load<i64>(body, 32)
  const none = previousBid == 0 && previousAsk == 0
  if (!isFeed(feedBid, feedAsk) || !isTime(time) || !(none || isFeed(previousBid, previousAsk))) return CODE_INVALID_COMMAND
  if (market.specified == 0) return MARKET_NOT_FOUND
  if (market.state == STATE_HALTED) return MARKET_HALTED
  makeQuote(feedBid, feedAsk)
  if (isBeyondValue(ask)) return AMOUNT_OVERFLOW
  if (market.firstTickAt == 0) {
    market.firstTickAt = time
    market.nextFunding = instantAfter(time)
  }
  if (none) {
    previousBid = feedBid
    previousAsk = feedAsk
  }
  fund(time, previousBid, previousAsk)
  let count: u32 = 0
  for (let group: u32 = 0; group <= GROUP_TARGET; group++) {
    count = collect(group, LONG, count)
    count = collect(group, SHORT, count)
  }
  sortWords(pending, count)
  market.pendingCount = count
  market.pendingBid = bid
  market.pendingAsk = ask
  setPendingNext(0)
  closePending(commandIndex, now, out)
  return CODE_OK
}

/** CONTINUE: the rest of the running tick. */
export function applyContinue(commandIndex: u32, now: i64, out: usize): u16 {
  if (market.pendingCount == 0) return CODE_INVALID_COMMAND
  closePending(commandIndex, now, out)
  return CODE_OK
}
