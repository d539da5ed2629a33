/** What an edit of stop and target asks for: only what was changed is sent, so that what stands is not judged again. */
import type { UpdateTradeInput } from '@bourse/client/engine.ts'
import type { Market, OpenTrade } from '@bourse/client/shapes.ts'
import { parseAmount } from '@bourse/common/money/amount.ts'
import { levelFault, type LevelKind, type QuoteText } from './levels.ts'
import type { Parsed } from './ticket.ts'

/** One level as edited. */
export interface LevelEdit {
  /** The price it would have; null for none. */
  readonly price: string | null
  readonly changed: boolean
  readonly fault: string | null
}

/** What a level's edit is read against. */
export interface EditContext {
  readonly trade: OpenTrade
  readonly market: Market
  readonly quote: QuoteText | null
  readonly parse: (text: string) => Parsed
}

const isSame = (a: string | null, b: string | null): boolean =>
  a === null || b === null ? a === b : parseAmount(a) === parseAmount(b)

/** Reads what was typed for a level. A price that stays is not judged: it may stand where a new one could not. */
export const readEdit = (kind: LevelKind, text: string, { trade, market, quote, parse }: EditContext): LevelEdit => {
  const standing = kind === 'stop' ? trade.stopLossPrice : trade.takeProfitPrice
  if (text.trim() === '') return { price: null, changed: standing !== null, fault: null }
  const parsed = parse(text)
  if (!parsed.ok) return { price: standing, changed: false, fault: parsed.fault }
  if (isSame(parsed.value, standing)) return { price: standing, changed: false, fault: null }
  const fault = levelFault(kind, trade.direction, { price: parsed.value, tickSize: market.tickSize, quote })
  return { price: parsed.value, changed: true, fault }
}

/** The command for two edits; null when nothing was changed or something is wrong. */
export const updateOf = (tradeId: string, stop: LevelEdit, target: LevelEdit): UpdateTradeInput | null => {
  if (stop.fault !== null || target.fault !== null || (!stop.changed && !target.changed)) return null
  return {
    tradeId,
    ...(stop.changed ? { stopLossPrice: stop.price } : {}),
    ...(target.changed ? { takeProfitPrice: target.price } : {}),
  }
}

/** Whether an update sets a price: that needs a market with a current price; taking one away works always. */
export const setsPrice = ({ stopLossPrice, takeProfitPrice }: UpdateTradeInput): boolean =>
  typeof stopLossPrice === 'string' || typeof takeProfitPrice === 'string'

/** Whether liquidation comes before a stop: then the stop never does anything. */
export const isBehindLiquidation = (
  { direction, liquidationPrice }: Pick<OpenTrade, 'direction' | 'liquidationPrice'>,
  stop: string,
): boolean => {
  if (liquidationPrice === null) return false
  const behind = parseAmount(stop) - parseAmount(liquidationPrice)
  return direction === 'LONG' ? behind <= 0n : behind >= 0n
}
