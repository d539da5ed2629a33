import { parseAmount } from '@bourse/common/money/amount.ts'
import type { SeededRandom } from '@bourse/common/testkit/seeded-random.ts'
import type { Trader } from '../history/history.ts'
import type { Patience } from './clients.ts'

/** How the clients of a seed behave as a whole. */
export interface Style {
  readonly traders: number
  readonly customers: number
  /** What a trader's account begins with, units. */
  readonly grants: readonly bigint[]
  readonly patience: Patience
  /** Of 100 requests of traders so many have a key. */
  readonly keyedPercent: number
  /** Of 100 keyed requests so many are sent twice at once. */
  readonly twicePercent: number
  /** The next pause between two steps, ms; drawn from the step's own chance. */
  pauseMs(random: SeededRandom): number
}

/** What an amount of money in a trader's account begins with; zero: nothing can be opened before a credit. */
const GRANTS = ['0', '50', '1000', '10000', '10000', '250000', '2000000'] as const

const SECOND = 1_000
const MINUTE = 60_000
const HOUR = 3_600_000

/** Pauses in which time passes: quotes expire, prices get old, funding falls due, ids leave the machines' memory. */
const longPause = (random: SeededRandom, isSlow: boolean): number => {
  const drawn = random.below(100)
  if (drawn < 60) return random.between(3 * SECOND, 20 * SECOND)
  if (drawn < 85) return random.between(30 * SECOND, 90 * SECOND)
  if (drawn < 95) return random.between(2 * MINUTE, 6 * MINUTE)
  return isSlow ? random.between(HOUR, 5 * HOUR) : random.between(10 * MINUTE, 12 * MINUTE)
}

/** Longest ordinary pause between two steps, by the seed's tempo. */
const TEMPI_MS = [15, 120, 400, 1_500] as const

/** Draws a seed's style. */
export const drawStyle = (random: SeededRandom): Style => {
  const traders = random.pick([2, 3, 5, 8, 16])
  const tempoMs = random.pick(TEMPI_MS)
  const longPercent = random.pick([0, 1, 3, 6])
  const isSlow = random.chance(8)
  return {
    traders,
    customers: random.pick([1, 2, 3, 6]),
    grants: Array.from({ length: traders }, () => parseAmount(random.pick(GRANTS))),
    patience: {
      answerMs: random.pick([1_500, 8_000, 25_000, 45_000]),
      attempts: random.pick([1, 3, 6, 12]),
    },
    keyedPercent: random.pick([60, 85, 100]),
    twicePercent: random.pick([0, 10, 25]),
    pauseMs: (own) => (own.chance(longPercent) ? longPause(own, isSlow) : own.below(tempoMs + 1)),
  }
}

/** What a trader's account begins with. Traders beyond the drawn ones have nothing. */
export const grantOf = (style: Style, trader: Trader): bigint => style.grants[trader] ?? 0n
