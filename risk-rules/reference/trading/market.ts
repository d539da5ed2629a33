import type { OutcomeCode } from '@bourse/common/errors/codes.ts'
import { bodyOf, decodeHeader } from '@bourse/common/kernel/command.ts'
import {
  decodeClose,
  decodeFunding,
  decodeOpen,
  decodeSpec,
  decodeState,
  decodeTick,
  specLayout,
} from '../../src/trading/commands.ts'
import type { SpecCommand } from '../../src/trading/commands.ts'
import {
  CLOSES_MAX,
  closeReasons,
  directions,
  marketStates,
  TIER_TABLES_MAX,
  VALUE_MAX,
} from '../../src/trading/numbers.ts'
import { closedTradeLayout, fundingOutcomeLayout, listHeadLayout, openTradeLayout } from '../../src/trading/outcomes.ts'
import type { ClosedTrade, OpenTrade } from '../../src/trading/outcomes.ts'
import { viewOf } from '../../src/trading/struct.ts'
import { checkOpen, fundingLimitOf, isFeed, isOpen, isSpec, isTime, isWorse, ownTradeOf, quoteFor } from './checks.ts'
import { closedOf, openedOf, releaseOf } from './effects.ts'
import type { LedgerEffect } from './effects.ts'
import { feeOf, fundingStep, isLiquidated, liquidationPriceOf, quoteOfFeed, settlementOf, tiersOf } from './rules.ts'
import type { State, Trade } from './state.ts'

/** What a command came to. */
export interface Decision {
  readonly code: OutcomeCode
  readonly body: Uint8Array
  readonly effects: readonly LedgerEffect[]
}

const NO_BODY = new Uint8Array(0)
/** A refusal without effects. */
export const refusal = (code: OutcomeCode): Decision => ({ code, body: NO_BODY, effects: [] })
/** What was done. */
export const done = (body: Uint8Array = NO_BODY, effects: readonly LedgerEffect[] = []): Decision => ({
  code: 'OK',
  body,
  effects,
})

/** The first multiple of the interval after `time`; 0 when there is no funding. */
const instantAfter = (time: bigint, intervalSeconds: number): bigint => {
  const interval = BigInt(intervalSeconds) * 1_000n
  return interval === 0n ? 0n : (time / interval + 1n) * interval
}

/** How an open trade is told. */
export const openTradeOf = (state: State, spec: SpecCommand, trade: Trade): OpenTrade => ({
  ...trade,
  tradeNumber: trade.number,
  liquidationPrice: liquidationPriceOf(trade, state.funding, spec.tickSize),
})

const sameTiers = (left: SpecCommand, right: SpecCommand): boolean =>
  left.tiers.length === right.tiers.length &&
  left.tiers.every((tier, index) => {
    const other = right.tiers[index]!
    return tier.floor === other.floor && tier.rate === other.rate && tier.maxLeverage === other.maxLeverage
  })

/** SPEC: the market's rules from now on. */
export const applySpec = (state: State, command: Uint8Array, now: bigint): Decision => {
  const spec = decodeSpec(command)
  const at = specLayout.offsets.quoteCurrency
  const reserved = viewOf(bodyOf(command)).getUint32(specLayout.offsets.reserved, true)
  if (reserved !== 0 || !isSpec(spec, bodyOf(command).subarray(at, at + 8), state.spec))
    return refusal('INVALID_COMMAND')
  const before = state.spec
  if (before === null || !sameTiers(before, spec)) {
    const live = new Set([...state.trades.values()].map(({ table }) => table))
    if (live.size + 1 > TIER_TABLES_MAX) return refusal('CAPACITY_EXCEEDED')
    state.lastTable += 1
  }
  state.spec = spec
  if (before === null || before.state !== spec.state) state.marketState = spec.state
  const due = state.nextFunding !== 0n && state.nextFunding <= now
  const changed = before === null || before.fundingIntervalSeconds !== spec.fundingIntervalSeconds
  if (spec.fundingIntervalSeconds === 0) state.nextFunding = 0n
  else if (changed && state.firstTickAt !== 0n && !due) {
    const from = now > state.firstTickAt ? now : state.firstTickAt
    state.nextFunding = instantAfter(from, spec.fundingIntervalSeconds)
  }
  return done()
}

/** The spec's tiers with their c. */
export const currentTiersOf = (state: State): Trade['tiers'] => (state.spec === null ? [] : tiersOf(state.spec.tiers))

