import { outcomeBodyOf } from '@bourse/common/kernel/outcome.ts'
import { closeReasons, decodeClose, decodeCloseOutcome, type ClosedTrade } from '@bourse/risk-rules/trading/codec.ts'
import { closingPrice, quoteAt } from '../../arithmetic/cfd.ts'
import { hex } from '../../evidence/bytes.ts'
import type { Entry } from '../../evidence/journals.ts'
import { trusted, type Desk } from './desk.ts'
import { hindrances } from './acceptance.ts'
import { faultsOfClosed } from './told.ts'
import { endOf, type Trade } from './trade.ts'
import { closeOf } from './transfers.ts'

/** How a trade is closed: by the rules, and how it is told. */
export interface Close {
  readonly price: bigint
  readonly reason: number
  /** Undefined when the outcome does not tell it. */
  readonly told: ClosedTrade | undefined
  /** The told trade's bytes. */
  readonly bytes: Uint8Array
}

/** Ends a trade: what is told of it and the money it owes must be what the auditor's arithmetic gives. */
export const closeTrade = (desk: Desk, entry: Entry, trade: Trade, { price, reason, told, bytes }: Close): void => {
  const { market } = desk
  const { terms, funding } = market
  const life = desk.lives.get(trade.number)
  if (terms === null || life === undefined) return
  const end = endOf(trade, terms, { price, reason, funding, now: entry.now, sequence: entry.sequence })
  life.end = end
  life.terms = terms
  market.open.delete(trade.number)
  market.netQuantity -= trade.isLong ? trade.quantity : -trade.quantity
  const wrong = told === undefined ? 'it is not told at all' : faultsOfClosed(told, trade, end, terms.tickSize)
  if (wrong !== '') desk.complain('trade-arithmetic', `trade ${trade.number} closed in ${desk.where(entry)}: ${wrong}`)
  desk.owe(trade.ledgerPartition, closeOf(trade, end, terms), bytes)
}

/** The account's open trade that a command names; null when there is none, and it must be told so. */
export const tradeNamed = (
  desk: Desk,
  entry: Entry,
  asked: { readonly account: Uint8Array; readonly tradeNumber: bigint },
  statement: string,
): Trade | null => {
  const { market } = desk
  const trade = market.open.get(asked.tradeNumber)
  if (trade?.account === hex(asked.account)) return trade
  const isPast = trade === undefined && asked.tradeNumber > 0n && asked.tradeNumber <= market.lastNumber
  desk.isTold(entry, [isPast ? 'TRADE_CLOSED' : 'TRADE_NOT_FOUND'], statement)
  return null
}

/** CLOSE: refused with a code that the rules give, or closed at the rules' price. */
export const followClosing = (desk: Desk, entry: Entry): void => {
  const { market } = desk
  if (trusted.has(entry.code)) return
  const asked = decodeClose(entry.input)
  const { terms } = market
  if (terms === null) return void desk.isTold(entry, ['MARKET_NOT_FOUND'], 'close')
  const trade = tradeNamed(desk, entry, asked, 'close')
  if (trade === null) return
  const hindered = hindrances(desk.around(terms, trade.account, entry.now), asked, false)
  if (hindered.length > 0) return void desk.isTold(entry, hindered, 'close')
  const price = closingPrice(trade.isLong, quoteAt(asked.feedBid, asked.feedAsk, terms.spreadBps, terms.tickSize))
  const { worstPrice } = asked
  const isWorse = worstPrice !== 0n && (trade.isLong ? price < worstPrice : price > worstPrice)
  if (!desk.isTold(entry, [isWorse ? 'PRICE_MOVED' : 'OK'], 'close') || isWorse) return
  const [told, bytes] = [decodeCloseOutcome(entry.outcome), outcomeBodyOf(entry.outcome)]
  closeTrade(desk, entry, trade, { price, reason: closeReasons.USER, told, bytes })
}
