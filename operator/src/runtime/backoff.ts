import type { Random } from '@bourse/common/ports/random.ts'

/** Grain of random factors. */
const GRAINS = 1_000

/** A factor from 1 up to `1 + spread`. */
export const jitterOf = (random: Random, spread: number): number => 1 + (spread * random.below(GRAINS)) / GRAINS

/** Growing pauses. */
export interface Backoff {
  /** The next pause, ms. */
  next(): number
  reset(): void
}

/** Pauses from `firstMs`, doubled each time up to `maxMs`, each lengthened by up to its own length. */
export const createBackoff = (random: Random, { firstMs, maxMs }: { firstMs: number; maxMs: number }): Backoff => {
  let nextMs = firstMs
  return {
    next: () => {
      const pauseMs = Math.min(nextMs * jitterOf(random, 1), maxMs)
      nextMs = Math.min(nextMs * 2, maxMs)
      return pauseMs
    },
    reset: () => void (nextMs = firstMs),
  }
}
