import { hash } from 'node:crypto'
import type { Cache } from '../../ports/cache.ts'
import type { Clock } from '../../ports/clock.ts'
import { PortError } from '../../ports/failure.ts'
import type { RedisConnection } from './connection.ts'

/** Largest value that is stored by default, bytes. */
export const CACHE_VALUE_BYTES_MAX = 1_048_576
/** Longest a value is kept, ms; a longer time is cut to this. */
export const CACHE_TTL_MS_MAX = 3_600_000
/** Keys longer than this, in UTF-8 bytes, are replaced by their hash. */
export const CACHE_KEY_BYTES_MAX = 128
/** Keys whose older value may still be in Redis that are remembered; beyond it nothing is believed before all is cleared. */
export const DOUBTFUL_KEYS_MAX = 10_000
/** After a `clear` that failed the next `get` tries again, but no sooner than this, ms. */
export const CLEAR_RETRY_MS = 1_000
/** Keys asked for and removed at a time by `clear`. */
const CLEAR_PAGE_KEYS = 500

/** How the cache on Redis is told apart from others and bounded. */
export interface RedisCacheOptions {
  readonly clock: Clock
  /** Part of its keys. Default `shared`: all processes that use the same name share the values. */
  readonly name?: string
  /** Default CACHE_VALUE_BYTES_MAX. */
  readonly valueBytesMax?: number
}

/** A cache on Redis and how often it could not do what it was asked. */
export interface RedisCache extends Cache {
  /** Reads answered undefined and writes not done because Redis failed. */
  failures(): number
}

const boundedKey = (key: string): string =>
  Buffer.byteLength(key) > CACHE_KEY_BYTES_MAX ? `sha256:${hash('sha256', key)}` : key

/** Keys as a pattern of SCAN takes them literally. */
const escaped = (text: string): string => text.replace(/[\\*?[\]]/g, String.raw`\$&`)

/**
 * Keys that were written or deleted without an answer: what Redis has may be older than what was last set here (K1), so it is not
 * believed until a write or a deletion of that key was answered. Too many of them, or a `clear` that failed, put everything in
 * doubt until a `clear` has succeeded.
 */
const createDoubts = (clock: Clock) => {
  const keys = new Set<string>()
  let isEverything = false
  let nextTryMs = -Infinity
  return {
    add: (key: string): void => {
      if (keys.size < DOUBTFUL_KEYS_MAX) keys.add(key)
      else isEverything = true
    },
    addAll: (): void => void (isEverything = true),
    remove: (key: string): void => void keys.delete(key),
    removeAll: (): void => {
      keys.clear()
      isEverything = false
    },
    has: (key: string): boolean => keys.has(key),
    isEverything: (): boolean => isEverything,
    /** Whether it is time to clear again what could not be cleared. */
    mayTry: (): boolean => {
      if (clock.monotonicMs() < nextTryMs) return false
      nextTryMs = clock.monotonicMs() + CLEAR_RETRY_MS
      return true
    },
  }
}

/**
 * Cache on Redis (port Cache). How many values it keeps is bounded by their time and by the server's `maxmemory`. A call
 * waits no longer than the connection's command timeout.
 */
export const createRedisCache = (connection: RedisConnection, options: RedisCacheOptions): RedisCache => {
  const { clock, name = 'shared', valueBytesMax = CACHE_VALUE_BYTES_MAX } = options
  const root = `${connection.prefix}:cache:${name}:`
  const doubts = createDoubts(clock)
  let failures = 0

  /** Gives the answer, or undefined when Redis failed, counted. */
  const tried = async (...parts: readonly (string | number | Uint8Array)[]): Promise<unknown> => {
    try {
      return await connection.command(...parts)
    } catch (error) {
      if (!(error instanceof PortError)) throw error
      failures += 1
      return undefined
    }
  }
  const remove = async (key: string): Promise<void> => {
    if ((await tried('DEL', root + key)) === undefined) doubts.add(key)
    else doubts.remove(key)
  }
  /** Removes all keys of this cache; false when Redis failed on the way. */
  const removeAll = async (): Promise<boolean> => {
    let cursor = '0'
    do {
      const page = await tried('SCAN', cursor, 'MATCH', `${escaped(root)}*`, 'COUNT', CLEAR_PAGE_KEYS)
      if (page === undefined) return false
      const [next, keys] = page as [Buffer, Buffer[]]
      if (keys.length > 0 && (await tried('DEL', ...keys)) === undefined) return false
      cursor = next.toString('latin1')
    } while (cursor !== '0')
    return true
  }

  const clear = async (): Promise<void> => {
    if (await removeAll()) doubts.removeAll()
    else doubts.addAll()
  }

  return {
    get: async (named) => {
      const key = boundedKey(named)
      if (doubts.isEverything()) {
        if (doubts.mayTry()) await clear()
        return undefined
      }
      if (doubts.has(key)) {
        await remove(key)
        return undefined
      }
      const found = await tried('GET', root + key)
      return found instanceof Buffer ? Uint8Array.from(found) : undefined
    },
    set: async (named, value, ttlMs) => {
      const key = boundedKey(named)
      const keptMs = Math.min(Math.floor(ttlMs), CACHE_TTL_MS_MAX)
      if (value.length > valueBytesMax || !(keptMs > 0)) return remove(key)
      // A copy: the driver may write later than the caller changes its bytes (K5).
      const stored = await tried('SET', root + key, Uint8Array.from(value), 'PX', keptMs)
      if (stored === undefined) doubts.add(key)
      else doubts.remove(key)
    },
    delete: (named) => remove(boundedKey(named)),
    clear,
    failures: () => failures,
  }
}
