import type { RateLimits } from '@bourse/common/ports/rate-limits.ts'
import type { RateLimit } from '../config.ts'
import { ApiError } from './api-error.ts'

/** Takes a token or throws `RATE_LIMITED` with the seconds to wait. */
export type RateGate = (key: string, limit: RateLimit) => Promise<void>

/** A gate over the platform's token buckets. */
export const createRateGate =
  (rateLimits: RateLimits): RateGate =>
  async (key, limit) => {
    const { allowed, retryAfterMs } = await rateLimits.take(key, limit)
    if (allowed) return
    const seconds = Math.max(1, Math.ceil(retryAfterMs / 1_000))
    throw new ApiError('RATE_LIMITED', `too many requests; try again in ${seconds} s`, seconds)
  }
