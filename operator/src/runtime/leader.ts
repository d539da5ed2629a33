import type { Clock } from '@bourse/common/ports/clock.ts'
import type { Random } from '@bourse/common/ports/random.ts'
import type { Logger } from '@bourse/common/telemetry/logger.ts'
import type { Metrics } from '@bourse/common/telemetry/metrics.ts'
import { jitterOf } from './backoff.ts'
import { leaseKind } from './kinds.ts'
import type { Lease } from './kinds.ts'
import { microTimeOf } from './times.ts'
import type { KubeClient } from './types.ts'

/** Others wait this long after the last renewal they saw. */
export const LEASE_DURATION_MS = 15_000
/** A leader that could not renew for this long leads no more. The gap to the lease's duration bears clocks of unequal speed. */
export const RENEW_DEADLINE_MS = 10_000
/** Between two attempts, lengthened by up to a fifth. */
export const RETRY_PERIOD_MS = 2_000
const RETRY_JITTER = 0.2
/** A renewal under way is waited for this long before the lease is given back. */
const RELEASE_PATIENCE_MS = 5_000

/** Being the leader. */
export interface Leadership {
  /** The lease's `leaseTransitions`: higher than any leader's before. */
  readonly fence: number
  /** Aborted when leadership is lost; not by `release`. */
  readonly signal: AbortSignal
  /** Whether the last renewal is young enough, by the monotonic clock, at this instant. */
  isCurrent(): boolean
  /** Ends renewing. Given back, others need not wait for the lease to expire. Never rejects; nothing happens after a loss. */
  release(how: 'give-back' | 'let-expire'): Promise<void>
}

/** Asks for leadership. */
export interface LeaderElector {
  /** Resolves when this instance leads, or with null when `signal` was aborted before. Called once. */
  lead(signal: AbortSignal): Promise<Leadership | null>
}

/** What an elector needs. */
export interface LeaderElectorOptions {
  readonly client: KubeClient
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly metrics: Metrics
  /** Of this process alone: another that bears it would lead beside this one. */
  readonly identity: string
  readonly leaseName: string
}

/**
 * First transitions of a lease that is made: minutes since 1970. A lease that somebody deleted, or a namespace that was
 * made anew, begins higher than the old one ended, so that fences kept elsewhere do not shut the new leader out.
 */
const firstTransitionsOf = (nowMs: number): number => Math.floor(nowMs / 60_000)

/** A lease that is ours, as the server has it, and when at the latest the write began that made it so. */
interface Held {
  readonly lease: Lease
  readonly sinceMs: number
}

/** The lease as it is written and judged. */
const createLeaseHolder = ({ client, clock, identity, leaseName }: LeaderElectorOptions) => {
  /** What the holder last wrote, and when this process saw it first: remote clocks are not compared. */
  let seen: { readonly text: string; readonly atMs: number } | null = null

  const specOf = (acquireTime: string, leaseTransitions: number) => ({
    holderIdentity: identity,
    leaseDurationSeconds: LEASE_DURATION_MS / 1000,
    acquireTime,
    renewTime: microTimeOf(clock.nowMs()),
    leaseTransitions,
  })
  const isExpired = (lease: Lease): boolean => {
    const text = JSON.stringify(lease.spec ?? {})
    const nowMs = clock.monotonicMs()
    if (seen?.text !== text) seen = { text, atMs: nowMs }
    return nowMs - seen.atMs >= (lease.spec?.leaseDurationSeconds ?? LEASE_DURATION_MS / 1000) * 1000
  }
  const write = async (lease: Lease, spec: NonNullable<Lease['spec']>): Promise<Held> => {
    const sinceMs = clock.monotonicMs()
    return { lease: await client.replace(leaseKind, { ...lease, spec: { ...lease.spec, ...spec } }), sinceMs }
  }

  return {
    /** Null while another holds it. Rejects when the server could not be asked or another was faster. */
    async acquire(): Promise<Held | null> {
      const lease = await client.get(leaseKind, leaseName)
      const now = microTimeOf(clock.nowMs())
      if (lease === null) {
        const sinceMs = clock.monotonicMs()
        const { apiVersion, kind } = leaseKind
        const metadata = { name: leaseName, namespace: client.namespace }
        const spec = specOf(now, firstTransitionsOf(clock.nowMs()))
        return { lease: await client.create(leaseKind, { apiVersion, kind, metadata, spec }), sinceMs }
      }
      const { holderIdentity = '', acquireTime = now, leaseTransitions = 0 } = lease.spec ?? {}
      // Ours already: an acquisition whose answer was lost.
      if (holderIdentity === identity) return write(lease, specOf(acquireTime, leaseTransitions))
      if (holderIdentity !== '' && !isExpired(lease)) return null
      return write(lease, specOf(now, leaseTransitions + 1))
    },
    /** Null when another holds it. */
    async renew({ lease }: Held): Promise<Held | null> {
      try {
        return await write(lease, { renewTime: microTimeOf(clock.nowMs()) })
      } catch {
        // Changed by somebody, or an answer of ours was lost: look, and the error of looking is the one that counts.
        const now = await client.get(leaseKind, leaseName)
        if (now?.spec?.holderIdentity !== identity) return null
        if (now.spec.leaseTransitions !== lease.spec?.leaseTransitions) return null
        return write(now, { renewTime: microTimeOf(clock.nowMs()) })
      }
    },
    async release({ lease }: Held): Promise<void> {
      await write(lease, { holderIdentity: '', leaseDurationSeconds: 1 })
    },
  }
}

