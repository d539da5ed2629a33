import { refusalNumbers } from '@bourse/common/errors/codes.ts'
import { bodyOf, decodeHeader, isCommand } from '@bourse/common/kernel/command.ts'
import type { QueryAnswer } from '@bourse/common/kernel/machine.ts'
import { encodeOutcome } from '@bourse/common/kernel/outcome.ts'
import { malformedOutcome } from '../../src/host/machine.ts'
import { QUERY_PAGE_MAX, tradingQueryKinds } from '../../src/trading/numbers.ts'
import { listHeadLayout, openTradeLayout } from '../../src/trading/outcomes.ts'
import {
  marketLayout,
  openIdLayout,
  openIdsHeadLayout,
  openIdsQueryLayout,
  outcomeOfLayout,
  tradeQueryLayout,
  tradesQueryLayout,
} from '../../src/trading/queries.ts'
import { viewOf } from '../../src/trading/struct.ts'
import { sameBytes } from '../id-table.ts'
import type { ReferenceIdTable } from '../id-table.ts'
import { openTradeOf } from './market.ts'
import { netQuantityOf, sumOf } from './state.ts'
import type { State, Trade } from './state.ts'

const NO_BODY = new Uint8Array(0)

const limitOf = (limit: number): number => (limit === 0 || limit > QUERY_PAGE_MAX ? QUERY_PAGE_MAX : limit)

const tradesBody = (state: State, trades: readonly Trade[], more: boolean): Uint8Array => {
  const body = new Uint8Array(listHeadLayout.bytes + trades.length * openTradeLayout.bytes)
  const { funding, nextFunding, spec } = state
  listHeadLayout.write(viewOf(body), 0, { count: trades.length, more: more ? 1 : 0, funding, nextFunding })
  trades.forEach((trade, index) => {
    const record = { ...openTradeOf(state, spec!, trade), zero: 0 }
    openTradeLayout.write(viewOf(body), listHeadLayout.bytes + index * openTradeLayout.bytes, record)
  })
  return body
}

const tradesOf = (state: State, body: Uint8Array): Uint8Array => {
  const { account, after, limit } = tradesQueryLayout.decode(body)
  const own = [...state.trades.values()].filter((trade) => trade.number > after && sameBytes(trade.account, account))
  const page = own.slice(0, limitOf(limit))
  return tradesBody(state, page, page.length < own.length)
}

const marketBody = (state: State): Uint8Array =>
  marketLayout.encode({
    ...state,
    state: state.marketState,
    openCount: state.trades.size,
    netQuantity: netQuantityOf(state),
    marginSum: sumOf(state, ({ margin }) => margin),
    lastTradeNumber: state.lastNumber,
    pending: state.pending.length,
    specified: state.spec === null ? 0 : 1,
  })

/** A page by trade number, which is this machine's cursor. */
const openIdsBody = (state: State, body: Uint8Array): Uint8Array => {
  const { cursor, limit } = openIdsQueryLayout.decode(body)
  const rest = [...state.trades.values()].filter(({ number }) => number > cursor)
  const page = rest.slice(0, limitOf(limit))
  const bytes = new Uint8Array(openIdsHeadLayout.bytes + page.length * openIdLayout.bytes)
  const more = page.length < rest.length ? 1 : 0
  openIdsHeadLayout.write(viewOf(bytes), 0, { count: page.length, more, cursor: page.at(-1)?.number ?? cursor })
  page.forEach(({ openId, margin, number, ledgerPartition }, index) => {
    const item = { openId, margin, tradeNumber: number, ledgerPartition, zero: 0 }
    openIdLayout.write(viewOf(bytes), openIdsHeadLayout.bytes + index * openIdLayout.bytes, item)
  })
  return bytes
}

const sizes = new Map<number, number>([
  [tradingQueryKinds.trades, tradesQueryLayout.bytes],
  [tradingQueryKinds.trade, tradeQueryLayout.bytes],
  [tradingQueryKinds.outcomeOf, outcomeOfLayout.bytes],
  [tradingQueryKinds.market, 0],
  [tradingQueryKinds.openIds, openIdsQueryLayout.bytes],
])

const outcomeOf = (ids: ReferenceIdTable, kind: number, body: Uint8Array): QueryAnswer => {
  const { id, requestHash } = outcomeOfLayout.decode(body)
  const entry = ids.find(id)
  if (entry === undefined) {
    return { bytes: encodeOutcome({ code: refusalNumbers.NOT_FOUND, kind, id }, NO_BODY), pending: true, wakeId: id }
  }
  if (!sameBytes(entry.requestHash, requestHash)) {
    return { bytes: encodeOutcome({ code: refusalNumbers.IDEMPOTENCY_CONFLICT, kind, id }, NO_BODY), pending: false }
  }
  return { bytes: encodeOutcome({ code: entry.code, kind: entry.kind, id }, entry.body), pending: false }
}

/** Answers a question from state and ids. */
export const answer = (state: State, ids: ReferenceIdTable, question: Uint8Array): QueryAnswer => {
  if (!isCommand(question)) return { bytes: malformedOutcome(), pending: false }
  const { kind, id } = decodeHeader(question)
  const body = bodyOf(question)
  const reply = (code: number, bytes: Uint8Array): QueryAnswer => ({
    bytes: encodeOutcome({ code, kind, id }, bytes),
    pending: false,
  })
  if (sizes.get(kind) !== body.length) return reply(refusalNumbers.INVALID_COMMAND, NO_BODY)
  switch (kind) {
    case tradingQueryKinds.trades:
      return reply(refusalNumbers.OK, tradesOf(state, body))
    case tradingQueryKinds.market:
      return reply(refusalNumbers.OK, marketBody(state))
    case tradingQueryKinds.openIds:
      return reply(refusalNumbers.OK, openIdsBody(state, body))
    case tradingQueryKinds.outcomeOf:
      return outcomeOf(ids, kind, body)
    default: {
      const { tradeNumber } = tradeQueryLayout.decode(body)
      const trade = state.trades.get(tradeNumber)
      if (trade !== undefined) return reply(refusalNumbers.OK, tradesBody(state, [trade], false))
      const closed = tradeNumber > 0n && tradeNumber <= state.lastNumber
      return reply(closed ? refusalNumbers.TRADE_CLOSED : refusalNumbers.TRADE_NOT_FOUND, NO_BODY)
    }
  }
}
