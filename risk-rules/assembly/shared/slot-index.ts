/*
 * Open addressing for up to 2^20 slots in 4 bytes an entry: linear probing with "Robin Hood" order (who is farther from home goes
 * first), so that a table four fifths full still ends a search within a few neighbours.
 *
 * Entry: slot + 1 (21 bits) | distance from home (11 bits) << 21; 0 = empty.
 *
 * The hash is not kept: equal homes are told apart by looking at the slot. Removal shifts the entries behind back (no
 * tombstones).
 */

const SLOT_BITS: u32 = 21
const SLOT_MASK: u32 = (1 << SLOT_BITS) - 1
const ONE_AWAY: u32 = 1 << SLOT_BITS
const DISTANCE_MAX: u32 = 2_047

/** Entries of a table for `capacity` slots: at most four fifths are used. */
export function slotIndexEntries(capacity: u32): u32 {
  return capacity + (capacity >> 2) + 8
}

/** Bytes of a table for `capacity` slots. */
export function slotIndexBytes(capacity: u32): usize {
  return <usize>slotIndexEntries(capacity) << 2
}

/** Where entries of this hash begin to be looked for. */
@inline
export function slotIndexHome(entries: u32, hash: u32): u32 {
  return <u32>((<u64>hash * <u64>entries) >> 32)
}

/** The entry at `position`. */
@inline
export function slotIndexAt(base: usize, position: u32): u32 {
  return load<u32>(base + (<usize>position << 2))
}

/** Slot of an entry that is not empty. */
@inline
export function slotIndexSlot(entry: u32): u32 {
  return (entry & SLOT_MASK) - 1
}

/** How far from its home an entry lies: a search ends at an empty entry or one nearer to its home than the search is. */
@inline
export function slotIndexDistance(entry: u32): u32 {
  return entry >> SLOT_BITS
}

@inline
function put(base: usize, position: u32, entry: u32): void {
  store<u32>(base + (<usize>position << 2), entry)
}

/** The position after this one. */
@inline
export function slotIndexNext(entries: u32, position: u32): u32 {
  return position + 1 == entries ? 0 : position + 1
}

/** Adds a slot that is not there yet. The caller keeps within the capacity. */
export function slotIndexInsert(base: usize, entries: u32, hash: u32, slot: u32): void {
  let position = slotIndexHome(entries, hash)
  let carried = slot + 1
  let distance: u32 = 0
  while (true) {
    const entry = slotIndexAt(base, position)
    if (entry == 0) break
    const other = slotIndexDistance(entry)
    if (other < distance) {
      put(base, position, carried | (distance << SLOT_BITS))
      carried = entry & SLOT_MASK
      distance = other
    }
    position = slotIndexNext(entries, position)
    distance++
    assert(distance <= DISTANCE_MAX)
  }
  put(base, position, carried | (distance << SLOT_BITS))
}

/** Position of a slot that is there. */
function positionOf(base: usize, entries: u32, hash: u32, slot: u32): u32 {
  let position = slotIndexHome(entries, hash)
  let entry = slotIndexAt(base, position)
  while ((entry & SLOT_MASK) != slot + 1) {
    assert(entry != 0)
    position = slotIndexNext(entries, position)
    entry = slotIndexAt(base, position)
  }
  return position
}

/** Puts `slot` in the place of `former`, which is there and has the same hash. */
export function slotIndexReplace(base: usize, entries: u32, hash: u32, former: u32, slot: u32): void {
  const position = positionOf(base, entries, hash, former)
  put(base, position, (slotIndexAt(base, position) & ~SLOT_MASK) | (slot + 1))
}

/** Removes a slot that is there, and closes the hole. */
export function slotIndexRemove(base: usize, entries: u32, hash: u32, slot: u32): void {
  let hole = positionOf(base, entries, hash, slot)
  while (true) {
    const position = slotIndexNext(entries, hole)
    const entry = slotIndexAt(base, position)
    if (entry == 0 || slotIndexDistance(entry) == 0) break
    put(base, hole, entry - ONE_AWAY)
    hole = position
  }
  put(base, hole, 0)
}
