import fc from 'fast-check'
import type { BankRules } from '../../src/codec/bank-rules.ts'
import type { BridgeAnswer, BridgeCall } from '../../src/codec/calls.ts'
import type {
  CancelQuoteCommand,
  RedeliverCommand,
  MoveCommand,
  QuoteCommand,
  Ticker,
  TradeCommand,
} from '../../src/codec/commands.ts'
import type { Question } from '../../src/codec/questions.ts'
import type { Reply } from '../../src/codec/reply.ts'
import { steps, transactionTypes, type Transaction, type TransactionType } from '../../src/codec/transaction.ts'
import { refusalNumbers, type OutcomeCode } from '@bourse/common/errors/codes.ts'

/** Arbitrary values of everything the bridge encodes, edges of their fields included. */

export const u8 = fc.nat({ max: 0xff })
export const u16 = fc.nat({ max: 0xffff })
export const u32 = fc.nat({ max: 0xffff_ffff })
export const u64 = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n })
export const i64 = fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n })
export const i128 = fc.bigInt({ min: -(1n << 127n), max: (1n << 127n) - 1n })
export const bytes16 = fc.uint8Array({ minLength: 16, maxLength: 16 })
/** Any text that UTF-8 can carry. */
export const text = fc.string({ unit: 'binary', maxLength: 40 })
const sides = fc.constantFrom<'BUY' | 'SELL'>('BUY', 'SELL')

export const rules: fc.Arbitrary<BankRules> = fc.record({
  name: text,
  suspended: fc.boolean(),
  callbackUrl: text,
  callbackTimeoutMs: u32,
  callbackRetries: u32,
  quoteTtlMs: u32,
  slippageBps: i128,
  dailyAmount: i128,
  dailyAmountPerCustomer: i128,
  limitCurrency: text,
  pairs: fc.array(
    fc.record({
      symbol: text,
      baseAsset: text,
      quoteAsset: text,
      spreadBps: i128,
      minAmount: i128,
      maxAmount: i128,
      tickSize: i128,
      lotSize: i128,
    }),
    { maxLength: 3 },
  ),
})

const ticker: fc.Arbitrary<Ticker> = fc.record({
  state: fc.constantFrom<Ticker['state']>('none', 'price', 'unavailable'),
  price: i128,
})

export const trade: fc.Arbitrary<TradeCommand> = fc.record({
  ticker,
  bank: text,
  bankUserId: text,
  idempotencyKey: text,
  side: sides,
  quoteName: text,
  amount: i128,
  currency: text,
})
export const move: fc.Arbitrary<MoveCommand> = fc.record({
  bank: text,
  bankUserId: text,
  idempotencyKey: text,
  type: fc.constantFrom<'DEPOSIT' | 'WITHDRAWAL'>('DEPOSIT', 'WITHDRAWAL'),
  amount: i128,
  currency: text,
  reference: text,
})
export const quote: fc.Arbitrary<QuoteCommand> = fc.record({
  ticker,
  bank: text,
  bankUserId: text,
  side: sides,
  amount: i128,
  currency: text,
})
export const cancel: fc.Arbitrary<CancelQuoteCommand> = fc.record({ bank: text, quoteName: text })
export const redeliver: fc.Arbitrary<RedeliverCommand> = fc.record({ bank: text, first: u64, through: u64 })

export const calls: fc.Arbitrary<BridgeCall> = fc.oneof(
  fc.record({
    kind: fc.constant('authorize' as const),
    transactionId: bytes16,
    callbackUrl: text,
    timeoutMs: u32,
    retries: u32,
    bankUserId: text,
    type: sides,
    amount: text,
    currency: text,
  }),
  fc.record({
    kind: fc.constant('order' as const),
    transactionId: bytes16,
    symbol: text,
    side: sides,
    quantity: text,
    validUntil: i64,
  }),
  fc.record({
    kind: fc.constant('reverse' as const),
    transactionId: bytes16,
    bank: text,
    callbackUrl: text,
    timeoutMs: u32,
  }),
  fc.record({
    kind: fc.constant('webhook' as const),
    bank: text,
    callbackUrl: text,
    timeoutMs: u32,
    sequence: u64,
    transaction: fc.uint8Array({ maxLength: 60 }),
  }),
  fc.record({
    kind: fc.constant('redeliver' as const),
    id: bytes16,
    bank: text,
    callbackUrl: text,
    timeoutMs: u32,
    sequence: u64,
  }),
)

