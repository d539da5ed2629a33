import { stringify } from 'csv-stringify/sync'
import { formatAmount } from '@bourse/common/money/amount.ts'
import type { Units } from '@bourse/common/money/amount.ts'
import { closeReasons } from '@bourse/risk-rules/trading/codec.ts'
import type { CloseReasonName, ClosedTrade, OpenTrade } from '@bourse/risk-rules/trading/codec.ts'
import type { RequestedTrade } from './requested-trade.ts'

/** What became of a requested trade. */
export type Fate =
  /** No tick of the tape was at or after its moment. */
  | { readonly state: 'not-due' }
  | { readonly state: 'refused'; readonly code: string }
  | { readonly state: 'open'; readonly opened: OpenTrade }
  | { readonly state: 'closed'; readonly opened: OpenTrade; readonly closed: ClosedTrade }

/** A requested trade and what became of it. */
export interface ReplayRow {
  readonly requested: RequestedTrade
  readonly fate: Fate
}

/** Columns of the output, in their order. */
export const ROW_COLUMNS = [
  'id',
  'openAt',
  'quantity',
  'entryPrice',
  'liquidationPrice',
  'exitAt',
  'exitPrice',
  'reason',
  'pnl',
  'fees',
  'funding',
  'returned',
] as const

const reasonNames = Object.keys(closeReasons) as CloseReasonName[]

/** Name of a reason's number. Throws on a number no release has used. */
export const reasonName = (reason: number): CloseReasonName => {
  const name = reasonNames.find((candidate) => closeReasons[candidate] === reason)
  if (name === undefined) throw new RangeError(`close reason ${reason} is unknown`)
  return name
}

const isoOf = (timeMs: bigint): string => new Date(Number(timeMs)).toISOString()
const priceOf = (price: Units): string => (price === 0n ? '' : formatAmount(price))

const openingFields = ({ openedAt, quantity, entryPrice, liquidationPrice }: OpenTrade): string[] => [
  isoOf(openedAt),
  formatAmount(quantity),
  formatAmount(entryPrice),
  priceOf(liquidationPrice),
]

const closingFields = ({ closedAt, exitPrice, reason, pnl, fees, funding, returned }: ClosedTrade): string[] => [
  isoOf(closedAt),
  formatAmount(exitPrice),
  reasonName(reason),
  formatAmount(pnl),
  formatAmount(fees),
  formatAmount(funding),
  formatAmount(returned),
]

const emptyFields = (count: number): string[] => Array.from({ length: count }, () => '')

/**
 * A row's fields. openAt: the time of the tick at which the trade opened; liquidationPrice: as at opening,
 * empty when there is none; fees: open fee and close or liquidation fee. A trade still open has nothing from
 * exitAt on; a refused one has its code as reason, and like one that was never due nothing else but its id.
 */
export const fieldsOf = ({ requested: { id }, fate }: ReplayRow): string[] => {
  switch (fate.state) {
    case 'closed':
      return [id, ...openingFields(fate.opened), ...closingFields(fate.closed)]
    case 'open':
      return [id, ...openingFields(fate.opened), ...emptyFields(7)]
    case 'refused':
      return [id, ...emptyFields(6), fate.code, ...emptyFields(4)]
    case 'not-due':
      return [id, ...emptyFields(11)]
  }
}

/** The rows as CSV with a header. */
export const csvOf = (rows: readonly ReplayRow[]): string => stringify([[...ROW_COLUMNS], ...rows.map(fieldsOf)])

/**
 * What a row is counted under: the reason it was closed for, the code it was refused with, OPEN or NOT_DUE.
 */
export const reasonOf = ({ fate }: ReplayRow): string => {
  switch (fate.state) {
    case 'closed':
      return reasonName(fate.closed.reason)
    case 'refused':
      return fate.code
    case 'open':
      return 'OPEN'
    case 'not-due':
      return 'NOT_DUE'
  }
}

/** How many rows there are of each reason, the most frequent first. */
export const countsByReason = (rows: readonly ReplayRow[]): ReadonlyMap<string, number> => {
  const counts = new Map<string, number>()
  for (const row of rows) counts.set(reasonOf(row), (counts.get(reasonOf(row)) ?? 0) + 1)
  return new Map(
    [...counts].sort(([left, leftCount], [right, rightCount]) => rightCount - leftCount || (left < right ? -1 : 1)),
  )
}
