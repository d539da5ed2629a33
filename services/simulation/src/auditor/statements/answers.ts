import type { BankOutcome, BankQuote, BankTransaction } from '@bourse/bridge/client/types.ts'
import { codeOfNumber } from '@bourse/common/errors/codes.ts'
import type { PartitionNumber } from '@bourse/common/kernel/partition.ts'
import { ledgerPartitionOf, tradingPartitionOf } from '@bourse/common/platform/topology.ts'
import { ledgerKinds } from '@bourse/risk-rules/ledger/codec.ts'
import { decodeLedgerOutcome } from '@bourse/risk-rules/ledger/outcomes.ts'
import { closeReasons } from '@bourse/risk-rules/trading/codec.ts'
import { placeOfTradeId, partitionOfTrade } from '@bourse/trading/codec/trade-id.ts'
import type { ClosedTrade, OpenTrade } from '@bourse/trading/client/types.ts'
import type { Call, Request } from '../../history/history.ts'
import { fundingCostOf, isLiquidationPrice } from '../arithmetic/cfd.ts'
import { unitsOf } from '../arithmetic/rational.ts'
import { hex } from '../evidence/bytes.ts'
import { callText, wasOnDisk, type Case } from '../evidence/case.ts'
import type { Entry } from '../evidence/journals.ts'
import type { TradeLife, TradingBook } from '../model/trading.ts'
import type { Done } from '../model/ledger.ts'
import { differences } from '../model/trades.ts'
import { faultsOfTold } from './told-bank.ts'

const STATEMENT = 'answers-still-true'

type Of<Kind extends Request['kind']> = Extract<Request, { readonly kind: Kind }>
type Answered = Call & { readonly answer: NonNullable<Call['answer']> }

const reasonNumber = (name: string): number => closeReasons[name as keyof typeof closeReasons]

const sharedWith = ({ trade }: TradeLife) => ({
  direction: trade.isLong ? 'LONG' : 'SHORT',
  margin: trade.margin,
  leverage: trade.leverage,
  quantity: trade.quantity,
  entryPrice: trade.entryPrice,
  stopLossPrice: trade.stopLoss === 0n ? null : trade.stopLoss,
  takeProfitPrice: trade.takeProfit === 0n ? null : trade.takeProfit,
  openFee: trade.openFee,
  openedAtMs: Number(trade.openedAt),
})

/** The trade behind a public id, and the market that has it. */
export const lifeAt = (
  { books }: Case,
  tradeId: string,
): { readonly life: TradeLife; readonly book: TradingBook; readonly partition: PartitionNumber } | null => {
  const place = placeOfTradeId(tradeId)
  const partition = place === null ? 0 : partitionOfTrade(place)
  const book = books.markets.get(partition)
  const life = book?.lives.get(place?.tradeNumber ?? 0n)
  return book === undefined || life === undefined ? null : { life, book, partition }
}

/** What is wrong in how an open trade is told with F of that moment; empty when nothing is. */
export const faultsOfTrade = (
  told: OpenTrade,
  { life, book }: { readonly life: TradeLife; readonly book: TradingBook },
  funding: bigint,
): string => {
  const wrong = differences({ ...told }, { ...sharedWith(life), fundingCost: fundingCostOf(life.trade, funding) })
  if (wrong !== '') return wrong
  const tick = book.terms?.tickSize ?? 1n
  return isLiquidationPrice(life.trade, told.liquidationPrice ?? 0n, funding, tick)
    ? ''
    : `liquidationPrice ${told.liquidationPrice}`
}

