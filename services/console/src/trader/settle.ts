/**
 * What closing an open trade at a price comes to, as the contract writes it: for the questions a dialog asks, "what would
 * return now", "what at this stop". Nothing is settled by it; the answer of the server is the truth.
 */
import { formatAmount, parseAmount, UNITS_PER_WHOLE } from '@bourse/common/money/amount.ts'
import { divCeil, mulDivFloor } from '@bourse/common/money/rounding.ts'
import type { Direction } from '@bourse/client/shapes.ts'

/** What of a trade counts at closing; `funding` is what it paid so far. */
export interface SettledTrade {
  readonly direction: Direction
  readonly margin: string
  readonly quantity: string
  readonly entryPrice: string
  readonly funding: string
}

/** What a close at a price gives; decimal strings. */
export interface Settlement {
  readonly exitPrice: string
  readonly pnl: string
  readonly fee: string
  readonly returned: string
  /** pnl − funding − fee, never less than the margin lost: what closing changes of the balance, the open fee not counted. */
  readonly change: string
}

const FEE_DIVISOR = UNITS_PER_WHOLE * 10_000n * UNITS_PER_WHOLE

/**
 * Contract cfd, "Close": pnl floored, fee ceiled (both favour the house), fee at most what is left, the return never below 0.
 */
export const settleAt = (trade: SettledTrade, exitPrice: string, feeBps: string): Settlement => {
  const exit = parseAmount(exitPrice)
  const entry = parseAmount(trade.entryPrice)
  const quantity = parseAmount(trade.quantity)
  const margin = parseAmount(trade.margin)
  const gain = trade.direction === 'LONG' ? exit - entry : entry - exit
  const pnl = mulDivFloor(quantity, gain, UNITS_PER_WHOLE)
  const rest = margin + pnl - parseAmount(trade.funding)
  const most = rest > 0n ? rest : 0n
  const due = divCeil(quantity * exit * parseAmount(feeBps), FEE_DIVISOR)
  const fee = due < most ? due : most
  const returned = most - fee
  return {
    exitPrice,
    pnl: formatAmount(pnl),
    fee: formatAmount(fee),
    returned: formatAmount(returned),
    change: formatAmount(returned - margin),
  }
}
