import { idTableMix, idTablePartBytes, idTablePartPtr, idTableRestored, idTableRestorePtr } from '../shared/id-table'
import { COMMAND_HEADER_BYTES, commandHeaderWrite, ioInputPtr, ioOutcomesPtr } from '../shared/io'
import { mixWords, stateHashReset, stateHashSumHigh, stateHashSumLow } from '../shared/state-hash'
import { KIND_CONTINUE, TIER_TABLES_MAX } from './codes'
import { MARKET_BYTES, MARKET_HASHED_BYTES, TABLE_BYTES, TABLE_REFERENCES, TRADE_BYTES, TRADE_HASHED_BYTES } from './layout'
import { deriveSpread } from './rules'
import {
  capacity, freeSlot, ids, market, pending, pendingNext, scratch, setFreeSlot, setPendingNext, tableAt, tables, tradeAt, trades,
} from './state'
import { sortWords } from './sort'
import { pendingNumber, pendingReason } from './tick'
import { indexTrade } from './trades'

const TAG_MARKET: u64 = 0x6d61726b
const TAG_TRADE: u64 = 0x74726164
const TAG_TABLE: u64 = 0x7461626c
const TAG_PENDING: u64 = 0x70656e64

/** Market, tier tables, trades, pending, and the two pieces of the id table. */
const PARTS: u32 = 6
const ORIGIN_RUNNER: u8 = 2

function part(index: u32, ptr: usize, bytes: usize): void {
  store<u32>(ioOutcomesPtr() + (<usize>index << 3), <u32>ptr)
  store<u32>(ioOutcomesPtr() + (<usize>index << 3), <u32>bytes, 4)
}

/** Writes where the used state lies; answers how many regions. */
export function snapshotParts(): i32 {
  part(0, changetype<usize>(market), MARKET_BYTES)
  part(1, tables, <usize>TIER_TABLES_MAX * TABLE_BYTES)
  part(2, trades, <usize>market.highWater * TRADE_BYTES)
  part(3, pending + (<usize>pendingNext << 3), <usize>market.pendingCount << 3)
  part(4, idTablePartPtr(ids, 0), idTablePartBytes(ids, 0))
  part(5, idTablePartPtr(ids, 1), idTablePartBytes(ids, 1))
  return PARTS
}

let restoredIdBytes: usize = 0
let restoredTradeBytes: usize = 0
let restoredPendingBytes: usize = 0

/** In a fresh instance: reads the sizes of the parts and says where each belongs; 0 when they do not fit. */
export function restoreBegin(count: i32): i32 {
  if (<u32>count != PARTS) return 0
  const sizes = ioInputPtr()
  restoredTradeBytes = load<u32>(sizes, 8)
  restoredPendingBytes = load<u32>(sizes, 12)
  const older = <usize>load<u32>(sizes, 16)
  restoredIdBytes = older + load<u32>(sizes, 20)
  const idsPtr = idTableRestorePtr(ids, restoredIdBytes)
  const fits =
    <usize>load<u32>(sizes) == MARKET_BYTES &&
    <usize>load<u32>(sizes, 4) == <usize>TIER_TABLES_MAX * TABLE_BYTES && idsPtr != 0 &&
    restoredTradeBytes % TRADE_BYTES == 0 && restoredTradeBytes / TRADE_BYTES <= capacity &&
    restoredPendingBytes % 8 == 0 && restoredPendingBytes / 8 <= capacity
  if (!fits) return 0
  const places = ioOutcomesPtr()
  store<u32>(places, changetype<usize>(market))
  store<u32>(places, tables, 4)
  store<u32>(places, trades, 8)
  store<u32>(places, pending, 12)
  store<u32>(places, idsPtr, 16)
  store<u32>(places, idsPtr + older, 20)
  return 1
}

/** Takes the restored parts over: indexes, heaps and free slots are made anew. 0 when the parts contradict themselves. */
export function restoreEnd(): i32 {
  const highWater = market.highWater
  const agree =
    restoredTradeBytes == <usize>highWater * TRADE_BYTES && restoredPendingBytes == <usize>market.pendingCount << 3 &&
    market.currentTableSlot < TIER_TABLES_MAX
  if (!agree) return 0
  idTableRestored(ids, restoredIdBytes)
  if (market.specified != 0) deriveSpread()
  for (let slot: u32 = 0; slot < TIER_TABLES_MAX; slot++) store<u32>(tableAt(slot) + TABLE_REFERENCES, 0)
  setPendingNext(0)
  setFreeSlot(0)
  // Lists of accounts are in opening order: enter the trades by number.
  let count: u32 = 0
  for (let i: u32 = highWater; i > 0; i--) {
    const slot = i - 1
    const trade = tradeAt(slot)
    if (trade.number == 0) continue
    if (trade.tableSlot >= TIER_TABLES_MAX) return 0
    store<u64>(scratch + (<usize>count << 3), (trade.number << 20) | <u64>slot)
    count++
  }
  if (count != market.openCount) return 0
  return enterTrades(count)
}

function enterTrades(count: u32): i32 {
  sortWords(scratch, scratch + (<usize>capacity << 3), count)
  for (let i: u32 = 0; i < count; i++) indexTrade(<u32>(load<u64>(scratch + (<usize>i << 3)) & 0xfffff))
  for (let slot: u32 = market.highWater; slot > 0; slot--) {
    const trade = tradeAt(slot - 1)
    if (trade.number != 0) continue
    trade.next = freeSlot
    setFreeSlot(slot)
  }
  return 1
}

/** Hashes all state; answers the high 64 bits. */
export function stateHashHigh(): u64 {
  stateHashReset()
  mixWords(changetype<usize>(market), MARKET_HASHED_BYTES >> 3, TAG_MARKET)
  for (let slot: u32 = 0; slot < market.highWater; slot++) {
    const trade = tradeAt(slot)
    if (trade.number != 0) mixWords(changetype<usize>(trade), TRADE_HASHED_BYTES >> 3, TAG_TRADE)
  }
  for (let slot: u32 = 0; slot < TIER_TABLES_MAX; slot++) {
    const table = tableAt(slot)
    const isCurrent = market.specified != 0 && slot == market.currentTableSlot
    if (isCurrent || load<u32>(table + TABLE_REFERENCES) != 0) mixWords(table, <u32>TABLE_REFERENCES >> 3, TAG_TABLE)
  }
  for (let i: u32 = 0; i < market.pendingCount; i++) {
    const word = load<u64>(pending + (<usize>(pendingNext + i) << 3))
    store<u64>(scratch, pendingReason(word))
    store<u64>(scratch, pendingNumber(word), 8)
    mixWords(scratch, 2, TAG_PENDING)
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
