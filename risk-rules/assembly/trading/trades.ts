import { heapCount, heapInsert, heapKeyAt, heapPlace, heapRemove, heapSetKeyAt, heapSlotAt, heapify } from '../shared/heap'
import { equal16, hashOf16 } from '../shared/hash-index'
import { add128, addChecked, high128, sub128, subChecked } from '../shared/int128'
import {
  slotIndexAt, slotIndexDistance, slotIndexHome, slotIndexInsert, slotIndexNext, slotIndexRemove, slotIndexReplace,
  slotIndexSlot,
} from '../shared/slot-index'
import { LONG, TIER_TABLES_MAX } from './codes'
import { Stored, TABLE_REFERENCES, Trade, TRADE_BYTES } from './layout'
import { liquidationKey } from './rules'
import { accountIndex, heapOf, HEAPS, indexEntries, market, numberIndex, placesAt, storedAt, tableAt } from './state'

export const GROUP_LIQUIDATION: u32 = 0
export const GROUP_STOP: u32 = 1
export const GROUP_TARGET: u32 = 2

const ACCOUNT_SEED: u64 = 0x2545f4914f6cdd1d
const NONE: u32 = 0xffffffff

// Bits of `identity` and `terms` (`layout.ts`) and of `placesAt` (`state.ts`).
const NUMBER_MASK: u64 = (1 << 42) - 1
const LEVERAGE_SHIFT: u64 = 42
const LEVERAGE_MASK: u64 = (1 << 10) - 1
const IS_FIRST: u64 = 1 << 52
const IS_LAST: u64 = 1 << 53
const IS_TAKEN: u64 = 1 << 63
const PARTITION_MASK: u32 = 0xffffff
const LEDGER: u32 = 1 << 24
const TABLE_SHIFT: u32 = 24
const TABLE_MASK: u32 = 63
const DIRECTION_SHIFT: u32 = 30

/** Number of the trade in a slot, 0 when it is free. */
@inline
export function numberOf(stored: Stored): u64 {
  return stored.identity & NUMBER_MASK
}

/** Direction of a stored trade. */
@inline
export function directionOf(stored: Stored): u32 {
  return stored.terms >> DIRECTION_SHIFT
}

@inline
function tableSlotOf(stored: Stored): u32 {
  return (stored.terms >> TABLE_SHIFT) & TABLE_MASK
}

/** Ledger partition of a stored trade. */
@inline
export function ledgerPartitionOf(stored: Stored): u32 {
  return (stored.terms & PARTITION_MASK) | LEDGER
}

/** Marks the trade as taken by the running tick; false when it was already. */
export function takeTrade(slot: u32): bool {
  const ptr = placesAt(slot)
  const places = load<u64>(ptr)
  if ((places & IS_TAKEN) != 0) return false
  store<u64>(ptr, places | IS_TAKEN)
  return true
}

function hashOfNumber(number: u64): u32 {
  return <u32>((number * 0x9e3779b97f4a7c15) >> 32)
}

@inline
function accountPtr(stored: Stored): usize {
  return changetype<usize>(stored) + offsetof<Stored>('account')
}

/** Slot of the live trade with this number, or 0xffffffff. */
export function slotOfNumber(number: u64): u32 {
  let position = slotIndexHome(indexEntries, hashOfNumber(number))
  let distance: u32 = 0
  while (true) {
    const entry = slotIndexAt(numberIndex, position)
    if (entry == 0 || slotIndexDistance(entry) < distance) return NONE
    const slot = slotIndexSlot(entry)
    if (slotIndexDistance(entry) == distance && numberOf(storedAt(slot)) == number) return slot
    position = slotIndexNext(indexEntries, position)
    distance++
  }
}

/** Slot of the account's first trade in opening order, or 0xffffffff. */
export function firstOfAccount(account: usize): u32 {
  let position = slotIndexHome(indexEntries, hashOf16(account, ACCOUNT_SEED))
  let distance: u32 = 0
  while (true) {
    const entry = slotIndexAt(accountIndex, position)
    if (entry == 0 || slotIndexDistance(entry) < distance) return NONE
    const slot = slotIndexSlot(entry)
    if (slotIndexDistance(entry) == distance && equal16(accountPtr(storedAt(slot)), account)) return slot
    position = slotIndexNext(indexEntries, position)
    distance++
  }
}

