import { createHash } from 'node:crypto'
import { withSender } from '@bourse/common/kernel/command.ts'
import { OUTSIDE, type Effect, type Machine } from '@bourse/common/kernel/machine.ts'
import { partitionNumber, type PartitionNumber } from '@bourse/common/kernel/partition.ts'
import { parseAmount } from '@bourse/common/money/amount.ts'
import type { JournalRecord } from '@bourse/common/kernel/record.ts'
import { createReferenceLedgerMachine } from '@bourse/risk-rules/reference/ledger/machine.ts'
import { balancesQuestion, decodeBalances, decodeSums, sumsQuestion } from '@bourse/risk-rules/ledger/queries.ts'
import { systemAccount, bankCustomerOwner } from '@bourse/risk-rules/ledger/accounts.ts'
import type { BankRules } from '../src/codec/bank-rules.ts'
import { decodeCall, encodeAnswer, type BridgeAnswer, type BridgeCall } from '../src/codec/calls.ts'
import {
  encodeCancelQuote,
  encodeConfig,
  encodeMove,
  encodeQuote,
  encodeTrade,
  type MoveCommand,
  type Ticker,
  type TradeCommand,
} from '../src/codec/commands.ts'
import { transactionIdOf } from '../src/codec/identifiers.ts'
import { encodeQuestion } from '../src/codec/questions.ts'
import { decodeReply, type Reply } from '../src/codec/reply.ts'
import type { Transaction } from '../src/codec/transaction.ts'
import { createBridgeMachine } from '../src/machine/machine.ts'

/** A moment to start at, and the bridge partition of the tests. */
export const START = 1_700_000_000_000n
export const BRIDGE = partitionNumber('bridge', 0)

/** The contract's demo bank. */
export const demoRules = (change: Partial<BankRules> = {}): BankRules => ({
  name: 'demo',
  suspended: false,
  callbackUrl: 'http://bank',
  callbackTimeoutMs: 2_000,
  callbackRetries: 3,
  quoteTtlMs: 10_000,
  slippageBps: parseAmount('50'),
  dailyAmount: parseAmount('10000000'),
  dailyAmountPerCustomer: parseAmount('10000'),
  limitCurrency: 'AZN',
  pairs: [
    {
      symbol: 'AZNUSDT',
      baseAsset: 'USDT',
      quoteAsset: 'AZN',
      spreadBps: parseAmount('150'),
      minAmount: parseAmount('1'),
      maxAmount: parseAmount('100000'),
      tickSize: parseAmount('0.0001'),
      lotSize: parseAmount('0.01'),
    },
  ],
  ...change,
})

/** 16 bytes from a text. */
export const bytes16 = (text: string): Uint8Array =>
  new Uint8Array(createHash('sha256').update(text).digest().subarray(0, 16))

/** A ticker with this price. */
export const ticker = (price: string): Ticker => ({ state: 'price', price: parseAmount(price) })

/** A buy or sell of the demo bank. */
export const tradeOf = (change: Partial<TradeCommand> = {}): TradeCommand => ({
  ticker: ticker('1.6847'),
  bank: 'demo',
  bankUserId: 'user_123',
  idempotencyKey: 'key-1',
  side: 'BUY',
  quoteName: '',
  amount: parseAmount('100.00'),
  currency: 'AZN',
  ...change,
})

/** A deposit of the demo bank. */
export const moveOf = (change: Partial<MoveCommand> = {}): MoveCommand => ({
  bank: 'demo',
  bankUserId: 'user_123',
  idempotencyKey: 'move-1',
  type: 'DEPOSIT',
  amount: parseAmount('100.00'),
  currency: 'AZN',
  reference: 'salary',
  ...change,
})

/** A call to the outside that waits for its answer. */
export interface WaitingCall {
  readonly number: bigint
  readonly bytes: Uint8Array
  readonly call: BridgeCall
}

interface Seat {
  machine: Machine
  readonly make: () => Machine
  /** Last effect number per receiver. */
  readonly numbers: Map<number, bigint>
}

/**
 * A world of one bridge and its ledgers, moved by hand. With `crashing` every command meets a machine restored from a
 * snapshot.
 */
