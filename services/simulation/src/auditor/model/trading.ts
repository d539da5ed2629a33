import { codeOfNumber, refusalNumbers, type OutcomeCode } from '@bourse/common/errors/codes.ts'
import { decodeHeader, KIND_TIME } from '@bourse/common/kernel/command.ts'
import { outcomeBodyOf } from '@bourse/common/kernel/outcome.ts'
import { partitionName, type PartitionNumber } from '@bourse/common/kernel/partition.ts'
import type { NumberedEffect } from '@bourse/common/kernel/record.ts'
import { decodeInstruction } from '@bourse/risk-rules/ledger/codec.ts'
import {
  closeReasons,
  decodeClose,
  decodeCloseOutcome,
  decodeFunding,
  decodeFundingOutcome,
  decodeOpen,
  decodeOpenOutcome,
  decodeSpec,
  decodeState,
  decodeTick,
  decodeTickOutcome,
  directions,
  marketStates,
  tradingKinds,
  type ClosedTrade,
} from '@bourse/risk-rules/trading/codec.ts'
import {
  closingPrice,
  fundingMove,
  isAtTarget,
  isDue,
  isStopped,
  openingPrice,
  quoteAt,
  type Quote,
} from '../arithmetic/cfd.ts'
import { hex } from '../evidence/bytes.ts'
import { instructionOf, instructionText, type Instruction } from '../evidence/instruction.ts'
import type { AuditedRecord, Entry } from '../evidence/journals.ts'
import type { Complain } from '../findings.ts'
import { createMemory, keptOfTrade, type Memory } from './memory.ts'
import { hindrances, judgeOpening, type Surroundings } from './openings.ts'
import {
  closeOf,
  endOf,
  faultsOfClosed,
  faultsOfOpen,
  openFeeFor,
  openFeeOf,
  releaseOf,
  termsOf,
  type End,
  type Terms,
  type Trade,
} from './trades.ts'

/** A trade with its end, null while it is open. */
export interface TradeLife {
  readonly trade: Trade
  end: End | null
  /** The market's rules at the close (at the opening while it is open). */
  terms: Terms
}

/** A transfer that a trade owes, where. */
export interface Transfer {
  readonly partition: PartitionNumber
  readonly instruction: Instruction
}

/** What the auditor makes of a trading partition's journal. */
export interface TradingBook {
  readonly partition: PartitionNumber
  readonly lives: ReadonlyMap<bigint, TradeLife>
  /** F after each record, by its sequence. */
  readonly fundingAfter: ReadonlyMap<bigint, bigint>
  readonly terms: Terms | null
  readonly state: number
  readonly memory: Memory
  /** Money of all trades, in the order it was decided. */
  readonly transfers: readonly Transfer[]
}

/** Refusals taken on trust: a table is full, or the command itself was at fault. */
const trusted: ReadonlySet<number> = new Set([
  refusalNumbers.CAPACITY_EXCEEDED,
  refusalNumbers.UNAVAILABLE,
  refusalNumbers.ENGINE_FAULT,
  refusalNumbers.INVALID_COMMAND,
  refusalNumbers.AMOUNT_OVERFLOW,
])

const MEMO_HEADER_BYTES = 8

interface Market {
  terms: Terms | null
  state: number
  funding: bigint
  firstTickAt: bigint
  nextFunding: bigint
  lastNumber: bigint
  netQuantity: bigint
  readonly open: Map<bigint, Trade>
  /** What a tick still closes, in order. */
  pending: { readonly number: bigint; readonly reason: number }[]
  pendingQuote: Quote
}

const instantAfter = (time: bigint, intervalSeconds: number): bigint => {
  const interval = BigInt(intervalSeconds) * 1_000n
  return interval === 0n ? 0n : time - (time % interval) + interval
}

/**
 * Follows a trading partition's journal with a market of its own; every outcome and every transfer must be what that
 * market gives.
 */
