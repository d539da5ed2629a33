import { encodeCommand } from '@bourse/common/kernel/command.ts'
import { outcomeBodyOf, recordsIn } from '@bourse/common/kernel/outcome.ts'
import { tradingQueryKinds } from './numbers.ts'
import { listHeadLayout, openTradeLayout } from './outcomes.ts'
import type { OpenTrade } from './outcomes.ts'
import { layoutOf } from './struct.ts'
import type { RecordIn } from './struct.ts'

/** Body of TRADES: the account's open trades with numbers above `after`, at most `limit` (0 = QUERY_PAGE_MAX). */
export const tradesQueryLayout = layoutOf({ account: 'bytes16', after: 'u64', limit: 'u32', zero: 'u32' })
/** Body of TRADE. */
export const tradeQueryLayout = layoutOf({ tradeNumber: 'u64' })
/** Body of OUTCOME_OF. */
export const outcomeOfLayout = layoutOf({ id: 'bytes16', requestHash: 'bytes16' })
/** Body of OPEN_IDS: a cursor of the answer before (0 = from the start), at most `limit` (0 = QUERY_PAGE_MAX). */
export const openIdsQueryLayout = layoutOf({ cursor: 'u64', limit: 'u32', zero: 'u32' })

/**
 * Answer of MARKET. marginSum: of the open trades. firstTickAt, nextFunding: ms, 0 = none.
 * pending: closes still to come of a tick.
 */
export const marketLayout = layoutOf({
  state: 'u32',
  openCount: 'u32',
  funding: 'i64',
  nextFunding: 'i64',
  netQuantity: 'i64',
  marginSum: 'i128',
  lastTradeNumber: 'u64',
  firstTickAt: 'i64',
  pending: 'u32',
  specified: 'u32',
})
/** Head of the answer of OPEN_IDS. */
export const openIdsHeadLayout = layoutOf({ count: 'u32', more: 'u32', cursor: 'u64' })
/** Item of the answer of OPEN_IDS: hold 0 of openId at ledgerPartition is this trade's margin. */
export const openIdLayout = layoutOf({
  openId: 'bytes16',
  margin: 'i64',
  tradeNumber: 'u64',
  ledgerPartition: 'u32',
  zero: 'u32',
})

/** A market's state as MARKET tells it. */
export type MarketAnswer = RecordIn<typeof marketLayout>
/** The hold of an open trade. */
export type OpenIdItem = Omit<RecordIn<typeof openIdLayout>, 'zero'>

/** Asks for an account's open trades, in opening order. */
export const encodeTradesQuery = (account: Uint8Array, after = 0n, limit = 0): Uint8Array =>
  encodeCommand({ kind: tradingQueryKinds.trades }, tradesQueryLayout.encode({ account, after, limit, zero: 0 }))
/** Asks for one trade; refused TRADE_NOT_FOUND or TRADE_CLOSED. */
export const encodeTradeQuery = (tradeNumber: bigint): Uint8Array =>
  encodeCommand({ kind: tradingQueryKinds.trade }, tradeQueryLayout.encode({ tradeNumber }))
/** Asks for the first outcome of an id: pending (NOT_FOUND) while it is unknown, IDEMPOTENCY_CONFLICT for another hash. */
export const encodeOutcomeOf = (id: Uint8Array, requestHash: Uint8Array): Uint8Array =>
  encodeCommand({ kind: tradingQueryKinds.outcomeOf }, outcomeOfLayout.encode({ id, requestHash }))
/** Asks for the market's state. */
export const encodeMarketQuery = (): Uint8Array => encodeCommand({ kind: tradingQueryKinds.market }, new Uint8Array(0))
/** Asks for a page of the open trades' holds. */
export const encodeOpenIdsQuery = (cursor = 0n, limit = 0): Uint8Array =>
  encodeCommand({ kind: tradingQueryKinds.openIds }, openIdsQueryLayout.encode({ cursor, limit, zero: 0 }))

/** The answer of TRADES and TRADE. funding: F now. */
export interface TradesAnswer {
  readonly trades: readonly OpenTrade[]
  readonly more: boolean
  readonly funding: bigint
  readonly nextFunding: bigint
}

/** Reads an OK answer of TRADES or TRADE. */
export const decodeTradesAnswer = (answer: Uint8Array): TradesAnswer => {
  const body = outcomeBodyOf(answer)
  const { count, more, funding, nextFunding } = listHeadLayout.decode(body)
  const place = { at: listHeadLayout.bytes, count, recordBytes: openTradeLayout.bytes }
  const trades = recordsIn(body, place, (view, at) => {
    const { zero: _zero, ...trade } = openTradeLayout.read(view, at)
    return trade
  })
  return { trades, more: more !== 0, funding, nextFunding }
}

/** Reads an OK answer of MARKET. */
export const decodeMarketAnswer = (answer: Uint8Array): MarketAnswer => marketLayout.decode(outcomeBodyOf(answer))

/** Reads an OK answer of OPEN_IDS; `cursor` is for the next question while `more`. */
export const decodeOpenIdsAnswer = (
  answer: Uint8Array,
): { readonly items: readonly OpenIdItem[]; readonly more: boolean; readonly cursor: bigint } => {
  const body = outcomeBodyOf(answer)
  const { count, more, cursor } = openIdsHeadLayout.decode(body)
  const place = { at: openIdsHeadLayout.bytes, count, recordBytes: openIdLayout.bytes }
  const items = recordsIn(body, place, (view, at) => {
    const { zero: _zero, ...item } = openIdLayout.read(view, at)
    return item
  })
  return { items, more: more !== 0, cursor }
}
