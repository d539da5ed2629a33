import type { Units } from '@bourse/common/money/amount.ts'
import { directions, VALUE_MAX } from '@bourse/risk-rules/trading/codec.ts'
import type { OpenTrade } from '@bourse/risk-rules/trading/codec.ts'
import type { TradingMachine } from '@bourse/risk-rules/trading/machine.ts'
import { quoteOf } from '@bourse/risk-rules/trading/quote.ts'

/** Every so many questions the machine is asked although its answer follows from earlier ones. */
export const ASK_EVERY = 64

/** Who is asked whether a quote triggers anything. */
export interface Watch {
  wouldTrigger(feedBid: Units, feedAsk: Units, quoteTime: bigint): boolean
  /** Tells of a trade the machine has opened. */
  opened(trade: OpenTrade): void
  /** Questions that the machine itself answered. */
  asked(): number
}

/** Bids and asks (both ends included) of which the machine has said that they trigger nothing. */
interface QuietRange {
  bidLeast: Units
  bidMost: Units
  askLeast: Units
  askMost: Units
}

const least = (left: Units, right: Units): Units => (left < right ? left : right)
const most = (left: Units, right: Units): Units => (left > right ? left : right)

/**
 * A long closes at bid and is quiet above its lower triggers and below its target; a short the same at ask,
 * reversed.
 */
const narrow = (range: QuietRange, { direction, liquidationPrice, stopLoss, takeProfit }: OpenTrade): void => {
  if (direction === directions.LONG) {
    range.bidLeast = most(range.bidLeast, most(liquidationPrice, stopLoss) + 1n)
    if (takeProfit !== 0n) range.bidMost = least(range.bidMost, takeProfit - 1n)
    return
  }
  range.askMost = least(range.askMost, liquidationPrice - 1n)
  if (stopLoss !== 0n) range.askMost = least(range.askMost, stopLoss - 1n)
  range.askLeast = most(range.askLeast, takeProfit + 1n)
}

const includes = (range: QuietRange, bid: Units, ask: Units): boolean =>
  bid >= range.bidLeast && bid <= range.bidMost && ask >= range.askLeast && ask <= range.askMost

/**
 * Asks a machine that looks at all its trades for every answer (the reference) only what its earlier answers
 * leave open. With the same F every trade is quiet in one range of prices: between two quotes that triggered
 * nothing nothing triggers. A closed trade narrows no range, an opened one narrows it to before its own
 * triggers ("X at or beyond the liquidation price and the rule are the same decision"), funding makes
 * everything open again. Every ASK_EVERY-th question goes to the machine all the same.
 */
export const createQuietWatch = (
  machine: TradingMachine,
  { spreadBps, tickSize }: { readonly spreadBps: Units; readonly tickSize: Units },
  askEvery = ASK_EVERY,
): Watch => {
  let range: QuietRange | null = null
  let deadline: bigint | null = null
  let quantityMost = 0n
  let questions = 0
  let asked = 0

  const ask = (feedBid: Units, feedAsk: Units, quoteTime: bigint): boolean => {
    asked += 1
    return machine.wouldTrigger(feedBid, feedAsk, quoteTime)
  }
  const widen = (bid: Units, askPrice: Units): void => {
    // Where the largest quantity would be worth more than the arithmetic allows, quotes are passed over: that
    // is not quiet.
    if (askPrice * quantityMost > VALUE_MAX) return
    range = {
      bidLeast: least(range?.bidLeast ?? bid, bid),
      bidMost: most(range?.bidMost ?? bid, bid),
      askLeast: least(range?.askLeast ?? askPrice, askPrice),
      askMost: most(range?.askMost ?? askPrice, askPrice),
    }
  }
  return {
    wouldTrigger: (feedBid, feedAsk, quoteTime) => {
      questions += 1
      const nextFunding = machine.nextDeadline()
      // The next funding instant moves when F does, and only then.
      if (nextFunding !== deadline) range = null
      deadline = nextFunding
      const due = nextFunding !== null && nextFunding <= quoteTime
      const { bid, ask: askPrice } = quoteOf(feedBid, feedAsk, spreadBps, tickSize)
      if (!due && range !== null && questions % askEvery !== 0 && includes(range, bid, askPrice)) return false
      const triggers = ask(feedBid, feedAsk, quoteTime)
      if (!triggers) widen(bid, askPrice)
      return triggers
    },
    opened: (trade) => {
      quantityMost = most(quantityMost, trade.quantity)
      if (range !== null) narrow(range, trade)
    },
    asked: () => asked,
  }
}

/** Asks the machine every time. */
export const createPlainWatch = (machine: TradingMachine): Watch => {
  let asked = 0
  return {
    wouldTrigger: (feedBid, feedAsk, quoteTime) => {
      asked += 1
      return machine.wouldTrigger(feedBid, feedAsk, quoteTime)
    },
    opened: () => undefined,
    asked: () => asked,
  }
}