/** OPEN. Whatever refuses it gives its holds back. */
export const applyOpen = (state: State, tradesMax: number, command: Uint8Array, now: bigint): Decision => {
  const open = decodeOpen(command)
  const { id } = decodeHeader(command)
  const refused = (code: OutcomeCode): Decision => {
    const known = open.ledgerPartition >>> 24 === 1
    return { ...refusal(code), effects: known ? [releaseOf(id, open.ledgerPartition)] : [] }
  }
  if (!isOpen(open)) return refused('INVALID_COMMAND')
  const { spec } = state
  if (spec === null) return refused('MARKET_NOT_FOUND')
  if (state.marketState === marketStates.Halted) return refused('MARKET_HALTED')
  if (state.marketState === marketStates.ReduceOnly) return refused('MARKET_REDUCE_ONLY')
  const quote = quoteFor(state, spec, open, now)
  if (typeof quote === 'string') return refused(quote)
  const tiers = currentTiersOf(state)
  const quantity = checkOpen(state, spec, tiers, open, quote)
  if (typeof quantity === 'string') return refused(quantity)
  if (spec.openBps > open.openBps) return refused('PRICE_MOVED')
  const capacity = spec.capacity === 0 || spec.capacity > tradesMax ? tradesMax : spec.capacity
  if (state.trades.size >= capacity) return refused('CAPACITY_EXCEEDED')

  const entryPrice = open.direction === directions.LONG ? quote.ask : quote.bid
  const trade: Trade = {
    ...open,
    number: state.lastNumber + 1n,
    openId: id.slice(),
    quantity,
    entryPrice,
    fundingAtOpen: state.funding,
    openFee: feeOf(quantity, entryPrice, spec.openBps),
    openedAt: now,
    table: state.lastTable,
    tiers,
  }
  state.lastNumber = trade.number
  state.trades.set(trade.number, trade)
  if (quantity > state.quantityMax) state.quantityMax = quantity
  const opened = openTradeOf(state, spec, trade)
  return done(openTradeLayout.encode({ ...opened, zero: 0 }), [openedOf(spec, opened)])
}

/** Takes the trade out and tells what became of it. */
const closeTrade = (
  state: State,
  spec: SpecCommand,
  trade: Trade,
  price: bigint,
  reason: number,
  now: bigint,
): ClosedTrade => {
  const feeBps = reason === closeReasons.LIQUIDATION ? spec.liquidationBps : spec.closeBps
  const { fee, ...result } = settlementOf(trade, price, state.funding, feeBps)
  state.trades.delete(trade.number)
  return {
    ...openTradeOf(state, spec, trade),
    ...result,
    closeFee: fee,
    fees: trade.openFee + fee,
    exitPrice: price,
    closedAt: now,
    reason,
  }
}

/** CLOSE. */
export const applyClose = (state: State, command: Uint8Array, now: bigint): Decision => {
  const close = decodeClose(command)
  if (close.worstPrice < 0n) return refusal('INVALID_COMMAND')
  const { spec } = state
  if (spec === null) return refusal('MARKET_NOT_FOUND')
  const trade = ownTradeOf(state, close)
  if (typeof trade === 'string') return refusal(trade)
  if (state.marketState === marketStates.Halted) return refusal('MARKET_HALTED')
  const quote = quoteFor(state, spec, close, now)
  if (typeof quote === 'string') return refusal(quote)
  const price = trade.direction === directions.LONG ? quote.bid : quote.ask
  if (isWorse(trade, close, price)) return refusal('PRICE_MOVED')
  const closed = closeTrade(state, spec, trade, price, closeReasons.USER, now)
  return done(closedTradeLayout.encode(closed), [closedOf(spec, closed)])
}

/** Applies every funding instant up to `time`; answers how many. */
const fund = (state: State, spec: SpecCommand, time: bigint, feedBid: bigint, feedAsk: bigint): bigint => {
  if (state.nextFunding === 0n || state.nextFunding > time) return 0n
  const interval = BigInt(spec.fundingIntervalSeconds) * 1_000n
  // The instant due, and the multiples of the interval after it (the one due may stem from an interval that has changed
  // since).
  const instants = 1n + time / interval - state.nextFunding / interval
  const limit = fundingLimitOf(state)
  const moved = state.funding + instants * fundingStep(feedBid, feedAsk, spec.fundingRateBps, spec.fundingCapBps)
  state.funding = moved > limit ? limit : moved < -limit ? -limit : moved
  state.nextFunding = instantAfter(time, spec.fundingIntervalSeconds)
  return instants
}

