import { HEAP_BYTES, heapInit, heapNodesBytes } from '../shared/heap'
import { hashIndexBytes, hashIndexEntries } from '../shared/hash-index'
import { idTableBytes, idTableInit } from '../shared/id-table'
import { freeBase, ioBytes, ioInit, reserve } from '../shared/io'
import { KEPT_BYTES, MARKET_BYTES, Market, TABLE_BYTES, TRADE_BYTES, Trade } from './layout'
import { CLOSES_MAX, TIER_TABLES_MAX, TRADES_MAX } from './codes'

/** Heaps: liquidations, stops, targets; of each the longs', then the shorts'. */
export const HEAPS: u32 = 6

/** Bytes of one closed trade's effect: SETTLE with one hold, three legs, memo and the longest slip. */
export const CLOSE_EFFECT_BYTES: usize = 8 + 56 + 32 + 24 + 3 * 48 + 192 + (56 + 32 + 3 * 48)
/** Most a command that is no tick puts into the two outputs. */
export const COMMAND_OUTCOME_BYTES: usize = 24 + 184
/** Most a tick does. */
export const TICK_OUTCOME_BYTES: usize = 24 + 24 + <usize>CLOSES_MAX * 184
export const TICK_EFFECTS_BYTES: usize = <usize>CLOSES_MAX * CLOSE_EFFECT_BYTES

const OUTCOMES_BYTES: usize = 1 << 20
const EFFECTS_BYTES: usize = 4 << 20

export let capacity: u32 = 0
export let market: Market = changetype<Market>(0)
export let tables: usize = 0
export let trades: usize = 0
export let ids: usize = 0
/** Sorted u64 of what the running tick closes: group << 62 | number << 20 | slot. */
export let pending: usize = 0
/** Twice as large as `pending`: for sorting and searching. */
export let scratch: usize = 0
/** Closed already of `pending`. */
export let pendingNext: u32 = 0
/** First free slot + 1 of the trade table, 0 = take a new one. */
export let freeSlot: u32 = 0
export let numberIndex: usize = 0
export let accountIndex: usize = 0
export let indexMask: u32 = 0
let heaps: usize = 0

export function setPendingNext(value: u32): void { pendingNext = value }
export function setFreeSlot(value: u32): void { freeSlot = value }

/** Trade of a slot. */
@inline
export function tradeAt(slot: u32): Trade {
  return changetype<Trade>(trades + <usize>slot * TRADE_BYTES)
}

/** Tier table of a slot. */
@inline
export function tableAt(slot: u32): usize {
  return tables + <usize>slot * TABLE_BYTES
}

/** Heap of a group (0 liquidations, 1 stops, 2 targets) and a direction. */
@inline
export function heapOf(group: u32, direction: u32): usize {
  return heaps + <usize>((group << 1) | direction) * HEAP_BYTES
}

let laidOut: u64 = 0

function take(bytes: usize): usize {
  const at = <usize>laidOut
  laidOut = (laidOut + <u64>bytes + 63) & ~63
  return at
}

/**
 * Lays everything out for `tradesMax` open trades and `idsMax` remembered ids, and grows memory to it: the
 * only time. Traps when the capacities are out of range or the memory cannot be had.
 */
export function init(tradesMax: u32, idsMax: u32): void {
  assert(capacity == 0 && tradesMax > 0 && tradesMax <= TRADES_MAX && idsMax > 0)
  capacity = tradesMax
  laidOut = <u64>freeBase()
  const buffers = take(ioBytes(OUTCOMES_BYTES, EFFECTS_BYTES))
  const marketPtr = take(MARKET_BYTES)
  tables = take(<usize>TIER_TABLES_MAX * TABLE_BYTES)
  heaps = take(<usize>HEAPS * HEAP_BYTES)
  trades = take(<usize>tradesMax * TRADE_BYTES)
  pending = take(<usize>tradesMax * 8)
  scratch = take(<usize>tradesMax * 16)
  numberIndex = take(hashIndexBytes(tradesMax))
  accountIndex = take(hashIndexBytes(tradesMax))
  indexMask = hashIndexEntries(tradesMax) - 1
  const nodes = take(heapNodesBytes(tradesMax) * <usize>HEAPS)
  ids = take(idTableBytes(idsMax, KEPT_BYTES))
  reserve(laidOut)
  ioInit(buffers, OUTCOMES_BYTES, EFFECTS_BYTES)
  idTableInit(ids, idsMax, KEPT_BYTES)
  market = changetype<Market>(marketPtr)
  for (let index: u32 = 0; index < HEAPS; index++) {
    const position = offsetof<Trade>('liquidationPosition') + 4 * <usize>(index >> 1)
    const heapNodes = nodes + heapNodesBytes(tradesMax) * <usize>index
    heapInit(heaps + <usize>index * HEAP_BYTES, heapNodes, trades + position, <u32>TRADE_BYTES)
  }
}