const checkOpened = (on: Case, call: Answered, request: Of<'open-trade'>, told: OpenTrade, id: string | null): void => {
  const found = lifeAt(on, told.tradeId)
  if (found === null)
    return on.complain(STATEMENT, `${callText(call)}: trade ${told.tradeId} was acknowledged and is not there`)
  const { life, partition } = found
  const { trade } = life
  const asked = {
    direction: request.direction,
    margin: request.margin,
    leverage: request.leverage,
    stopLossPrice: request.stopLossPrice,
    takeProfitPrice: request.takeProfitPrice,
    asset: request.asset,
  }
  const wrong = [differences({ ...told }, asked), faultsOfTrade(told, found, trade.fundingAtOpen)]
    .filter((text) => text !== '')
    .join('; ')
  if (wrong !== '') on.complain(STATEMENT, `${callText(call)}: trade ${told.tradeId}: ${wrong}`)
  if (trade.account !== on.identities.ownerOf(request.trader))
    on.complain(STATEMENT, `${callText(call)}: trade ${told.tradeId} is another's`)
  if (id !== null && trade.openId !== id)
    on.complain(STATEMENT, `${callText(call)}: trade ${told.tradeId} was opened by ${trade.openId}, not by ${id}`)
  if (!wasOnDisk(on, call, partition, trade.openedIn))
    on.complain(
      STATEMENT,
      `${callText(call)}: trade ${told.tradeId} was acknowledged before its record was on the disk`,
    )
}

const checkClosed = (
  on: Case,
  call: Answered,
  request: Of<'close-trade'>,
  told: ClosedTrade,
  id: string | null,
): void => {
  const found = lifeAt(on, request.tradeId)
  const end = found?.life.end ?? null
  if (found === null || end === null || told.tradeId !== request.tradeId)
    return on.complain(
      STATEMENT,
      `${callText(call)}: the close of ${request.tradeId} was acknowledged; it is ${found === null ? 'not there' : 'open'}`,
    )
  const { life, book, partition } = found
  const { pnl, exitPrice, funding, returned, fee, closedAt, fundingAt, closedIn } = end
  const expected = {
    ...sharedWith(life),
    pnl,
    exitPrice,
    funding,
    fundingCost: funding,
    returned,
    fees: life.trade.openFee + fee,
    closedAtMs: Number(closedAt),
  }
  const wrong = differences({ ...told }, expected)
  if (wrong !== '' || reasonNumber(told.reason) !== end.reason)
    on.complain(STATEMENT, `${callText(call)}: the close of ${told.tradeId}: ${wrong} (reason ${told.reason})`)
  else if (!isLiquidationPrice(life.trade, told.liquidationPrice ?? 0n, fundingAt, book.terms?.tickSize ?? 1n))
    on.complain(STATEMENT, `${callText(call)}: the close of ${told.tradeId}: liquidationPrice ${told.liquidationPrice}`)
  if (id !== null && book.memory.first(id)?.code !== 0)
    on.complain(STATEMENT, `${callText(call)}: no close of ${told.tradeId} by ${id} is journaled`)
  if (!wasOnDisk(on, call, partition, closedIn))
    on.complain(
      STATEMENT,
      `${callText(call)}: the close of ${told.tradeId} was acknowledged before its record was on the disk`,
    )
}

/** A ledger transaction by its public id. */
const doneOf = (
  { books }: Case,
  transactionId: string,
): { readonly partition: PartitionNumber; readonly done: Done } | null => {
  const [partition, number] = transactionId.split(':')
  const book = books.ledgers.get(Number(partition))
  const done = book?.done.find((one) => one.number === BigInt(number ?? '0') && one.number !== 0n)
  return book === undefined || done === undefined ? null : { partition: book.partition, done }
}

const checkPosted = (on: Case, call: Answered, transactionId: string, isRight: (done: Done) => boolean): void => {
  const found = doneOf(on, transactionId)
  if (found === null || !isRight(found.done))
    on.complain(
      STATEMENT,
      `${callText(call)}: transaction ${transactionId} is ${found === null ? 'not there' : 'another'}`,
    )
  else if (!wasOnDisk(on, call, found.partition, found.done.entry.sequence))
    on.complain(
      STATEMENT,
      `${callText(call)}: transaction ${transactionId} was acknowledged before its record was on the disk`,
    )
}

