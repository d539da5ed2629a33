import { heapInsert, heapRemove, heapSetKeyAt, heapify } from '../shared/heap'
import {
  equal16, hashIndexAt, hashIndexHash, hashIndexInsert, hashIndexRemove, hashIndexValue, hashOf16,
} from '../shared/hash-index'
import { add128, addChecked, high128, sub128, subChecked } from '../shared/int128'
import { LONG } from './codes'
import { TABLE_REFERENCES, Trade } from './layout'
import { liquidationKey } from './rules'
import {
  accountIndex, freeSlot, heapOf, indexMask, market, numberIndex, setFreeSlot, tableAt, tradeAt,
} from './state'

export const GROUP_LIQUIDATION: u32 = 0
export const GROUP_STOP: u32 = 1
export const GROUP_TARGET: u32 = 2

const ACCOUNT_SEED: u64 = 0x2545f4914f6cdd1d
const NONE: u32 = 0xffffffff

function hashOfNumber(number: u64): u32 {
  return <u32>((number * 0x9e3779b97f4a7c15) >> 32)
}

@inline
function accountPtr(trade: Trade): usize {
  return changetype<usize>(trade) + offsetof<Trade>('account')
}

/** Slot of the live trade with this number, or 0xffffffff. */
export function slotOfNumber(number: u64): u32 {
  const hash = hashOfNumber(number)
  let position = hash & indexMask
  let entry = hashIndexAt(numberIndex, position)
  while (hashIndexValue(entry) != 0) {
    const slot = hashIndexValue(entry) - 1
    if (hashIndexHash(entry) == hash && tradeAt(slot).number == number) return slot
    position = (position + 1) & indexMask
    entry = hashIndexAt(numberIndex, position)
  }
  return NONE
}

/** Slot of the account's first trade in opening order, or 0xffffffff. */
export function firstOfAccount(account: usize): u32 {
  const hash = hashOf16(account, ACCOUNT_SEED)
  let position = hash & indexMask
  let entry = hashIndexAt(accountIndex, position)
  while (hashIndexValue(entry) != 0) {
    const slot = hashIndexValue(entry) - 1
    if (hashIndexHash(entry) == hash && equal16(accountPtr(tradeAt(slot)), account)) return slot
    position = (position + 1) & indexMask
    entry = hashIndexAt(accountIndex, position)
  }
  return NONE
}

/** Whether a slot was found. */
@inline
export function isSlot(slot: u32): bool {
  return slot != NONE
}

/** Key under which a price lies in a heap: what fires when the price falls is kept reversed, so that the top fires first. */
@inline
export function heapKey(group: u32, direction: u32, price: i64): i64 {
  return (direction == LONG) == (group == GROUP_TARGET) ? price : subChecked(0, price)
}

/** A free slot; the caller has checked that there is one. */
export function takeSlot(): u32 {
  if (freeSlot == 0) {
    const slot = market.highWater
    market.highWater = slot + 1
    return slot
  }
  const slot = freeSlot - 1
  setFreeSlot(tradeAt(slot).next)
  return slot
}

function linkAccount(slot: u32): void {
  const trade = tradeAt(slot)
  const first = firstOfAccount(accountPtr(trade))
  trade.next = 0
  if (first == NONE) {
    trade.previous = 0
    trade.accountCount = 1
    trade.accountLast = slot + 1
    hashIndexInsert(accountIndex, indexMask, hashOf16(accountPtr(trade), ACCOUNT_SEED), slot)
    return
  }
  const head = tradeAt(first)
  trade.previous = head.accountLast
  tradeAt(head.accountLast - 1).next = slot + 1
  head.accountLast = slot + 1
  head.accountCount += 1
}

