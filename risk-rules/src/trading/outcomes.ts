import { refusalNumbers } from '@bourse/common/errors/codes.ts'
import { decodeOutcomeHeader, outcomeBodyOf, recordsIn } from '@bourse/common/kernel/outcome.ts'
import { tradeEventTypes } from './numbers.ts'
import { fieldBytes, layoutOf, viewOf } from './struct.ts'
import type { RecordIn } from './struct.ts'

/** Bytes of an outcome's body that are kept with the id; a repeat answers these only. */
export const TRADING_KEPT_BYTES = 48

/**
 * An open trade: body of the outcome of OPEN, of the opened event and of queries. The first 48 bytes are kept
 * with the id. liquidationPrice: as of now (F moves it), 0 = none. fundingAtOpen: F₀.
 */
export const openTradeLayout = layoutOf({
  tradeNumber: 'u64',
  quantity: 'i64',
  entryPrice: 'i64',
  liquidationPrice: 'i64',
  openFee: 'i64',
  openedAt: 'i64',
  margin: 'i64',
  stopLoss: 'i64',
  takeProfit: 'i64',
  direction: 'u32',
  leverage: 'u32',
  account: 'bytes16',
  openId: 'bytes16',
  fundingAtOpen: 'i64',
  ledgerPartition: 'u32',
  zero: 'u32',
})

/**
 * A closed trade: body of the outcome of CLOSE, of the closed event, and item of a TICK's outcome. The first
 * 48 bytes are kept with the id. fees = openFee + closeFee (the liquidation fee on a liquidation); funding:
 * what the customer paid, negative = received; liquidationPrice: as of the close, 0 = none.
 */
export const closedTradeLayout = layoutOf({
  tradeNumber: 'u64',
  exitPrice: 'i64',
  pnl: 'i64',
  fees: 'i64',
  returned: 'i64',
  closedAt: 'i64',
  funding: 'i64',
  deficit: 'i64',
  closeFee: 'i64',
  reason: 'u32',
  direction: 'u32',
  margin: 'i64',
  quantity: 'i64',
  entryPrice: 'i64',
  liquidationPrice: 'i64',
  openFee: 'i64',
  openedAt: 'i64',
  stopLoss: 'i64',
  takeProfit: 'i64',
  account: 'bytes16',
  openId: 'bytes16',
  leverage: 'u32',
  ledgerPartition: 'u32',
})

/**
 * A trade whose stops were changed: body of the outcome of UPDATE. The first 48 bytes are kept with the id. stopLoss, takeProfit:
 * as they stand now, 0 = none; liquidationPrice: as of now, 0 = none.
 */
export const updatedTradeLayout = layoutOf({
  tradeNumber: 'u64',
  stopLoss: 'i64',
  takeProfit: 'i64',
  liquidationPrice: 'i64',
  updatedAt: 'i64',
  openedAt: 'i64',
  quantity: 'i64',
  entryPrice: 'i64',
  openFee: 'i64',
  margin: 'i64',
  direction: 'u32',
  leverage: 'u32',
  account: 'bytes16',
  openId: 'bytes16',
  fundingAtOpen: 'i64',
  ledgerPartition: 'u32',
  zero: 'u32',
})

/** Head of the outcome of TICK and CONTINUE (records: closed trades) and of TRADES and TRADE (records: open trades). */
export const listHeadLayout = layoutOf({ count: 'u32', more: 'u32', funding: 'i64', nextFunding: 'i64' })
/** Body of the outcome of FUNDING. */
export const fundingOutcomeLayout = layoutOf({ funding: 'i64', nextFunding: 'i64', instants: 'i64' })

/** An open trade as outcomes, events and queries tell it. */
export type OpenTrade = Omit<RecordIn<typeof openTradeLayout>, 'zero'>
/** An open trade as the outcome of UPDATE tells it. */
export type UpdatedTrade = OpenTrade & { readonly updatedAt: bigint }
/** A closed trade as outcomes and events tell it. */
export type ClosedTrade = RecordIn<typeof closedTradeLayout>
/** What a repeat of an OPEN still says. */
export type OpenTradeKept = Pick<
  OpenTrade,
  'tradeNumber' | 'quantity' | 'entryPrice' | 'liquidationPrice' | 'openFee' | 'openedAt'
>
/** What a repeat of an UPDATE still says. */
export type UpdatedTradeKept = Pick<
  UpdatedTrade,
  'tradeNumber' | 'stopLoss' | 'takeProfit' | 'liquidationPrice' | 'updatedAt' | 'openedAt'
>
/** What a repeat of a CLOSE still says. */
export type ClosedTradeKept = Pick<ClosedTrade, 'tradeNumber' | 'exitPrice' | 'pnl' | 'fees' | 'returned' | 'closedAt'>

const keptOpenLayout = layoutOf({
  tradeNumber: 'u64',
  quantity: 'i64',
  entryPrice: 'i64',
  liquidationPrice: 'i64',
  openFee: 'i64',
  openedAt: 'i64',
})
const keptUpdatedLayout = layoutOf({
  tradeNumber: 'u64',
  stopLoss: 'i64',
  takeProfit: 'i64',
  liquidationPrice: 'i64',
  updatedAt: 'i64',
  openedAt: 'i64',
})
const keptClosedLayout = layoutOf({
  tradeNumber: 'u64',
  exitPrice: 'i64',
  pnl: 'i64',
  fees: 'i64',
  returned: 'i64',
  closedAt: 'i64',
})