const isCorrectionOf = (on: Case, transactionId: string, done: Done): boolean => {
  const corrected = doneOf(on, transactionId)?.done.instruction.legs ?? []
  const text = (legs: readonly { readonly owner: string; readonly amount: bigint }[], sign: bigint): string =>
    legs
      .map(({ owner, amount }) => `${owner} ${sign * amount}`)
      .sort()
      .join()
  return done.instruction.kind === 'CORRECTION' && text(done.instruction.legs, 1n) === text(corrected, -1n)
}

const checkBankOutcome = (
  on: Case,
  call: Answered,
  request: Of<'bank-trade'> | Of<'bank-move'>,
  outcome: BankOutcome,
): void => {
  const transactionId = outcome.kind === 'final' ? outcome.transaction.transactionId : outcome.transactionId
  const found = on.bankLives.get(transactionId.slice(3))
  if (found === undefined)
    return on.complain(STATEMENT, `${callText(call)}: ${transactionId} was accepted and is not there`)
  const { life, partition } = found
  const type = request.kind === 'bank-trade' ? request.side : request.type
  const amount = type === 'SELL' ? life.crypto : life.fiat
  const asked = { bank: request.bank, customer: request.customer, type, key: call.key ?? '' }
  const wrong = differences({ ...life }, asked)
  if (wrong !== '' || amount !== request.amount)
    on.complain(STATEMENT, `${callText(call)}: ${transactionId} is another transaction: ${wrong}`)
  const since = outcome.kind === 'final' ? life.finishedIn : life.startedIn
  if (!wasOnDisk(on, call, partition, since))
    on.complain(STATEMENT, `${callText(call)}: ${transactionId} was told before its record was on the disk`)
  if (outcome.kind !== 'final') return
  const faults = life.finishedIn === 0n ? 'it has not ended' : faultsOfTold(outcome.transaction, life)
  if (faults !== '') on.complain(STATEMENT, `${callText(call)}: ${transactionId}: ${faults}`)
}

const checkQuote = (on: Case, call: Answered, told: BankQuote): void => {
  const quote = [...on.books.bridges.values()]
    .map(({ quotes }) => quotes.get(told.quoteId))
    .find((one) => one !== undefined)
  if (quote === undefined)
    return on.complain(STATEMENT, `${callText(call)}: ${told.quoteId} was given and is not there`)
  const units = {
    price: unitsOf(told.price),
    cryptoAmount: unitsOf(told.cryptoAmount),
    fiatAmount: unitsOf(told.fiatAmount),
  }
  const { price, crypto, fiat } = quote.promised
  const wrong = differences(
    { ...told, ...units },
    { price, cryptoAmount: crypto, fiatAmount: fiat, side: quote.side, expiresAtMs: Number(quote.expiresAt) },
  )
  if (wrong !== '') on.complain(STATEMENT, `${callText(call)}: ${told.quoteId}: ${wrong}`)
}

/** First outcomes of an id at all partitions that know it. */
const firstsOf = ({ books }: Case, id: string): readonly Entry[] =>
  [...books.markets.values(), ...books.ledgers.values()].flatMap(({ memory }) => memory.first(id) ?? [])

/** What became of the corrections that a request asked for: they carry its id as their hash. */
const correctionsFor = ({ books }: Case, id: string): readonly Entry[] =>
  [...books.ledgers.values()].flatMap(({ memory }) =>
    [...memory.all().values()].filter(({ header }) => hex(header.requestHash) === id),
  )

/** Refusals that are made outside the machines, or are not kept under a key. */
const unkept: ReadonlySet<string> = new Set([
  'UNAVAILABLE',
  'VALIDATION_ERROR',
  'BANK_SUSPENDED',
  'RATE_LIMITED',
  'TRANSACTION_NOT_FOUND',
  'MARKET_NOT_FOUND',
  'IDEMPOTENCY_CONFLICT',
])

