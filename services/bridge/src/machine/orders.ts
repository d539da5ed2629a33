import { refusalNumbers } from '@bourse/common/errors/codes.ts'
import type { CommandHeader } from '@bourse/common/kernel/command.ts'
import { faultOfBankRules, type BankRules, type PairRules } from '../codec/bank-rules.ts'
import type { CancelQuoteCommand, MoveCommand, QuoteCommand, TradeCommand } from '../codec/commands.ts'
import { hexOf, idOfName, transactionIdOf } from '../codec/identifiers.ts'
import { EMPTY_REPLY, type QuoteReply, type Reply } from '../codec/reply.ts'
import { steps, type Transaction } from '../codec/transaction.ts'
import {
  decideMove,
  decideTrade,
  decimalsOfPair,
  faultOfAmount,
  faultOfBank,
  pairOf,
  reserve,
  type Accepted,
  type Refused,
} from './accept.ts'
import { dealAt, type Deal } from './pricing.ts'
import { askLedger, finish, pumpEvents, pumpReversals, type SagaSetting } from './saga.ts'
import { addTransaction, BANKS_MAX, emptyBank, QUOTES_MAX, type BankState, type Quote, type Turn } from './state.ts'

const refusal = (code: Reply['code'], message: string): Reply => ({
  ...EMPTY_REPLY,
  code,
  message,
  retryAfterSeconds: code === 'UNAVAILABLE' ? 1 : 0,
})

/** Takes a bank's rules; they hold from the next command on. */
export const configure = (turn: Turn, rules: BankRules): Reply => {
  const fault = faultOfBankRules(rules)
  if (fault !== null) return refusal('VALIDATION_ERROR', fault)
  const bank = turn.state.banks.get(rules.name)
  if (bank === undefined) {
    if (turn.state.banks.size >= BANKS_MAX)
      return refusal('CAPACITY_EXCEEDED', `a partition has at most ${BANKS_MAX} banks`)
    turn.state.banks.set(rules.name, emptyBank(rules))
    return EMPTY_REPLY
  }
  bank.rules = rules
  pumpEvents(turn, bank)
  pumpReversals(turn, bank)
  return EMPTY_REPLY
}

interface Origin {
  readonly header: CommandHeader
  readonly bank: string
  readonly bankUserId: string
  readonly idempotencyKey: string
}

const NO_DEAL: Deal = { price: 0n, tickerPrice: 0n, fiatAmount: 0n, cryptoAmount: 0n, spreadEarned: 0n }

/** A transaction at its beginning. */
const begin = (
  turn: Turn,
  bank: BankState,
  origin: Origin,
  deal: Deal,
  rest: Pick<
    Transaction,
    | 'type'
    | 'step'
    | 'quoteName'
    | 'reference'
    | 'symbol'
    | 'fiatCurrency'
    | 'cryptoCurrency'
    | 'priceDecimals'
    | 'cryptoDecimals'
  >,
): Transaction => {
  bank.accepted += 1n
  bank.inFlight += 1
  bank.customers.add(origin.bankUserId)
  return {
    id: transactionIdOf(origin.header.id),
    commandId: origin.header.id.slice(),
    requestHash: origin.header.requestHash.slice(),
    bank: origin.bank,
    bankUserId: origin.bankUserId,
    idempotencyKey: origin.idempotencyKey,
    ...rest,
    fiatAmount: deal.fiatAmount,
    cryptoAmount: deal.cryptoAmount,
    price: deal.price,
    tickerPrice: deal.tickerPrice,
    spreadEarned: deal.spreadEarned,
    number: bank.accepted,
    createdAt: turn.now,
    reserved: 0n,
    authorizationCalled: false,
    executedPrice: 0n,
    executedQuantity: 0n,
    attempt: 0,
    holdAttempt: 0,
    retryAt: 0n,
    settled: false,
    fillBooked: false,
    code: 0,
    message: '',
    finishedAt: 0n,
    ledgerNumber: 0n,
    balancesAfter: [],
    eventSequence: 0n,
    totalsAfter: [],
  }
}

const recordedReply = (turn: Turn): Reply => ({ ...EMPTY_REPLY, recorded: true, transactions: [...turn.changed] })

const keyConflict = refusal('IDEMPOTENCY_CONFLICT', 'the key was used for another call or body; use a new key')

/** The first outcome again, or a conflict; null when the id is new. */
const repeated = (turn: Turn, header: CommandHeader, bank: BankState | undefined): Reply | null => {
  if (bank?.redeliveries.has(hexOf(header.id)) === true) return keyConflict
  const known = turn.state.transactions.get(hexOf(transactionIdOf(header.id)))
  if (known === undefined) return null
  if (Buffer.compare(known.requestHash, header.requestHash) === 0) return { ...EMPTY_REPLY, recorded: true }
  return keyConflict
}

