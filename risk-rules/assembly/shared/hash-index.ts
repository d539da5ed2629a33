/*
 * Open addressing with linear probing over entries of 8 bytes, the smallest thing every table here needs:
 *
 *   0          4
 *   ├ value+1 ─┼ hash ──┤      value+1 = 0: empty
 *     u32        u32
 *
 * The table is a power of two of entries, at most half full, so a probe always ends. The entry keeps the
 * hash: most strangers are told apart, and entries are moved, without touching what they point to. Removal
 * shifts the entries behind back (no tombstones), so the table of a long-lived partition never silts up.
 */

/** Bytes of an entry. */
const ENTRY_SHIFT: u32 = 3

/** Entries of a table for `capacity` values: the power of two that is at least twice as many. */
export function hashIndexEntries(capacity: u32): u32 {
  let entries: u32 = 16
  while (entries < capacity << 1) entries <<= 1
  return entries
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

/** Adds a value that is not there yet. The caller keeps the table at most half full. */
export function hashIndexInsert(base: usize, mask: u32, hash: u32, value: u32): void {
  let position = hash & mask
  while (load<u32>(hashIndexAt(base, position)) != 0) position = (position + 1) & mask
  const entry = hashIndexAt(base, position)
  store<u32>(entry, value + 1)
  store<u32>(entry, hash, 4)
}

/** Removes a value that is there, and closes the hole. */
export function hashIndexRemove(base: usize, mask: u32, hash: u32, value: u32): void {
  let hole = hash & mask
  while (load<u32>(hashIndexAt(base, hole)) != value + 1) {
    assert(load<u32>(hashIndexAt(base, hole)) != 0)
    hole = (hole + 1) & mask
  }
  let position = hole
  for (;;) {
    position = (position + 1) & mask
    const entry = hashIndexAt(base, position)
    if (load<u32>(entry) == 0) break
    const home = load<u32>(entry, 4) & mask
    // An entry may move into the hole only when the hole is not before its home.
    if (((position - home) & mask) >= ((position - hole) & mask)) {
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
