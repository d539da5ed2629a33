/** Names and states in words. */
import type { Direction, Market } from '@bourse/client/shapes.ts'

/** `BTC_USDC` as people write it. */
export const nameOf = (symbol: string): string => symbol.replace('_', '/')

/** States of a market. */
export const stateWords: Readonly<Record<Market['state'], string>> = {
  Open: 'Open',
  ReduceOnly: 'Reduce only',
  Halted: 'Halted',
}

/** How current a price is. */
export const freshnessWords: Readonly<Record<'fresh' | 'stale' | 'none', string>> = {
  fresh: 'Live',
  stale: 'Old',
  none: 'No price',
}

/** Directions as a button says them. */
export const directionWords: Readonly<Record<Direction, string>> = { LONG: 'Long', SHORT: 'Short' }

/** What a direction wins on. */
export const directionHints: Readonly<Record<Direction, string>> = {
  LONG: 'Gains when the price rises. Opens at the ask.',
  SHORT: 'Gains when the price falls. Opens at the bid.',
}