/** Whether a slot was found. */
@inline
export function isSlot(slot: u32): bool {
  return slot != NONE
}

/** Slot of the account's next trade, or 0xffffffff after its last. */
export function nextOfAccount(slot: u32): u32 {
  const stored = storedAt(slot)
  return (stored.identity & IS_LAST) != 0 ? NONE : stored.next - 1
}

/** Open trades of the account whose first trade is in `first`. */
export function countOfAccount(first: u32): u32 {
  return storedAt(storedAt(first).previous - 1).next
}

/** Key under which a price lies in a heap: what fires when the price falls is kept reversed, so that the top fires first. */
@inline
export function heapKey(group: u32, direction: u32, price: i64): i64 {
  return (direction == LONG) == (group == GROUP_TARGET) ? price : subChecked(0, price)
}

/** The price a stored trade has in a heap, 0 when it is not in it. */
@inline
function priceIn(group: u32, direction: u32, slot: u32): i64 {
  const heap = heapOf(group, direction)
  const place = heapPlace(heap, slot)
  return place == 0 ? 0 : heapKey(group, direction, heapKeyAt(heap, place - 1))
}

/** All of a stored trade but its liquidation key, written at `trade`. */
export function readTrade(slot: u32, trade: Trade): void {
  const stored = storedAt(slot)
  const identity = stored.identity
  const direction = directionOf(stored)
  const tableSlot = tableSlotOf(stored)
  trade.number = identity & NUMBER_MASK
  trade.account = stored.account
  trade.accountRest = stored.accountRest
  trade.openId = stored.openId
  trade.openIdRest = stored.openIdRest
  trade.ledgerPartition = ledgerPartitionOf(stored)
  trade.leverage = <u32>((identity >> LEVERAGE_SHIFT) & LEVERAGE_MASK)
  trade.margin = stored.margin
  trade.quantity = stored.quantity
  trade.entryPrice = stored.entryPrice
  trade.fundingAtOpen = stored.fundingAtOpen
  trade.stopLoss = priceIn(GROUP_STOP, direction, slot)
  trade.takeProfit = priceIn(GROUP_TARGET, direction, slot)
  trade.openFee = stored.openFee
  trade.openedAt = stored.openedAt
  trade.direction = direction
  trade.table = load<u32>(tableAt(tableSlot))
  trade.tableSlot = tableSlot
}

// Where stored trades are unpacked to be worked with, one at a time.
const unpacked = memory.data(<i32>TRADE_BYTES, 8)

/** The trade in a slot, whole. Valid until the next call. */
export function tradeIn(slot: u32): Trade {
  const trade = changetype<Trade>(unpacked)
  readTrade(slot, trade)
  trade.liquidationKey = priceIn(GROUP_LIQUIDATION, trade.direction, slot)
  return trade
}

/** A free slot; the caller has checked that there is one. */
function takeSlot(): u32 {
  if (market.freeSlot == 0) {
    const slot = market.highWater
    market.highWater = slot + 1
    return slot
  }
  const slot = market.freeSlot - 1
  market.freeSlot = storedAt(slot).next
  return slot
}

function linkAccount(slot: u32): void {
  const stored = storedAt(slot)
  const first = firstOfAccount(accountPtr(stored))
  if (first == NONE) {
    stored.identity |= IS_FIRST | IS_LAST
    stored.previous = slot + 1
    stored.next = 1
    slotIndexInsert(accountIndex, indexEntries, hashOf16(accountPtr(stored), ACCOUNT_SEED), slot)
    return
  }
  const head = storedAt(first)
  const last = storedAt(head.previous - 1)
  stored.identity |= IS_LAST
  stored.previous = head.previous
  stored.next = last.next + 1
  last.identity &= ~IS_LAST
  last.next = slot + 1
  head.previous = slot + 1
}

