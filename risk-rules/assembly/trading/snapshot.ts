import { heapCount, heapIsOrdered, heapRestored, NODE_BYTES } from '../shared/heap'
import { idTableMix, idTablePartBytes, idTablePartPtr, idTableRestored, idTableRestorePtr } from '../shared/id-table'
import { COMMAND_HEADER_BYTES, commandHeaderWrite, ioInputPtr, ioOutcomesPtr } from '../shared/io'
import { mixWords, stateHashReset, stateHashSumHigh, stateHashSumLow } from '../shared/state-hash'
import { KIND_CONTINUE, TIER_TABLES_MAX } from './codes'
import {
  MARKET_BYTES, MARKET_HASHED_BYTES, STORED_BYTES, TABLE_BYTES, TABLE_REFERENCES, Trade, TRADE_BYTES, TRADE_HASHED_BYTES,
} from './layout'
import { deriveSpread } from './rules'
import {
  capacity, firstNodeOf, heapOf, HEAPS, ids, market, pending, pendingNext, places, setPendingNext, storedAt, tableAt,
  tables, trades,
} from './state'
import { wordAt, WORD_BYTES } from './sort'
import { pendingNumber, pendingReason } from './tick'
import { enterRestored, numberOf, readTrade } from './trades'

const TAG_MARKET: u64 = 0x6d61726b
const TAG_TRADE: u64 = 0x74726164
const TAG_TABLE: u64 = 0x7461626c
const TAG_PENDING: u64 = 0x70656e64

/** Market, tier tables, trades, pending, the two pieces of the id table, places in the heaps, and each heap's nodes. */
const FIRST_HEAP: u32 = 7
const PARTS: u32 = FIRST_HEAP + HEAPS
const ORIGIN_RUNNER: u8 = 2

function part(index: u32, ptr: usize, bytes: usize): void {
  store<u32>(ioOutcomesPtr() + (<usize>index << 3), <u32>ptr)
  store<u32>(ioOutcomesPtr() + (<usize>index << 3), <u32>bytes, 4)
}

/** Where `count` nodes of a heap lie: the shorts' grow downwards from the end of what the group has. */
function nodesPtr(index: u32, count: u32): usize {
  const first = firstNodeOf(index >> 1, index & 1)
  return (index & 1) == 0 || count == 0 ? first : first - <usize>(count - 1) * NODE_BYTES
}

/** Writes where the used state lies; answers how many regions. */
export function snapshotParts(): i32 {
  part(0, changetype<usize>(market), MARKET_BYTES)
  part(1, tables, <usize>TIER_TABLES_MAX * TABLE_BYTES)
  part(2, trades, <usize>market.highWater * STORED_BYTES)
  part(3, pending + <usize>pendingNext * WORD_BYTES, <usize>market.pendingCount * WORD_BYTES)
  part(4, idTablePartPtr(ids, 0), idTablePartBytes(ids, 0))
  part(5, idTablePartPtr(ids, 1), idTablePartBytes(ids, 1))
  part(6, places, <usize>market.highWater << 3)
  for (let index: u32 = 0; index < HEAPS; index++) {
    const count = heapCount(heapOf(index >> 1, index & 1))
    part(FIRST_HEAP + index, nodesPtr(index, count), <usize>count * NODE_BYTES)
  }
  return PARTS
}

let restoredIdBytes: usize = 0
let restoredTradeBytes: usize = 0
let restoredPendingBytes: usize = 0

@inline
function sizeOf(part: u32): usize {
  return <usize>load<u32>(ioInputPtr() + (<usize>part << 2))
}

/** Says where the nodes of the heaps belong; false when they do not fit. */
function placeNodes(): bool {
  for (let group: u32 = 0; group << 1 < HEAPS; group++) {
    const longs = sizeOf(FIRST_HEAP + (group << 1))
    const shorts = sizeOf(FIRST_HEAP + (group << 1) + 1)
    const whole = longs % NODE_BYTES == 0 && shorts % NODE_BYTES == 0
    if (!whole || <u64>(longs / NODE_BYTES) + <u64>(shorts / NODE_BYTES) > <u64>capacity) return false
  }
  for (let index: u32 = 0; index < HEAPS; index++) {
    const count = <u32>(sizeOf(FIRST_HEAP + index) / NODE_BYTES)
    heapRestored(heapOf(index >> 1, index & 1), count)
    store<u32>(ioOutcomesPtr() + (<usize>(FIRST_HEAP + index) << 2), nodesPtr(index, count))
  }
  return true
}

