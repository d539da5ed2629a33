/** An order as it is being written: what was typed, what it means, what is wrong with it. */
import { parseAmount } from '@bourse/common/money/amount.ts'
import type { CreateTradeInput } from '@bourse/client/engine.ts'
import type { Direction, Market } from '@bourse/client/shapes.ts'
import { formatMoney } from '../format/decimal.ts'
import { fitsAvailable, holdsOf, leverageFault } from './funds.ts'
import { guardPrice, levelFault, type QuoteText } from './levels.ts'

/** What was typed. Prices belong to one market, the rest is kept from one to the next. */
export interface Draft {
  readonly direction: Direction
  readonly margin: string
  readonly leverage: number
  readonly stop: string
  readonly target: string
  /** The slippage guard in basis points of the price shown; null for none. */
  readonly guardBps: number | null
}

/** An empty ticket: the guard is on. */
export const EMPTY_DRAFT: Draft = {
  direction: 'LONG',
  margin: '',
  leverage: 10,
  stop: '',
  target: '',
  guardBps: 50,
}

/** Bounds of the guard to choose from, basis points. */
export const guardChoices: readonly (number | null)[] = [10, 25, 50, 100, null]

/** A text read as a decimal, or why it is none. */
export type Parsed = { readonly ok: true; readonly value: string } | { readonly ok: false; readonly fault: string }

/** What stands in the way, by field; null where nothing does. */
export interface TicketFaults {
  readonly margin: string | null
  readonly leverage: string | null
  readonly stop: string | null
  readonly target: string | null
}

/** A ticket as read. */
export interface ReadTicket {
  /** The margin as typed when it is a number above zero; null otherwise. */
  readonly margin: string | null
  readonly stopLossPrice: string | null
  readonly takeProfitPrice: string | null
  /** What the guard allows at the quote of now; null when it is off or there is no quote. */
  readonly worstPrice: string | null
  readonly faults: TicketFaults
  /** Nothing typed is wrong and nothing needed is missing. */
  readonly complete: boolean
}

/** What a ticket is read against. */
export interface TicketContext {
  readonly market: Market
  readonly quote: QuoteText | null
  /** Available in the market's quote asset; null while it is not known. */
  readonly available: string | null
  readonly parse: (text: string) => Parsed
}

const marginOf = (text: string, parse: TicketContext['parse']): { value: string | null; fault: string | null } => {
  if (text.trim() === '') return { value: null, fault: null }
  const parsed = parse(text)
  if (!parsed.ok) return { value: null, fault: parsed.fault }
  return parseAmount(parsed.value) > 0n
    ? { value: parsed.value, fault: null }
    : { value: null, fault: 'A margin is above zero.' }
}

const marginFault = (margin: string, leverage: number, { market, available }: TicketContext): string | null => {
  const { minMargin } = market.limits
  if (parseAmount(margin) < parseAmount(minMargin))
    return `This market asks for ${formatMoney(minMargin, market.quoteAsset)} at least.`
  const holds = holdsOf(margin, leverage, market.fees.openBps)
  if (available === null || fitsAvailable(available, holds.sum)) return null
  const money = (amount: string): string => formatMoney(amount, market.quoteAsset)
  return `${money(holds.sum)} would be held, ${money(holds.fee)} of it for the open fee; ${money(available)} is available.`
}

const levelOf = (
  kind: 'stop' | 'target',
  text: string,
  direction: Direction,
  { market, quote, parse }: TicketContext,
): { value: string | null; fault: string | null } => {
  if (text.trim() === '') return { value: null, fault: null }
  const parsed = parse(text)
  if (!parsed.ok) return { value: null, fault: parsed.fault }
  const fault = levelFault(kind, direction, { price: parsed.value, tickSize: market.tickSize, quote })
  return { value: fault === null ? parsed.value : null, fault }
}

/** Reads a draft: what it asks for and what is wrong, everything that can be judged without the machine. */
export const readTicket = (draft: Draft, context: TicketContext): ReadTicket => {
  const { market, quote } = context
  const margin = marginOf(draft.margin, context.parse)
  const stop = levelOf('stop', draft.stop, draft.direction, context)
  const target = levelOf('target', draft.target, draft.direction, context)
  const faults: TicketFaults = {
    margin: margin.value === null ? margin.fault : marginFault(margin.value, draft.leverage, context),
    leverage: margin.value === null ? null : leverageFault(market, margin.value, draft.leverage),
    stop: stop.fault,
    target: target.fault,
  }
  const worstPrice =
    draft.guardBps === null || quote === null
      ? null
      : guardPrice('open', draft.direction, { quote, bps: draft.guardBps, tickSize: market.tickSize })
  return {
    margin: margin.value,
    stopLossPrice: stop.value,
    takeProfitPrice: target.value,
    worstPrice,
    faults,
    complete: margin.value !== null && Object.values(faults).every((fault) => fault === null),
  }
}

/** The order a complete ticket gives; null while it is not complete. */
export const orderOf = (draft: Draft, asset: string, read: ReadTicket): CreateTradeInput | null =>
  !read.complete || read.margin === null
    ? null
    : {
        asset,
        direction: draft.direction,
        margin: read.margin,
        leverage: draft.leverage,
        ...(read.stopLossPrice === null ? {} : { stopLossPrice: read.stopLossPrice }),
        ...(read.takeProfitPrice === null ? {} : { takeProfitPrice: read.takeProfitPrice }),
        ...(read.worstPrice === null ? {} : { worstPrice: read.worstPrice }),
      }