const okBody = (outcome: Uint8Array): Uint8Array => {
  const { code } = decodeOutcomeHeader(outcome)
  if (code !== refusalNumbers.OK) throw new RangeError(`the outcome is a refusal (${code}): it has no body to read`)
  return outcomeBodyOf(outcome)
}

/** Whether an OK outcome of OPEN, UPDATE or CLOSE is a repeat's: it then has the kept part only. */
export const isKeptOutcome = (outcome: Uint8Array): boolean => okBody(outcome).length === TRADING_KEPT_BYTES

/** The opened trade of an OK outcome of OPEN (not of a repeat). Throws on a refusal or a kept outcome. */
export const decodeOpenOutcome = (outcome: Uint8Array): OpenTrade => {
  const { zero: _, ...trade } = openTradeLayout.decode(okBody(outcome))
  return trade
}
/** What any OK outcome of OPEN says, a repeat's too. */
export const decodeOpenKept = (outcome: Uint8Array): OpenTradeKept => keptOpenLayout.decode(okBody(outcome))
/** The closed trade of an OK outcome of CLOSE (not of a repeat). Throws on a refusal or a kept outcome. */
export const decodeCloseOutcome = (outcome: Uint8Array): ClosedTrade => closedTradeLayout.decode(okBody(outcome))
/** What any OK outcome of CLOSE says, a repeat's too. */
export const decodeCloseKept = (outcome: Uint8Array): ClosedTradeKept => keptClosedLayout.decode(okBody(outcome))

/** The updated trade of an OK outcome of UPDATE (not of a repeat). Throws on a refusal or a kept outcome. */
export const decodeUpdateOutcome = (outcome: Uint8Array): UpdatedTrade => {
  const { zero: _, ...trade } = updatedTradeLayout.decode(okBody(outcome))
  return trade
}
/** What any OK outcome of UPDATE says, a repeat's too. */
export const decodeUpdateKept = (outcome: Uint8Array): UpdatedTradeKept => keptUpdatedLayout.decode(okBody(outcome))

/** The outcome of TICK or CONTINUE. `more`: a CONTINUE must follow. `nextFunding`: ms, 0 = none. */
export interface TickOutcome {
  readonly closed: readonly ClosedTrade[]
  readonly more: boolean
  readonly funding: bigint
  readonly nextFunding: bigint
}

/** Reads an OK outcome of TICK or CONTINUE. Throws on a refusal. */
export const decodeTickOutcome = (outcome: Uint8Array): TickOutcome => {
  const body = okBody(outcome)
  const { count, more, funding, nextFunding } = listHeadLayout.decode(body)
  const place = { at: listHeadLayout.bytes, count, recordBytes: closedTradeLayout.bytes }
  const closed = recordsIn(body, place, closedTradeLayout.read)
  return { closed, more: more !== 0, funding, nextFunding }
}

/** Reads an OK outcome of FUNDING: F, the next instant (ms, 0 = none), instants applied. Throws on a refusal. */
export const decodeFundingOutcome = (outcome: Uint8Array): RecordIn<typeof fundingOutcomeLayout> =>
  fundingOutcomeLayout.decode(okBody(outcome))

/** The reference of everything the ledger posts for a trade, and the trade's public id: market, partition, number. */
export const tradeReferenceLayout = layoutOf({ marketNumber: 'u32', partitionIndex: 'u32', tradeNumber: 'u64' })

/** A trade event, as a ledger instruction's memo carries it. */
export type TradeEvent =
  | { readonly type: 'opened' | 'updated'; readonly trade: OpenTrade }
  | { readonly type: 'closed'; readonly trade: ClosedTrade }

/** In front of the record in a memo: u32 event type, u32 zero. */
export const EVENT_HEADER_BYTES = 2 * fieldBytes.u32

/** Reads a memo (padding allowed behind it). Throws a RangeError on anything that is not a trade event. */
export const decodeTradeEvent = (memo: Uint8Array): TradeEvent => {
  const view = viewOf(memo)
  const type = memo.length < EVENT_HEADER_BYTES ? 0 : view.getUint32(0, true)
  const { opened, updated, closed } = tradeEventTypes
  const isOfOpen = type === opened || type === updated
  if (isOfOpen && memo.length >= EVENT_HEADER_BYTES + openTradeLayout.bytes) {
    const { zero: _, ...trade } = openTradeLayout.read(view, EVENT_HEADER_BYTES)
    return { type: type === opened ? 'opened' : 'updated', trade }
  }
  if (type === closed && memo.length >= EVENT_HEADER_BYTES + closedTradeLayout.bytes) {
    return { type: 'closed', trade: closedTradeLayout.read(view, EVENT_HEADER_BYTES) }
  }
  throw new RangeError(`a memo of ${memo.length} bytes and type ${type} is no trade event`)
}
