import {
  answerKinds,
  decodeAnswer,
  decodeCall,
  type AuthorizationAnswer,
  type OrderAnswer,
} from '@bourse/bridge/codec/calls.ts'
import {
  commandKinds,
  decodeClientCommand,
  type MoveCommand,
  type QuoteCommand,
  type TradeCommand,
} from '@bourse/bridge/codec/commands.ts'
import { decodeReply, type Reply } from '@bourse/bridge/codec/reply.ts'
import { steps, type Transaction } from '@bourse/bridge/codec/transaction.ts'
import { codeOfNumber, refusalNumbers, type OutcomeCode } from '@bourse/common/errors/codes.ts'
import { bodyOf, decodeHeader } from '@bourse/common/kernel/command.ts'
import { partitionName, type PartitionNumber } from '@bourse/common/kernel/partition.ts'
import { decodeInstruction, KIND_LEDGER_OUTCOME } from '@bourse/risk-rules/ledger/codec.ts'
import { decodeLedgerOutcomeCommand, type LedgerOutcome } from '@bourse/risk-rules/ledger/outcomes.ts'
import { createHash } from 'node:crypto'
import { FIAT_STEP } from '../arithmetic/bank.ts'
import { unitsOf } from '../arithmetic/rational.ts'
import { hex } from '../evidence/bytes.ts'
import type { AuditedRecord, Entry } from '../evidence/journals.ts'
import type { Complain } from '../findings.ts'
import {
  dayKeys,
  judgeQuote,
  judgeTrade,
  type Acceptance,
  type BankBook,
  type BankLife,
  type Quote,
  type Stage,
} from './bank.ts'
import { differences } from './trades.ts'

/** What the auditor makes of a bridge partition's journal. */
export interface BridgeBook {
  readonly partition: PartitionNumber
  readonly banks: ReadonlyMap<string, BankBook>
  /** By transaction id in hex, in the order they began. */
  readonly transactions: ReadonlyMap<string, BankLife>
  /** By public id. */
  readonly quotes: ReadonlyMap<string, Quote>
}

/** How long an order may be on its way, ms. */
const ORDER_VALID_MS = 5_000n

const transactionIdOf = (commandId: Uint8Array): string =>
  createHash('sha256').update('bank-transaction:').update(commandId).digest('hex').slice(0, 32)

const stageNumbers: Readonly<Record<Stage, number>> = steps

/** What a transaction must be told to be. */
const expectedOf = (life: BankLife): Readonly<Record<string, unknown>> => ({
  bank: life.bank,
  bankUserId: life.customer,
  idempotencyKey: life.key,
  type: life.type,
  symbol: life.symbol,
  fiatCurrency: life.fiatCurrency,
  cryptoCurrency: life.cryptoCurrency,
  fiatAmount: life.fiat,
  cryptoAmount: life.crypto,
  price: life.price,
  tickerPrice: life.ticker,
  spreadEarned: life.spread,
  createdAt: life.createdAt,
  step: stageNumbers[life.stage],
  code: refusalNumbers[life.code],
  executedPrice: life.executedPrice,
  executedQuantity: life.executedQuantity,
  eventSequence: life.eventSequence,
  finishedAt: life.finishedAt,
  ledgerNumber: life.ledgerNumber,
})