export const createWorld = (
  options: {
    readonly ledgerPartitions?: number
    readonly crashing?: boolean
    readonly rules?: BankRules
    readonly clockMs?: () => number
  } = {},
) => {
  const ledgerPartitions = options.ledgerPartitions ?? 2
  const seats = new Map<PartitionNumber, Seat>()
  const seat = (number: PartitionNumber, make: () => Machine): void => {
    seats.set(number, { machine: make(), make, numbers: new Map() })
  }
  const ledgers = Array.from({ length: ledgerPartitions }, (_, index) => partitionNumber('ledger', index))
  const capacities = { accountsMax: 1_000, holdsMax: 1_000, idsMax: 10_000 }
  seat(BRIDGE, () => createBridgeMachine({ ledgerPartitions }))
  for (const ledger of ledgers) seat(ledger, () => createReferenceLedgerMachine(capacities))

  const calls = new Map<bigint, WaitingCall>()
  const records: JournalRecord[] = []
  const instructions: Uint8Array[] = []
  const settled: string[] = []
  let moved = START
  const nowOf = (): bigint => (options.clockMs === undefined ? moved : BigInt(options.clockMs()))

  const seatOf = (number: PartitionNumber): Seat => {
    const found = seats.get(number)
    if (found === undefined) throw new Error(`no partition ${number}`)
    return found
  }
  const crash = (number: PartitionNumber): void => {
    const { machine, make } = seatOf(number)
    const next = make()
    next.restore(machine.snapshot())
    if (next.stateHash() !== machine.stateHash()) throw new Error('a restored machine differs')
    seatOf(number).machine = next
  }
  const numbered = (from: PartitionNumber, to: number): bigint => {
    const numbers = seatOf(from).numbers
    const number = (numbers.get(to) ?? 0n) + 1n
    numbers.set(to, number)
    return number
  }
  const held: { readonly from: PartitionNumber; readonly to: PartitionNumber; readonly bytes: Uint8Array }[] = []
  let holding = false
  const release = (from: PartitionNumber, effect: Effect): void => {
    if (effect.to === OUTSIDE) {
      const number = numbered(from, 0)
      calls.set(number, { number, bytes: effect.bytes, call: decodeCall(effect.bytes) })
      return
    }
    held.push({ from, to: effect.to, bytes: withSender(effect.bytes, from, numbered(from, effect.to)) })
    if (!holding) flush()
  }
  const flush = (): void => {
    for (let next = held.shift(); next !== undefined; next = held.shift()) {
      if (next.from === BRIDGE) instructions.push(next.bytes)
      order(next.to, next.bytes)
    }
  }
  const order = (to: PartitionNumber, command: Uint8Array): Uint8Array => {
    if (options.crashing === true && to === BRIDGE) crash(BRIDGE)
    const { machine } = seatOf(to)
    const now = nowOf()
    const applied = machine.apply([command], now, machine.behaviourVersion)
    const [outcome] = applied.outcomes
    if (outcome === undefined) throw new Error('no outcome')
    if (to === BRIDGE) {
      const sequence = BigInt(records.length) + 1n
      records.push({
        partition: to,
        sequence,
        now,
        behaviour: machine.behaviourVersion,
        previousHash: new Uint8Array(32),
        inputs: [command],
        outcomes: [outcome],
        effects: [],
        faulted: [],
      })
      settled.push(...applied.settledIds.map((id) => Buffer.from(id).toString('hex')))
    }
    for (const effect of applied.effects) release(to, effect)
    return outcome
  }
  const say = (command: Uint8Array): Reply => decodeReply(order(BRIDGE, command))
  const ask = (question: Parameters<typeof encodeQuestion>[0]): Reply =>
    decodeReply(seatOf(BRIDGE).machine.query(encodeQuestion(question)).bytes)

  const answer = (waiting: WaitingCall, said: BridgeAnswer): Reply => {
    const command = encodeAnswer(said)
    new DataView(command.buffer).setBigUint64(48, waiting.number, true)
    calls.delete(waiting.number)
    return decodeReply(order(BRIDGE, command))
  }
  const waiting = (kind: BridgeCall['kind']): WaitingCall => {
    const found = [...calls.values()].find((one) => one.call.kind === kind)
    if (found === undefined) throw new Error(`no ${kind} call waits among ${calls.size}`)
    return found
  }
  const authorization = (result: 'acknowledged' | 'declined' | 'unreachable'): Reply => {
    const one = waiting('authorize')
    return one.call.kind === 'authorize'
      ? answer(one, { kind: 'authorization', transactionId: one.call.transactionId, result })
      : fault()
  }
  const fill = (result: 'filled' | 'rejected' | 'absent', executedPrice = '0', executedQuantity = '0'): Reply => {
    const one = waiting('order')
    if (one.call.kind !== 'order') return fault()
    return answer(one, {
      kind: 'order',
      transactionId: one.call.transactionId,
      result,
      executedPrice: parseAmount(executedPrice),
      executedQuantity: parseAmount(executedQuantity),
    })
  }
  const reversal = (acknowledged: boolean): Reply => {
    const one = waiting('reverse')
    return one.call.kind === 'reverse'
      ? answer(one, { kind: 'reversal', transactionId: one.call.transactionId, bank: one.call.bank, acknowledged })
      : fault()
  }
  const webhook = (acknowledged: boolean): Reply => {
    const one = waiting('webhook')
    return one.call.kind === 'webhook'
      ? answer(one, { kind: 'webhook', bank: one.call.bank, sequence: one.call.sequence, acknowledged })
      : fault()
  }
  const fault = (): never => {
    throw new Error('another kind of call')
  }

  say(encodeConfig(options.rules ?? demoRules()))

  return {
    records,
    instructions,
    settled,
    say,
    order,
    ask,
    authorization,
    fill,
    reversal,
    webhook,
    waiting,
    flush,
    ledgers,
    ledgerPartitions,
    machine: () => seatOf(BRIDGE).machine,
    calls: () => [...calls.values()],
    /** Hands over a call: its answer is ordered by the caller. */
    take: (number: bigint) => calls.delete(number),
    seatOf,
    callKinds: () => [...calls.values()].map((one) => one.call.kind).sort(),
    crash: () => {
      crash(BRIDGE)
    },
    /** Effects between partitions wait until `flush` while held. */
    hold: (on: boolean) => {
      holding = on
    },
    /** Takes out what is held: it never arrives. */
    takeHeld: (): Uint8Array[] => held.splice(0).map((one) => one.bytes),
    later: (ms: bigint) => {
      moved += ms
    },
    now: nowOf,
    configure: (rules: BankRules) => say(encodeConfig(rules)),
    cancelQuote: (bank: string, name: string) => say(encodeCancelQuote({ bank, quoteName: name })),
    trade: (trade: TradeCommand, hash = 'same') =>
      say(encodeTrade({ id: bytes16(trade.idempotencyKey), requestHash: bytes16(hash) }, trade)),
    move: (move: MoveCommand, hash = 'same') =>
      say(encodeMove({ id: bytes16(move.idempotencyKey), requestHash: bytes16(hash) }, move)),
    quote: (name: string, change: Partial<Parameters<typeof encodeQuote>[1]> = {}) =>
      say(
        encodeQuote(bytes16(name), {
          ticker: ticker('1.6847'),
          bank: 'demo',
          bankUserId: 'user_123',
          side: 'BUY',
          amount: parseAmount('100.00'),
          currency: 'AZN',
          ...change,
        }),
      ),
    /** Step of a transaction, 0 while it is not there. */
    transactionStep: (idempotencyKey: string): number =>
      ask({ kind: 'transaction', bank: 'demo', transactionId: transactionIdOf(bytes16(idempotencyKey)) })
        .transactions[0]?.step ?? 0,
    transaction: (idempotencyKey: string): Transaction => {
      const reply = ask({ kind: 'transaction', bank: 'demo', transactionId: transactionIdOf(bytes16(idempotencyKey)) })
      const [found] = reply.transactions
      if (found === undefined) throw new Error(`no transaction ${idempotencyKey}`)
      return found
    },
    /** Balance and locked of a customer, or of a system account over all partitions, by currency. */
    balance: (account: string, currency: string): readonly [bigint, bigint] => {
      const owner = account.startsWith('user_') ? bankCustomerOwner('demo', account) : systemAccount(account)
      const all = ledgers.flatMap((ledger) =>
        decodeBalances(seatOf(ledger).machine.query(balancesQuestion(owner)).bytes),
      )
      const own = all.filter((one) => one.currency === currency)
      return [own.reduce((sum, one) => sum + one.balance, 0n), own.reduce((sum, one) => sum + one.locked, 0n)]
    },
    /** Sums of all accounts by currency: zero, or the books are wrong. */
    sums: (): Map<string, bigint> => {
      const sums = new Map<string, bigint>()
      for (const ledger of ledgers) {
        for (const sum of decodeSums(seatOf(ledger).machine.query(sumsQuestion()).bytes)) {
          sums.set(sum.currency, (sums.get(sum.currency) ?? 0n) + sum.balance)
        }
      }
      return sums
    },
    lockedAnywhere: (): bigint =>
      ledgers.reduce(
        (total, ledger) =>
          total +
          decodeSums(seatOf(ledger).machine.query(sumsQuestion()).bytes).reduce((sum, one) => sum + one.locked, 0n),
        0n,
      ),
  }
}

/** A world, moved by hand. */
export type World = ReturnType<typeof createWorld>
