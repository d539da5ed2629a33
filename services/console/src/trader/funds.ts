/** What of an available balance can be a margin, and how much leverage a margin may have. Exact, on units of 1e-8. */
import { AmountError, formatAmount, parseAmount, UNITS_PER_WHOLE, type Units } from '@bourse/common/money/amount.ts'
import { divCeil, floorTo, mulDivFloor } from '@bourse/common/money/rounding.ts'
import type { Market } from '@bourse/client/shapes.ts'
import { formatMoney } from '../format/decimal.ts'

/** 10,000 bps, as fees are written: each bp is 1e8 units. */
const WHOLE_BPS_UNITS = 10_000n * UNITS_PER_WHOLE
/** Margins proposed by a button are whole cents. */
const CENT: Units = 1_000_000n

/** What is held for a trade while it opens: its margin and the fee's hold, `ceil(M × L × openBps ÷ 10000)`. */
export const holdsOf = (
  margin: string,
  leverage: number,
  openBps: string,
): { readonly fee: string; readonly sum: string } => {
  const units = parseAmount(margin)
  const fee = divCeil(units * BigInt(leverage) * parseAmount(openBps), WHOLE_BPS_UNITS)
  return { fee: formatAmount(fee), sum: formatAmount(units + fee) }
}

/**
 * The largest margin in whole cents whose holds fit `percent` of what is available; zero when none does. Rounded down: the
 * trade is never refused for a cent that is missing.
 */
export const marginFor = (
  available: string,
  percent: number,
  { leverage, openBps }: { readonly leverage: number; readonly openBps: string },
): string => {
  const share = mulDivFloor(parseAmount(available), BigInt(percent), 100n)
  if (share <= 0n) return '0'
  const perWhole = WHOLE_BPS_UNITS + BigInt(leverage) * parseAmount(openBps)
  // The fee's hold is rounded up: with margin ≤ share × W ÷ (W + L × bps) the sum is at most the share, because the share
  // is whole units and so is the margin.
  const most = mulDivFloor(share, WHOLE_BPS_UNITS, perWhole)
  return formatAmount(floorTo(most, CENT))
}

/** Whether a margin and its fee's hold fit what is available; a sum beyond what an amount can be fits nothing. */
export const fitsAvailable = (available: string, sum: string): boolean => {
  try {
    return parseAmount(sum) <= parseAmount(available)
  } catch (error) {
    if (error instanceof AmountError) return false
    throw error
  }
}

/** A tier of a market as its table says it: from this notional on, at most this leverage. */
export type Tier = Market['margin']['tiers'][number]

/** The tier of a notional: the last whose floor is at most it. */
export const tierOf = (market: Market, notional: Units): Tier | null =>
  market.margin.tiers.reduce<Tier | null>(
    (found, tier) => (parseAmount(tier.notionalFloor) <= notional ? tier : found),
    null,
  )

/** The highest leverage this margin may have: its notional must stay in a tier that allows it. 1 when none does. */
export const leverageMax = (market: Market, margin: string | null): number => {
  const units = margin === null ? 0n : parseAmount(margin)
  for (let leverage = market.margin.maxLeverage; leverage > 1; leverage--) {
    const tier = tierOf(market, units * BigInt(leverage))
    if (tier === null || leverage <= tier.maxLeverage) return leverage
  }
  return 1
}

/** Whether a leverage is allowed for the margin, and the largest margin for the leverage where it is not. */
export const leverageFault = (market: Market, margin: string, leverage: number): string | null => {
  const max = leverageMax(market, margin)
  if (leverage <= max) return null
  const tier = tierOf(market, parseAmount(margin) * BigInt(leverage))
  return tier === null
    ? `This market has at most ${market.margin.maxLeverage}×.`
    : `From ${formatMoney(tier.notionalFloor, market.quoteAsset)} of notional on, at most ${tier.maxLeverage}×. ` +
        `Use ${max}× or a smaller margin.`
}