export const answers: fc.Arbitrary<BridgeAnswer> = fc.oneof(
  fc.record({
    kind: fc.constant('authorization' as const),
    transactionId: bytes16,
    result: fc.constantFrom<'acknowledged' | 'declined' | 'unreachable'>('acknowledged', 'declined', 'unreachable'),
  }),
  fc.record({
    kind: fc.constant('order' as const),
    transactionId: bytes16,
    result: fc.constantFrom<'filled' | 'rejected' | 'absent'>('filled', 'rejected', 'absent'),
    executedPrice: i128,
    executedQuantity: i128,
  }),
  fc.record({ kind: fc.constant('reversal' as const), transactionId: bytes16, bank: text, acknowledged: fc.boolean() }),
  fc.record({ kind: fc.constant('webhook' as const), bank: text, sequence: u64, acknowledged: fc.boolean() }),
  fc.record({
    kind: fc.constant('redelivery' as const),
    id: bytes16,
    bank: text,
    sequence: u64,
    acknowledged: fc.boolean(),
  }),
)

export const questions: fc.Arbitrary<Question> = fc.oneof(
  fc.record({ kind: fc.constant('transaction' as const), bank: text, transactionId: bytes16 }),
  fc.record({ kind: fc.constant('transactionByKey' as const), bank: text, idempotencyKey: text }),
  fc.record({ kind: fc.constant('customer' as const), bank: text, bankUserId: text }),
  fc.record({ kind: fc.constant('bank' as const), bank: text }),
  fc.record({ kind: fc.constant('symbolToAsk' as const), command: fc.uint8Array({ maxLength: 90 }) }),
  fc.record({ kind: fc.constant('inFlight' as const) }),
  fc.record({ kind: fc.constant('backlog' as const) }),
  fc.record({ kind: fc.constant('dayUse' as const), bank: text }),
)

const base = {
  id: bytes16,
  commandId: bytes16,
  requestHash: bytes16,
  bank: text,
  bankUserId: text,
  idempotencyKey: text,
  type: fc.constantFrom(...(Object.keys(transactionTypes) as TransactionType[])),
  quoteName: text,
  reference: text,
  symbol: text,
  fiatCurrency: text,
  cryptoCurrency: text,
  fiatAmount: i128,
  cryptoAmount: i128,
  price: i128,
  tickerPrice: i128,
  spreadEarned: i128,
  priceDecimals: u8,
  cryptoDecimals: u8,
  number: u64,
  createdAt: i64,
}
export const transactions: fc.Arbitrary<Transaction> = fc.record({
  ...base,
  step: fc.constantFrom(...Object.values(steps)),
  reserved: i128,
  authorizationCalled: fc.boolean(),
  executedPrice: i128,
  executedQuantity: i128,
  attempt: u32,
  holdAttempt: u32,
  retryAt: i64,
  settled: fc.boolean(),
  fillBooked: fc.boolean(),
  code: u16,
  message: text,
  finishedAt: i64,
  ledgerNumber: u64,
  balancesAfter: fc.array(i128, { maxLength: 16 }),
  eventSequence: u64,
  totalsAfter: fc.array(fc.record({ currency: text, amount: i128 }), { maxLength: 4 }),
})

export const replies: fc.Arbitrary<Reply> = fc.record({
  code: fc.constantFrom(...(Object.keys(refusalNumbers) as OutcomeCode[])),
  recorded: fc.boolean(),
  message: text,
  retryAfterSeconds: u32,
  quote: fc.option(
    fc.record({
      quoteId: bytes16,
      side: sides,
      price: i128,
      cryptoAmount: i128,
      fiatAmount: i128,
      priceDecimals: u8,
      cryptoDecimals: u8,
      expiresAt: i64,
    }),
  ),
  transactions: fc.array(transactions, { maxLength: 2 }),
  currencies: fc.array(fc.record({ currency: text, decimals: u8 }), { maxLength: 3 }),
  eventSequence: u64,
})
