/** What an account is worth and what holds its money, exact. */
import type { OpenTrade } from '@bourse/client/shapes.ts'
import { valuationOf } from '../maths/valuation.ts'
import type { AccountView, DeskTrade } from '../session/trades.ts'
import type { QuoteText } from './levels.ts'
import { difference, sumOf } from './totals.ts'

/** One currency of an account. */
export interface Worth {
  readonly asset: string
  readonly available: string
  readonly locked: string
  /** Sum of the margins of its open trades. */
  readonly margins: string
  /** Locked beside the margins: what is held while a trade opens or closes. */
  readonly otherHolds: string
  /** Gain or loss of its open trades at the quotes of now, funding included; null while a price or funding is not known. */
  readonly unrealized: string | null
  /** available + locked + unrealized. */
  readonly equity: string | null
  readonly trades: readonly OpenTrade[]
}

const quoteAssetOf = ({ asset }: OpenTrade): string => asset.split('_')[1] ?? ''

/** What an open trade adds to the equity: pnl at the quote less funding; null while one of them is not known. */
export const unrealizedOf = (trade: DeskTrade, quote: QuoteText | null): string | null => {
  const { pnl } = valuationOf(trade, quote)
  return pnl === null || trade.funding === null ? null : difference(pnl, trade.funding)
}

/** Each currency of an account; `quoteOf` gives the price of now. Fees of closing are not in it, as in GET_USD_BALANCE. */
export const worthOf = (account: AccountView, quoteOf: (asset: string) => QuoteText | null): readonly Worth[] =>
  account.balances.map(({ asset, available, locked }) => {
    const trades = account.trades.filter((trade) => quoteAssetOf(trade) === asset)
    const margins = sumOf(trades.map(({ margin }) => margin))
    const gains = trades.map((trade) => unrealizedOf(trade, quoteOf(trade.asset)))
    const known = gains.flatMap((gain) => (gain === null ? [] : [gain]))
    const unrealized = known.length === gains.length ? sumOf(known) : null
    return {
      asset,
      available,
      locked,
      margins,
      otherHolds: difference(locked, margins),
      unrealized,
      equity: unrealized === null ? null : sumOf([available, locked, unrealized]),
      trades,
    }
  })
