import type { RefusalCode } from '@bourse/common/errors/codes.ts'
import { AMOUNT_MAX_UNITS, decimalsOfStep, formatAmount, type Units } from '@bourse/common/money/amount.ts'
import { FIAT_STEP, type PairRules } from '../codec/bank-rules.ts'
import type { MoveCommand, TradeCommand } from '../codec/commands.ts'
import { hexOf, idOfName } from '../codec/identifiers.ts'
import { formatFiat } from '../codec/present.ts'
import { dealAt, slipped, type Deal } from './pricing.ts'
import {
  CUSTOMERS_MAX,
  dayOf,
  EVENTS_WAITING_MAX,
  IN_FLIGHT_MAX,
  REVERSALS_WAITING_MAX,
  TRANSACTIONS_MAX,
  type BankState,
  type BridgeState,
  type Quote,
} from './state.ts'

/** Longest name of a customer, reference or key, in characters. */
export const TEXT_LENGTH_MAX = 200

/** A refusal; `recorded` ones are kept under the key as a failed transaction. */
export interface Refused {
  readonly kind: 'refused'
  readonly recorded: boolean
  readonly code: RefusalCode
  readonly message: string
  readonly pair: PairRules | null
  readonly deal: Deal | null
  /** The quote is used up although the trade failed. */
  readonly quote: Quote | null
}

/** A trade that is taken on: its pair, what is promised, and the quote it uses up. */
export interface Accepted {
  readonly kind: 'accepted'
  readonly pair: PairRules
  readonly deal: Deal
  readonly quote: Quote | null
  /** Fiat to reserve of the daily limits. */
  readonly reserve: Units
}

const unrecorded = (code: RefusalCode, message: string): Refused => ({
  kind: 'refused',
  recorded: false,
  code,
  message,
  pair: null,
  deal: null,
  quote: null,
})

const recorded = (
  code: RefusalCode,
  message: string,
  pair: PairRules,
  deal: Deal | null,
  quote: Quote | null,
): Refused => ({ kind: 'refused', recorded: true, code, message, pair, deal, quote })

/** Why a bank's call can't be taken on at all, or null. Not recorded under the key. */
export const faultOfBank = (state: BridgeState, bank: BankState | undefined, bankUserId: string): Refused | null => {
  if (bank === undefined) return unrecorded('UNAVAILABLE', 'the bank is not known here yet; try again')
  if (bank.rules.suspended) {
    return unrecorded('BANK_SUSPENDED', `bank ${bank.rules.name} is suspended; ask the platform's operator`)
  }
  if (bankUserId === '' || bankUserId.length > TEXT_LENGTH_MAX) {
    return unrecorded('VALIDATION_ERROR', `bankUserId must have 1 to ${TEXT_LENGTH_MAX} characters`)
  }
  const full =
    state.transactions.size >= TRANSACTIONS_MAX ||
    bank.inFlight >= IN_FLIGHT_MAX ||
    bank.events.size >= EVENTS_WAITING_MAX ||
    bank.reversals.size >= REVERSALS_WAITING_MAX ||
    (bank.customers.size >= CUSTOMERS_MAX && !bank.customers.has(bankUserId))
  return full ? unrecorded('UNAVAILABLE', 'too much is under way for this bank; try again') : null
}

/** The pair that a side and currency name: a buy pays the quote asset, a sell the base asset. */
export const pairOf = (bank: BankState, side: 'BUY' | 'SELL', currency: string): PairRules | undefined =>
  bank.rules.pairs.find((pair) => (side === 'BUY' ? pair.quoteAsset : pair.baseAsset) === currency)