/** Follows a bridge partition's journal: acceptances, promises, quotes, limits, sagas and events by the auditor's own rules. */
export const followBridge = (
  partition: PartitionNumber,
  records: readonly AuditedRecord[],
  complain: Complain,
): BridgeBook => {
  const banks = new Map<string, BankBook>()
  const quotes = new Map<string, Quote>()
  const transactions = new Map<string, BankLife>()
  /** Commands to the ledger: the transaction each belongs to. */
  const asked = new Map<string, string>()
  /** Transactions that must be told in the outcome of the current entry. */
  let toTell: BankLife[] = []

  const where = (entry: Entry): string => `record ${entry.sequence} of ${partitionName(partition)}`
  const addTo = (map: Map<string, bigint>, key: string, amount: bigint): void =>
    void map.set(key, (map.get(key) ?? 0n) + amount)

  const count = (life: BankLife, sign: bigint): void => {
    const byDay = banks.get(life.bank)?.byDay
    if (byDay !== undefined)
      for (const key of dayKeys(life.createdAt, life.customer)) addTo(byDay, key, sign * life.reserved)
  }

  const finish = (entry: Entry, life: BankLife, stage: 'completed' | 'failed'): void => {
    life.stage = stage
    life.finishedAt = entry.now
    life.finishedIn = entry.sequence
    const bank = banks.get(life.bank)
    const isTrade = life.type === 'BUY' || life.type === 'SELL'
    if (bank !== undefined && stage === 'completed') {
      const sign = life.type === 'BUY' || life.type === 'WITHDRAWAL' ? -1n : 1n
      addTo(bank.totals, life.fiatCurrency, sign * life.fiat)
      if (isTrade) addTo(bank.totals, life.cryptoCurrency, -sign * life.crypto)
    }
    if (bank !== undefined && (isTrade || stage === 'completed')) {
      bank.eventSequence += 1n
      life.eventSequence = bank.eventSequence
      bank.events.push(life)
    }
    toTell.push(life)
  }

  const fail = (entry: Entry, life: BankLife, code: OutcomeCode, stage: 'releasing' | 'failed'): void => {
    life.code = code
    count(life, -1n)
    if (stage === 'failed') finish(entry, life, 'failed')
    else life.stage = stage
  }

  const lifeOf = (
    entry: Entry,
    command: TradeCommand | MoveCommand,
    type: Transaction['type'],
    acceptance: Acceptance | null,
  ): BankLife => {
    const isMove = acceptance === null
    const deal = acceptance?.deal ?? null
    const isBuy = type === 'BUY'
    const pair = acceptance?.pair ?? null
    return {
      id: transactionIdOf(entry.header.id),
      commandId: entry.id ?? '',
      requestHash: hex(entry.header.requestHash),
      bank: command.bank,
      customer: command.bankUserId,
      key: command.idempotencyKey,
      type,
      symbol: pair?.symbol ?? '',
      fiatCurrency: pair?.quoteAsset ?? command.currency,
      cryptoCurrency: pair?.baseAsset ?? '',
      fiat: deal?.fiat ?? (isMove || isBuy ? command.amount : 0n),
      crypto: deal?.crypto ?? (isMove || isBuy ? 0n : command.amount),
      price: deal?.price ?? 0n,
      ticker: deal === null ? 0n : (acceptance?.ticker ?? 0n),
      spread: deal?.spread ?? 0n,
      quoteName: 'quoteName' in command ? command.quoteName : '',
      reference: 'reference' in command ? command.reference : '',
      createdAt: entry.now,
      reserved: deal !== null && pair?.quoteAsset === banks.get(command.bank)?.rules.limitCurrency ? deal.fiat : 0n,
      startedIn: entry.sequence,
      stage: isMove ? 'moving' : 'holding',
      code: 'OK',
      isAuthorizationCalled: false,
      isAcknowledged: false,
      executedPrice: 0n,
      executedQuantity: 0n,
      isFillBooked: false,
      eventSequence: 0n,
      finishedAt: 0n,
      finishedIn: 0n,
      ledgerNumber: 0n,
      balancesAfter: [],
      told: null,
    }
  }

  /** True when the id is known: what is told then is judged here. */
  const isRepeat = (entry: Entry, reply: Reply): boolean => {
    const known = transactions.get(transactionIdOf(entry.header.id))
    if (known === undefined) return false
    if (reply.transactions.length > 0) {
      complain(
        'one-outcome',
        `${where(entry)} executes bank transaction ${known.id} again; it began in record ${known.startedIn}`,
      )
      return true
    }
    const isExpired = known.finishedAt !== 0n && entry.now - known.finishedAt >= 600_000n
    const expected = known.requestHash === hex(entry.header.requestHash) ? 'OK' : 'IDEMPOTENCY_CONFLICT'
    if (reply.code !== expected && !isExpired && reply.code !== 'ENGINE_FAULT')
      complain('one-outcome', `${where(entry)}: a repeat of ${known.id} is told ${reply.code}, not ${expected}`)
    return true
  }

  const begin = (life: BankLife): void => void transactions.set(life.id, life)

  const onTrade = (entry: Entry, trade: TradeCommand, reply: Reply): void => {
    if (isRepeat(entry, reply)) return
    const acceptance = judgeTrade(banks.get(trade.bank), quotes, trade, entry.now)
    const [told] = reply.transactions
    if (told === undefined) {
      // Full tables are taken on trust: nothing begins then, and nothing is kept under the key.
      if (!acceptance.unkept.includes(reply.code) && reply.code !== 'UNAVAILABLE')
        complain(
          'bank-acceptance',
          `${where(entry)}: a trade is refused ${reply.code}; the auditor finds ` +
            `[${[...acceptance.unkept, ...acceptance.kept].join()}]`,
        )
      return
    }
    const code = codeOfNumber(told.code)
    const expected =
      acceptance.kept.length > 0
        ? acceptance.kept
        : acceptance.unkept.length > 0
          ? ['a refusal that is not kept']
          : ['OK']
    if (!expected.includes(code))
      complain(
        'bank-acceptance',
        `${where(entry)}: a trade of ${trade.bank} is told ${code}, not ${expected.join(' or ')}`,
      )
    const isWithoutDeal = code === 'QUOTE_NOT_FOUND' || code === 'QUOTE_EXPIRED' || code === 'QUOTE_USED'
    const quoted =
      code === 'INSUFFICIENT_LIQUIDITY' && acceptance.quote !== null
        ? { ...acceptance, deal: acceptance.quote.promised, ticker: acceptance.quote.ticker }
        : acceptance
    const life = lifeOf(entry, trade, trade.side, isWithoutDeal ? { ...acceptance, deal: null } : quoted)
    begin(life)
    if (acceptance.quote !== null && (code === 'OK' || code === 'INSUFFICIENT_LIQUIDITY')) {
      const { quote } = acceptance
      if (quote.usedBy !== null)
        complain('quote-once', `quote ${quote.id} is used by ${life.id} and was used by ${quote.usedBy}`)
      if (quote.expiresAt <= entry.now)
        complain('quote-once', `quote ${quote.id} is used at ${entry.now}, expired at ${quote.expiresAt}`)
      quote.usedBy = life.id
    }
    if (code === 'OK') {
      count(life, 1n)
      toTell.push(life)
    } else {
      life.code = code
      finish(entry, life, 'failed')
    }
  }

  const onMove = (entry: Entry, move: MoveCommand, reply: Reply): void => {
    if (isRepeat(entry, reply)) return
    const bank = banks.get(move.bank)
    const isWrong =
      bank === undefined ||
      bank.rules.suspended ||
      move.amount <= 0n ||
      move.amount % FIAT_STEP !== 0n ||
      !bank.rules.pairs.some((pair) => pair.quoteAsset === move.currency)
    const hasBegun = reply.transactions.length > 0
    if (hasBegun === isWrong && reply.code !== 'UNAVAILABLE' && reply.code !== 'VALIDATION_ERROR')
      complain(
        'bank-acceptance',
        `${where(entry)}: a ${move.type} is told ${reply.code}; it ${isWrong ? 'must not' : 'must'} begin`,
      )
    if (!hasBegun) return
    const life = lifeOf(entry, move, move.type, null)
    begin(life)
    if (reply.code === 'OK') toTell.push(life)
  }

  const onQuote = (entry: Entry, command: QuoteCommand, reply: Reply): void => {
    const name = `q_${entry.id ?? ''}`
    const known = quotes.get(name)
    const bank = banks.get(command.bank)
    const judged = judgeQuote(bank, command)
    if (reply.quote === null) {
      if (!judged.codes.includes(reply.code) && reply.code !== 'UNAVAILABLE')
        complain(
          'bank-acceptance',
          `${where(entry)}: a quote is refused ${reply.code}; the auditor finds [${judged.codes.join()}]`,
        )
      return
    }
    const { deal, pair } = judged
    const expected = known?.promised ?? deal
    const expiresAt = known?.expiresAt ?? entry.now + BigInt(bank?.rules.quoteTtlMs ?? 0)
    if (expected === null || pair === null)
      return complain('bank-acceptance', `${where(entry)}: a quote is given where ${judged.codes.join()} is due`)
    const wrong = differences(
      { ...reply.quote },
      {
        side: command.side,
        price: expected.price,
        cryptoAmount: expected.crypto,
        fiatAmount: expected.fiat,
        expiresAt,
      },
    )
    if (wrong !== '') complain('bank-arithmetic', `quote ${name}: ${wrong}`)
    if (known !== undefined) return
    const { bank: bankName, bankUserId: customer, side, amount, currency } = command
    quotes.set(name, {
      id: name,
      bank: bankName,
      customer,
      side,
      amount,
      currency,
      symbol: pair.symbol,
      ticker: command.ticker.price,
      promised: expected,
      expiresAt,
      usedBy: null,
      isCancelled: false,
    })
  }

  const onCancel = (entry: Entry, bank: string, name: string, reply: Reply): void => {
    const quote = quotes.get(name)
    const isThere = quote !== undefined && quote.bank === bank && !quote.isCancelled
    if (reply.code === 'OK' && quote !== undefined) quote.isCancelled = true
    const isGone = quote !== undefined && quote.expiresAt + 600_000n <= entry.now
    const expected = !isThere ? 'QUOTE_NOT_FOUND' : quote.usedBy !== null ? 'QUOTE_USED' : 'OK'
    if (reply.code !== expected && !isGone)
      complain('bank-acceptance', `${where(entry)}: taking ${name} back is told ${reply.code}, not ${expected}`)
  }

  const onClient = (entry: Entry, reply: Reply): void => {
    const command = decodeClientCommand(entry.header.kind, bodyOf(entry.input))
    if (command === null || entry.code === refusalNumbers.INVALID_COMMAND) return
    if (command.kind === 'config') {
      if (reply.code !== 'OK') return
      const known = banks.get(command.rules.name)
      if (known === undefined)
        banks.set(command.rules.name, {
          rules: command.rules,
          eventSequence: 0n,
          events: [],
          byDay: new Map(),
          totals: new Map(),
        })
      else known.rules = command.rules
    } else if (command.kind === 'trade') onTrade(entry, command.trade, reply)
    else if (command.kind === 'move') onMove(entry, command.move, reply)
    else if (command.kind === 'quote') onQuote(entry, command.quote, reply)
    else onCancel(entry, command.cancel.bank, command.cancel.quoteName, reply)
  }

  const refusedFirst = (entry: Entry, life: BankLife, code: OutcomeCode): void => {
    if (code === 'UNAVAILABLE') return
    const isPoor = code === 'INSUFFICIENT_FUNDS' || code === 'ACCOUNT_NOT_FOUND'
    fail(entry, life, isPoor ? 'INSUFFICIENT_FUNDS' : code, 'failed')
  }

  const onLedger = (entry: Entry, outcome: LedgerOutcome): void => {
    const life = transactions.get(asked.get(entry.id ?? '') ?? '')
    if (life === undefined)
      return complain('bank-saga', `${where(entry)}: the ledger answers ${entry.id}, which nobody asked`)
    const { code } = outcome
    if (life.stage === 'holding') {
      if (code !== 'OK') return refusedFirst(entry, life, code)
      life.stage = 'authorizing'
      life.isAuthorizationCalled = true
    } else if (life.stage === 'moving' && code !== 'OK') refusedFirst(entry, life, code)
    else if (life.stage === 'releasing' && (code === 'OK' || code === 'HOLD_CLOSED')) finish(entry, life, 'failed')
    else if ((life.stage === 'posting' || life.stage === 'moving') && code === 'OK') {
      life.isFillBooked = life.stage === 'moving'
      life.ledgerNumber = outcome.transactionNumber ?? 0n
      life.balancesAfter = outcome.balancesAfter
      finish(entry, life, 'completed')
    } else if (life.stage === 'completed' && code === 'OK') life.isFillBooked = true
  }

  const onAuthorization = (entry: Entry, answer: AuthorizationAnswer): void => {
    const life = transactions.get(hex(answer.transactionId))
    if (life?.stage !== 'authorizing') return
    if (answer.result === 'acknowledged') {
      life.stage = 'ordering'
      life.isAcknowledged = true
    } else fail(entry, life, answer.result === 'declined' ? 'BANK_DECLINED' : 'BANK_CONNECTION_ERROR', 'releasing')
  }

  const onOrder = (entry: Entry, answer: OrderAnswer): void => {
    const life = transactions.get(hex(answer.transactionId))
    if (life?.stage !== 'ordering') return
    if (answer.result !== 'filled' || answer.executedPrice <= 0n || answer.executedQuantity <= 0n)
      return fail(entry, life, 'INSUFFICIENT_LIQUIDITY', 'releasing')
    life.executedPrice = answer.executedPrice
    life.executedQuantity = answer.executedQuantity
    life.stage = 'posting'
  }

  const compareTold = (entry: Entry, reply: Reply): void => {
    const told = new Map(reply.transactions.map((transaction) => [hex(transaction.id), transaction]))
    for (const life of toTell) {
      const transaction = told.get(life.id)
      told.delete(life.id)
      if (transaction === undefined) {
        complain('bank-saga', `${where(entry)}: transaction ${life.id} is ${life.stage} and nobody hears of it`)
        continue
      }
      life.told = transaction
      const wrong = differences({ ...transaction }, expectedOf(life))
      if (wrong !== '') complain('bank-arithmetic', `${where(entry)}: transaction ${life.id}: ${wrong}`)
      if (transaction.balancesAfter.join() !== life.balancesAfter.join())
        complain(
          'bank-arithmetic',
          `${where(entry)}: transaction ${life.id} has balances ${transaction.balancesAfter.join()}, not ` +
            `${life.balancesAfter.join()}`,
        )
      const totals = banks.get(life.bank)?.totals ?? new Map<string, bigint>()
      for (const { currency, amount } of life.finishedAt === 0n ? [] : transaction.totalsAfter)
        if (amount !== (totals.get(currency) ?? 0n))
          complain(
            'bank-arithmetic',
            `${where(entry)}: all customers of ${life.bank} have ${amount} ${currency}, not ${totals.get(currency) ?? 0n}`,
          )
    }
    for (const id of told.keys()) complain('bank-saga', `${where(entry)}: transaction ${id} is told without a reason`)
  }

  const checkCall = (record: AuditedRecord['record'], bytes: Uint8Array): void => {
    const call = decodeCall(bytes)
    const life = call.kind === 'webhook' ? undefined : transactions.get(hex(call.transactionId))
    const told = `the ${call.kind} call of record ${record.sequence} in ${partitionName(partition)}`
    if (call.kind === 'webhook') return
    if (life === undefined) return complain('bank-saga', `${told} is about no transaction`)
    if (call.kind === 'authorize') {
      const [amount, currency] =
        life.type === 'BUY' ? [life.fiat, life.fiatCurrency] : [life.crypto, life.cryptoCurrency]
      const wrong = differences(
        { ...call, amount: unitsOf(call.amount) },
        { bankUserId: life.customer, type: life.type, amount, currency },
      )
      if (wrong !== '') complain('bank-saga', `${told}: ${wrong}`)
    }
    if (call.kind === 'order') {
      const expected = {
        symbol: life.symbol,
        side: life.type,
        quantity: life.crypto,
        validUntil: record.now + ORDER_VALID_MS,
      }
      const wrong = differences({ ...call, quantity: unitsOf(call.quantity) }, expected)
      if (wrong !== '') complain('bank-saga', `${told}: ${wrong}`)
      if (!life.isAcknowledged) complain('bank-saga', `${told} is made before the bank has acknowledged`)
    }
    if (call.kind === 'reverse' && life.stage !== 'failed' && life.stage !== 'releasing')
      complain('bank-saga', `${told} takes back a transaction that is ${life.stage}`)
  }

  const follow = (entry: Entry): void => {
    toTell = []
    const { kind } = entry.header
    const reply = decodeReply(entry.outcome)
    if (entry.wasFaulted) return
    if (Object.values<number>(commandKinds).includes(kind)) onClient(entry, reply)
    else if (kind === KIND_LEDGER_OUTCOME) onLedger(entry, decodeLedgerOutcomeCommand(entry.input))
    else if (Object.values<number>(answerKinds).includes(kind)) {
      const answer = decodeAnswer(kind, bodyOf(entry.input))
      if (answer.kind === 'authorization') onAuthorization(entry, answer)
      if (answer.kind === 'order') onOrder(entry, answer)
    }
    compareTold(entry, reply)
  }

  for (const { record, entries } of records) {
    for (const entry of entries) follow(entry)
    for (const effect of record.effects) {
      if (effect.receiver === 0) checkCall(record, effect.bytes)
      else asked.set(hex(decodeHeader(effect.bytes).id), hex(decodeInstruction(effect.bytes).reference))
    }
  }
  return { partition, banks, transactions, quotes }
}
