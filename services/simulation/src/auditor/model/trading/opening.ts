import { refusalNumbers } from '@bourse/common/errors/codes.ts'
import { outcomeBodyOf } from '@bourse/common/kernel/outcome.ts'
import { decodeOpen, decodeOpenOutcome, directions, type OpenCommand } from '@bourse/risk-rules/trading/codec.ts'
import { openingPrice, quoteAt } from '../../arithmetic/cfd.ts'
import { hex } from '../../evidence/bytes.ts'
import type { Entry } from '../../evidence/journals.ts'
import { trusted, type Desk } from './desk.ts'
import { hindrances, judgeOpening } from './acceptance.ts'
import { faultsOfOpen } from './told.ts'
import { openFeeFor, type Terms, type Trade } from './trade.ts'
import { openFeeOf, releaseOf } from './transfers.ts'

const add = ({ market, lives }: Desk, entry: Entry, open: OpenCommand, terms: Terms, quantity: bigint): Trade => {
  const isLong = open.direction === directions.LONG
  const entryPrice = openingPrice(isLong, quoteAt(open.feedBid, open.feedAsk, terms.spreadBps, terms.tickSize))
  market.lastNumber += 1n
  market.netQuantity += isLong ? quantity : -quantity
  const trade: Trade = {
    number: market.lastNumber,
    account: hex(open.account),
    openId: entry.id ?? '',
    isLong,
    ledgerPartition: open.ledgerPartition,
    leverage: open.leverage,
    margin: open.margin,
    quantity,
    entryPrice,
    fundingAtOpen: market.funding,
    stopLoss: open.stopLoss,
    takeProfit: open.takeProfit,
    openFee: openFeeFor(terms, quantity, entryPrice),
    openedAt: entry.now,
    tiers: terms.tiersWithAmounts,
    openedIn: entry.sequence,
  }
  market.open.set(trade.number, trade)
  lives.set(trade.number, { trade, changes: [], end: null, terms })
  return trade
}

/** OPEN: refused with a code that the rules give, both holds released; or opened at the rules' price, the fee owed. */
export const followOpening = (desk: Desk, entry: Entry): void => {
  const { market } = desk
  const open = decodeOpen(entry.input)
  if (entry.code !== refusalNumbers.OK) desk.owe(open.ledgerPartition, releaseOf(entry.id ?? ''), null)
  if (trusted.has(entry.code)) return
  const { terms } = market
  if (terms === null) return void desk.isTold(entry, ['MARKET_NOT_FOUND'], 'opening')
  const around = desk.around(terms, hex(open.account), entry.now)
  const hindered = hindrances(around, open, true)
  if (hindered.length > 0) return void desk.isTold(entry, hindered, 'opening')
  const quantity = judgeOpening(open, around)
  if (typeof quantity === 'string') return void desk.isTold(entry, [quantity], 'opening')
  if (!desk.isTold(entry, ['OK'], 'opening')) return
  const trade = add(desk, entry, open, terms, quantity)
  const wrong = faultsOfOpen(decodeOpenOutcome(entry.outcome), trade, market.funding, terms.tickSize)
  if (wrong !== '') desk.complain('trade-arithmetic', `the trade opened in ${desk.where(entry)}: ${wrong}`)
  desk.owe(trade.ledgerPartition, openFeeOf(trade, terms), outcomeBodyOf(entry.outcome))
}

/**
 * An OPEN whose id is known: it came because the ledger made its holds anew, so both are released; not while the trade is open,
 * whose margin they then are.
 */
export const followOpeningAgain = (desk: Desk, entry: Entry): void => {
  const isOpen = [...desk.market.open.values()].some(({ openId }) => openId === entry.id)
  if (!isOpen) desk.owe(decodeOpen(entry.input).ledgerPartition, releaseOf(entry.id ?? ''), null)
}
