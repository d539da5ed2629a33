import type { Logger } from 'pino'
import type { Profile } from '../config/variables.ts'
import type { Finding } from '../ports/finding.ts'
import type { TradingPair } from '../resources/trading-pair.ts'
import { StartRefused } from './start-refused.ts'

/** How far clocks may be apart where no market says how old a price may be, ms. */
export const CLOCK_DIFFERENCE_MS_MAX = 5_000

/** How far the clocks of the servers may be from ours: the least age up to which a market believes a price, ms. */
export const clockDifferenceMsMax = (pairs: readonly TradingPair[]): number =>
  Math.min(CLOCK_DIFFERENCE_MS_MAX, ...pairs.map(({ spec }) => spec.prices.maxAgeSeconds * 1_000))

const sentenceOf = ({ service, code, message, remedy }: Finding): string =>
  `${service} (${code}): ${message}; ${remedy}`

/**
 * Judges what the checks of the backing services found. What could lose data keeps a production process from starting; all else,
 * and in development everything, is a warning. Each is told once, with its remedy.
 * @throws {StartRefused} with all that could lose data
 */
export const judgeFindings = (findings: readonly Finding[], profile: Profile, logger: Logger): void => {
  const refused = findings.filter(({ losesData }) => losesData && profile === 'production')
  for (const finding of findings) {
    const { service, code, message, remedy, losesData } = finding
    if (!refused.includes(finding)) logger.warn({ service, code, remedy, losesData }, message)
  }
  if (refused.length > 0) throw new StartRefused(refused.map(sentenceOf))
}
