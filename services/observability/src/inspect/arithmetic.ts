import {
  feeOf,
  isLiquidated,
  liquidationPriceOf,
  quoteOfFeed,
  settlementOf,
  tiersOf,
} from '@bourse/risk-rules/reference/trading/rules.ts'
import type { RuleTrade, Tier } from '@bourse/risk-rules/reference/trading/rules.ts'
import { formatAmount } from '@bourse/common/money/amount.ts'
import { divCeil, divFloor, ceilTo, floorTo } from '@bourse/common/money/rounding.ts'
import { closeReasons, directions, RATE_ONE, type SpecCommand } from '@bourse/risk-rules/trading/codec.ts'
import type { Closing, Opening, TradeHistory } from './trade.ts'

const E8 = 100_000_000n

/** One number of a trade: how it is computed, with its numbers, and whether the journal has the same. */
export interface Step {
  readonly what: string
  /** The contract's formula. */
  readonly formula: string
  /** The formula with numbers. */
  readonly numbers: string
  /** What it comes to. */
  readonly result: string
  /** What the journal says. */
  readonly journal: string
  readonly agrees: boolean
}

const text = formatAmount
/** A product of two units, exact: 16 decimals. */
const exact = (value: bigint): string => {
  const digits = (value < 0n ? -value : value).toString().padStart(17, '0')
  return `${value < 0n ? '-' : ''}${digits.slice(0, -16)}.${digits.slice(-16)}`.replace(/\.?0+$/, '')
}

const step = (what: string, formula: string, numbers: string, result: bigint, journal: bigint): Step => ({
  what,
  formula,
  numbers,
  result: text(result),
  journal: text(journal),
  agrees: result === journal,
})

/** What the rules need of the opened trade. */
export const ruleTradeOf = ({ trade, spec }: Opening): RuleTrade => ({ ...trade, tiers: tiersOf(spec.tiers) })

interface Feed {
  readonly feedBid: bigint
  readonly feedAsk: bigint
}

/** The price that one side trades at, of a feed. */
const priceStep = (what: string, side: 'bid' | 'ask', feed: Feed, spec: SpecCommand, journal: bigint): Step => {
  const { spreadBps, tickSize } = spec
  const price = quoteOfFeed(feed.feedBid, feed.feedAsk, spreadBps, tickSize)[side]
  const [name, sign, from] = side === 'bid' ? ['floorTo', '−', feed.feedBid] : ['ceilTo', '+', feed.feedAsk]
  const formula = `${side} = ${name}(feed ${side} × (1 ${sign} spreadBps ÷ 20000), tick)`
  const numbers = `${name}(${text(from)} × (1 ${sign} ${text(spreadBps)} ÷ 20000), ${text(tickSize)})`
  return step(what, formula, numbers, price, journal)
}

/** The price of a long's side of the formula for one tier: the highest X at which the rule still holds. */
const longBound = (trade: RuleTrade, { rate, c }: Tier, paid: bigint, tick: bigint): bigint => {
  const { margin, quantity, entryPrice } = trade
  const value = (quantity * (entryPrice + paid) - (margin + c) * E8) * RATE_ONE
  return floorTo(divFloor(value, quantity * (RATE_ONE - rate)), tick)
}

/** Of a short: the lowest X at which the rule holds. */
const shortBound = (trade: RuleTrade, { rate, c }: Tier, paid: bigint, tick: bigint): bigint => {
  const { margin, quantity, entryPrice } = trade
  const value = (quantity * (entryPrice + paid) + (margin + c) * E8) * RATE_ONE
  return ceilTo(divCeil(value, quantity * (RATE_ONE + rate)), tick)
}

/** The liquidation price in closed form, with the tier that decides it, beside the reference's, which is found by search. */
export const liquidationStep = (opening: Opening, funding: bigint, journal: bigint, when: string): Step => {
  const trade = ruleTradeOf(opening)
  const { tickSize } = opening.spec
  const isLong = trade.direction === directions.LONG
  const paid = funding - trade.fundingAtOpen
  const bound = isLong ? longBound : shortBound
  const bounds = trade.tiers.map((tier) => ({ tier, price: bound(trade, tier, paid, tickSize) }))
  const decisive = bounds.reduce((best, one) =>
    (isLong ? one.price > best.price : one.price < best.price) ? one : best,
  )
  const price = decisive.price > 0n ? decisive.price : 0n
  const { c, rate, floor } = decisive.tier
  const [round, sign, other] = isLong ? ['floorTo', '−', '−'] : ['ceilTo', '+', '+']
  const { margin, quantity, entryPrice } = trade
  const one = step(
    `liquidation price ${when}`,
    `${round}((E + (F − F₀) ${sign} (M + c) ÷ q) ÷ (1 ${other} m), tick), the tier nearest to E`,
    `${round}((${text(entryPrice)} + (${text(funding)} − ${text(trade.fundingAtOpen)}) ${sign} ` +
      `(${text(margin)} + ${text(c)}) ÷ ${text(quantity)}) ÷ (1 ${other} ${text(rate)}), ` +
      `${text(tickSize)}); tier from ${text(floor)}`,
    price,
    journal,
  )
  return { ...one, agrees: one.agrees && liquidationPriceOf(trade, funding, tickSize) === price }
}

