import { decodeHeader } from '@bourse/common/kernel/command.ts'
import { formatAmount } from '@bourse/common/money/amount.ts'
import { closeReasons, decodeClose, decodeTick, directions, tradingKinds } from '@bourse/risk-rules/trading/codec.ts'
import { closingSteps, liquidationStep, openingSteps, type Step } from './arithmetic.ts'
import { customerChange, postingsOf, type Posting } from './postings.ts'
import { closedAgain, reopened, updatedAgain, type Agreement, type Stops } from './reference.ts'
import { hexOrNull, moment, show, type Shown } from './show.ts'
import type { InspectSource } from './source.ts'
import { tradeHistory, type Closing, type TradeHistory, type Update } from './trade.ts'

/** A part of a trade's life: where it was decided, on what, with every number. */
export interface ExplainedPart {
  readonly at: string
  /** Partition and sequence of the record. */
  readonly record: string
  readonly inputs: Readonly<Record<string, Shown>>
  readonly steps: readonly Step[]
  /** What the reference machine makes of the same command. */
  readonly reference: Agreement
}

/** A trade explained from the journal. */
export interface TradeExplanation {
  readonly tradeId: string
  readonly direction: string
  readonly status: 'open' | 'closed'
  readonly reason: string | null
  readonly opening: ExplainedPart
  /** Each time it was given another stop or target. */
  readonly updates: readonly ExplainedPart[]
  /** Of an open trade: where it would be liquidated now. */
  readonly now: Step | null
  readonly closing: ExplainedPart | null
  readonly postings: readonly Posting[]
  /** What the ledger booked for the customer against what the trade came to. */
  readonly money: Step
  /** Every number, both references and the ledger agree. */
  readonly agrees: boolean
}

const nameIn = (names: Readonly<Record<string, number>>, number: number): string =>
  Object.keys(names).find((name) => names[name] === number) ?? String(number)

/** The quote that decided a close, and the command that brought it. */
const decisionOf = ({ decidedBy, decidedAt, sequence }: Closing) => {
  const isClose = decodeHeader(decidedBy).kind === tradingKinds.close
  const { feedBid, feedAsk, quoteTime } = isClose ? decodeClose(decidedBy) : decodeTick(decidedBy)
  const rest = decidedAt === sequence ? '' : ` of record ${decidedAt} (the rest of a long tick)`
  return { feedBid, feedAsk, quoteTime, by: `${isClose ? 'CLOSE' : 'TICK'}${rest}` }
}

const openingPart = ({ title, opening }: TradeHistory): ExplainedPart => {
  const { open, trade, command, now, sequence } = opening
  return {
    at: moment(now),
    record: `${title} #${sequence}`,
    inputs: {
      command: hexOrNull(decodeHeader(command).id),
      account: hexOrNull(trade.account),
      margin: formatAmount(trade.margin),
      leverage: trade.leverage,
      feedBid: show('feedBid', open.feedBid),
      feedAsk: show('feedAsk', open.feedAsk),
      quoteTime: show('quoteTime', open.quoteTime),
      fundingAtOpen: show('funding', trade.fundingAtOpen),
      stopLoss: price(trade.stopLoss),
      takeProfit: price(trade.takeProfit),
    },
    steps: openingSteps(opening),
    reference: reopened(opening),
  }
}

/** The stops that a trade had before its nth update; those it closed with after the last. */
const stopsBefore = ({ opening, updates }: TradeHistory, index: number): Stops =>
  updates[index - 1]?.trade ?? opening.trade

const price = (units: bigint): string | null => (units === 0n ? null : formatAmount(units))

const updatePart = (history: TradeHistory, one: Update, index: number): ExplainedPart => {
  const { update, trade, funding, now, sequence, command } = one
  return {
    at: moment(now),
    record: `${history.title} #${sequence}`,
    inputs: {
      command: hexOrNull(decodeHeader(command).id),
      stopLoss: price(trade.stopLoss),
      takeProfit: price(trade.takeProfit),
      feedBid: show('feedBid', update.feedBid),
      feedAsk: show('feedAsk', update.feedAsk),
      quoteTime: show('quoteTime', update.quoteTime),
    },
    steps: [liquidationStep(history.opening, funding, trade.liquidationPrice, 'at the update')],
    reference: updatedAgain(history.opening, stopsBefore(history, index), one),
  }
}

const closingPart = (history: TradeHistory, closing: Closing): ExplainedPart => {
  const { feedBid, feedAsk, quoteTime, by } = decisionOf(closing)
  return {
    at: moment(closing.now),
    record: `${history.title} #${closing.sequence}`,
    inputs: {
      reason: nameIn(closeReasons, closing.trade.reason),
      by,
      feedBid: show('feedBid', feedBid),
      feedAsk: show('feedAsk', feedAsk),
      quoteTime: show('quoteTime', quoteTime),
      funding: show('funding', closing.funding),
    },
    steps: closingSteps(history, closing, { feedBid, feedAsk }),
    reference: closedAgain(history.opening, stopsBefore(history, history.updates.length), closing),
  }
}

const moneyStep = ({ opening, closing }: TradeHistory, postings: readonly Posting[]): Step => {
  const { openFee, margin } = opening.trade
  const returned = closing?.trade.returned ?? margin
  const expected = returned - margin - openFee
  const booked = customerChange(postings)
  return {
    what: "customer's balance",
    formula: closing === null ? '−open fee' : 'returned − M − open fee',
    numbers:
      closing === null
        ? `−${formatAmount(openFee)}`
        : `${formatAmount(returned)} − ${formatAmount(margin)} − ${formatAmount(openFee)}`,
    result: formatAmount(expected),
    journal: formatAmount(booked),
    agrees: expected === booked,
  }
}

/** Explains a trade from the journal, recomputing all of it. @throws {InspectFault} when there is no such trade */
export const explainTrade = async (source: InspectSource, tradeId: string): Promise<TradeExplanation> => {
  const history = await tradeHistory(source, tradeId)
  const { closing, opening, funding } = history
  const first = openingPart(history)
  const last = closing === null ? null : closingPart(history, closing)
  const postings = await postingsOf(source, history)
  const money = moneyStep(history, postings)
  const updates = history.updates.map((one, index) => updatePart(history, one, index))
  const parts = [first, ...updates, ...(last === null ? [] : [last])]
  const { liquidationPrice } = opening.trade
  return {
    tradeId,
    direction: nameIn(directions, opening.trade.direction),
    status: closing === null ? 'open' : 'closed',
    reason: closing === null ? null : nameIn(closeReasons, closing.trade.reason),
    opening: first,
    updates,
    now: closing === null ? withoutJournal(liquidationStep(opening, funding, liquidationPrice, 'now')) : null,
    closing: last,
    postings,
    money,
    agrees: parts.every(({ steps, reference }) => reference.agrees && steps.every((one) => one.agrees)) && money.agrees,
  }
}

/** What moves with funding is journaled only when a trade opens or closes. */
const withoutJournal = (one: Step): Step => ({ ...one, journal: 'not journaled: funding moves it', agrees: true })
