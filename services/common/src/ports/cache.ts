/**
 * Cache. It may forget anything at any time; no correctness rests on it.
 *
 * K1 `get` gives what was last `set` for the key, or undefined.
 * K2 A value is gone after `ttlMs`.
 * K3 Values and their number are bounded; a value that is too large is not stored.
 * K4 `delete` removes one key, `clear` those of this cache only.
 * K5 Values are bytes and round-trip.
 * K6 A broken cache answers undefined and swallows writes; it never throws.
 */
export interface Cache {
  get(key: string): Promise<Uint8Array | undefined>
  set(key: string, value: Uint8Array, ttlMs: number): Promise<void>
  delete(key: string): Promise<void>
  clear(): Promise<void>
}