const hasId = (header: CommandHeader): boolean => header.id.some((byte) => byte !== 0)
const noId = refusal('INVALID_COMMAND', 'the command needs an id')

/** Refuses, or records the refusal as a transaction that failed at once. */
const refuseTrade = (
  turn: Turn,
  bank: BankState | undefined,
  trade: TradeCommand,
  origin: Origin,
  refused: Refused,
): Reply => {
  const { pair } = refused
  if (!refused.recorded || bank === undefined || pair === null) return refusal(refused.code, refused.message)
  if (refused.quote !== null) refused.quote.used = true
  const asked =
    trade.side === 'BUY' ? { ...NO_DEAL, fiatAmount: trade.amount } : { ...NO_DEAL, cryptoAmount: trade.amount }
  const transaction = begin(turn, bank, origin, refused.deal ?? asked, tradeFields(trade, pair, steps.failed))
  transaction.code = refusalNumbers[refused.code]
  transaction.message = refused.message
  addTransaction(turn.state, transaction)
  finish(turn, transaction)
  return recordedReply(turn)
}

const tradeFields = (trade: TradeCommand, pair: PairRules, step: Transaction['step']): Parameters<typeof begin>[4] => ({
  type: trade.side,
  step,
  quoteName: trade.quoteName,
  reference: '',
  symbol: pair.symbol,
  fiatCurrency: pair.quoteAsset,
  cryptoCurrency: pair.baseAsset,
  ...decimalsOfPair(pair),
})

const startTrade = (
  turn: Turn,
  setting: SagaSetting,
  bank: BankState,
  trade: TradeCommand,
  origin: Origin,
  accepted: Accepted,
): Reply => {
  if (accepted.quote !== null) accepted.quote.used = true
  const transaction = begin(turn, bank, origin, accepted.deal, tradeFields(trade, accepted.pair, steps.holding))
  transaction.reserved = accepted.reserve
  reserve(bank, trade.bankUserId, accepted.reserve, turn.now)
  addTransaction(turn.state, transaction)
  askLedger(turn, setting, transaction)
  turn.changed.push(transaction)
  return recordedReply(turn)
}

/** A buy or sell: repeated, refused, recorded as failed, or begun with its hold. */
export const trade = (turn: Turn, setting: SagaSetting, header: CommandHeader, command: TradeCommand): Reply => {
  if (!hasId(header)) return noId
  const bank = turn.state.banks.get(command.bank)
  const again = repeated(turn, header, bank)
  if (again !== null) return again
  const origin = { header, bank: command.bank, bankUserId: command.bankUserId, idempotencyKey: command.idempotencyKey }
  const decision = decideTrade(turn.state, bank, command, turn.now)
  if (decision.kind === 'refused' || bank === undefined) {
    return decision.kind === 'refused' ? refuseTrade(turn, bank, command, origin, decision) : noId
  }
  return startTrade(turn, setting, bank, command, origin, decision)
}

/** A deposit or withdrawal: repeated, refused, or begun with its posting. */
export const move = (turn: Turn, setting: SagaSetting, header: CommandHeader, command: MoveCommand): Reply => {
  if (!hasId(header)) return noId
  const bank = turn.state.banks.get(command.bank)
  const again = repeated(turn, header, bank)
  if (again !== null) return again
  const refused = decideMove(turn.state, bank, command)
  if (refused !== null || bank === undefined) {
    return refused === null ? noId : refusal(refused.code, refused.message)
  }
  const origin = { header, bank: command.bank, bankUserId: command.bankUserId, idempotencyKey: command.idempotencyKey }
  const transaction = begin(
    turn,
    bank,
    origin,
    { ...NO_DEAL, fiatAmount: command.amount },
    {
      type: command.type,
      step: steps.moving,
      quoteName: '',
      reference: command.reference,
      symbol: '',
      fiatCurrency: command.currency,
      cryptoCurrency: '',
      priceDecimals: 0,
      cryptoDecimals: 0,
    },
  )
  addTransaction(turn.state, transaction)
  askLedger(turn, setting, transaction)
  turn.changed.push(transaction)
  return recordedReply(turn)
}

const quoteReplyOf = (quote: Quote, pair: PairRules): QuoteReply => ({
  quoteId: quote.id,
  side: quote.side,
  price: quote.price,
  cryptoAmount: quote.cryptoAmount,
  fiatAmount: quote.fiatAmount,
  ...decimalsOfPair(pair),
  expiresAt: quote.expiresAt,
})

