import type { BourseOptions } from '../../../../all-in-one/test/support/bourse.ts'
import { poll, walk, type PairOptions } from '../../../../all-in-one/test/support/manifests.ts'
import type { TapeTicker } from './tape.ts'

/** A market whose price is old after two seconds; that of any other takes longer than a machine may stand still. */
export const SOON_OLD = 'DOT_USDC'

/** A platform on which BTC follows a tape and two others walk; ETH takes no new trades. */
export const worldOn = (tape: TapeTicker): BourseOptions => ({
  pairs: [
    { symbol: 'BTC_USDC', prices: poll(tape.url) },
    { symbol: 'ETH_USDC', prices: walk('3100'), state: 'ReduceOnly' },
    { symbol: 'SOL_USDC', prices: walk('140') },
    { symbol: SOON_OLD, prices: { ...poll(tape.url), maxAgeSeconds: 2 } },
  ],
})

/** A market that hardly moves: whatever a machine takes from a look at the price to the order, the guard lets it through. */
export const calm = (symbol: string, startPrice: string): PairOptions => ({
  symbol,
  prices: { ...walk(startPrice), stepBps: '0.1' },
})