/** FUNDING. */
export const applyFunding = (state: State, command: Uint8Array): Decision => {
  const { dueTime, feedBid, feedAsk } = decodeFunding(command)
  if (!isFeed(feedBid, feedAsk) || !isTime(dueTime)) return refusal('INVALID_COMMAND')
  if (state.spec === null) return refusal('MARKET_NOT_FOUND')
  const instants = fund(state, state.spec, dueTime, feedBid, feedAsk)
  return done(fundingOutcomeLayout.encode({ funding: state.funding, nextFunding: state.nextFunding, instants }))
}

/** Which group closes the trade at this quote, if any. */
export const reasonOf = (state: State, trade: Trade, bid: bigint, ask: bigint): number | null => {
  const long = trade.direction === directions.LONG
  const price = long ? bid : ask
  if (isLiquidated(trade, price, state.funding)) return closeReasons.LIQUIDATION
  const { stopLoss, takeProfit } = trade
  if (stopLoss !== 0n && (long ? price <= stopLoss : price >= stopLoss)) return closeReasons.STOP_LOSS
  if (takeProfit !== 0n && (long ? price >= takeProfit : price <= takeProfit)) return closeReasons.TAKE_PROFIT
  return null
}

const groupOrder = [closeReasons.LIQUIDATION, closeReasons.STOP_LOSS, closeReasons.TAKE_PROFIT]

/** Closes the next trades of the running tick. */
const closePending = (state: State, spec: SpecCommand, now: bigint): Decision => {
  const next = state.pending.splice(0, CLOSES_MAX)
  const closed = next.map(({ number, reason }) => {
    const trade = state.trades.get(number)!
    const price = trade.direction === directions.LONG ? state.pendingBid : state.pendingAsk
    return closeTrade(state, spec, trade, price, reason, now)
  })
  const more = state.pending.length === 0 ? 0 : 1
  if (more === 0) {
    state.pendingBid = 0n
    state.pendingAsk = 0n
  }
  const body = new Uint8Array(listHeadLayout.bytes + closed.length * closedTradeLayout.bytes)
  const { funding, nextFunding } = state
  listHeadLayout.write(viewOf(body), 0, { count: closed.length, more, funding, nextFunding })
  closed.forEach((trade, index) => {
    closedTradeLayout.write(viewOf(body), listHeadLayout.bytes + index * closedTradeLayout.bytes, trade)
  })
  return done(
    body,
    closed.map((trade) => closedOf(spec, trade)),
  )
}

/** TICK: funding that is due, then liquidations, stops and targets, each in opening order. */
export const applyTick = (state: State, command: Uint8Array, now: bigint): Decision => {
  const { feedBid, feedAsk, quoteTime, previousBid, previousAsk } = decodeTick(command)
  const none = previousBid === 0n && previousAsk === 0n
  if (!isFeed(feedBid, feedAsk) || !isTime(quoteTime) || !(none || isFeed(previousBid, previousAsk))) {
    return refusal('INVALID_COMMAND')
  }
  const { spec } = state
  if (spec === null) return refusal('MARKET_NOT_FOUND')
  if (state.marketState === marketStates.Halted) return refusal('MARKET_HALTED')
  const { bid, ask } = quoteOfFeed(feedBid, feedAsk, spec.spreadBps, spec.tickSize)
  if (ask * state.quantityMax > VALUE_MAX) return refusal('AMOUNT_OVERFLOW')
  if (state.firstTickAt === 0n) {
    state.firstTickAt = quoteTime
    state.nextFunding = instantAfter(quoteTime, spec.fundingIntervalSeconds)
  }
  fund(state, spec, quoteTime, none ? feedBid : previousBid, none ? feedAsk : previousAsk)
  const fired = [...state.trades.values()].flatMap((trade) => {
    const reason = reasonOf(state, trade, bid, ask)
    return reason === null ? [] : [{ number: trade.number, reason }]
  })
  state.pending = groupOrder.flatMap((group) => fired.filter(({ reason }) => reason === group))
  state.pendingBid = bid
  state.pendingAsk = ask
  return closePending(state, spec, now)
}

/** CONTINUE: the rest of the tick. */
export const applyContinue = (state: State, now: bigint): Decision =>
  state.spec === null || state.pending.length === 0 ? refusal('INVALID_COMMAND') : closePending(state, state.spec, now)

/** STATE. */
export const applyState = (state: State, command: Uint8Array): Decision => {
  const wanted = decodeState(command)
  if (wanted > marketStates.Halted) return refusal('INVALID_COMMAND')
  if (state.spec === null) return refusal('MARKET_NOT_FOUND')
  state.marketState = wanted
  return done()
}