/** In a fresh instance: reads the sizes of the parts and says where each belongs; 0 when they do not fit. */
export function restoreBegin(count: i32): i32 {
  if (<u32>count != PARTS) return 0
  restoredTradeBytes = sizeOf(2)
  restoredPendingBytes = sizeOf(3)
  restoredIdBytes = sizeOf(4) + sizeOf(5)
  const idsPtr = idTableRestorePtr(ids, restoredIdBytes)
  const fits =
    sizeOf(0) == MARKET_BYTES && sizeOf(1) == <usize>TIER_TABLES_MAX * TABLE_BYTES && idsPtr != 0 &&
    restoredTradeBytes % STORED_BYTES == 0 && restoredTradeBytes / STORED_BYTES <= capacity &&
    sizeOf(6) == restoredTradeBytes / STORED_BYTES << 3 && restoredPendingBytes % WORD_BYTES == 0 &&
    restoredPendingBytes / WORD_BYTES <= capacity
  if (!fits || !placeNodes()) return 0
  const table = ioOutcomesPtr()
  store<u32>(table, changetype<usize>(market))
  store<u32>(table, tables, 4)
  store<u32>(table, trades, 8)
  store<u32>(table, pending, 12)
  store<u32>(table, idsPtr, 16)
  store<u32>(table, idsPtr + sizeOf(4), 20)
  store<u32>(table, places, 24)
  return 1
}

/**
 * Takes the restored parts over: the indexes are made anew, the heaps are looked over. 0 when the parts contradict
 * themselves.
 */
export function restoreEnd(): i32 {
  const agree =
    restoredTradeBytes == <usize>market.highWater * STORED_BYTES &&
    restoredPendingBytes == <usize>market.pendingCount * WORD_BYTES &&
    market.currentTableSlot < TIER_TABLES_MAX && market.freeSlot <= market.highWater
  if (!agree) return 0
  idTableRestored(ids, restoredIdBytes)
  if (market.specified != 0) deriveSpread()
  for (let slot: u32 = 0; slot < TIER_TABLES_MAX; slot++) store<u32>(tableAt(slot) + TABLE_REFERENCES, 0)
  setPendingNext(0)
  for (let index: u32 = 0; index < HEAPS; index++) {
    if (!heapIsOrdered(heapOf(index >> 1, index & 1))) return 0
  }
  return <i32>enterRestored()
}

const hashedTrade = memory.data(<i32>TRADE_BYTES, 8)
const hashedWords = memory.data(16, 8)

/** Hashes all state; answers the high 64 bits. */
export function stateHashHigh(): u64 {
  stateHashReset()
  mixWords(changetype<usize>(market), MARKET_HASHED_BYTES >> 3, TAG_MARKET)
  for (let slot: u32 = 0; slot < market.highWater; slot++) {
    if (numberOf(storedAt(slot)) == 0) continue
    readTrade(slot, changetype<Trade>(hashedTrade))
    mixWords(hashedTrade, TRADE_HASHED_BYTES >> 3, TAG_TRADE)
  }
  for (let slot: u32 = 0; slot < TIER_TABLES_MAX; slot++) {
    const table = tableAt(slot)
    const isCurrent = market.specified != 0 && slot == market.currentTableSlot
    if (isCurrent || load<u32>(table + TABLE_REFERENCES) != 0) mixWords(table, <u32>TABLE_REFERENCES >> 3, TAG_TABLE)
  }
  for (let i: u32 = 0; i < market.pendingCount; i++) {
    const word = wordAt(pending, pendingNext + i)
    store<u64>(hashedWords, pendingReason(word))
    store<u64>(hashedWords, pendingNumber(word), 8)
    mixWords(hashedWords, 2, TAG_PENDING)
  }
  idTableMix(ids)
  return stateHashSumHigh()
}

/** The low 64 bits of the hash `stateHashHigh` made. */
export function stateHashLow(): u64 {
  return stateHashSumLow()
}

/** Writes the CONTINUE that must come next at outcomesPtr; answers its bytes, 0 when no tick is running. */
export function continuationBytes(): i32 {
  if (market.pendingCount == 0) return 0
  commandHeaderWrite(ioOutcomesPtr(), COMMAND_HEADER_BYTES, KIND_CONTINUE, 0, 0)
  store<u8>(ioOutcomesPtr(), ORIGIN_RUNNER, 6)
  return COMMAND_HEADER_BYTES
}

/** The next funding instant, −1 when there is none. */
export function nextDeadline(): i64 {
  return market.nextFunding == 0 ? -1 : market.nextFunding
}