/** Why the amount can't be traded in the pair, or null. */
export const faultOfAmount = (side: 'BUY' | 'SELL', amount: Units, pair: PairRules): Refused | null => {
  const step = side === 'BUY' ? FIAT_STEP : pair.lotSize
  if (amount <= 0n || amount > AMOUNT_MAX_UNITS) {
    return unrecorded('VALIDATION_ERROR', 'amount must be above zero and have at most 20 digits')
  }
  if (amount % step === 0n) return null
  return unrecorded('VALIDATION_ERROR', `amount ${formatAmount(amount)} is not a multiple of ${formatAmount(step)}`)
}

/** Finds the quote a trade names: the quote, or why it can't be used. */
const quoteFor = (state: BridgeState, trade: TradeCommand, pair: PairRules, now: bigint): Quote | Refused => {
  const id = idOfName('q', trade.quoteName)
  const quote = id === null ? undefined : state.quotes.get(hexOf(id))
  if (quote === undefined || quote.bank !== trade.bank) {
    return recorded('QUOTE_NOT_FOUND', `there is no quote ${trade.quoteName}; ask for a new one`, pair, null, null)
  }
  const differs =
    quote.bankUserId !== trade.bankUserId
      ? 'bankUserId'
      : quote.side !== trade.side
        ? 'side'
        : quote.amount !== trade.amount
          ? 'amount'
          : quote.currency !== trade.currency
            ? 'currency'
            : null
  if (differs !== null) return unrecorded('VALIDATION_ERROR', `${differs} is not the one that was quoted`)
  if (quote.used)
    return recorded('QUOTE_USED', 'the quote was used by another trade; ask for a new one', pair, null, null)
  if (quote.expiresAt <= now)
    return recorded('QUOTE_EXPIRED', 'the quote has expired; ask for a new one', pair, null, null)
  return quote
}

/** Why the fiat of a deal is outside the pair's or the day's limits, or null. */
const faultOfLimits = (
  bank: BankState,
  pair: PairRules,
  fiat: Units,
  bankUserId: string,
  now: bigint,
): string | null => {
  const shown = `${formatFiat(fiat)} ${pair.quoteAsset}`
  if (fiat < pair.minAmount) return `${shown} is below the minimum of ${formatFiat(pair.minAmount)}`
  if (pair.maxAmount > 0n && fiat > pair.maxAmount)
    return `${shown} is above the maximum of ${formatFiat(pair.maxAmount)}`
  if (pair.quoteAsset !== bank.rules.limitCurrency) return null
  const today = bank.day === dayOf(now)
  const { dailyAmount, dailyAmountPerCustomer } = bank.rules
  if (dailyAmount > 0n && (today ? bank.dayTotal : 0n) + fiat > dailyAmount) {
    return `${shown} is more than is left of the bank's daily ${formatFiat(dailyAmount)}`
  }
  const ofCustomer = today ? (bank.dayByCustomer.get(bankUserId) ?? 0n) : 0n
  if (dailyAmountPerCustomer > 0n && ofCustomer + fiat > dailyAmountPerCustomer) {
    return `${shown} is more than is left of the customer's daily ${formatFiat(dailyAmountPerCustomer)}`
  }
  return null
}

/**
 * Decides on a trade whose id is new. Order of the checks: bank, form, quote, price, slippage, limits; what is wrong with
 * the request's form is not recorded, what is wrong with the moment is.
 */