/** A refusal that is final must be a journaled first outcome of its id. */
const checkRefused = (
  on: Case,
  call: Answered,
  identity: { readonly id: string; readonly requestHash: string },
  code: string,
): void => {
  const { request } = call
  const firsts = firstsOf(on, identity.id)
  if (code === 'IDEMPOTENCY_CONFLICT') return checkConflict(on, call, identity, firsts)
  if (unkept.has(code) || request.kind === 'fund' || request.kind === 'market-state') return
  if (request.kind === 'bank-trade' || request.kind === 'bank-move') return
  const all = request.kind === 'correct' ? correctionsFor(on, identity.id) : firsts
  const told = all.filter((entry) => entry.code !== 0).map((entry) => codeOfNumber(entry.code) as string)
  // A trade that is nowhere, or another's, is refused at the edge, its key registered; of a closed one the edge says which it is.
  const isRegistered = firsts.every(({ header, code: first }) => header.kind === ledgerKinds.HOLD && first === 0)
  const isEdges = code === 'TRADE_NOT_FOUND' && (told.includes('TRADE_CLOSED') || isRegistered)
  if (!told.includes(code) && !isEdges)
    on.complain(
      STATEMENT,
      `${callText(call)} was refused ${code}; journaled under its id is [${told.join() || firsts.length}]`,
    )
}

const checkConflict = (
  on: Case,
  call: Answered,
  { id, requestHash }: { readonly id: string; readonly requestHash: string },
  firsts: readonly Entry[],
): void => {
  if (call.request.kind === 'fund' || call.request.kind === 'market-state' || call.request.kind === 'correct') return
  const hashes = firsts.map(({ header }) => hex(header.requestHash))
  const bank = [...on.bankLives.values()].find(({ life }) => life.commandId === id)?.life
  const all = bank === undefined ? hashes : [...hashes, bank.requestHash]
  if (!all.some((hash) => hash !== requestHash))
    on.complain(STATEMENT, `${callText(call)} was told of a conflict; nothing else was ever asked under its key`)
}

const checkAccepted = (on: Case, call: Answered, id: string | null): void => {
  const { request, answer } = call
  if (!answer.ok) return
  const value = answer.value as never
  switch (request.kind) {
    case 'open-trade':
      return checkOpened(on, call, request, value, id)
    case 'close-trade':
      return checkClosed(on, call, request, value, id)
    case 'bank-trade':
    case 'bank-move':
      return checkBankOutcome(on, call, request, value)
    case 'quote':
      return checkQuote(on, call, value)
    case 'adjust': {
      const { transactionId } = value as { readonly transactionId: string }
      const owner = on.identities.ownerOf(request.trader)
      return checkPosted(on, call, transactionId, ({ instruction }) =>
        instruction.legs.some(
          (leg) =>
            leg.kind === 'customer' &&
            leg.owner === owner &&
            leg.amount === request.amount &&
            leg.currency === request.currency,
        ),
      )
    }
    case 'fund': {
      const { transactionIds } = value as { readonly transactionIds: readonly string[] }
      const sum = transactionIds.reduce(
        (total, one) =>
          total + (doneOf(on, one)?.done.instruction.legs.find((leg) => leg.kind === request.target)?.amount ?? 0n),
        0n,
      )
      for (const one of transactionIds) checkPosted(on, call, one, () => true)
      if (sum !== request.amount)
        on.complain(STATEMENT, `${callText(call)}: ${sum} reached ${request.target}, not ${request.amount}`)
      return
    }
    case 'correct': {
      const { transactionId } = value as { readonly transactionId: string }
      return checkPosted(on, call, transactionId, (done) => isCorrectionOf(on, request.transactionId, done))
    }
    case 'open-account': {
      const { existed } = value as { readonly existed: boolean }
      const first = id === null ? undefined : firstsOf(on, id)[0]
      const isTrue =
        id === null ||
        (first !== undefined && first.code === 0 && decodeLedgerOutcome(first.outcome).existed === existed)
      if (!isTrue)
        on.complain(STATEMENT, `${callText(call)} was told that the account existed: ${existed}; that is not journaled`)
      return
    }
    case 'market-state':
    case 'cancel-quote':
    case 'balances':
    case 'open-trades':
    case 'bank-accounts':
    case 'bank-transaction':
    case 'bank-transaction-by-key':
    case 'bank-transactions':
    case 'bank-events':
      // Nothing is promised by it, or it is a read.
      return
  }
}

