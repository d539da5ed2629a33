import { createBinaryReader, createBinaryWriter } from '@bourse/common/codec/binary.ts'
import { codeOfNumber, refusalNumbers, type OutcomeCode } from '@bourse/common/errors/codes.ts'
import { decodeOutcomeHeader, encodeOutcome, outcomeBodyOf } from '@bourse/common/kernel/outcome.ts'
import type { Units } from '@bourse/common/money/amount.ts'
import type { Transaction } from './transaction.ts'
import { decodeTransaction, encodeTransaction } from './transaction.ts'

/*
 * The one layout of every outcome and every answer to a question of the bridge, but for `backlog` and `dayUse`, whose answers
 * have their own (see `backlog.ts` and `day-use.ts`). What an outcome changed travels in it, so that the views are folded from
 * outcomes alone.
 */

/** A quote, in units. */
export interface QuoteReply {
  readonly quoteId: Uint8Array
  readonly side: 'BUY' | 'SELL'
  readonly price: Units
  readonly cryptoAmount: Units
  readonly fiatAmount: Units
  readonly priceDecimals: number
  readonly cryptoDecimals: number
  readonly expiresAt: bigint
}

/** What an outcome or an answer says. Fields that do not apply are empty. */
export interface Reply {
  readonly code: OutcomeCode
  /** Whether this is the first outcome of the command's id, kept with it: a repeat gets it again, without `changed`. */
  readonly recorded: boolean
  /** What was refused and the remedy. */
  readonly message: string
  /** Seconds after which to try again, 0 when that makes no sense. */
  readonly retryAfterSeconds: number
  readonly quote: QuoteReply | null
  /** Transactions as they are after the command (outcome), or the one asked for (answer). */
  readonly transactions: readonly Transaction[]
  /** Currencies of a bank and their decimals (answer about a customer). */
  readonly currencies: readonly { readonly currency: string; readonly decimals: number }[]
  /** The bank's last event (answer about a bank), or the last one that a redelivery sends (its outcome). */
  readonly eventSequence: bigint
}

/** A reply that says nothing but its code. */
export const EMPTY_REPLY: Reply = {
  code: 'OK',
  recorded: false,
  message: '',
  retryAfterSeconds: 0,
  quote: null,
  transactions: [],
  currencies: [],
  eventSequence: 0n,
}

/** Transactions in one outcome at most. */
const TRANSACTIONS_MAX = 65_536

/** Encodes an outcome or an answer. */
export const encodeReply = (header: { readonly kind: number; readonly id: Uint8Array }, reply: Reply): Uint8Array => {
  const writer = createBinaryWriter()
  writer
    .flag(reply.recorded)
    .text(reply.message)
    .u32(reply.retryAfterSeconds)
    .flag(reply.quote !== null)
  if (reply.quote !== null) {
    const { quote } = reply
    writer
      .bytes(quote.quoteId)
      .flag(quote.side === 'SELL')
      .i128(quote.price)
      .i128(quote.cryptoAmount)
      .i128(quote.fiatAmount)
    writer.u8(quote.priceDecimals).u8(quote.cryptoDecimals).i64(quote.expiresAt)
  }
  writer.list(reply.transactions, (transaction) => {
    writer.blob(encodeTransaction(transaction))
  })
  writer.list(reply.currencies, ({ currency, decimals }) => {
    writer.text(currency).u8(decimals)
  })
  writer.u64(reply.eventSequence)
  return encodeOutcome({ code: refusalNumbers[reply.code], ...header }, writer.finish())
}

/** Decodes an outcome or an answer. Throws BinaryError or RangeError on bytes that are none. */
export const decodeReply = (outcome: Uint8Array): Reply => {
  const reader = createBinaryReader(outcomeBodyOf(outcome))
  const reply: Reply = {
    code: codeOfNumber(decodeOutcomeHeader(outcome).code),
    recorded: reader.flag(),
    message: reader.text(),
    retryAfterSeconds: reader.u32(),
    quote: reader.flag()
      ? {
          quoteId: reader.bytes(16),
          side: reader.flag() ? 'SELL' : 'BUY',
          price: reader.i128(),
          cryptoAmount: reader.i128(),
          fiatAmount: reader.i128(),
          priceDecimals: reader.u8(),
          cryptoDecimals: reader.u8(),
          expiresAt: reader.i64(),
        }
      : null,
    transactions: reader.list(TRANSACTIONS_MAX, () => decodeTransaction(reader.blob())),
    currencies: reader.list(256, () => ({ currency: reader.text(), decimals: reader.u8() })),
    eventSequence: reader.u64(),
  }
  reader.end()
  return reply
}