type LeaseHolder = ReturnType<typeof createLeaseHolder>

/** Renews until released or lost. */
const keep = (first: Held, holder: LeaseHolder, options: LeaderElectorOptions, onEnd: () => void): Leadership => {
  const { clock, random, logger } = options
  const lost = new AbortController()
  const released = new AbortController()
  const ended = AbortSignal.any([lost.signal, released.signal])
  let held = first
  const lose = (why: string): void => {
    if (ended.aborted) return
    logger.error({ why }, 'leadership is lost')
    onEnd()
    lost.abort(new Error(`leadership is lost: ${why}`))
  }
  /** Loses when the deadline passes, whatever requests do meanwhile. */
  const watchDeadline = async (): Promise<void> => {
    while (!ended.aborted) {
      const leftMs = held.sinceMs + RENEW_DEADLINE_MS - clock.monotonicMs()
      if (leftMs <= 0) return lose('the lease could not be renewed in time')
      await clock.sleep(leftMs, ended).catch(() => undefined) // Ended: the loop's condition says so.
    }
  }
  const renew = async (): Promise<void> => {
    while (!ended.aborted) {
      await clock.sleep(RETRY_PERIOD_MS * jitterOf(random, RETRY_JITTER), ended).catch(() => undefined)
      if (ended.aborted) return
      try {
        const next = await holder.renew(held)
        if (next === null) return lose('another holds the lease')
        held = next
      } catch (error) {
        logger.warn({ error }, 'the lease could not be renewed, and is tried again')
      }
    }
  }
  const deadline = watchDeadline()
  const renewing = renew()
  return {
    fence: first.lease.spec?.leaseTransitions ?? 0,
    signal: lost.signal,
    isCurrent: () => !ended.aborted && clock.monotonicMs() - held.sinceMs < RENEW_DEADLINE_MS,
    async release(how) {
      if (ended.aborted) return
      onEnd()
      released.abort()
      const done = new AbortController()
      const patience = clock.sleep(RELEASE_PATIENCE_MS, done.signal).catch(() => undefined) // Not needed any more.
      await Promise.race([Promise.all([deadline, renewing]), patience])
      done.abort()
      if (how === 'let-expire') return
      try {
        await holder.release(held)
      } catch (error) {
        logger.warn({ error }, 'the lease could not be given back: it expires by itself')
      }
    },
  }
}

/** Makes an elector over a Lease. Safe as long as no clock runs half again as fast as another; fences hold beyond that. */
export const createLeaderElector = (options: LeaderElectorOptions): LeaderElector => {
  const { clock, random, logger, metrics, leaseName, identity } = options
  const status = metrics.gauge('leader_election_master_status')
  status.set({ name: leaseName }, 0)
  const holder = createLeaseHolder(options)
  return {
    async lead(signal) {
      while (!signal.aborted) {
        try {
          const held = await holder.acquire()
          if (held !== null) {
            status.set({ name: leaseName }, 1)
            logger.info({ identity, fence: held.lease.spec?.leaseTransitions }, 'this instance leads')
            return keep(held, holder, options, () => status.set({ name: leaseName }, 0))
          }
        } catch (error) {
          logger.warn({ error }, 'the lease could not be asked for, and is tried again')
        }
        await clock.sleep(RETRY_PERIOD_MS * jitterOf(random, RETRY_JITTER), signal).catch(() => undefined) // The loop ends.
      }
      return null
    },
  }
}
