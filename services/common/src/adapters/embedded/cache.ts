import type { Cache } from '../../ports/cache.ts'
import type { Clock } from '../../ports/clock.ts'

/** Where the cache in memory is bounded. */
export interface MemoryCacheOptions {
  readonly clock: Clock
  /** Values kept; beyond it the one longest unused goes. Default 10,000. */
  readonly entriesMax?: number
  /** Largest value that is stored; default 1 MiB. */
  readonly valueBytesMax?: number
  /** Bytes of all values; beyond it the longest unused go. Default 64 MiB. */
  readonly bytesMax?: number
}

interface Kept {
  readonly value: Uint8Array
  readonly expiresAtMs: number
}

const MEBIBYTE = 1_048_576

/** Cache in this process (port Cache): least recently used goes first. Gives and keeps copies. */
export const createMemoryCache = (options: MemoryCacheOptions): Cache => {
  const { clock, entriesMax = 10_000, valueBytesMax = MEBIBYTE, bytesMax = 64 * MEBIBYTE } = options
  // A Map walks its keys in the order they were set: the first one is the longest unused.
  const entries = new Map<string, Kept>()
  let bytes = 0

  const remove = (key: string): void => {
    bytes -= entries.get(key)?.value.length ?? 0
    entries.delete(key)
  }
  const trim = (): void => {
    for (const key of entries.keys()) {
      if (entries.size <= entriesMax && bytes <= bytesMax) return
      remove(key)
    }
  }

  return {
    get: async (key) => {
      const kept = entries.get(key)
      if (kept === undefined) return undefined
      if (kept.expiresAtMs <= clock.monotonicMs()) {
        remove(key)
        return undefined
      }
      entries.delete(key)
      entries.set(key, kept)
      return new Uint8Array(kept.value)
    },
    set: async (key, value, ttlMs) => {
      remove(key)
      if (value.length > valueBytesMax || ttlMs <= 0) return
      entries.set(key, { value: new Uint8Array(value), expiresAtMs: clock.monotonicMs() + ttlMs })
      bytes += value.length
      trim()
    },
    delete: async (key) => remove(key),
    clear: async () => {
      entries.clear()
      bytes = 0
    },
  }
}
