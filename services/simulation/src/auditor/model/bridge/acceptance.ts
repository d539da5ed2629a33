import type { BankRules, PairRules } from '@bourse/bridge/codec/bank-rules.ts'
import type { QuoteCommand, TradeCommand } from '@bourse/bridge/codec/commands.ts'
import type { OutcomeCode } from '@bourse/common/errors/codes.ts'
import { FIAT_STEP, hasSlipped, promised, type Promised, type Side } from '../../arithmetic/bank.ts'
import { WINDOW_MS } from '../memory.ts'
import { dayKeys, type BankBook, type Quote } from './book.ts'

/** The pair that a side and a currency name: a buy pays fiat, a sell crypto. */
const pairFor = (rules: BankRules, side: Side, currency: string): PairRules | undefined =>
  rules.pairs.find((pair) => (side === 'BUY' ? pair.quoteAsset : pair.baseAsset) === currency)

/** What a trade's acceptance comes to: what may be told, whether it is kept under the key, and what is promised. */
export interface Acceptance {
  /** Codes of refusals that are not kept under the key. */
  readonly unkept: readonly OutcomeCode[]
  /** Codes of refusals that are. */
  readonly kept: readonly OutcomeCode[]
  readonly pair: PairRules | null
  readonly deal: Promised | null
  readonly ticker: bigint
  readonly quote: Quote | null
}

const wrongAmount = (side: Side, amount: bigint, pair: PairRules): boolean =>
  amount <= 0n || amount >= 10n ** 20n || amount % (side === 'BUY' ? FIAT_STEP : pair.lotSize) !== 0n

const isBeyondLimits = (bank: BankBook, pair: PairRules, fiat: bigint, customer: string, now: bigint): boolean => {
  const { rules, byDay } = bank
  if (fiat < pair.minAmount || (pair.maxAmount > 0n && fiat > pair.maxAmount)) return true
  if (pair.quoteAsset !== rules.limitCurrency) return false
  const [day, ofCustomer] = dayKeys(now, customer)
  const isBeyond = (limit: bigint, key: string): boolean => limit > 0n && (byDay.get(key) ?? 0n) + fiat > limit
  return isBeyond(rules.dailyAmount, day) || isBeyond(rules.dailyAmountPerCustomer, ofCustomer)
}

/** Faults of the request itself: bank, customer, currency, amount. */
const faultsOfForm = (bank: BankBook | undefined, customer: string, side: Side, amount: bigint, currency: string) => {
  const codes: OutcomeCode[] = []
  if (bank === undefined) return { codes: ['UNAVAILABLE'] as OutcomeCode[], pair: undefined }
  if (bank.rules.suspended) codes.push('BANK_SUSPENDED')
  const pair = pairFor(bank.rules, side, currency)
  const isWrong = customer === '' || customer.length > 200 || pair === undefined || wrongAmount(side, amount, pair)
  if (isWrong) codes.push('VALIDATION_ERROR')
  return { codes, pair }
}

const faultOfQuote = (
  quote: Quote | undefined,
  trade: TradeCommand,
  now: bigint,
): { unkept?: OutcomeCode; kept?: OutcomeCode[] } => {
  const isGone = quote === undefined || quote.bank !== trade.bank || quote.isCancelled
  if (isGone) return { kept: ['QUOTE_NOT_FOUND'] }
  const isOther =
    quote.customer !== trade.bankUserId ||
    quote.side !== trade.side ||
    quote.amount !== trade.amount ||
    quote.currency !== trade.currency
  const isForgettable = quote.expiresAt + WINDOW_MS <= now
  // Long after its end a quote may be forgotten, or not yet.
  if (isForgettable) {
    const kept: OutcomeCode[] = ['QUOTE_NOT_FOUND', 'QUOTE_EXPIRED', 'QUOTE_USED']
    return isOther ? { unkept: 'VALIDATION_ERROR', kept } : { kept }
  }
  if (isOther) return { unkept: 'VALIDATION_ERROR' }
  const kept: OutcomeCode[] = []
  if (quote.usedBy !== null) kept.push('QUOTE_USED')
  if (quote.expiresAt <= now) kept.push('QUOTE_EXPIRED')
  return { kept }
}

/** Judges a trade whose id is new, by the contract's rules on the state of that moment. */
export const judgeTrade = (
  bank: BankBook | undefined,
  quotes: ReadonlyMap<string, Quote>,
  trade: TradeCommand,
  now: bigint,
): Acceptance => {
  const { side, amount, ticker, bankUserId } = trade
  const { codes, pair } = faultsOfForm(bank, bankUserId, side, amount, trade.currency)
  const refused = (unkept: readonly OutcomeCode[], kept: readonly OutcomeCode[] = []): Acceptance => ({
    unkept,
    kept,
    pair: pair ?? null,
    deal: null,
    ticker: ticker.price,
    quote: null,
  })
  if (bank === undefined || pair === undefined || codes.length > 0) return refused(codes)
  const quote = trade.quoteName === '' ? undefined : quotes.get(trade.quoteName)
  if (trade.quoteName !== '') {
    const { unkept, kept = [] } = faultOfQuote(quote, trade, now)
    if (unkept !== undefined) return refused([unkept], kept)
    if (kept.length > 0) return refused([], kept)
  }
  if (ticker.state === 'none') return refused(['UNAVAILABLE'])
  if (ticker.state === 'unavailable' || ticker.price <= 0n)
    return { ...refused([], ['INSUFFICIENT_LIQUIDITY']), quote: quote ?? null }
  const deal = quote === undefined ? promised(side, ticker.price, amount, pair) : quote.promised
  if (deal === null) return refused(['VALIDATION_ERROR'])
  const kept: OutcomeCode[] = []
  if (quote !== undefined && hasSlipped(side, quote.ticker, ticker.price, bank.rules.slippageBps)) kept.push('SLIPPAGE')
  if (isBeyondLimits(bank, pair, deal.fiat, bankUserId, now)) kept.push('LIMIT_EXCEEDED')
  return { unkept: [], kept, pair, deal, ticker: quote?.ticker ?? ticker.price, quote: quote ?? null }
}

/** Judges a question for a quote: what is promised, or the codes it may be refused with. */
export const judgeQuote = (
  bank: BankBook | undefined,
  asked: QuoteCommand,
): { readonly codes: readonly OutcomeCode[]; readonly deal: Promised | null; readonly pair: PairRules | null } => {
  const { side, amount, currency, ticker } = asked
  const { codes, pair } = faultsOfForm(bank, asked.bankUserId, side, amount, currency)
  if (pair === undefined || codes.length > 0) return { codes, deal: null, pair: null }
  if (ticker.state === 'none') return { codes: ['UNAVAILABLE'], deal: null, pair }
  if (ticker.state === 'unavailable' || ticker.price <= 0n)
    return { codes: ['INSUFFICIENT_LIQUIDITY'], deal: null, pair }
  const deal = promised(side, ticker.price, amount, pair)
  return deal === null ? { codes: ['VALIDATION_ERROR'], deal, pair } : { codes: [], deal, pair }
}
