import type { Bus } from '../../ports/bus.ts'
import type { Cache } from '../../ports/cache.ts'
import type { Directory } from '../../ports/directory.ts'
import type { Events } from '../../ports/events.ts'
import { PortError } from '../../ports/failure.ts'
import type { Journal } from '../../ports/journal.ts'
import type { Prices } from '../../ports/prices.ts'
import type { RateLimits } from '../../ports/rate-limits.ts'
import type { Snapshots } from '../../ports/snapshots.ts'
import type { Views } from '../../ports/views.ts'
import { CALL_FAULTS, strike, withFaults, type FaultPlan } from './plan.ts'

/* One wrapper per port. Each keeps every clause that a careful caller can rely on, and is nastier than any adapter is. */

const ASKING = ['fails', 'slow', 'twice'] as const
const CHANGING = CALL_FAULTS

/** Bus: sends fail, are done unheard, or are done twice. What a consumer does is its own. */
export const withBusFaults = (bus: Bus, plan: FaultPlan): Bus =>
  withFaults(bus, plan, {
    send: CHANGING,
    request: ['fails', 'done-but-timed-out', 'slow'],
    deadLetters: ASKING,
    deadLetterCount: ASKING,
  })

/** Journal: an append may be done unheard, or done by a driver that repeats it and hears `taken`; a stream breaks in between. */
export const withJournalFaults = (journal: Journal, plan: FaultPlan): Journal => ({
  ...withFaults(journal, plan, {
    append: CHANGING,
    head: ASKING,
    read: ASKING,
    loadCursors: ASKING,
    saveCursors: CHANGING,
    archive: CHANGING,
    archives: ASKING,
    archivedThrough: ASKING,
    removeThrough: CHANGING,
    partitions: ASKING,
  }),
  readFrom: async function* (partition, sequence) {
    for await (const record of journal.readFrom(partition, sequence)) {
      yield record
      const breaks = plan.next(['fails']) === 'fails'
      if (breaks) throw new PortError('unavailable', 'the stream of records broke, as planned')
    }
  },
})

/** Snapshots: writes fail, or are done unheard. */
export const withSnapshotFaults = (snapshots: Snapshots, plan: FaultPlan): Snapshots =>
  withFaults(snapshots, plan, { write: CHANGING, list: ASKING, read: ASKING, remove: CHANGING })

/** Events: published ones are lost or come twice. */
export const withEventFaults = (events: Events, plan: FaultPlan): Events => ({
  publish: (event) => {
    const fault = plan.next(['forgets', 'twice'])
    if (fault === 'forgets') return
    events.publish(event)
    if (fault === 'twice') events.publish(event)
  },
  subscribe: (partition, fromSequence, handler) => events.subscribe(partition, fromSequence, handler),
  close: () => events.close(),
})

/** Views: a projection fails, or is done unheard, or twice. */
export const withViewFaults = (views: Views, plan: FaultPlan): Views => ({
  ...withFaults(views, plan, { project: CHANGING, cursor: ASKING, clear: CHANGING }),
  get: (model, id) => strike(plan, 'get', ASKING, () => views.get(model, id)),
  find: (model, query) => strike(plan, 'find', ASKING, () => views.find(model, query)),
})

/** Directory: a user may be created unheard; the careful caller looks the e-mail up and compares ids. */
export const withDirectoryFaults = (directory: Directory, plan: FaultPlan): Directory =>
  withFaults(directory, plan, {
    createUser: CHANGING,
    userByEmail: ASKING,
    userById: ASKING,
    setUserLocked: CHANGING,
    endSessions: CHANGING,
    revokeSession: CHANGING,
    isSessionRevoked: ASKING,
    putBankKey: CHANGING,
    removeBankKey: CHANGING,
    bankKeys: ASKING,
    recordAudit: CHANGING,
    listAudit: ASKING,
    setting: ASKING,
    setSettingOnce: CHANGING,
    putManifest: CHANGING,
    removeManifest: CHANGING,
    manifests: ASKING,
  })

/** Cache with amnesia: any value may be gone at any time, any write may have been in vain. */
export const withCacheFaults = (cache: Cache, plan: FaultPlan): Cache => ({
  ...withFaults(cache, plan, { delete: ['slow', 'twice'], clear: ['slow', 'twice'] }),
  get: async (key) =>
    plan.next(['forgets']) === null ? strike(plan, 'get', ['slow'], () => cache.get(key)) : undefined,
  set: async (key, value, ttlMs) => {
    if (plan.next(['forgets']) === null)
      await strike(plan, 'set', ['slow', 'twice'], () => cache.set(key, value, ttlMs))
    else await cache.delete(key)
  },
})

/** Rate limits with amnesia: a bucket may be full again at any time. */
export const withRateLimitFaults = (rateLimits: RateLimits, plan: FaultPlan): RateLimits => ({
  take: (key, limit) =>
    plan.next(['forgets']) === null
      ? strike(plan, 'take', ['slow'], () => rateLimits.take(key, limit))
      : Promise.resolve({ allowed: true, retryAfterMs: 0 }),
})

/** Prices with amnesia: quotes are lost or come twice, and the latest one may be unknown. */
export const withPriceFaults = (prices: Prices, plan: FaultPlan): Prices => ({
  publish: (quote) => {
    const fault = plan.next(['forgets', 'twice'])
    if (fault === 'forgets') return
    prices.publish(quote)
    if (fault === 'twice') prices.publish(quote)
  },
  latest: (symbol) => (plan.next(['forgets']) === null ? prices.latest(symbol) : null),
  subscribe: (symbol, handler) => prices.subscribe(symbol, handler),
})
