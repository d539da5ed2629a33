import {
  decodeUpdate,
  decodeUpdateOutcome,
  KEEP_AS_IT_IS,
  openTradeLayout,
  type UpdateCommand,
} from '@bourse/risk-rules/trading/codec.ts'
import type { OutcomeCode } from '@bourse/common/errors/codes.ts'
import { closingPrice, quoteAt } from '../../arithmetic/cfd.ts'
import type { Entry } from '../../evidence/journals.ts'
import { hindrances, judgeStops } from './acceptance.ts'
import { tradeNamed } from './closing.ts'
import { trusted, type Desk } from './desk.ts'
import { faultsOfOpen } from './told.ts'
import { newsOf } from './transfers.ts'
import type { Terms, Trade } from './trade.ts'

const STATEMENT = 'update'

/** What an update sets anew; 0 where it sets nothing. */
const setBy = ({ stopLoss, takeProfit }: UpdateCommand) => ({
  stopLoss: stopLoss > 0n ? stopLoss : 0n,
  takeProfit: takeProfit > 0n ? takeProfit : 0n,
})

/** The codes that may be told: what is set needs an open market and a price, and lies on its side of it. */
const expectedOf = (desk: Desk, terms: Terms, trade: Trade, asked: UpdateCommand, now: bigint): OutcomeCode[] => {
  const set = setBy(asked)
  if (set.stopLoss === 0n && set.takeProfit === 0n) return ['OK']
  const hindered = hindrances(desk.around(terms, trade.account, now), asked, false)
  if (hindered.length > 0) return [...hindered]
  const price = closingPrice(trade.isLong, quoteAt(asked.feedBid, asked.feedAsk, terms.spreadBps, terms.tickSize))
  return [judgeStops(trade.isLong, set, price, terms.tickSize) ?? 'OK']
}

/** UPDATE: refused with a code that the rules give, or the trade has the stops asked for and its owner's ledger hears of it. */
export const followUpdating = (desk: Desk, entry: Entry): void => {
  const { market } = desk
  if (trusted.has(entry.code)) return
  const asked = decodeUpdate(entry.input)
  const { terms } = market
  if (terms === null) return void desk.isTold(entry, ['MARKET_NOT_FOUND'], STATEMENT)
  const trade = tradeNamed(desk, entry, asked, STATEMENT)
  if (trade === null) return
  const expected = expectedOf(desk, terms, trade, asked, entry.now)
  if (!desk.isTold(entry, expected, STATEMENT) || expected[0] !== 'OK') return
  const changed: Trade = {
    ...trade,
    stopLoss: asked.stopLoss === KEEP_AS_IT_IS ? trade.stopLoss : asked.stopLoss,
    takeProfit: asked.takeProfit === KEEP_AS_IT_IS ? trade.takeProfit : asked.takeProfit,
  }
  market.open.set(trade.number, changed)
  const { stopLoss, takeProfit } = changed
  const change = { id: entry.id, stopLoss, takeProfit, fundingAt: market.funding, changedIn: entry.sequence }
  desk.lives.get(trade.number)?.changes.push(change)
  const { updatedAt, ...told } = decodeUpdateOutcome(entry.outcome)
  const wrong = faultsOfOpen(told, changed, market.funding, terms.tickSize)
  if (wrong !== '') desk.complain('trade-arithmetic', `the trade updated in ${desk.where(entry)}: ${wrong}`)
  if (updatedAt !== entry.now) desk.complain(STATEMENT, `${desk.where(entry)} tells ${updatedAt}; it was ${entry.now}`)
  desk.owe(trade.ledgerPartition, newsOf(changed, terms), openTradeLayout.encode({ ...told, zero: 0 }))
}
