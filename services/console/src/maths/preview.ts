import type { RefusalCode } from '@bourse/common/errors/codes.ts'
import { AmountError, formatAmount, parseAmount } from '@bourse/common/money/amount.ts'
import { directions, type ClosedTrade, type OpenTrade } from '@bourse/risk-rules/trading/codec.ts'
import { feeHoldOf } from '@bourse/risk-rules/trading/quote.ts'
import type { CloseReason, ClosedTrade as ClosedTradeShape, Direction, Market } from '@bourse/client/shapes.ts'
import { createExplainer, type Explanation } from './explain.ts'
import { specOf } from './rules.ts'
import { createTrial, reasonOf, type Trial } from './trial.ts'
import { valuationOf, type ValuedFields, type Valuation } from './valuation.ts'

/** Both sides of a market as `/api/v1/prices` has them, decimal strings. */
export interface PreviewQuote {
  readonly bid: string
  readonly ask: string
}

/** What a ticket asks for; decimal strings, null = none. */
export interface PreviewOrder {
  readonly direction: Direction
  readonly margin: string
  readonly leverage: number
  readonly stopLossPrice: string | null
  readonly takeProfitPrice: string | null
}

/** What a trade comes to when it closes at a price. `reason` is LIQUIDATION where that comes before what was asked about. */
export interface CloseAt {
  readonly exitPrice: string
  readonly pnl: string
  /** Open fee plus close or liquidation fee. */
  readonly fees: string
  readonly returned: string
  readonly reason: CloseReason
}

/** What opening would answer, and what the trade would come to; every number is the engine's own. */
export type OpenPreview =
  | {
      readonly ok: true
      readonly quantity: string
      /** quantity × entryPrice, exact: up to 16 decimals. */
      readonly notional: string
      readonly entryPrice: string
      readonly openFee: string
      /** What is held for the open fee until the trade is open; with the margin it has to be available. */
      readonly feeHold: string
      /** Null when no price above zero liquidates it. */
      readonly liquidationPrice: string | null
      /** Null without one, or when no price that far can come to be. */
      readonly atStop: CloseAt | null
      readonly atTarget: CloseAt | null
      readonly atLiquidation: CloseAt | null
    }
  | { readonly ok: false; readonly code: RefusalCode }

/** The engine's machine, asked what would be. */
export interface RiskPreview {
  /** What opening now would answer. Funds are not looked at: the machine knows none. */
  open(market: Market, order: PreviewOrder, quote: PreviewQuote): OpenPreview
  /** What an open trade is worth at a quote; null where the quote is none. */
  valuation(market: Market, trade: ValuedFields, quote: PreviewQuote | null): Valuation
  /** How a closed trade's money came about; a liquidation is proved by running it again. */
  explain(market: Market, trade: ClosedTradeShape): Explanation
}

const SCALE_PRODUCT = 16
/** As the platform's door: margins and prices are kept in 64 bits. */
const INPUT_MAX_UNITS = 9_000_000_000_000_000_000n

/** Above zero and within bounds, or null: the platform's door says VALIDATION_ERROR to it. */
const inputOf = (text: string): bigint | null => {
  try {
    const units = parseAmount(text)
    return units > 0n && units <= INPUT_MAX_UNITS ? units : null
  } catch (error) {
    if (error instanceof AmountError) return null
    throw error
  }
}

const optionalInputOf = (text: string | null): bigint | null => (text === null ? 0n : inputOf(text))

/** An integer of 1e-16 as a decimal string, all its digits, no zeros behind. */
const formatProduct = (product: bigint): string => {
  const digits = product.toString().padStart(SCALE_PRODUCT + 1, '0')
  const whole = digits.slice(0, -SCALE_PRODUCT)
  const fraction = digits.slice(-SCALE_PRODUCT).replace(/0+$/, '')
  return fraction === '' ? whole : `${whole}.${fraction}`
}

const closeAtOf = (closed: ClosedTrade): CloseAt => ({
  exitPrice: formatAmount(closed.exitPrice),
  pnl: formatAmount(closed.pnl),
  fees: formatAmount(closed.fees),
  returned: formatAmount(closed.returned),
  reason: reasonOf(closed),
})

interface ReadOrder {
  readonly direction: number
  readonly margin: bigint
  readonly leverage: number
  readonly stopLoss: bigint
  readonly takeProfit: bigint
  readonly bid: bigint
  readonly ask: bigint
}

