/*
 * The ids a machine remembers: id → request hash and first outcome, for a window of ten minutes. Entries
 * lie in a ring in order of arrival; an index over all 16 bytes of the id finds them.
 *
 * The table at `base`:
 *
 *   0          4         8            12      16     20      24      32
 *   ├ capacity ┼ bodyMax ┼ entryBytes ┼ places ┼ head ┼ count ┼ seed ─┼ ring … ┼ index …
 *     u32        u32       u32          u32      u32    u32     u64
 *
 * An entry:
 *
 *   0     16            32     40     42     44          48
 *   ├ id ─┼ requestHash ┼ time ┼ code ┼ kind ┼ bodyBytes ┼ body (bodyMax bytes)
 *     16    16            i64    u16    u16    u32
 *
 * Times never go back, so the oldest entry is always at the head. The memory at `base` is zero when the table
 * is made (a fresh instance): nothing here pays for clearing what nobody has touched.
 */
import {
  equal16, hashIndexAt, hashIndexBytes, hashIndexEntries, hashIndexHash, hashIndexHome, hashIndexInsert, hashIndexNext,
  hashIndexRemove, hashIndexValue, hashOf16,
} from './hash-index'
import { mixWords } from './state-hash'

const HEADER_BYTES: usize = 32
const ENTRY_HEADER_BYTES: u32 = 48
/** How long an id is remembered. */
export const ID_WINDOW_MS: i64 = 600_000
const SEED_DEFAULT: u64 = 0x5bd1e9955bd1e995
const TAG_ID: u64 = 0x6964

/** Bytes a table of `capacity` ids with kept bodies of at most `bodyMax` (a multiple of 8) bytes takes. */
export function idTableBytes(capacity: u32, bodyMax: u32): usize {
  return HEADER_BYTES + (<usize>capacity) * (ENTRY_HEADER_BYTES + bodyMax) + hashIndexBytes(capacity)
}

/** Makes an empty table in zeroed memory. The seed keys the index only: no outcome depends on it. */
export function idTableInit(base: usize, capacity: u32, bodyMax: u32, seed: u64 = SEED_DEFAULT): void {
  assert((bodyMax & 7) == 0)
  store<u32>(base, capacity)
  store<u32>(base, bodyMax, 4)
  store<u32>(base, ENTRY_HEADER_BYTES + bodyMax, 8)
  store<u32>(base, hashIndexEntries(capacity), 12)
  store<u64>(base, seed, 24)
}

@inline
function capacityOf(base: usize): u32 { return load<u32>(base) }
@inline
function entryBytesOf(base: usize): u32 { return load<u32>(base, 8) }
@inline
function placesOf(base: usize): u32 { return load<u32>(base, 12) }
@inline
function seedOf(base: usize): u64 { return load<u64>(base, 24) }
@inline
function entryAt(base: usize, position: u32): usize {
  return base + HEADER_BYTES + (<usize>position) * entryBytesOf(base)
}
@inline
function indexOf(base: usize): usize {
  return base + HEADER_BYTES + (<usize>capacityOf(base)) * entryBytesOf(base)
}
@inline
function positionAt(base: usize, ordinal: u32): u32 {
  const position = load<u32>(base, 16) + ordinal
  return position >= capacityOf(base) ? position - capacityOf(base) : position
}

/** How many ids are remembered. */
export function idTableCount(base: usize): u32 {
  return load<u32>(base, 20)
}

/** The entry of the `ordinal`-th oldest id; for walks (hash, pages). */
export function idTableEntry(base: usize, ordinal: u32): usize {
  return entryAt(base, positionAt(base, ordinal))
}

/** Forgets every id whose time is more than the window before `now`. */
export function idTableExpire(base: usize, now: i64): void {
  const count = idTableCount(base)
  const oldest = now - ID_WINDOW_MS
  let expired: u32 = 0
  while (expired < count && load<i64>(idTableEntry(base, expired), 32) < oldest) expired++
  if (expired == 0) return
  const index = indexOf(base)
  const places = placesOf(base)
  // After a long silence nearly all expire at once: then clearing and adding the rest is the cheap way.
  const rebuild = expired > count - expired
  if (!rebuild) {
    for (let i: u32 = 0; i < expired; i++) {
      const position = positionAt(base, i)
      hashIndexRemove(index, places, hashOf16(entryAt(base, position), seedOf(base)), position)
    }
  }
  store<u32>(base, positionAt(base, expired), 16)
  store<u32>(base, count - expired, 20)
  if (rebuild) {
    memory.fill(index, 0, hashIndexBytes(capacityOf(base)))
    indexAll(base)
  }
}

function indexAll(base: usize): void {
  const count = idTableCount(base)
  const index = indexOf(base)
  for (let i: u32 = 0; i < count; i++) {
    const position = positionAt(base, i)
    hashIndexInsert(index, placesOf(base), hashOf16(entryAt(base, position), seedOf(base)), position)
  }
}