/** An answer that leaves open what became of the request. */
const isOpenAnswer = ({ answer }: Answered): boolean => {
  if (!answer.ok) return answer.refusal.code === 'UNAVAILABLE'
  const outcome = answer.value as Partial<BankOutcome> | undefined
  return (
    outcome?.kind === 'pending' ||
    (outcome?.kind === 'final' && (outcome.transaction as BankTransaction).status === 'PENDING')
  )
}

/** The order of an object's fields says nothing. */
const sorted = (part: unknown): unknown =>
  typeof part === 'object' && part !== null && !Array.isArray(part)
    ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
    : part

const textOf = (value: unknown): string =>
  JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? `${part}` : sorted(part))) ?? 'done'

const answerText = ({ answer }: Answered): string => textOf(answer.ok ? answer.value : answer.refusal.code)

/** Where two answers differ: field by field when both are objects. */
const answersDiffer = (one: Answered, other: Answered): string => {
  const [a, b] = [one, other].map(({ answer }) => (answer.ok ? answer.value : undefined))
  if (typeof a !== 'object' || typeof b !== 'object') return `${answerText(one)}, not ${answerText(other)}`
  const texts = (value: object): Record<string, string> =>
    Object.fromEntries(Object.entries(value).map(([name, part]) => [name, textOf(part)]))
  return differences(texts(a), texts(b))
}

/** Repeats answer the same: once an answer is kept under a key, every later one for that request is it. */
const checkRepeats = (on: Case, groups: ReadonlyMap<string, readonly Answered[]>): void => {
  for (const calls of groups.values()) {
    const clear = calls.filter((call) => !isOpenAnswer(call))
    const kept = clear.filter(({ answer }) => answer.ok || !unkept.has(answer.refusal.code))
    const [first] = kept
    if (first === undefined || clear.length === 1) continue
    const text = answerText(first)
    const earliest = kept.reduce((one, other) => ((other.answeredAtMs ?? 0) < (one.answeredAtMs ?? 0) ? other : one))
    for (const call of clear) {
      const isKept = call.answer.ok || !unkept.has(call.answer.refusal.code)
      const isLater = call.calledAtMs > (earliest.answeredAtMs ?? Infinity)
      if ((isKept || isLater) && answerText(call) !== text)
        on.complain(
          'repeats-answer-the-same',
          `${callText(call)} is told ${answersDiffer(call, first)}; so was ${callText(first)}`,
        )
    }
  }
}

/**
 * Every answer given is still true at the end: what was acknowledged is in the books, was on the disk before it was told,
 * and is told with the right values; what was refused for good was never executed; repeats answer the same; a conflict has
 * its reason.
 */
export const checkAnswers = (on: Case): void => {
  const groups = new Map<string, Answered[]>()
  for (const call of on.calls) {
    if (call.answer === null) continue
    const answered = { ...call, answer: call.answer }
    const identity = call.key === null ? null : on.identities.identityOf(call.request, call.key)
    if (identity !== null && call.request.kind !== 'market-state') {
      const group = `${identity.id}:${identity.requestHash}`
      groups.set(group, [...(groups.get(group) ?? []), answered])
    }
    if (answered.answer.ok) checkAccepted(on, answered, identity?.id ?? null)
    else if (identity !== null) checkRefused(on, answered, identity, answered.answer.refusal.code)
  }
  checkRepeats(on, groups)
}

/** The partitions that have to do with a trader: its ledger's, and one of each market. */
export const partitionsOfTrader = (
  { topology }: Case,
  owner: Uint8Array,
): { readonly ledger: PartitionNumber; readonly markets: readonly PartitionNumber[] } => ({
  ledger: ledgerPartitionOf(topology, owner),
  markets: [...topology.markets.values()].map((market) => tradingPartitionOf(market, owner)),
})
