/** Whether a request may pass, and when the next one may. */
export interface RateDecision {
  readonly allowed: boolean
  readonly retryAfterMs: number
}

/**
 * Rate limits: token buckets over all gateways.
 *
 * L1 Of requests at one moment at most `burst` pass; afterwards `perSecond` each second.
 * L2 A refused request takes no token.
 * L3 Keys do not see one another; their number is bounded, the least recently used one is forgotten.
 * L4 `retryAfterMs` of a refusal is when one token is back.
 * L5 A broken limiter lets pass and counts it: money safety never rests on it.
 */
export interface RateLimits {
  take(key: string, limit: { readonly perSecond: number; readonly burst: number }): Promise<RateDecision>
}
