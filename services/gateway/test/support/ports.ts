import { randomBytes, randomInt, randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { Clock } from '@bourse/common/ports/clock.ts'
import type { AuditRecord, BankKeyRecord, Directory, UserRecord } from '@bourse/common/ports/directory.ts'
import type { Ids } from '@bourse/common/ports/ids.ts'
import type { FeedQuote, Prices } from '@bourse/common/ports/prices.ts'
import type { Random } from '@bourse/common/ports/random.ts'
import type { RateLimits } from '@bourse/common/ports/rate-limits.ts'
import type { ViewFilter, Views } from '@bourse/common/ports/views.ts'

/** The real clock, which a test can move ahead. */
export interface TestClock extends Clock {
  advance(ms: number): void
  /** How far it was moved ahead: a time that passes by the test's word alone. */
  advancedMs(): number
}

/** Makes one. */
export const testClock = (): TestClock => {
  let aheadMs = 0
  return {
    advance: (ms) => {
      aheadMs += ms
    },
    advancedMs: () => aheadMs,
    nowMs: () => Date.now() + aheadMs,
    monotonicMs: () => performance.now() + aheadMs,
    sleep: async (delayMs, signal) => {
      await delay(delayMs, undefined, signal === undefined ? {} : { signal })
    },
    every: (intervalMs, task, onError) => {
      const over = new AbortController()
      const loop = async (): Promise<void> => {
        while (!over.signal.aborted) {
          await delay(intervalMs, undefined, { signal: over.signal }).catch(() => undefined)
          if (over.signal.aborted) return
          try {
            await task()
          } catch (error) {
            onError(error)
          }
        }
      }
      const ended = loop()
      return {
        stop: async () => {
          over.abort()
          await ended
        },
      }
    },
  }
}

/** Real ids. */
export const testIds: Ids = { uuid: () => randomUUID(), bytes16: () => new Uint8Array(randomBytes(16)) }

/** Real randomness. */
export const testRandom: Random = {
  bytes: (count) => new Uint8Array(randomBytes(count)),
  below: (limit) => randomInt(limit),
}

/** Token buckets in memory that fill only while the test moves its clock: how long a machine stood still allows nobody more. */
export const testRateLimits = (clock: TestClock): RateLimits => {
  const buckets = new Map<string, { tokens: number; atMs: number }>()
  return {
    take: (key, { perSecond, burst }) => {
      const nowMs = clock.advancedMs()
      const bucket = buckets.get(key) ?? { tokens: burst, atMs: nowMs }
      bucket.tokens = Math.min(burst, bucket.tokens + ((nowMs - bucket.atMs) * perSecond) / 1_000)
      bucket.atMs = nowMs
      buckets.set(key, bucket)
      if (bucket.tokens < 1)
        return Promise.resolve({ allowed: false, retryAfterMs: ((1 - bucket.tokens) * 1_000) / perSecond })
      bucket.tokens -= 1
      return Promise.resolve({ allowed: true, retryAfterMs: 0 })
    },
  }
}

/** Prices in memory; `subscribers` counts those there are. */
export const testPrices = (): Prices & { subscribers(): number } => {
  const latest = new Map<string, FeedQuote>()
  const handlers = new Map<string, Set<(quote: FeedQuote) => void>>()
  return {
    publish: (quote) => {
      latest.set(quote.symbol, quote)
      for (const handler of handlers.get(quote.symbol) ?? []) handler(quote)
    },
    latest: (symbol) => latest.get(symbol) ?? null,
    subscribe: (symbol, handler) => {
      const set = handlers.get(symbol) ?? new Set()
      handlers.set(symbol, set.add(handler))
      const quote = latest.get(symbol)
      if (quote !== undefined) handler(quote)
      return () => {
        set.delete(handler)
      }
    },
    subscribers: () => [...handlers.values()].reduce((total, set) => total + set.size, 0),
  }
}

/** A directory in memory. */
export const testDirectory = (): Directory => {
  const users = new Map<string, UserRecord>()
  const revoked = new Set<string>()
  const keys: BankKeyRecord[] = []
  const audit: AuditRecord[] = []
  const settings = new Map<string, string>()
  const change = (id: string, fields: Partial<UserRecord>): boolean => {
    const user = users.get(id)
    if (user !== undefined) users.set(id, { ...user, ...fields })
    return user !== undefined
  }
  const byEmail = (email: string): UserRecord | null => [...users.values()].find((user) => user.email === email) ?? null
  return {
    createUser: async (user) => {
      if (byEmail(user.email) !== null) return 'taken'
      users.set(user.id, user)
      return 'created'
    },
    userByEmail: async (email) => byEmail(email),
    userById: async (id) => users.get(id) ?? null,
    setUserLocked: async (id, locked) => change(id, { locked }),
    endSessions: async (id, beforeMs) => {
      change(id, { sessionsValidFromMs: beforeMs })
    },
    revokeSession: async (id) => {
      revoked.add(id)
    },
    isSessionRevoked: async (id) => revoked.has(id),
    putBankKey: async (key) => {
      keys.push(key)
    },
    removeBankKey: async (keyHash) => {
      keys.splice(
        keys.findIndex((key) => key.keyHash === keyHash),
        1,
      )
    },
    bankKeys: async () => [...keys],
    recordAudit: async (record) => {
      const first = audit.find(({ idempotencyKey }) => idempotencyKey === record.idempotencyKey)
      if (first === undefined) audit.push(record)
      return first ?? record
    },
    listAudit: async (beforeId, limit) => {
      const newest = [...audit].reverse()
      const from = beforeId === null ? 0 : newest.findIndex(({ id }) => id === beforeId) + 1
      return newest.slice(from, from + limit)
    },
    setting: async (name) => settings.get(name) ?? null,
    setSettingOnce: async (name, value) => {
      if (!settings.has(name)) settings.set(name, value)
      return settings.get(name) ?? value
    },
    putManifest: async () => 'stored',
    removeManifest: async () => 'removed',
    manifests: async () => [],
    close: async () => undefined,
  }
}

type Fields = Readonly<Record<string, unknown>>
type Bound = { readonly gt?: unknown; readonly in?: readonly unknown[] }

const matches = (document: Fields, filter: ViewFilter): boolean =>
  Object.entries(filter).every(([name, wanted]) => {
    const value = document[name]
    if (typeof wanted !== 'object' || wanted === null) return value === wanted
    const { gt } = wanted as Bound
    return gt === undefined || (value as number) > (gt as number)
  })

/** Views in memory: documents are put in by tests. */
export const testViews = (): Views & { put(model: string, document: Fields & { readonly _id: string }): void } => {
  const documents = new Map<string, Map<string, Fields & { readonly _id: string }>>()
  const of = (model: string): Map<string, Fields & { readonly _id: string }> => {
    const found = documents.get(model) ?? new Map<string, Fields & { readonly _id: string }>()
    documents.set(model, found)
    return found
  }
  const compare = (a: unknown, b: unknown): number => (a === b ? 0 : (a as number) < (b as number) ? -1 : 1)
  return {
    put: (model, document) => {
      of(model).set(document._id, document)
    },
    project: async () => undefined,
    cursor: async () => 0n,
    get: async (model, id) => (of(model.name).get(id) ?? null) as never,
    find: async (model, { filter, sortBy, direction, after, limit }) => {
      const sign = direction === 'ascending' ? 1 : -1
      const order = (a: Fields, b: Fields): number =>
        sign * (compare(a[sortBy], b[sortBy]) || compare(a['_id'], b['_id']))
      const found = [...of(model.name).values()].filter((document) => matches(document, filter)).sort(order)
      const rest =
        after === undefined
          ? found
          : found.filter((document) => order(document, { [sortBy]: after.sortValue, _id: after.id }) > 0)
      return rest.slice(0, limit) as never
    },
    clear: async () => undefined,
    close: async () => undefined,
  }
}