function unlinkFirst(slot: u32, stored: Stored): void {
  const hash = hashOf16(accountPtr(stored), ACCOUNT_SEED)
  if ((stored.identity & IS_LAST) != 0) return slotIndexRemove(accountIndex, indexEntries, hash, slot)
  const second = storedAt(stored.next - 1)
  second.identity |= IS_FIRST
  second.previous = stored.previous
  storedAt(stored.previous - 1).next -= 1
  slotIndexReplace(accountIndex, indexEntries, hash, slot, stored.next - 1)
}

function unlinkAccount(slot: u32): void {
  const stored = storedAt(slot)
  if ((stored.identity & IS_FIRST) != 0) return unlinkFirst(slot, stored)
  const head = storedAt(firstOfAccount(accountPtr(stored)))
  const before = storedAt(stored.previous - 1)
  if ((stored.identity & IS_LAST) != 0) {
    before.identity |= IS_LAST
    before.next = stored.next - 1
    head.previous = stored.previous
    return
  }
  storedAt(head.previous - 1).next -= 1
  before.next = stored.next
  storedAt(stored.next - 1).previous = stored.previous
}

function addSums(trade: Trade): void {
  const low = add128(market.marginSumLow, market.marginSumHigh, <u64>trade.margin, 0)
  market.marginSumLow = low
  market.marginSumHigh = <i64>high128
  const signed = trade.direction == LONG ? trade.quantity : subChecked(0, trade.quantity)
  market.netQuantity = addChecked(market.netQuantity, signed)
  market.openCount += 1
}

function addReference(tableSlot: u32, change: i32): void {
  const references = tableAt(tableSlot) + TABLE_REFERENCES
  store<u32>(references, load<u32>(references) + change)
}

function writeStored(slot: u32, trade: Trade): void {
  const stored = storedAt(slot)
  stored.account = trade.account
  stored.accountRest = trade.accountRest
  stored.openId = trade.openId
  stored.openIdRest = trade.openIdRest
  stored.margin = trade.margin
  stored.quantity = trade.quantity
  stored.entryPrice = trade.entryPrice
  stored.fundingAtOpen = trade.fundingAtOpen
  stored.openFee = trade.openFee
  stored.openedAt = trade.openedAt
  stored.identity = trade.number | (<u64>trade.leverage << LEVERAGE_SHIFT)
  store<u64>(placesAt(slot), 0)
  stored.terms =
    (trade.ledgerPartition & PARTITION_MASK) | (trade.tableSlot << TABLE_SHIFT) | (trade.direction << DIRECTION_SHIFT)
}

/** Enters a new trade into the table, indexes, heaps and sums. The caller has checked that there is room. */
export function insertTrade(trade: Trade): void {
  assert(trade.number <= NUMBER_MASK && trade.leverage <= <u32>LEVERAGE_MASK && trade.tableSlot < TIER_TABLES_MAX)
  assert((trade.ledgerPartition & ~PARTITION_MASK) == LEDGER)
  const slot = takeSlot()
  const direction = trade.direction
  writeStored(slot, trade)
  heapInsert(heapOf(GROUP_LIQUIDATION, direction), slot, heapKey(GROUP_LIQUIDATION, direction, trade.liquidationKey))
  if (trade.stopLoss != 0) heapInsert(heapOf(GROUP_STOP, direction), slot, heapKey(GROUP_STOP, direction, trade.stopLoss))
  if (trade.takeProfit != 0) heapInsert(heapOf(GROUP_TARGET, direction), slot, heapKey(GROUP_TARGET, direction, trade.takeProfit))
  linkAccount(slot)
  slotIndexInsert(numberIndex, indexEntries, hashOfNumber(trade.number), slot)
  addReference(trade.tableSlot, 1)
  addSums(trade)
}

/** Gives a trade another stop or target; 0 takes it away. */
export function setTrigger(group: u32, slot: u32, price: i64): void {
  const direction = directionOf(storedAt(slot))
  const heap = heapOf(group, direction)
  heapRemove(heap, slot)
  if (price != 0) heapInsert(heap, slot, heapKey(group, direction, price))
}