const readOrder = (order: PreviewOrder, quote: PreviewQuote): ReadOrder | RefusalCode => {
  const [bid, ask] = [inputOf(quote.bid), inputOf(quote.ask)]
  if (bid === null || ask === null) return 'PRICE_STALE'
  const margin = inputOf(order.margin)
  const stopLoss = optionalInputOf(order.stopLossPrice)
  const takeProfit = optionalInputOf(order.takeProfitPrice)
  const { leverage } = order
  const isCount = Number.isInteger(leverage) && leverage >= 1 && leverage <= 0xffff_ffff
  if (margin === null || stopLoss === null || takeProfit === null || !isCount) return 'VALIDATION_ERROR'
  return { direction: directions[order.direction], margin, leverage, stopLoss, takeProfit, bid, ask }
}

/** Opens the order and lets the price go to `price`: what the trade comes to, or null when no such price can come. */
const whatAt = (trial: Trial, order: ReadOrder, price: bigint): CloseAt | null => {
  const opened = trial.open(order)
  if (typeof opened === 'string') throw new Error(`the machine opened this trade before and now says ${opened}`)
  const closed = trial.tick(price)
  if (closed === null) trial.close(opened, order)
  return closed === null ? null : closeAtOf(closed)
}

const previewOf = (trial: Trial, order: ReadOrder, opened: OpenTrade, openBps: bigint): OpenPreview => {
  trial.close(opened, order)
  const { stopLoss, takeProfit } = order
  const bare = { ...order, stopLoss: 0n, takeProfit: 0n }
  const { liquidationPrice } = opened
  return {
    ok: true,
    quantity: formatAmount(opened.quantity),
    notional: formatProduct(opened.quantity * opened.entryPrice),
    entryPrice: formatAmount(opened.entryPrice),
    openFee: formatAmount(opened.openFee),
    feeHold: formatAmount(feeHoldOf(order.margin, order.leverage, openBps)),
    liquidationPrice: liquidationPrice === 0n ? null : formatAmount(liquidationPrice),
    atStop: stopLoss === 0n ? null : whatAt(trial, { ...bare, stopLoss }, stopLoss),
    atTarget: takeProfit === 0n ? null : whatAt(trial, { ...bare, takeProfit }, takeProfit),
    atLiquidation: liquidationPrice === 0n ? null : whatAt(trial, bare, liquidationPrice),
  }
}

/** Whether everything that was asked about has an answer. */
const isWhole = (preview: OpenPreview, { stopLoss, takeProfit }: ReadOrder): boolean =>
  preview.ok &&
  (stopLoss === 0n || preview.atStop !== null) &&
  (takeProfit === 0n || preview.atTarget !== null) &&
  (preview.liquidationPrice === null || preview.atLiquidation !== null)

/**
 * Previews by the module that the engine itself runs. A trial market is kept for one market's rules and made anew when they
 * change or it is full; what it refuses for a larger trade it has seen before is asked again of a new one.
 */
export const createRiskPreview = (wasm: WebAssembly.Module): RiskPreview => {
  const explain = createExplainer(wasm)
  let kept: { readonly rules: string; readonly trial: Trial } | null = null
  const trialOf = (market: Market, fresh: boolean): Trial => {
    const rules = JSON.stringify(market)
    if (fresh || kept?.rules !== rules || !kept.trial.isUsable()) {
      kept = { rules, trial: createTrial(wasm, specOf(market)) }
    }
    return kept.trial
  }
  const tryOpen = (market: Market, order: ReadOrder, fresh: boolean): OpenPreview => {
    const trial = trialOf(market, fresh)
    const opened = trial.open(order)
    if (typeof opened === 'string') {
      return opened === 'AMOUNT_OVERFLOW' && !fresh ? tryOpen(market, order, true) : { ok: false, code: opened }
    }
    const preview = previewOf(trial, order, opened, parseAmount(market.fees.openBps))
    return fresh || isWhole(preview, order) ? preview : tryOpen(market, order, true)
  }
  return {
    open: (market, order, quote) => {
      const read = readOrder(order, quote)
      return typeof read === 'string' ? { ok: false, code: read } : tryOpen(market, read, false)
    },
    valuation: (_market, trade, quote) => valuationOf(trade, quote),
    explain,
  }
}