export const followTrading = (
  partition: PartitionNumber,
  records: readonly AuditedRecord[],
  complain: Complain,
): TradingBook => {
  const market: Market = {
    terms: null,
    state: 0,
    funding: 0n,
    firstTickAt: 0n,
    nextFunding: 0n,
    lastNumber: 0n,
    netQuantity: 0n,
    open: new Map(),
    pending: [],
    pendingQuote: { bid: 0n, ask: 0n },
  }
  const lives = new Map<bigint, TradeLife>()
  const fundingAfter = new Map<bigint, bigint>()
  const transfers: Transfer[] = []
  const memory = createMemory(complain, keptOfTrade)
  /** What the current record owes, in order: the transfer and the trade's bytes in its memo. */
  let owed: { readonly transfer: Transfer; readonly memo: Uint8Array | null }[] = []

  const where = (entry: Entry): string => `record ${entry.sequence} of ${partitionName(partition)}`
  const owe = (ledger: PartitionNumber, instruction: Instruction, memo: Uint8Array | null): void => {
    const transfer = { partition: ledger, instruction }
    owed.push({ transfer, memo })
    transfers.push(transfer)
  }
  const around = (terms: Terms, account: string, now: bigint): Surroundings => ({
    terms,
    state: market.state,
    now,
    funding: market.funding,
    ownTrades: [...market.open.values()].filter((trade) => trade.account === account).length,
    netQuantity: market.netQuantity,
  })
  /** True when the code told is the expected one. */
  const isTold = (entry: Entry, expected: readonly OutcomeCode[], statement: string): boolean => {
    const told = codeOfNumber(entry.code)
    if (expected.includes(told)) return true
    complain(statement, `${where(entry)} is told ${told}; by the auditor's market it is ${expected.join(' or ')}`)
    return false
  }

  const onSpec = (entry: Entry): void => {
    if (entry.code !== refusalNumbers.OK) return
    const before = market.terms
    const terms = termsOf(decodeSpec(entry.input))
    market.terms = terms
    if (before === null || before.state !== terms.state) market.state = terms.state
    if (terms.fundingIntervalSeconds === 0) market.nextFunding = 0n
    else {
      const isDueNow = market.nextFunding !== 0n && market.nextFunding <= entry.now
      const isNew = before === null || before.fundingIntervalSeconds !== terms.fundingIntervalSeconds
      const from = entry.now > market.firstTickAt ? entry.now : market.firstTickAt
      if (isNew && market.firstTickAt !== 0n && !isDueNow)
        market.nextFunding = instantAfter(from, terms.fundingIntervalSeconds)
    }
  }

  const onOpen = (entry: Entry): void => {
    const open = decodeOpen(entry.input)
    const account = hex(open.account)
    const openId = entry.id ?? ''
    if (entry.code !== refusalNumbers.OK) owe(open.ledgerPartition, releaseOf(openId), null)
    if (trusted.has(entry.code)) return
    const { terms } = market
    if (terms === null) return void isTold(entry, ['MARKET_NOT_FOUND'], 'opening')
    const surroundings = around(terms, account, entry.now)
    const hindered = hindrances(surroundings, open, true)
    if (hindered.length > 0) return void isTold(entry, hindered, 'opening')
    const quantity = judgeOpening(open, surroundings)
    if (typeof quantity === 'string') return void isTold(entry, [quantity], 'opening')
    if (!isTold(entry, ['OK'], 'opening')) return
    const isLong = open.direction === directions.LONG
    const entryPrice = openingPrice(isLong, quoteAt(open.feedBid, open.feedAsk, terms.spreadBps, terms.tickSize))
    market.lastNumber += 1n
    market.netQuantity += isLong ? quantity : -quantity
    const trade: Trade = {
      number: market.lastNumber,
      account,
      openId,
      isLong,
      ledgerPartition: open.ledgerPartition,
      leverage: open.leverage,
      margin: open.margin,
      quantity,
      entryPrice,
      fundingAtOpen: market.funding,
      stopLoss: open.stopLoss,
      takeProfit: open.takeProfit,
      openFee: openFeeFor(terms, quantity, entryPrice),
      openedAt: entry.now,
      tiers: terms.tiersWithAmounts,
      openedIn: entry.sequence,
    }
    market.open.set(trade.number, trade)
    lives.set(trade.number, { trade, end: null, terms })
    const wrong = faultsOfOpen(decodeOpenOutcome(entry.outcome), trade, market.funding, terms.tickSize)
    if (wrong !== '') complain('trade-arithmetic', `the trade opened in ${where(entry)}: ${wrong}`)
    owe(trade.ledgerPartition, openFeeOf(trade, terms), outcomeBodyOf(entry.outcome))
  }

  const close = (
    entry: Entry,
    trade: Trade,
    price: bigint,
    reason: number,
    told: ClosedTrade | undefined,
    bytes: Uint8Array,
  ): void => {
    const { terms } = market
    const life = lives.get(trade.number)
    if (terms === null || life === undefined) return
    const end = endOf(trade, terms, {
      price,
      reason,
      funding: market.funding,
      now: entry.now,
      sequence: entry.sequence,
    })
    life.end = end
    life.terms = terms
    market.open.delete(trade.number)
    market.netQuantity -= trade.isLong ? trade.quantity : -trade.quantity
    const wrong = told === undefined ? 'it is not told at all' : faultsOfClosed(told, trade, end, terms.tickSize)
    if (wrong !== '') complain('trade-arithmetic', `trade ${trade.number} closed in ${where(entry)}: ${wrong}`)
    owe(trade.ledgerPartition, closeOf(trade, end, terms), bytes)
  }

  const onClose = (entry: Entry): void => {
    if (trusted.has(entry.code)) return
    const asked = decodeClose(entry.input)
    const { terms } = market
    if (terms === null) return void isTold(entry, ['MARKET_NOT_FOUND'], 'close')
    const trade = market.open.get(asked.tradeNumber)
    if (trade === undefined) {
      const isPast = asked.tradeNumber > 0n && asked.tradeNumber <= market.lastNumber
      return void isTold(entry, [isPast ? 'TRADE_CLOSED' : 'TRADE_NOT_FOUND'], 'close')
    }
    if (trade.account !== hex(asked.account)) return void isTold(entry, ['TRADE_NOT_FOUND'], 'close')
    const hindered = hindrances(around(terms, trade.account, entry.now), asked, false)
    if (hindered.length > 0) return void isTold(entry, hindered, 'close')
    const price = closingPrice(trade.isLong, quoteAt(asked.feedBid, asked.feedAsk, terms.spreadBps, terms.tickSize))
    const { worstPrice } = asked
    const isWorse = worstPrice !== 0n && (trade.isLong ? price < worstPrice : price > worstPrice)
    if (!isTold(entry, [isWorse ? 'PRICE_MOVED' : 'OK'], 'close') || isWorse) return
    close(entry, trade, price, closeReasons.USER, decodeCloseOutcome(entry.outcome), outcomeBodyOf(entry.outcome))
  }

  /** Applies every instant due at or before `time`; gives how many there were. */
  const fund = (terms: Terms, time: bigint, feedBid: bigint, feedAsk: bigint): bigint => {
    let instants = 0n
    const interval = BigInt(terms.fundingIntervalSeconds) * 1_000n
    while (market.nextFunding !== 0n && market.nextFunding <= time) {
      market.funding += fundingMove(feedBid, feedAsk, terms.fundingRateBps, terms.fundingCapBps)
      market.nextFunding = market.nextFunding - (market.nextFunding % interval) + interval
      instants += 1n
    }
    return instants
  }

  const onFunding = (entry: Entry): void => {
    if (trusted.has(entry.code)) return
    const { terms } = market
    if (terms === null) return void isTold(entry, ['MARKET_NOT_FOUND'], 'funding')
    if (!isTold(entry, ['OK'], 'funding')) return
    const due = decodeFunding(entry.input)
    const instants = fund(terms, due.dueTime, due.feedBid, due.feedAsk)
    const told = decodeFundingOutcome(entry.outcome)
    if (told.funding !== market.funding || told.nextFunding !== market.nextFunding || told.instants !== instants)
      complain(
        'funding',
        `${where(entry)}: F ${told.funding} after ${told.instants} instants, next ${told.nextFunding}; it is ` +
          `${market.funding} after ${instants}, next ${market.nextFunding}`,
      )
    if (due.dueTime > entry.now)
      complain('funding', `${where(entry)}: funding of ${due.dueTime} is applied before its time`)
  }

  /** Closes what the tick triggers, in the contract's order; the first group that applies to a trade wins. */
  const onTick = (entry: Entry): void => {
    if (trusted.has(entry.code)) return
    const { terms } = market
    if (terms === null) return void isTold(entry, ['MARKET_NOT_FOUND'], 'tick')
    if (market.state === marketStates.Halted) return void isTold(entry, ['MARKET_HALTED'], 'tick')
    if (!isTold(entry, ['OK'], 'tick')) return
    const tick = decodeTick(entry.input)
    if (market.firstTickAt === 0n) {
      market.firstTickAt = tick.quoteTime
      market.nextFunding = instantAfter(tick.quoteTime, terms.fundingIntervalSeconds)
    }
    const isFirst = tick.previousBid === 0n
    fund(terms, tick.quoteTime, isFirst ? tick.feedBid : tick.previousBid, isFirst ? tick.feedAsk : tick.previousAsk)
    const quote = quoteAt(tick.feedBid, tick.feedAsk, terms.spreadBps, terms.tickSize)
    const groups: { number: bigint; reason: number }[][] = [[], [], []]
    for (const trade of market.open.values()) {
      const price = closingPrice(trade.isLong, quote)
      if (isDue(trade, price, market.funding))
        groups[0]?.push({ number: trade.number, reason: closeReasons.LIQUIDATION })
      else if (isStopped(trade, trade.stopLoss, price))
        groups[1]?.push({ number: trade.number, reason: closeReasons.STOP_LOSS })
      else if (isAtTarget(trade, trade.takeProfit, price))
        groups[2]?.push({ number: trade.number, reason: closeReasons.TAKE_PROFIT })
    }
    market.pending = groups.flat()
    market.pendingQuote = quote
    onContinue(entry)
  }

  const onContinue = (entry: Entry): void => {
    if (entry.code !== refusalNumbers.OK) return
    const told = decodeTickOutcome(entry.outcome)
    const due = market.pending.splice(0, told.more ? told.closed.length : market.pending.length)
    const numbers = (closes: readonly { readonly reason: number }[], of: (index: number) => bigint): string =>
      closes.map(({ reason }, index) => `${of(index)} (reason ${reason})`).join(', ')
    const toldText = numbers(told.closed, (index) => told.closed[index]!.tradeNumber)
    const dueText = numbers(due, (index) => due[index]!.number)
    if (toldText !== dueText)
      complain('close-precedence', `the tick of ${where(entry)} closes [${toldText}]; due are [${dueText}]`)
    if (told.funding !== market.funding || told.nextFunding !== market.nextFunding)
      complain(
        'funding',
        `the tick of ${where(entry)}: F ${told.funding}, next ${told.nextFunding}; it is ${market.funding}, ` +
          `next ${market.nextFunding}`,
      )
    const body = outcomeBodyOf(entry.outcome)
    const bytesEach = told.closed.length === 0 ? 0 : (body.length - 24) / told.closed.length
    for (const { number, reason } of due) {
      const trade = market.open.get(number)
      const index = told.closed.findIndex((one) => one.tradeNumber === number)
      if (trade === undefined) continue
      const bytes = body.subarray(24 + index * bytesEach, 24 + (index + 1) * bytesEach)
      close(entry, trade, closingPrice(trade.isLong, market.pendingQuote), reason, told.closed[index], bytes)
    }
  }

  const onState = (entry: Entry): void => {
    if (entry.code === refusalNumbers.OK) market.state = decodeState(entry.input)
  }

  const handlers = new Map<number, (entry: Entry) => void>([
    [tradingKinds.spec, onSpec],
    [tradingKinds.open, onOpen],
    [tradingKinds.close, onClose],
    [tradingKinds.tick, onTick],
    [tradingKinds.continue, onContinue],
    [tradingKinds.funding, onFunding],
    [tradingKinds.state, onState],
    [KIND_TIME, () => undefined],
  ])

  const follow = (entry: Entry): void => {
    const handler = handlers.get(entry.header.kind)
    if (handler === undefined) return
    if (memory.judge(entry) === 'repeated') return
    memory.remember(entry)
    handler(entry)
  }

  const describe = (effect: NumberedEffect): string =>
    decodeHeader(effect.bytes).kind > 7
      ? 'no instruction'
      : `at ${effect.receiver}: ${instructionText(instructionOf(decodeInstruction(effect.bytes)))}`

  const compareEffects = (record: AuditedRecord['record']): void => {
    record.effects.forEach((effect, index) => {
      const expected = owed[index]
      const found = describe(effect)
      const due =
        expected === undefined
          ? 'nothing'
          : `at ${expected.transfer.partition}: ${instructionText(expected.transfer.instruction)}`
      if (found !== due)
        complain(
          'trade-transfers',
          `record ${record.sequence} of ${partitionName(partition)} sends ${found}; it owes ${due}`,
        )
      else if (expected !== undefined && expected.memo !== null) {
        const memo = decodeInstruction(effect.bytes).memo.subarray(MEMO_HEADER_BYTES)
        if (Buffer.compare(memo.subarray(0, expected.memo.length), expected.memo) !== 0)
          complain(
            'trade-transfers',
            `effect ${effect.number} of ${partitionName(partition)} carries another trade than the outcome tells`,
          )
      }
    })
    if (owed.length > record.effects.length)
      complain(
        'trade-transfers',
        `record ${record.sequence} of ${partitionName(partition)} sends ${record.effects.length} transfers of ` +
          `${owed.length} it owes`,
      )
  }

  for (const { record, entries } of records) {
    owed = []
    for (const entry of entries) follow(entry)
    compareEffects(record)
    fundingAfter.set(record.sequence, market.funding)
  }
  return { partition, lives, fundingAfter, terms: market.terms, state: market.state, memory, transfers }
}