/** The entry of the id at `idPtr`, or 0 when it is not remembered. */
export function idTableFind(base: usize, idPtr: usize): usize {
  const hash = hashOf16(idPtr, seedOf(base))
  const index = indexOf(base)
  const places = placesOf(base)
  let position = hashIndexHome(places, hash)
  let slot = hashIndexAt(index, position)
  while (hashIndexValue(slot) != 0) {
    if (hashIndexHash(slot) == hash) {
      const entry = entryAt(base, hashIndexValue(slot) - 1)
      if (equal16(entry, idPtr)) return entry
    }
    position = hashIndexNext(places, position)
    slot = hashIndexAt(index, position)
  }
  return 0
}

/** Whether the entry was made by a request with this hash (16 bytes). */
export function idTableHashEquals(entry: usize, hashPtr: usize): bool {
  return equal16(entry + 16, hashPtr)
}

/** Code of the remembered outcome. */
export function idEntryCode(entry: usize): u16 { return load<u16>(entry, 40) }
/** Command kind of the remembered outcome. */
export function idEntryKind(entry: usize): u16 { return load<u16>(entry, 42) }
/** Bytes kept of the remembered outcome's body. */
export function idEntryBodyBytes(entry: usize): u32 { return load<u32>(entry, 44) }
/** Address of the kept body. */
export function idEntryBody(entry: usize): usize { return entry + ENTRY_HEADER_BYTES }

/** Whether no further id can be remembered now: a command with a new id is then refused UNAVAILABLE. */
export function idTableFull(base: usize): bool {
  return idTableCount(base) >= capacityOf(base)
}

/**
 * Remembers an id that is not in the table, at time `now`, with what its first outcome says. `bodyBytes` is
 * at most the table's bodyMax; what is not filled is zero.
 */
export function idTableInsert(
  base: usize, idPtr: usize, hashPtr: usize, now: i64, code: u16, kind: u16, bodyPtr: usize, bodyBytes: u32,
): void {
  assert(!idTableFull(base))
  assert(bodyBytes <= load<u32>(base, 4))
  const position = positionAt(base, idTableCount(base))
  const entry = entryAt(base, position)
  store<u64>(entry, load<u64>(idPtr))
  store<u64>(entry, load<u64>(idPtr, 8), 8)
  store<u64>(entry, load<u64>(hashPtr), 16)
  store<u64>(entry, load<u64>(hashPtr, 8), 24)
  store<i64>(entry, now, 32)
  store<u16>(entry, code, 40)
  store<u16>(entry, kind, 42)
  store<u32>(entry, bodyBytes, 44)
  memory.copy(entry + ENTRY_HEADER_BYTES, bodyPtr, bodyBytes)
  memory.fill(entry + ENTRY_HEADER_BYTES + bodyBytes, 0, load<u32>(base, 4) - bodyBytes)
  hashIndexInsert(indexOf(base), placesOf(base), hashOf16(idPtr, seedOf(base)), position)
  store<u32>(base, idTableCount(base) + 1, 20)
}

/** Adds every remembered id to the state hash. */
export function idTableMix(base: usize): void {
  const count = idTableCount(base)
  const words = entryBytesOf(base) >> 3
  for (let i: u32 = 0; i < count; i++) mixWords(idTableEntry(base, i), words, TAG_ID)
}

/** The used part of the ring is at most two pieces, the older first. Address of piece 0 or 1. */
export function idTablePartPtr(base: usize, piece: u32): usize {
  return piece == 0 ? entryAt(base, load<u32>(base, 16)) : entryAt(base, 0)
}

/** Bytes of piece 0 or 1 of the used part. */
export function idTablePartBytes(base: usize, piece: u32): usize {
  const head = load<u32>(base, 16)
  const count = idTableCount(base)
  const untilEnd = capacityOf(base) - head
  const first = count < untilEnd ? count : untilEnd
  return (<usize>(piece == 0 ? first : count - first)) * entryBytesOf(base)
}

/**
 * Where `bytes` of entries saved from another table (both pieces, in order) go in this empty one; 0 when they
 * do not fit.
 */
export function idTableRestorePtr(base: usize, bytes: usize): usize {
  const fits = bytes % entryBytesOf(base) == 0 && bytes / entryBytesOf(base) <= <usize>capacityOf(base)
  return fits && idTableCount(base) == 0 ? entryAt(base, 0) : 0
}

/** Takes over the entries that were copied to `idTableRestorePtr`. */
export function idTableRestored(base: usize, bytes: usize): void {
  store<u32>(base, 0, 16)
  store<u32>(base, <u32>(bytes / entryBytesOf(base)), 20)
  indexAll(base)
}
