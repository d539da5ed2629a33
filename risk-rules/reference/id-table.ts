/**
 * The ids a machine remembers, in a plain Map: the twin of `assembly/shared/id-table.ts` for both reference
 * machines. A Map keeps the order of insertion, and times never go back, so the first entry is the oldest.
 */
import type { StateHash } from './state-hash.ts'
import { wordsOf } from './state-hash.ts'

/** How long an id is remembered. */
export const ID_WINDOW_MS = 600_000n
const TAG_ID = 0x6964n
const ENTRY_HEADER_BYTES = 48

/** What is remembered of an id: who asked (hash of the request, 16 bytes) and the first outcome. */
export interface RememberedId {
  readonly id: Uint8Array
  readonly requestHash: Uint8Array
  readonly time: bigint
  readonly code: number
  readonly kind: number
  /** The kept beginning of the outcome's body. */
  readonly body: Uint8Array
}

/** Text of bytes, for keys of Maps. */
export const keyOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

/** Whether two byte strings are the same. */
export const sameBytes = (left: Uint8Array, right: Uint8Array): boolean => keyOf(left) === keyOf(right)

/** See the operations of `assembly/shared/id-table.ts`. */
export interface ReferenceIdTable {
  /** Forgets what is more than the window before `now`. */
  readonly expire: (now: bigint) => void
  readonly find: (id: Uint8Array) => RememberedId | undefined
  readonly isFull: () => boolean
  /** Remembers a new id. */
  readonly insert: (entry: RememberedId) => void
  readonly entries: () => RememberedId[]
  readonly replace: (entries: readonly RememberedId[]) => void
  readonly mix: (hash: StateHash) => void
}

/** Bytes of an entry as the WASM machines have it: 48 and the body, padded with zeros to `bodyMax`. */
export const idEntryBytes = (entry: RememberedId, bodyMax: number): Uint8Array => {
  const bytes = new Uint8Array(ENTRY_HEADER_BYTES + bodyMax)
  const view = new DataView(bytes.buffer)
  bytes.set(entry.id, 0)
  bytes.set(entry.requestHash, 16)
  view.setBigInt64(32, entry.time, true)
  view.setUint16(40, entry.code, true)
  view.setUint16(42, entry.kind, true)
  view.setUint32(44, entry.body.length, true)
  bytes.set(entry.body, ENTRY_HEADER_BYTES)
  return bytes
}

/** An empty table of at most `capacity` ids; `bodyMax` only shapes the hash. */
export const createReferenceIdTable = (capacity: number, bodyMax: number): ReferenceIdTable => {
  const ids = new Map<string, RememberedId>()
  return {
    expire: (now) => {
      for (const [key, entry] of ids) {
        if (entry.time >= now - ID_WINDOW_MS) break
        ids.delete(key)
      }
    },
    find: (id) => ids.get(keyOf(id)),
    isFull: () => ids.size >= capacity,
    insert: (entry) => {
      if (entry.body.length > bodyMax || ids.size >= capacity || ids.has(keyOf(entry.id))) {
        throw new Error('an id is remembered once, with room for it')
      }
      ids.set(keyOf(entry.id), entry)
    },
    entries: () => [...ids.values()],
    replace: (entries) => {
      ids.clear()
      for (const entry of entries) ids.set(keyOf(entry.id), entry)
    },
    mix: (hash) => {
      for (const entry of ids.values()) hash.mix(wordsOf(idEntryBytes(entry, bodyMax)), TAG_ID)
    },
  }
}