function unlinkAccount(slot: u32): void {
  const trade = tradeAt(slot)
  if (trade.previous == 0) {
    const hash = hashOf16(accountPtr(trade), ACCOUNT_SEED)
    hashIndexRemove(accountIndex, indexMask, hash, slot)
    if (trade.next == 0) return
    const second = tradeAt(trade.next - 1)
    second.previous = 0
    second.accountCount = trade.accountCount - 1
    second.accountLast = trade.accountLast
    hashIndexInsert(accountIndex, indexMask, hash, trade.next - 1)
    return
  }
  const head = tradeAt(firstOfAccount(accountPtr(trade)))
  head.accountCount -= 1
  tradeAt(trade.previous - 1).next = trade.next
  if (trade.next == 0) head.accountLast = trade.previous
  else tradeAt(trade.next - 1).previous = trade.previous
}

function addSums(trade: Trade): void {
  const low = add128(market.marginSumLow, market.marginSumHigh, <u64>trade.margin, 0)
  market.marginSumLow = low
  market.marginSumHigh = <i64>high128
  const signed = trade.direction == LONG ? trade.quantity : subChecked(0, trade.quantity)
  market.netQuantity = addChecked(market.netQuantity, signed)
  market.openCount += 1
}

/** Enters a slot whose own fields are set into the indexes and heaps. */
export function indexTrade(slot: u32): void {
  const trade = tradeAt(slot)
  const direction = trade.direction
  trade.liquidationPosition = 0
  trade.stopPosition = 0
  trade.targetPosition = 0
  trade.fired = 0
  heapInsert(heapOf(GROUP_LIQUIDATION, direction), slot, heapKey(GROUP_LIQUIDATION, direction, trade.liquidationKey))
  if (trade.stopLoss != 0) heapInsert(heapOf(GROUP_STOP, direction), slot, heapKey(GROUP_STOP, direction, trade.stopLoss))
  if (trade.takeProfit != 0) heapInsert(heapOf(GROUP_TARGET, direction), slot, heapKey(GROUP_TARGET, direction, trade.takeProfit))
  linkAccount(slot)
  hashIndexInsert(numberIndex, indexMask, hashOfNumber(trade.number), slot)
  const references = tableAt(trade.tableSlot) + TABLE_REFERENCES
  store<u32>(references, load<u32>(references) + 1)
}

/** Enters a new trade into indexes, heaps and sums. */
export function insertTrade(slot: u32): void {
  indexTrade(slot)
  addSums(tradeAt(slot))
}

/** Takes a trade out of everything and frees its slot. */
export function removeTrade(slot: u32): void {
  const trade = tradeAt(slot)
  const direction = trade.direction
  heapRemove(heapOf(GROUP_LIQUIDATION, direction), slot)
  heapRemove(heapOf(GROUP_STOP, direction), slot)
  heapRemove(heapOf(GROUP_TARGET, direction), slot)
  unlinkAccount(slot)
  hashIndexRemove(numberIndex, indexMask, hashOfNumber(trade.number), slot)
  const references = tableAt(trade.tableSlot) + TABLE_REFERENCES
  store<u32>(references, load<u32>(references) - 1)
  market.marginSumLow = sub128(market.marginSumLow, market.marginSumHigh, <u64>trade.margin, 0)
  market.marginSumHigh = <i64>high128
  const signed = direction == LONG ? trade.quantity : subChecked(0, trade.quantity)
  market.netQuantity = subChecked(market.netQuantity, signed)
  market.openCount -= 1
  trade.number = 0
  trade.next = freeSlot
  setFreeSlot(slot + 1)
}

/** Computes every liquidation key anew: F has moved. */
export function rekey(): void {
  for (let slot: u32 = 0; slot < market.highWater; slot++) {
    const trade = tradeAt(slot)
    if (trade.number == 0) continue
    trade.liquidationKey = liquidationKey(trade)
    const key = heapKey(GROUP_LIQUIDATION, trade.direction, trade.liquidationKey)
    heapSetKeyAt(heapOf(GROUP_LIQUIDATION, trade.direction), trade.liquidationPosition - 1, key)
  }
  heapify(heapOf(GROUP_LIQUIDATION, 0))
  heapify(heapOf(GROUP_LIQUIDATION, 1))
}
