import { formatAmount, parseAmount, UNITS_PER_WHOLE } from '@bourse/common/money/amount.ts'
import { divFloor } from '@bourse/common/money/rounding.ts'
import { directions, marketStates, type SpecCommand } from '@bourse/risk-rules/trading/codec.ts'
import type { ClosedTrade, Market } from '@bourse/client/shapes.ts'
import { formatScaled, linesOf, maintenanceOf, type ExplanationLine } from './explain-lines.ts'
import { specOf } from './rules.ts'
import { createTrial, reasonOf, type Trial } from './trial.ts'

/** What running a liquidation again gave. */
export type Proof =
  /** The machine opened the same trade, closed it at the exit price with the same money, and leaves it open one tick better. */
  | { readonly verdict: 'PROVED'; readonly leavesOpenAt: string | null }
  /** By the market's present rules it comes out otherwise: they were changed since. `difference` says what. */
  | { readonly verdict: 'RULES_CHANGED'; readonly difference: string }

/** How a closed trade's money came about, line by line; `proof` for liquidations only. */
export interface Explanation {
  readonly lines: readonly ExplanationLine[]
  readonly proof: Proof | null
}

interface ClosedUnits {
  readonly direction: number
  readonly margin: bigint
  readonly leverage: number
  readonly quantity: bigint
  readonly entryPrice: bigint
  readonly exitPrice: bigint
  readonly liquidationPrice: bigint | null
  readonly pnl: bigint
  readonly fees: bigint
  readonly funding: bigint
  readonly returned: bigint
}

const unitsOf = (trade: ClosedTrade): ClosedUnits => ({
  direction: directions[trade.direction],
  margin: parseAmount(trade.margin),
  leverage: trade.leverage,
  quantity: parseAmount(trade.quantity),
  entryPrice: parseAmount(trade.entryPrice),
  exitPrice: parseAmount(trade.exitPrice),
  liquidationPrice: trade.liquidationPrice === null ? null : parseAmount(trade.liquidationPrice),
  pnl: parseAmount(trade.pnl),
  fees: parseAmount(trade.fees),
  funding: parseAmount(trade.funding),
  returned: parseAmount(trade.returned),
})

/** The most that one unit of a long can have paid when the trade paid `funding`, which was rounded up. */
const perUnitOf = ({ funding, quantity, direction }: ClosedUnits): bigint => {
  const most = divFloor(funding * UNITS_PER_WHOLE, quantity)
  return direction === directions.LONG ? most : -most
}

/** Today's rules without what limits only new trades, and with funding at the hour, which is charged when it is told to. */
const rulesOf = (market: Market): SpecCommand => ({
  ...specOf(market),
  fundingIntervalSeconds: 3_600,
  minMargin: 0n,
  maxNotional: 0n,
  state: marketStates.Open,
})

/** Opens the trade again, lets funding be paid and the price go to `price`: what closed, null, or why it does not open. */
const again = (trial: Trial, trade: ClosedUnits, price: bigint) => {
  const { direction, margin, leverage, entryPrice } = trade
  const quote = { bid: entryPrice, ask: entryPrice }
  // The market's first tick, from which funding counts.
  trial.tick(entryPrice)
  const opened = trial.open({ direction, margin, leverage, stopLoss: 0n, takeProfit: 0n, ...quote })
  if (typeof opened === 'string') return `opening it is refused ${opened}`
  trial.fund(perUnitOf(trade))
  const closed = trial.tick(price)
  if (closed === null) trial.close(opened, quote)
  return opened.quantity === trade.quantity ? closed : `the quantity is ${formatAmount(opened.quantity)}`
}

const proofOf = (trial: Trial, tickSize: bigint, trade: ClosedUnits): Proof => {
  const changed = (difference: string): Proof => ({ verdict: 'RULES_CHANGED', difference })
  const closed = again(trial, trade, trade.exitPrice)
  if (typeof closed === 'string') return changed(closed)
  if (closed === null || reasonOf(closed) !== 'LIQUIDATION')
    return changed('the exit price does not liquidate the trade')
  for (const name of ['pnl', 'fees', 'funding', 'returned'] as const) {
    if (closed[name] !== trade[name]) return changed(`${name} is ${formatAmount(closed[name])}`)
  }
  if (trade.liquidationPrice === null) return { verdict: 'PROVED', leavesOpenAt: null }
  const better = trade.liquidationPrice + (trade.direction === directions.LONG ? tickSize : -tickSize)
  if (better <= 0n) return { verdict: 'PROVED', leavesOpenAt: null }
  const left = again(trial, trade, better)
  if (left !== null) return changed(`${formatAmount(better)} liquidates the trade too`)
  return { verdict: 'PROVED', leavesOpenAt: formatAmount(better) }
}

/** Proves by a trial market kept for one market's rules; what it does not prove is tried by a new one before it is said. */
const createProver = (wasm: WebAssembly.Module) => {
  let kept: { readonly rules: string; readonly trial: Trial } | null = null
  return (market: Market, trade: ClosedUnits): Proof => {
    const rules = JSON.stringify(market)
    const spec = rulesOf(market)
    if (kept?.rules === rules && kept.trial.isUsable()) {
      const proof = proofOf(kept.trial, spec.tickSize, trade)
      if (proof.verdict === 'PROVED') return proof
    }
    kept = { rules, trial: createTrial(wasm, spec) }
    return proofOf(kept.trial, spec.tickSize, trade)
  }
}

/**
 * Explains closes with the numbers the platform booked and, for the tier, the market's present rules. A liquidation is run
 * again in the engine's machine: opened at the entry, charged the same funding, ticked at the exit.
 */
export const createExplainer = (wasm: WebAssembly.Module): ((market: Market, trade: ClosedTrade) => Explanation) => {
  const prove = createProver(wasm)
  return (market, trade) => {
    const units = unitsOf(trade)
    const liquidated = trade.reason === 'LIQUIDATION'
    const maintenance = liquidated ? maintenanceOf(specOf(market).tiers, units.quantity, units.exitPrice) : null
    return {
      lines: linesOf({
        ...units,
        quoteAsset: market.quoteAsset,
        openBps: market.fees.openBps,
        exitBps: liquidated ? market.fees.liquidationBps : market.fees.closeBps,
        maintenance: maintenance === null ? null : { ...maintenance, amount: formatScaled(maintenance.scaled) },
      }),
      proof: liquidated ? prove(market, units) : null,
    }
  }
}

export type { ExplanationLine } from './explain-lines.ts'
