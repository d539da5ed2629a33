import type { Clock } from '../../ports/clock.ts'
import type { RateLimits } from '../../ports/rate-limits.ts'

const MICROSECONDS_PER_SECOND = 1_000_000

/**
 * Rate limits in this process (port RateLimits). A bucket is one number: the moment at which it will be full again, in whole
 * microseconds; a request moves it one token's time on and passes while it lies at most a burst ahead. The time of a token is
 * rounded up, against the requester.
 */
export const createMemoryRateLimits = (options: { readonly clock: Clock; readonly keysMax: number }): RateLimits => {
  const { clock, keysMax } = options
  // In the order of last use: the first key is the longest unused.
  const fullAtUs = new Map<string, number>()
  return {
    take: async (key, { perSecond, burst }) => {
      if (!(perSecond > 0) || !(burst >= 1)) throw new RangeError(`a limit of ${perSecond} per second, burst ${burst}`)
      const nowUs = Math.floor(clock.monotonicMs() * 1_000)
      const tokenUs = Math.ceil(MICROSECONDS_PER_SECOND / perSecond)
      const full = Math.max(fullAtUs.get(key) ?? nowUs, nowUs)
      const waitUs = full + tokenUs - nowUs - Math.floor(burst) * tokenUs
      const isAllowed = waitUs <= 0
      fullAtUs.delete(key)
      fullAtUs.set(key, isAllowed ? full + tokenUs : full)
      const oldest = fullAtUs.keys().next().value
      if (fullAtUs.size > keysMax && oldest !== undefined) fullAtUs.delete(oldest)
      return { allowed: isAllowed, retryAfterMs: isAllowed ? 0 : Math.ceil(waitUs / 1_000) }
    },
  }
}
