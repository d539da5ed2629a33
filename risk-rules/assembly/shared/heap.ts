/**
 * A 4-ary indexed min-heap of i64 keys in linear memory. Each entry names a slot of somebody's table, and the
 * table holds, per slot, the entry's place in the heap, so that any slot is removed in O(log n).
 *
 * Heap (32 bytes):
 *
 *   0        4      8       12          16       20      24     32
 *   ├ count ─┼ step ┼ nodes ┼ positions ┼ stride ┼ shift ┼ (0) ─┤
 *     u32      i32    u32     u32         u32      u32
 *
 * Node (12 bytes):  0 key i64 │ 8 slot u32. The first lies at `nodes`, the others follow every `step` bytes: two
 * heaps share the room of one when one of them grows downwards.
 *
 * The place of slot s is a field of 21 bits, `shift` bits up in the u64 at positions + s × stride: 0 = not in the heap, else its
 * index + 1. A reversed order (highest first) is had by negating keys. Equal keys come out in no promised order.
 */

/** Bytes of the heap's own fields. */
export const HEAP_BYTES: u32 = 32
/** Bytes of a node. */
export const NODE_BYTES: usize = 12
const ARITY: u32 = 4
/** Bits of a place; a heap holds fewer entries than 2^21 − 1. */
export const PLACE_BITS: u32 = 21
const PLACE_MASK: u64 = (1 << 21) - 1

/** Bytes the nodes of heaps of together `capacity` entries take. */
export function heapNodesBytes(capacity: u32): usize {
  return <usize>capacity * NODE_BYTES
}

/** Makes an empty heap at `heap`; the caller owns the nodes and the places. */
export function heapInit(heap: usize, nodes: usize, step: i32, positions: usize, stride: u32, shift: u32): void {
  store<u32>(heap, 0)
  store<i32>(heap, step, 4)
  store<u32>(heap, <u32>nodes, 8)
  store<u32>(heap, <u32>positions, 12)
  store<u32>(heap, stride, 16)
  store<u32>(heap, shift, 20)
}

/** Entries in the heap. */
@inline
export function heapCount(heap: usize): u32 {
  return load<u32>(heap)
}

/** Takes over nodes that were copied: there are `count` of them, in order. */
export function heapRestored(heap: usize, count: u32): void {
  store<u32>(heap, count)
}

@inline
function nodeAt(heap: usize, index: u32): usize {
  return <usize>(load<u32>(heap, 8) + index * <u32>load<i32>(heap, 4))
}

/** Key of the entry at `index` (0 is the lowest). */
export function heapKeyAt(heap: usize, index: u32): i64 {
  return load<i64>(nodeAt(heap, index))
}

/** Slot of the entry at `index`. */
export function heapSlotAt(heap: usize, index: u32): u32 {
  return load<u32>(nodeAt(heap, index), 8)
}

/** The lowest key, or the highest i64 of an empty heap. */
export function heapTopKey(heap: usize): i64 {
  return load<u32>(heap) == 0 ? i64.MAX_VALUE : load<i64>(nodeAt(heap, 0))
}

/** First child of `index`; its other children follow. May be beyond the count. */
@inline
export function heapFirstChild(index: u32): u32 {
  return index * ARITY + 1
}

/** Where the place of a slot lies. */
@inline
function placeOf(heap: usize, slot: u32): usize {
  return <usize>load<u32>(heap, 12) + <usize>slot * <usize>load<u32>(heap, 16)
}

/** Index + 1 of a slot's entry, 0 when it is not in the heap. */
@inline
export function heapPlace(heap: usize, slot: u32): u32 {
  return <u32>((load<u64>(placeOf(heap, slot)) >> <u64>load<u32>(heap, 20)) & PLACE_MASK)
}

@inline
function setPlace(heap: usize, slot: u32, place: u32): void {
  const ptr = placeOf(heap, slot)
  const shift = <u64>load<u32>(heap, 20)
  store<u64>(ptr, (load<u64>(ptr) & ~(PLACE_MASK << shift)) | (<u64>place << shift))
}

@inline
function put(heap: usize, index: u32, key: i64, slot: u32): void {
  const node = nodeAt(heap, index)
  store<i64>(node, key)
  store<u32>(node, slot, 8)
  setPlace(heap, slot, index + 1)
}

/** Moves a hole at `index` up until `key` fits there. */
function siftUp(heap: usize, index: u32, key: i64, slot: u32): void {
  while (index > 0) {
    const parent = (index - 1) / ARITY
    const parentKey = heapKeyAt(heap, parent)
    if (parentKey <= key) break
    put(heap, index, parentKey, heapSlotAt(heap, parent))
    index = parent
  }
  put(heap, index, key, slot)
}

/** Moves a hole at `index` down until `key` fits there. */
function siftDown(heap: usize, index: u32, key: i64, slot: u32): void {
  const count = load<u32>(heap)
  while (true) {
    const first = heapFirstChild(index)
    if (first >= count) break
    const end = min(first + ARITY, count)
    let least = first
    let leastKey = heapKeyAt(heap, first)
    for (let child = first + 1; child < end; child++) {
      const childKey = heapKeyAt(heap, child)
      if (childKey < leastKey) {
        least = child
        leastKey = childKey
      }
    }
    if (leastKey >= key) break
    put(heap, index, leastKey, heapSlotAt(heap, least))
    index = least
  }
  put(heap, index, key, slot)
}

/** Adds `slot` (not in the heap yet) under `key`. The caller keeps the count within the capacity. */
export function heapInsert(heap: usize, slot: u32, key: i64): void {
  const count = load<u32>(heap)
  store<u32>(heap, count + 1)
  siftUp(heap, count, key, slot)
}

/** Restores the order after keys were overwritten. O(n). */
export function heapify(heap: usize): void {
  const count = load<u32>(heap)
  if (count < 2) return
  for (let index: i32 = <i32>((count - 2) / ARITY); index >= 0; index--) {
    siftDown(heap, <u32>index, heapKeyAt(heap, <u32>index), heapSlotAt(heap, <u32>index))
  }
}

/** Overwrites a key without restoring the order: `heapify` follows when all are there. */
export function heapSetKeyAt(heap: usize, index: u32, key: i64): void {
  store<i64>(nodeAt(heap, index), key)
}

/** Takes `slot` out; nothing when it is not in the heap. */
export function heapRemove(heap: usize, slot: u32): void {
  const place = heapPlace(heap, slot)
  if (place == 0) return
  setPlace(heap, slot, 0)
  const index = place - 1
  const last = load<u32>(heap) - 1
  store<u32>(heap, last)
  if (index == last) return
  const key = heapKeyAt(heap, last)
  const moved = heapSlotAt(heap, last)
  if (index > 0 && heapKeyAt(heap, (index - 1) / ARITY) > key) siftUp(heap, index, key, moved)
  else siftDown(heap, index, key, moved)
}

/** Whether no entry is below its parent. */
export function heapIsOrdered(heap: usize): bool {
  const count = load<u32>(heap)
  for (let index: u32 = 1; index < count; index++) {
    if (heapKeyAt(heap, (index - 1) / ARITY) > heapKeyAt(heap, index)) return false
  }
  return true
}
