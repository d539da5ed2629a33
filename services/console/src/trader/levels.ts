/** Prices a trader sets: the sides of a quote, moves by percent, the grid of the tick. Exact, on units of 1e-8. */
import { formatAmount, decimalsOfStep, parseAmount, type Units } from '@bourse/common/money/amount.ts'
import { ceilTo, floorTo, mulDivCeil, mulDivFloor } from '@bourse/common/money/rounding.ts'
import type { Direction } from '@bourse/client/shapes.ts'
import { formatDecimal, formatPrice } from '../format/decimal.ts'

/** Whole basis points of a whole. */
export const BPS_WHOLE = 10_000n

/** Both sides of a quote, decimal strings. */
export interface QuoteText {
  readonly bid: string
  readonly ask: string
}

/** The price a trade of this direction opens at: a long at ask, a short at bid. */
export const openingPrice = (direction: Direction, { bid, ask }: QuoteText): string =>
  direction === 'LONG' ? ask : bid

/** The price a trade of this direction closes at: a long at bid, a short at ask. */
export const closingPrice = (direction: Direction, { bid, ask }: QuoteText): string =>
  direction === 'LONG' ? bid : ask

/** A price as its market writes it: the decimals of the tick, or more where it has more. */
export const priceText = (units: Units, tickSize: string): string => {
  const decimals = decimalsOfStep(parseAmount(tickSize))
  return units % parseAmount(tickSize) === 0n ? formatAmount(units, decimals) : formatAmount(units)
}

/** Whether a price stands on the grid of the tick. */
export const isOnTick = (price: string, tickSize: string): boolean => parseAmount(price) % parseAmount(tickSize) === 0n

/** The two prices of the grid around one that is off it; null for a side that is not above zero. */
export const nearestOnTick = (
  price: string,
  tickSize: string,
): { readonly below: string | null; readonly above: string } => {
  const tick = parseAmount(tickSize)
  const units = parseAmount(price)
  const below = floorTo(units, tick)
  return { below: below > 0n ? priceText(below, tickSize) : null, above: priceText(ceilTo(units, tick), tickSize) }
}

/** What a price is set for: it is hit by a move against the trade, or by one in its favour. */
export type LevelKind = 'stop' | 'target'

/**
 * The price that is `bps` of `reference` away, against the trade for a stop and in its favour for a target, snapped to the
 * tick away from the reference, so that it is never nearer than was asked for. Null when none above zero is.
 */
export const levelAtMove = (
  kind: LevelKind,
  direction: Direction,
  { reference, bps, tickSize }: { readonly reference: string; readonly bps: number; readonly tickSize: string },
): string | null => {
  const up = (kind === 'target') === (direction === 'LONG')
  const from = parseAmount(reference)
  const tick = parseAmount(tickSize)
  const moved = up
    ? ceilTo(mulDivCeil(from, BPS_WHOLE + BigInt(bps), BPS_WHOLE), tick)
    : floorTo(mulDivFloor(from, BPS_WHOLE - BigInt(bps), BPS_WHOLE), tick)
  return moved > 0n ? priceText(moved, tickSize) : null
}

/**
 * The worst price to open or close at: `bps` beyond the price of now, snapped away from it, so that the guard is never
 * tighter than it says. Null when none above zero is.
 */
export const guardPrice = (
  action: 'open' | 'close',
  direction: Direction,
  { quote, bps, tickSize }: { readonly quote: QuoteText; readonly bps: number; readonly tickSize: string },
): string | null => {
  const buys = (action === 'open') === (direction === 'LONG')
  return levelAtMove(buys ? 'target' : 'stop', 'LONG', {
    reference: buys ? quote.ask : quote.bid,
    bps,
    tickSize,
  })
}

/** Why a level can't be where it is, in words; null when it can. A stop and a target are judged by the closing side. */
export const levelFault = (
  kind: LevelKind,
  direction: Direction,
  { price, tickSize, quote }: { readonly price: string; readonly tickSize: string; readonly quote: QuoteText | null },
): string | null => {
  const name = kind === 'stop' ? 'stop' : 'target'
  const units = parseAmount(price)
  if (units <= 0n) return `A ${name} is above zero; leave the field empty for none.`
  if (!isOnTick(price, tickSize)) {
    const { below, above } = nearestOnTick(price, tickSize)
    const near = [below, above].flatMap((known) => (known === null ? [] : [formatPrice(known, tickSize)]))
    return `Prices here go in steps of ${formatDecimal(tickSize)}: use ${near.join(' or ')}.`
  }
  if (quote === null) return null
  const now = closingPrice(direction, quote)
  const above = units > parseAmount(now)
  const mustBeAbove = (kind === 'target') === (direction === 'LONG')
  const stands = mustBeAbove ? above : units < parseAmount(now)
  if (stands) return null
  const side = direction === 'LONG' ? 'long' : 'short'
  const where = mustBeAbove ? 'above' : 'below'
  return `The ${name} of a ${side} is ${where} the price it closes at, now ${formatPrice(now, tickSize)}.`
}

/** How far `price` is from `reference`, in basis points of the reference, rounded towards zero; negative when below. */
export const distanceBps = (price: string, reference: string): number => {
  const from = parseAmount(reference)
  return from === 0n ? 0 : Number(((parseAmount(price) - from) * BPS_WHOLE) / from)
}

/** Basis points as a percentage with its sign, exact: `+1.25 %`; whole ones without decimals where `short`. */
export const percentText = (
  bps: number,
  { signed = true, short = false }: { readonly signed?: boolean; readonly short?: boolean } = {},
): string => {
  const magnitude = Math.abs(bps)
  const digits = `${Math.trunc(magnitude / 100)}.${String(magnitude % 100).padStart(2, '0')}`
  const options = { sign: signed, minDecimals: short ? 0 : 2 }
  return `${formatDecimal(bps < 0 ? `-${digits}` : digits, options)}\u00a0%`
}