export const decideTrade = (
  state: BridgeState,
  bank: BankState | undefined,
  trade: TradeCommand,
  now: bigint,
): Accepted | Refused => {
  const fault = faultOfBank(state, bank, trade.bankUserId)
  if (fault !== null || bank === undefined)
    return fault ?? unrecorded('UNAVAILABLE', 'the bank is not known here yet; try again')
  const pair = pairOf(bank, trade.side, trade.currency)
  if (pair === undefined) {
    return unrecorded('VALIDATION_ERROR', `currency ${trade.currency} can't be used for a ${trade.side} here`)
  }
  const wrongAmount = faultOfAmount(trade.side, trade.amount, pair)
  if (wrongAmount !== null) return wrongAmount
  const found = trade.quoteName === '' ? null : quoteFor(state, trade, pair, now)
  if (found !== null && 'kind' in found) return found
  const { ticker } = trade
  if (ticker.state === 'none') return unrecorded('UNAVAILABLE', 'the market price was not asked for; try again')
  if (ticker.state === 'unavailable' || ticker.price <= 0n) {
    return recorded('INSUFFICIENT_LIQUIDITY', 'the exchange gives no price', pair, found, found)
  }
  if (found !== null && slipped(trade.side, found.tickerPrice, ticker.price, bank.rules.slippageBps)) {
    return recorded('SLIPPAGE', 'the price moved too far since the quote; ask for a new one', pair, found, null)
  }
  const deal = found ?? dealAt(trade.side, ticker.price, trade.amount, pair)
  if (deal === null) {
    return unrecorded('VALIDATION_ERROR', `amount ${formatAmount(trade.amount)} gives nothing at the present price`)
  }
  const beyond = faultOfLimits(bank, pair, deal.fiatAmount, trade.bankUserId, now)
  if (beyond !== null) return recorded('LIMIT_EXCEEDED', beyond, pair, deal, null)
  const counts = pair.quoteAsset === bank.rules.limitCurrency
  return { kind: 'accepted', pair, deal, quote: found, reserve: counts ? deal.fiatAmount : 0n }
}

/** Decides on a deposit or withdrawal whose id is new: null when it is taken on. */
export const decideMove = (state: BridgeState, bank: BankState | undefined, move: MoveCommand): Refused | null => {
  const fault = faultOfBank(state, bank, move.bankUserId)
  if (fault !== null || bank === undefined) return fault
  if (!bank.rules.pairs.some((pair) => pair.quoteAsset === move.currency)) {
    return unrecorded('VALIDATION_ERROR', `currency ${move.currency} is not a fiat currency of this bank`)
  }
  if (move.amount <= 0n || move.amount > AMOUNT_MAX_UNITS) {
    return unrecorded('VALIDATION_ERROR', 'amount must be above zero and have at most 20 digits')
  }
  if (move.amount % FIAT_STEP !== 0n) {
    return unrecorded(
      'VALIDATION_ERROR',
      `amount ${formatAmount(move.amount)} is not a multiple of ${formatAmount(FIAT_STEP)}`,
    )
  }
  if (move.reference.length > TEXT_LENGTH_MAX) {
    return unrecorded('VALIDATION_ERROR', `reference has more than ${TEXT_LENGTH_MAX} characters`)
  }
  return null
}

/** Takes fiat off the day's limits. */
export const reserve = (bank: BankState, bankUserId: string, fiat: Units, now: bigint): void => {
  if (fiat === 0n) return
  if (bank.day !== dayOf(now)) {
    bank.day = dayOf(now)
    bank.dayTotal = 0n
    bank.dayByCustomer.clear()
  }
  bank.dayTotal += fiat
  bank.dayByCustomer.set(bankUserId, (bank.dayByCustomer.get(bankUserId) ?? 0n) + fiat)
}

/** Gives reserved fiat back to the day it was taken from, if that is still the day. */
export const giveBack = (bank: BankState, bankUserId: string, fiat: Units, createdAt: bigint): void => {
  if (fiat === 0n || bank.day !== dayOf(createdAt)) return
  bank.dayTotal -= fiat
  const left = (bank.dayByCustomer.get(bankUserId) ?? 0n) - fiat
  if (left === 0n) bank.dayByCustomer.delete(bankUserId)
  else bank.dayByCustomer.set(bankUserId, left)
}

/** Decimals of a pair's prices and crypto amounts. */
export const decimalsOfPair = (
  pair: PairRules,
): { readonly priceDecimals: number; readonly cryptoDecimals: number } => ({
  priceDecimals: decimalsOfStep(pair.tickSize),
  cryptoDecimals: decimalsOfStep(pair.lotSize),
})
