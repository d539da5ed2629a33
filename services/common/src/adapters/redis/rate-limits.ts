import { createHash, hash } from 'node:crypto'
import type { Clock } from '../../ports/clock.ts'
import { PortError } from '../../ports/failure.ts'
import type { RateLimits } from '../../ports/rate-limits.ts'
import type { RedisConnection } from './connection.ts'

/** A bucket is forgotten this long after it is full again, ms: until then forgetting would change nothing anyway. */
export const BUCKET_EXPIRY_SLACK_MS = 10_000
/** Keys longer than this, in UTF-8 bytes, are replaced by their hash. */
export const RATE_LIMIT_KEY_BYTES_MAX = 128
/** Longest time a full bucket may stand for, in microseconds: Lua's numbers are exact up to 2⁵³. */
const BURST_US_MAX = 2 ** 51

const MICROSECONDS_PER_SECOND = 1_000_000

/**
 * A bucket is one number, the moment at which it will be full again, in microseconds; a request moves it one token's time on and
 * passes while it lies at most a burst ahead. KEYS: the bucket. ARGV: microseconds of a token, burst, ms of slack before expiry,
 * the moment or '' for the server's own. Answers how long the request has to wait, 0 when it passes.
 * A bucket further ahead than a burst (the server's clock went back, or the limit became lower) counts as an empty one.
 */
const SCRIPT = `
local token = tonumber(ARGV[1])
local burst = tonumber(ARGV[2])
local now
if ARGV[4] == '' then
  local time = redis.call('TIME')
  now = time[1] * 1000000 + time[2]
else
  now = tonumber(ARGV[4])
end
local full = tonumber(redis.call('GET', KEYS[1]) or '') or now
full = math.min(math.max(full, now), now + burst * token)
local wait = full + token - now - burst * token
if wait > 0 then
  return wait
end
redis.call('SET', KEYS[1], string.format('%.0f', full + token),
  'PX', math.ceil((full + token - now) / 1000) + tonumber(ARGV[3]))
return 0
`
const SCRIPT_SHA = createHash('sha1').update(SCRIPT).digest('hex')

/** What the limits on Redis rest on. */
export interface RedisRateLimitsOptions {
  /**
   * Whose time buckets fill by. The server's own by default: gateways whose clocks differ by more than a burst would starve one
   * another. Only where one clock serves everybody, as in tests, may it be given.
   */
  readonly sharedClock?: Clock
  /** Default BUCKET_EXPIRY_SLACK_MS. Another clock than the server's, by which keys expire, has to be covered by it. */
  readonly expirySlackMs?: number
}

/** Rate limits on Redis and what they let pass unseen. */
export interface RedisRateLimits extends RateLimits {
  /** Requests that passed because Redis did not answer in time. */
  letPass(): number
}

const isUnknownScript = (error: unknown): boolean =>
  error instanceof PortError && error.cause instanceof Error && error.cause.message.startsWith('NOSCRIPT')

const boundedKey = (key: string): string =>
  Buffer.byteLength(key) > RATE_LIMIT_KEY_BYTES_MAX ? `sha256:${hash('sha256', key)}` : key

/**
 * Rate limits over all gateways (port RateLimits): one atomic script per request. The number of keys is bounded by their expiry
 * and the server's memory. A request waits for Redis no longer than the connection's command timeout and then passes, counted.
 */
export const createRedisRateLimits = (
  connection: RedisConnection,
  { sharedClock, expirySlackMs = BUCKET_EXPIRY_SLACK_MS }: RedisRateLimitsOptions = {},
): RedisRateLimits => {
  let letPass = 0

  const ask = async (key: string, tokenUs: number, burst: number): Promise<number> => {
    const nowUs = sharedClock === undefined ? '' : Math.floor(sharedClock.nowMs() * 1_000)
    const parts = [1, `${connection.prefix}:rate:${boundedKey(key)}`, tokenUs, burst, expirySlackMs, nowUs]
    try {
      return Number(await connection.command('EVALSHA', SCRIPT_SHA, ...parts))
    } catch (error) {
      // A server that was restarted or flushed of its scripts learns it again by being told it.
      if (!isUnknownScript(error)) throw error
      return Number(await connection.command('EVAL', SCRIPT, ...parts))
    }
  }

  return {
    take: async (key, { perSecond, burst }) => {
      const tokenUs = Math.ceil(MICROSECONDS_PER_SECOND / perSecond)
      const tokens = Math.floor(burst)
      if (!(perSecond > 0) || !(burst >= 1) || !(tokenUs * tokens <= BURST_US_MAX)) {
        throw new RangeError(`a limit of ${perSecond} per second, burst ${burst}`)
      }
      try {
        const waitUs = await ask(key, tokenUs, tokens)
        return { allowed: waitUs <= 0, retryAfterMs: waitUs <= 0 ? 0 : Math.ceil(waitUs / 1_000) }
      } catch (error) {
        if (!(error instanceof PortError)) throw error
        letPass += 1
        return { allowed: true, retryAfterMs: 0 }
      }
    },
    letPass: () => letPass,
  }
}