/** Holds a price for the bank's quote time. */
export const quote = (turn: Turn, header: CommandHeader, command: QuoteCommand): Reply => {
  if (!hasId(header)) return noId
  const bank = turn.state.banks.get(command.bank)
  const fault = faultOfBank(turn.state, bank, command.bankUserId)
  if (fault !== null || bank === undefined) return fault === null ? noId : refusal(fault.code, fault.message)
  const pair = pairOf(bank, command.side, command.currency)
  if (pair === undefined) {
    return refusal('VALIDATION_ERROR', `currency ${command.currency} can't be used for a ${command.side} here`)
  }
  const wrongAmount = faultOfAmount(command.side, command.amount, pair)
  if (wrongAmount !== null) return refusal(wrongAmount.code, wrongAmount.message)
  const known = turn.state.quotes.get(hexOf(header.id))
  if (known !== undefined) return { ...EMPTY_REPLY, quote: quoteReplyOf(known, pair) }
  const { ticker } = command
  if (ticker.state === 'none') return refusal('UNAVAILABLE', 'the market price was not asked for; try again')
  if (ticker.state === 'unavailable' || ticker.price <= 0n) {
    return refusal('INSUFFICIENT_LIQUIDITY', 'the exchange gives no price')
  }
  const deal = dealAt(command.side, ticker.price, command.amount, pair)
  if (deal === null) return refusal('VALIDATION_ERROR', 'the amount gives nothing at the present price')
  if (turn.state.quotes.size >= QUOTES_MAX) return refusal('UNAVAILABLE', 'too many quotes are held; try again')
  const made: Quote = {
    ...deal,
    id: header.id.slice(),
    bank: command.bank,
    bankUserId: command.bankUserId,
    side: command.side,
    amount: command.amount,
    currency: command.currency,
    symbol: pair.symbol,
    expiresAt: turn.now + BigInt(bank.rules.quoteTtlMs),
    used: false,
  }
  turn.state.quotes.set(hexOf(made.id), made)
  return { ...EMPTY_REPLY, quote: quoteReplyOf(made, pair) }
}

/** Whose a cancelled quote is: no bank has this name. */
const NO_BANK = ''

/**
 * Takes an unused quote back; a used one stays used. It is nobody's from then on but stays known, since the command
 * that made it may come a second time: it would be made again (behaviour 1 did).
 */
export const cancelQuote = (turn: Turn, command: CancelQuoteCommand): Reply => {
  const id = idOfName('q', command.quoteName)
  const found = id === null ? undefined : turn.state.quotes.get(hexOf(id))
  if (found === undefined || found.bank !== command.bank) {
    return refusal('QUOTE_NOT_FOUND', `there is no quote ${command.quoteName}`)
  }
  if (found.used) return refusal('QUOTE_USED', 'the quote was used by a trade')
  if (turn.behaviour === 1) turn.state.quotes.delete(hexOf(found.id))
  else turn.state.quotes.set(hexOf(found.id), { ...found, bank: NO_BANK })
  return EMPTY_REPLY
}

/** Records a trade or move that trapped twice as failed with ENGINE_FAULT, so that its id is not executed again. */
export const recordFault = (turn: Turn, header: CommandHeader, command: TradeCommand | MoveCommand): Reply => {
  const bank = turn.state.banks.get(command.bank)
  if (!hasId(header) || bank === undefined || repeated(turn, header, bank) !== null)
    return refusal('ENGINE_FAULT', FAULT_MESSAGE)
  const origin = { header, bank: command.bank, bankUserId: command.bankUserId, idempotencyKey: command.idempotencyKey }
  const isMove = 'type' in command
  const transaction = begin(
    turn,
    bank,
    origin,
    { ...NO_DEAL, fiatAmount: command.amount },
    {
      type: isMove ? command.type : command.side,
      step: steps.failed,
      quoteName: isMove ? '' : command.quoteName,
      reference: isMove ? command.reference : '',
      symbol: '',
      fiatCurrency: command.currency,
      cryptoCurrency: command.currency,
      priceDecimals: 0,
      cryptoDecimals: 0,
    },
  )
  transaction.code = refusalNumbers.ENGINE_FAULT
  transaction.message = FAULT_MESSAGE
  addTransaction(turn.state, transaction)
  finish(turn, transaction)
  return { ...recordedReply(turn), code: 'ENGINE_FAULT', message: FAULT_MESSAGE }
}

/** What a client reads of a command that the machine could not execute. */
export const FAULT_MESSAGE = 'the engine could not execute the command; nothing was traded'
