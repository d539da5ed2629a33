import type { BankOutcome, BankQuote } from '@bourse/bridge/client/types.ts'
import { parseAmount } from '@bourse/common/money/amount.ts'
import type { ClosedTrade, OpenTrade } from '@bourse/trading/client/types.ts'
import type { AnyAnswer, Request, Trader } from '../history/history.ts'
import { takesKey, type KeyedRequest } from './identity.ts'

type QuoteRequest = Extract<Request, { readonly kind: 'quote' }>

/** A trade that a client knows of. */
export interface KnownTrade {
  readonly trader: Trader
  readonly trade: OpenTrade
}

/** A quote that a bank got. */
export interface KnownQuote {
  readonly request: QuoteRequest
  readonly quote: BankQuote
  readonly heardAtMs: number
}

/** A keyed request that was sent at least once. */
export interface SentRequest {
  readonly step: number
  readonly key: string
  readonly request: KeyedRequest
}

/** What the clients of a run have learned from answers, as far as they remember: they know what they were told, no more. */
export interface Knowledge {
  noteSent(sent: SentRequest): void
  noteAnswer(request: Request, answer: AnyAnswer): void
  /** Trades that were told to be open and not yet to be closed. */
  openTrades(): readonly KnownTrade[]
  /** Trades that were told to be closed. */
  closedTrades(): readonly KnownTrade[]
  hasAccount(trader: Trader): boolean
  quotes(): readonly KnownQuote[]
  sent(): readonly SentRequest[]
  /** Ledger transactions that administration booked. */
  bookings(): readonly string[]
  /** Transactions of a bank. */
  transactions(bank: string): readonly string[]
  /** What a customer should own of a currency by the completed transactions that were told. */
  owned(bank: string, customer: string, currency: string): bigint
}

/** Whether a request names a trade that may have closed meanwhile. */
const isOfTrade = (request: Request): request is Extract<Request, { readonly tradeId: string }> =>
  request.kind === 'close-trade' || request.kind === 'update-trade'

const addTo = (totals: Map<string, bigint>, name: string, amount: bigint): void => {
  totals.set(name, (totals.get(name) ?? 0n) + amount)
}

const createBankKnowledge = (nowMs: () => number) => {
  const quotes: KnownQuote[] = []
  const transactions = new Map<string, Set<string>>()
  const owned = new Map<string, bigint>()
  const counted = new Set<string>()

  const count = ({ transaction }: Extract<BankOutcome, { kind: 'final' }>, bank: string): void => {
    const { transactionId, status, bankUserId, type, amountIn, amountOut, currencyIn, currencyOut } = transaction
    if (status !== 'COMPLETED' || counted.has(transactionId)) return
    counted.add(transactionId)
    const name = (currency: string | null): string => `${bank} ${bankUserId} ${currency}`
    if (type !== 'DEPOSIT' && amountIn !== null) addTo(owned, name(currencyIn), -parseAmount(amountIn))
    if (type === 'DEPOSIT') addTo(owned, name(currencyIn ?? currencyOut), parseAmount(amountIn ?? amountOut ?? '0'))
    else if (type !== 'WITHDRAWAL' && amountOut !== null) addTo(owned, name(currencyOut), parseAmount(amountOut))
  }
  return {
    quotes,
    transactions,
    owned,
    noteOutcome: (bank: string, outcome: BankOutcome): void => {
      const known = transactions.get(bank) ?? new Set()
      known.add(outcome.kind === 'final' ? outcome.transaction.transactionId : outcome.transactionId)
      transactions.set(bank, known)
      if (outcome.kind === 'final') count(outcome, bank)
    },
    noteQuote: (request: QuoteRequest, quote: BankQuote): void => {
      quotes.push({ request, quote, heardAtMs: nowMs() })
    },
  }
}

/** Makes the knowledge of clients that know nothing. */
export const createKnowledge = (nowMs: () => number): Knowledge => {
  const open = new Map<string, KnownTrade>()
  const closed = new Map<string, KnownTrade>()
  const accounts = new Set<Trader>()
  const sent: SentRequest[] = []
  const sentNames = new Set<string>()
  const bookings: string[] = []
  const banks = createBankKnowledge(nowMs)

  const noteClosed = (trader: Trader, tradeId: string, trade: ClosedTrade | undefined): void => {
    const known = open.get(tradeId)
    open.delete(tradeId)
    const told = trade ?? known?.trade
    if (told !== undefined) closed.set(tradeId, { trader, trade: told })
  }
  const noteOpened = (trader: Trader, trade: OpenTrade): void => {
    if (!closed.has(trade.tradeId)) open.set(trade.tradeId, { trader, trade })
  }
  const noteSuccess = (request: Request, value: unknown): void => {
    switch (request.kind) {
      case 'open-account':
        accounts.add(request.trader)
        break
      case 'open-trade':
      case 'update-trade':
        noteOpened(request.trader, value as OpenTrade)
        break
      case 'close-trade':
        noteClosed(request.trader, request.tradeId, value as ClosedTrade)
        break
      case 'open-trades':
        for (const trade of value as readonly OpenTrade[]) noteOpened(request.trader, trade)
        break
      case 'adjust':
      case 'correct':
        bookings.push((value as { readonly transactionId: string }).transactionId)
        break
      case 'fund':
        bookings.push(...(value as { readonly transactionIds: readonly string[] }).transactionIds)
        break
      case 'quote':
        banks.noteQuote(request, value as BankQuote)
        break
      case 'bank-trade':
      case 'bank-move':
        banks.noteOutcome(request.bank, value as BankOutcome)
        break
      // Reads of what is known anyway, and what answers nothing but yes.
      case 'balances':
      case 'market-state':
      case 'cancel-quote':
      case 'bank-accounts':
      case 'bank-transaction':
      case 'bank-transaction-by-key':
      case 'bank-transactions':
      case 'bank-events':
        break
    }
  }

  return {
    noteSent: (one) => {
      // Misuse sends two requests under one key: both are remembered, each once.
      const name = `${one.key} ${one.request.kind} ${JSON.stringify(one.request, (_, value: unknown) =>
        typeof value === 'bigint' ? String(value) : value,
      )}`
      if (sentNames.has(name)) return
      sentNames.add(name)
      sent.push(one)
    },
    noteAnswer: (request, answer) => {
      if (answer.ok) noteSuccess(request, answer.value)
      else if (isOfTrade(request) && answer.refusal.code === 'TRADE_CLOSED')
        noteClosed(request.trader, request.tradeId, undefined)
    },
    openTrades: () => [...open.values()],
    closedTrades: () => [...closed.values()],
    hasAccount: (trader) => accounts.has(trader),
    quotes: () => banks.quotes,
    sent: () => sent,
    bookings: () => bookings,
    transactions: (bank) => [...(banks.transactions.get(bank) ?? [])],
    owned: (bank, customer, currency) => banks.owned.get(`${bank} ${customer} ${currency}`) ?? 0n,
  }
}

/** A request as a sent one, when it has a key. */
export const sentOf = (step: number, key: string | null, request: Request): SentRequest | null =>
  key !== null && takesKey(request) ? { step, key, request } : null