/** Takes a trade out of everything and frees its slot. */
export function removeTrade(slot: u32): void {
  const stored = storedAt(slot)
  const direction = directionOf(stored)
  heapRemove(heapOf(GROUP_LIQUIDATION, direction), slot)
  heapRemove(heapOf(GROUP_STOP, direction), slot)
  heapRemove(heapOf(GROUP_TARGET, direction), slot)
  unlinkAccount(slot)
  slotIndexRemove(numberIndex, indexEntries, hashOfNumber(numberOf(stored)), slot)
  addReference(tableSlotOf(stored), -1)
  market.marginSumLow = sub128(market.marginSumLow, market.marginSumHigh, <u64>stored.margin, 0)
  market.marginSumHigh = <i64>high128
  const signed = direction == LONG ? stored.quantity : subChecked(0, stored.quantity)
  market.netQuantity = subChecked(market.netQuantity, signed)
  market.openCount -= 1
  stored.identity = 0
  stored.next = market.freeSlot
  market.freeSlot = slot + 1
}

/** Computes every liquidation key anew: F has moved. */
export function rekey(): void {
  const trade = changetype<Trade>(unpacked)
  for (let direction: u32 = 0; direction < 2; direction++) {
    const heap = heapOf(GROUP_LIQUIDATION, direction)
    const count = heapCount(heap)
    for (let index: u32 = 0; index < count; index++) {
      const stored = storedAt(heapSlotAt(heap, index))
      trade.direction = direction
      trade.tableSlot = tableSlotOf(stored)
      trade.margin = stored.margin
      trade.quantity = stored.quantity
      trade.entryPrice = stored.entryPrice
      trade.fundingAtOpen = stored.fundingAtOpen
      heapSetKeyAt(heap, index, heapKey(GROUP_LIQUIDATION, direction, liquidationKey(trade)))
    }
    heapify(heap)
  }
}

/** How many restored trades have a place: one number for each heap. */
const placed = memory.data(<i32>(HEAPS * 4), 4)

/** Whether a restored trade and the heaps' nodes name each other. */
function isPlaced(slot: u32, direction: u32): bool {
  for (let group: u32 = 0; group <= GROUP_TARGET; group++) {
    const heap = heapOf(group, direction)
    const place = heapPlace(heap, slot)
    if (place == 0) continue
    if (place > heapCount(heap) || heapSlotAt(heap, place - 1) != slot) return false
    const counted = placed + (<usize>((group << 1) | direction) << 2)
    store<u32>(counted, load<u32>(counted) + 1)
  }
  return true
}

/** Makes the indexes and references of restored trades anew; false when something contradicts itself. */
export function enterRestored(): bool {
  memory.fill(placed, 0, <usize>HEAPS * 4)
  let count: u32 = 0
  for (let slot: u32 = 0; slot < market.highWater; slot++) {
    const stored = storedAt(slot)
    const number = numberOf(stored)
    if (number == 0) continue
    const linked = stored.previous - 1 < market.highWater && stored.next - 1 < market.highWater
    if (!linked || directionOf(stored) > 1 || !isPlaced(slot, directionOf(stored))) return false
    slotIndexInsert(numberIndex, indexEntries, hashOfNumber(number), slot)
    if ((stored.identity & IS_FIRST) != 0) {
      slotIndexInsert(accountIndex, indexEntries, hashOf16(accountPtr(stored), ACCOUNT_SEED), slot)
    }
    addReference(tableSlotOf(stored), 1)
    count++
  }
  for (let index: u32 = 0; index < HEAPS; index++) {
    if (load<u32>(placed + (<usize>index << 2)) != heapCount(heapOf(index >> 1, index & 1))) return false
  }
  const keyed = heapCount(heapOf(GROUP_LIQUIDATION, 0)) + heapCount(heapOf(GROUP_LIQUIDATION, 1))
  return count == market.openCount && keyed == count
}
