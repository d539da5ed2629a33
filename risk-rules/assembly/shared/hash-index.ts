/*
 * Open addressing with linear probing over entries of 8 bytes, the smallest thing every table here needs:
 *
 *   0          4
 *   ├ value+1 ─┼ hash ──┤      value+1 = 0: empty
 *     u32        u32
 *
 * The table has half as many entries again as values, so a probe always ends; the upper bits of the hash say where it
 * begins. The entry keeps the hash: most strangers are told apart, and entries are moved, without touching what they
 * point to. Removal shifts the entries behind back (no tombstones), so the table of a long-lived partition never
 * silts up.
 */

/** Bytes of an entry. */
const ENTRY_SHIFT: u32 = 3

/** Entries of a table for `capacity` values: at most two thirds are used. */
export function hashIndexEntries(capacity: u32): u32 {
  return capacity + (capacity >> 1) + 16
}

/** Where a value of this hash begins to be looked for. */
@inline
export function hashIndexHome(entries: u32, hash: u32): u32 {
  return <u32>((<u64>hash * <u64>entries) >> 32)
}

/** The position after this one. */
@inline
export function hashIndexNext(entries: u32, position: u32): u32 {
  return position + 1 == entries ? 0 : position + 1
}

/** How far `position` lies behind `home`. */
@inline
function distance(entries: u32, home: u32, position: u32): u32 {
  return position >= home ? position - home : position + (entries - home)
}

/** Bytes of a table for `capacity` values. */
export function hashIndexBytes(capacity: u32): usize {
  return (<usize>hashIndexEntries(capacity)) << ENTRY_SHIFT
}

/** Address of entry `position`. */
@inline
export function hashIndexAt(base: usize, position: u32): usize {
  return base + ((<usize>position) << ENTRY_SHIFT)
}

/** The value of an entry plus one, 0 when it is empty. */
@inline
export function hashIndexValue(entry: usize): u32 {
  return load<u32>(entry)
}

/** The hash of an entry. */
@inline
export function hashIndexHash(entry: usize): u32 {
  return load<u32>(entry, 4)
}

/** Adds a value that is not there yet. The caller keeps within the capacity. */
export function hashIndexInsert(base: usize, entries: u32, hash: u32, value: u32): void {
  let position = hashIndexHome(entries, hash)
  while (load<u32>(hashIndexAt(base, position)) != 0) position = hashIndexNext(entries, position)
  const entry = hashIndexAt(base, position)
  store<u32>(entry, value + 1)
  store<u32>(entry, hash, 4)
}

/** Removes a value that is there, and closes the hole. */
export function hashIndexRemove(base: usize, entries: u32, hash: u32, value: u32): void {
  let hole = hashIndexHome(entries, hash)
  while (load<u32>(hashIndexAt(base, hole)) != value + 1) {
    assert(load<u32>(hashIndexAt(base, hole)) != 0)
    hole = hashIndexNext(entries, hole)
  }
  let position = hole
  for (;;) {
    position = hashIndexNext(entries, position)
    const entry = hashIndexAt(base, position)
    if (load<u32>(entry) == 0) break
    const home = hashIndexHome(entries, load<u32>(entry, 4))
    // An entry may move into the hole only when the hole is not before its home.
    if (distance(entries, home, position) >= distance(entries, hole, position)) {
      store<u64>(hashIndexAt(base, hole), load<u64>(entry))
      hole = position
    }
  }
  store<u64>(hashIndexAt(base, hole), 0)
}

/** Hash of 16 bytes, all of which count (sequential ids differ only at the end), keyed by `seed`. */
export function hashOf16(ptr: usize, seed: u64): u32 {
  let hash = (load<u64>(ptr) ^ seed) * 0x9e3779b97f4a7c15
  hash ^= hash >> 32
  hash = (hash ^ load<u64>(ptr, 8)) * 0xd6e8feb86659fd93
  hash ^= hash >> 32
  hash *= 0xd6e8feb86659fd93
  return <u32>(hash >> 32)
}

/** Hash of 16 bytes and two words more, keyed by `seed`. */
export function hashOf16And(ptr: usize, first: u64, second: u64, seed: u64): u32 {
  let hash = (load<u64>(ptr) ^ seed) * 0x9e3779b97f4a7c15
  hash ^= hash >> 32
  hash = (hash ^ load<u64>(ptr, 8)) * 0xd6e8feb86659fd93
  hash ^= hash >> 32
  hash = (hash ^ first) * 0x9e3779b97f4a7c15
  hash ^= hash >> 32
  hash = (hash ^ second) * 0xd6e8feb86659fd93
  return <u32>(hash >> 32)
}

/** Whether 16 bytes at both addresses are the same. */
@inline
export function equal16(left: usize, right: usize): bool {
  return load<u64>(left) == load<u64>(right) && load<u64>(left, 8) == load<u64>(right, 8)
}
