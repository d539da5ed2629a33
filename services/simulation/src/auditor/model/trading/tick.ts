import { refusalNumbers } from '@bourse/common/errors/codes.ts'
import { outcomeBodyOf } from '@bourse/common/kernel/outcome.ts'
import { closeReasons, decodeTick, decodeTickOutcome, marketStates } from '@bourse/risk-rules/trading/codec.ts'
import { closingPrice, isAtTarget, isDue, isStopped, quoteAt, type Quote } from '../../arithmetic/cfd.ts'
import type { Entry } from '../../evidence/journals.ts'
import { closeTrade } from './closing.ts'
import { trusted, type Desk, type Market } from './desk.ts'
import { beginFunding, fund } from './funding.ts'

/** Bytes of a tick's outcome before the first closed trade. */
const TICK_HEADER_BYTES = 24

/** What a quote closes, in the contract's order: liquidations, stops, targets; the first that applies to a trade wins. */
const triggeredBy = (market: Market, quote: Quote): Market['pending'] => {
  const liquidations: Market['pending'] = []
  const stops: Market['pending'] = []
  const targets: Market['pending'] = []
  for (const trade of market.open.values()) {
    const { number } = trade
    const price = closingPrice(trade.isLong, quote)
    if (isDue(trade, price, market.funding)) liquidations.push({ number, reason: closeReasons.LIQUIDATION })
    else if (isStopped(trade, trade.stopLoss, price)) stops.push({ number, reason: closeReasons.STOP_LOSS })
    else if (isAtTarget(trade, trade.takeProfit, price)) targets.push({ number, reason: closeReasons.TAKE_PROFIT })
  }
  return [...liquidations, ...stops, ...targets]
}

const closesText = (closes: readonly { readonly number: bigint; readonly reason: number }[]): string =>
  closes.map(({ number, reason }) => `${number} (reason ${reason})`).join(', ')

/** CONTINUE, or the first part of a tick: closes what is still pending, as many as the outcome tells, in order. */
export const followContinue = (desk: Desk, entry: Entry): void => {
  const { market, complain } = desk
  if (entry.code !== refusalNumbers.OK) return
  const told = decodeTickOutcome(entry.outcome)
  const due = market.pending.splice(0, told.more ? told.closed.length : market.pending.length)
  const toldText = closesText(told.closed.map(({ tradeNumber, reason }) => ({ number: tradeNumber, reason })))
  const dueText = closesText(due)
  if (toldText !== dueText)
    complain('close-precedence', `the tick of ${desk.where(entry)} closes [${toldText}]; due are [${dueText}]`)
  if (told.funding !== market.funding || told.nextFunding !== market.nextFunding)
    complain(
      'funding',
      `the tick of ${desk.where(entry)}: F ${told.funding}, next ${told.nextFunding}; it is ${market.funding}, ` +
        `next ${market.nextFunding}`,
    )
  const body = outcomeBodyOf(entry.outcome)
  const bytesEach = told.closed.length === 0 ? 0 : (body.length - TICK_HEADER_BYTES) / told.closed.length
  for (const { number, reason } of due) {
    const trade = market.open.get(number)
    if (trade === undefined) continue
    const index = told.closed.findIndex((one) => one.tradeNumber === number)
    const start = TICK_HEADER_BYTES + index * bytesEach
    closeTrade(desk, entry, trade, {
      price: closingPrice(trade.isLong, market.pendingQuote),
      reason,
      told: told.closed[index],
      bytes: body.subarray(start, start + bytesEach),
    })
  }
}

/** TICK: funding up to its time, then everything that its quote triggers. */
export const followTick = (desk: Desk, entry: Entry): void => {
  const { market } = desk
  if (trusted.has(entry.code)) return
  const { terms } = market
  if (terms === null) return void desk.isTold(entry, ['MARKET_NOT_FOUND'], 'tick')
  if (market.state === marketStates.Halted) return void desk.isTold(entry, ['MARKET_HALTED'], 'tick')
  if (!desk.isTold(entry, ['OK'], 'tick')) return
  const tick = decodeTick(entry.input)
  if (market.firstTickAt === 0n) beginFunding(market, terms, tick.quoteTime)
  // Instants between two quotes are funded at the earlier one.
  const [bid, ask] = tick.previousBid === 0n ? [tick.feedBid, tick.feedAsk] : [tick.previousBid, tick.previousAsk]
  fund(market, terms, tick.quoteTime, bid, ask)
  market.pendingQuote = quoteAt(tick.feedBid, tick.feedAsk, terms.spreadBps, terms.tickSize)
  market.pending = triggeredBy(market, market.pendingQuote)
  followContinue(desk, entry)
}
