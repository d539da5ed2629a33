import { HEAP_BYTES, heapInit, heapNodesBytes, NODE_BYTES, PLACE_BITS } from '../shared/heap'
import { idTableBytes, idTableInit } from '../shared/id-table'
import { freeBase, ioBytes, ioInit, reserve } from '../shared/io'
import { slotIndexBytes, slotIndexEntries } from '../shared/slot-index'
import { KEPT_BYTES, MARKET_BYTES, Market, STORED_BYTES, Stored, TABLE_BYTES } from './layout'
import { CLOSES_MAX, TIER_TABLES_MAX, TRADES_MAX } from './codes'
import { WORD_BYTES } from './sort'

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
export let places: usize = 0
export let ids: usize = 0
/** Sorted words of what the running tick closes: group << 42 | number. */
export let pending: usize = 0
/** Closed already of `pending`. */
export let pendingNext: u32 = 0
export let numberIndex: usize = 0
export let accountIndex: usize = 0
/** Entries of each of the two indexes. */
export let indexEntries: u32 = 0
let heaps: usize = 0
let nodes: usize = 0

export function setPendingNext(value: u32): void { pendingNext = value }

/** A slot of the trade table. */
@inline
export function storedAt(slot: u32): Stored {
  return changetype<Stored>(trades + <usize>slot * STORED_BYTES)
}

/** Tier table of a slot. */
@inline
export function tableAt(slot: u32): usize {
  return tables + <usize>slot * TABLE_BYTES
}

/**
 * Where a trade's nodes are: u64 of a slot. Places in the heaps of liquidations, stops and targets (21 bits each;
 * index + 1, 0 = not in it) | taken by the running tick << 63.
 */
@inline
export function placesAt(slot: u32): usize {
  return places + (<usize>slot << 3)
}

/** Heap of a group (0 liquidations, 1 stops, 2 targets) and a direction. */
@inline
export function heapOf(group: u32, direction: u32): usize {
  return heaps + <usize>((group << 1) | direction) * HEAP_BYTES
}

/** Where the first node of a heap lies: the longs' from the start of what a group has, the shorts' from its end. */
export function firstNodeOf(group: u32, direction: u32): usize {
  const start = nodes + <usize>group * heapNodesBytes(capacity)
  return direction == 0 ? start : start + heapNodesBytes(capacity - 1)
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
  trades = take(<usize>tradesMax * STORED_BYTES)
  places = take(<usize>tradesMax << 3)
  // Sorting reads two bytes behind the last word.
  pending = take(<usize>tradesMax * WORD_BYTES + 2)
  indexEntries = slotIndexEntries(tradesMax)
  numberIndex = take(slotIndexBytes(tradesMax))
  accountIndex = take(slotIndexBytes(tradesMax))
  nodes = take(heapNodesBytes(tradesMax) * <usize>(HEAPS >> 1))
  ids = take(idTableBytes(idsMax, KEPT_BYTES))
  reserve(laidOut)
  ioInit(buffers, OUTCOMES_BYTES, EFFECTS_BYTES)
  idTableInit(ids, idsMax, KEPT_BYTES)
  market = changetype<Market>(marketPtr)
  for (let index: u32 = 0; index < HEAPS; index++) {
    const step = (index & 1) == 0 ? <i32>NODE_BYTES : -(<i32>NODE_BYTES)
    const first = firstNodeOf(index >> 1, index & 1)
    heapInit(heaps + <usize>index * HEAP_BYTES, first, step, places, 8, PLACE_BITS * (index >> 1))
  }
}