/** Opening: price, quantity, fee, liquidation price. */
export const openingSteps = (opening: Opening): readonly Step[] => {
  const { open, trade, spec } = opening
  const { margin, leverage, quantity, entryPrice } = trade
  const side = trade.direction === directions.LONG ? 'ask' : 'bid'
  const notional = margin * BigInt(leverage)
  return [
    priceStep('entry price E', side, open, spec, entryPrice),
    step(
      'quantity q',
      'floorTo(M × L ÷ E, lot)',
      `floorTo(${text(margin)} × ${leverage} ÷ ${text(entryPrice)}, ${text(spec.lotSize)})`,
      floorTo(divFloor(notional * E8, entryPrice), spec.lotSize),
      quantity,
    ),
    step(
      'open fee',
      'ceil(q × E × openBps ÷ 10000)',
      `ceil(${text(quantity)} × ${text(entryPrice)} × ${text(spec.openBps)} ÷ 10000)`,
      feeOf(quantity, entryPrice, spec.openBps),
      trade.openFee,
    ),
    liquidationStep(opening, trade.fundingAtOpen, trade.liquidationPrice, 'at the opening'),
  ]
}

/** The liquidation rule at a price: both sides, exact. */
const ruleStep = (opening: Opening, { trade: closed, funding }: Closing): Step => {
  const trade = ruleTradeOf(opening)
  const { margin, quantity, entryPrice, fundingAtOpen, tiers } = trade
  const price = closed.exitPrice
  const sign = trade.direction === directions.LONG ? 1n : -1n
  const equity = margin * E8 + sign * quantity * (price - entryPrice) - sign * quantity * (funding - fundingAtOpen)
  const owed = tiers.map(({ rate, c }) => divCeil(rate * quantity * price, RATE_ONE) - c * E8)
  const maintenance = owed.reduce((most, one) => (one > most ? one : most))
  const holds = isLiquidated(trade, price, funding)
  const was = closed.reason === closeReasons.LIQUIDATION
  const left = sign > 0n ? 'M + q(X − E) − q(F − F₀)' : 'M + q(E − X) + q(F − F₀)'
  return {
    what: 'liquidation rule at X',
    formula: `${left} ≤ max over tiers of (m × q × X − c)`,
    numbers: `${exact(equity)} ≤ ${exact(maintenance)}`,
    result: holds ? 'holds' : 'does not hold',
    journal: was ? 'liquidated' : 'not liquidated',
    // A trade may be closed by its owner at a price at which the next tick would have liquidated it.
    agrees: holds || !was,
  }
}

const settlementSteps = (opening: Opening, closing: Closing): readonly Step[] => {
  const { trade: closed, spec, funding } = closing
  const trade = ruleTradeOf(opening)
  const isLong = trade.direction === directions.LONG
  const isLiquidation = closed.reason === closeReasons.LIQUIDATION
  const bps = isLiquidation ? spec.liquidationBps : spec.closeBps
  const settled = settlementOf(trade, closed.exitPrice, funding, bps)
  const [q, entry, exit] = [text(trade.quantity), text(trade.entryPrice), text(closed.exitPrice)]
  const [now, before] = [text(funding), text(trade.fundingAtOpen)]
  const rest = trade.margin + settled.pnl - settled.funding
  const pnl = isLong
    ? [`floor(q(X − E))`, `floor(${q} × (${exit} − ${entry}))`]
    : [`floor(q(E − X))`, `floor(${q} × (${entry} − ${exit}))`]
  const sign = isLong ? '' : '−'
  const due = feeOf(trade.quantity, closed.exitPrice, bps)
  return [
    step('pnl', pnl[0]!, pnl[1]!, settled.pnl, closed.pnl),
    step(
      'funding',
      `ceil(${sign}q(F − F₀))`,
      `ceil(${sign}${q} × (${now} − ${before}))`,
      settled.funding,
      closed.funding,
    ),
    step(
      isLiquidation ? 'liquidation fee' : 'close fee',
      `min(ceil(q × X × ${isLiquidation ? 'liquidationBps' : 'closeBps'} ÷ 10000), max(M + pnl − funding, 0))`,
      `min(ceil(${q} × ${exit} × ${text(bps)} ÷ 10000) = ${text(due)}, max(${text(rest)}, 0))`,
      settled.fee,
      closed.closeFee,
    ),
    step(
      'fees',
      'open fee + this fee',
      `${text(closed.openFee)} + ${text(settled.fee)}`,
      opening.trade.openFee + settled.fee,
      closed.fees,
    ),
    step(
      'returned',
      'max(M + pnl − funding − fee, 0)',
      `max(${text(rest)} − ${text(settled.fee)}, 0)`,
      settled.returned,
      closed.returned,
    ),
    step('deficit', 'max(−(M + pnl − funding), 0)', `max(−(${text(rest)}), 0)`, settled.deficit, closed.deficit),
  ]
}

/** Closing: price, rule, liquidation price, and what was settled. `feed` is of the command that decided it. */
export const closingSteps = (
  { opening }: Pick<TradeHistory, 'opening'>,
  closing: Closing,
  feed: Feed,
): readonly Step[] => {
  const { trade, funding, spec } = closing
  const side = trade.direction === directions.LONG ? 'bid' : 'ask'
  return [
    priceStep('exit price X', side, feed, spec, trade.exitPrice),
    liquidationStep(opening, funding, trade.liquidationPrice, 'at the close'),
    ruleStep(opening, closing),
    ...settlementSteps(opening, closing),
  ]
}
