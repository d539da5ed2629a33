/** How far an open trade is from its liquidation, for a bar and for words. */

/** A state of a margin; each has words of its own, never a colour alone. */
export type HealthState = 'none' | 'good' | 'watch' | 'danger' | 'gone'

/** A margin's health as shown. */
export interface Health {
  readonly state: HealthState
  /** 0 to 100, for the bar; whole, rounded down. */
  readonly percent: number
  readonly words: string
}

const WHOLE_BPS = 10_000
const GOOD_BPS = 5_000
const WATCH_BPS = 2_000

/**
 * Words for what is left of the way from the entry to liquidation, in basis points (10000 at the entry, 0 at liquidation).
 * `null`: no price liquidates it, or none is known now.
 */
export const healthOf = (bps: number | null, hasLiquidation: boolean): Health => {
  if (!hasLiquidation) return { state: 'good', percent: 100, words: 'Safe: no price above zero liquidates it' }
  if (bps === null) return { state: 'none', percent: 0, words: 'Not known without a price' }
  const percent = Math.min(100, Math.max(0, Math.floor((bps * 100) / WHOLE_BPS)))
  if (bps <= 0) return { state: 'gone', percent: 0, words: 'At its liquidation price' }
  if (bps < WATCH_BPS) return { state: 'danger', percent, words: `Danger: ${percent} % of the way to liquidation left` }
  if (bps < GOOD_BPS) return { state: 'watch', percent, words: `Watch: ${percent} % of the way to liquidation left` }
  return { state: 'good', percent, words: `Good: ${percent} % of the way to liquidation left` }
}
