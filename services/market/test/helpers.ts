import { pino } from 'pino'
import type { FeedQuote, Prices } from '@bourse/common/ports/prices.ts'
import { createSeededRandom } from '@bourse/common/testkit/seeded-random.ts'
import type { Clock } from '@bourse/common/ports/clock.ts'
import type { SourceDeps, SourceFault, SourceTick } from '../src/sources/source.ts'

/** Units of a decimal written as a number of whole: for tests only. */
export const whole = (count: number): bigint => BigInt(count) * 100_000_000n

/** A logger that says nothing. */
export const silent = pino({ level: 'silent' })

/** Deps of a source that keep what it gave. */
export const recordingDeps = (
  clock: Clock,
): SourceDeps & { readonly ticks: SourceTick[]; readonly faults: SourceFault[] } => {
  const ticks: SourceTick[] = []
  const faults: SourceFault[] = []
  return {
    clock,
    random: createSeededRandom(1),
    logger: silent,
    ticks,
    faults,
    onTick: (tick) => {
      ticks.push(tick)
    },
    onFault: (fault) => {
      faults.push(fault)
    },
  }
}

/** Prices that keep everything published. */
export const recordingPrices = (): Prices & { readonly quotes: FeedQuote[] } => {
  const quotes: FeedQuote[] = []
  return {
    quotes,
    publish: (quote) => {
      quotes.push(quote)
    },
    latest: (symbol) => quotes.findLast((quote) => quote.symbol === symbol) ?? null,
    subscribe: () => () => undefined,
  }
}
