import {
  createBinaryReader,
  createBinaryWriter,
  type BinaryReader,
  type BinaryWriter,
} from '@bourse/common/codec/binary.ts'
import { bodyOf, decodeHeader, encodeCommand } from '@bourse/common/kernel/command.ts'
import type { Units } from '@bourse/common/money/amount.ts'
import { readBankRules, writeBankRules, type BankRules } from './bank-rules.ts'

/** Kinds of client command a bridge partition takes. */
export const commandKinds = { config: 1, trade: 2, move: 3, quote: 4, cancelQuote: 5, redeliver: 6 } as const

/**
 * The market price, put in by the host before the command is ordered. `none`: nobody asked; `unavailable`: the
 * exchange did not say.
 */
export interface Ticker {
  readonly state: 'none' | 'price' | 'unavailable'
  /** Units; 0 unless there is a price. */
  readonly price: Units
}

/** No ticker yet. */
export const NO_TICKER: Ticker = { state: 'none', price: 0n }
const tickerStates = ['none', 'price', 'unavailable'] as const

/** A buy or sell; `amount` is fiat on a buy, crypto on a sell. */
export interface TradeCommand {
  readonly ticker: Ticker
  readonly bank: string
  readonly bankUserId: string
  readonly idempotencyKey: string
  readonly side: 'BUY' | 'SELL'
  /** Public id of a quote as the client sent it, or empty. */
  readonly quoteName: string
  readonly amount: Units
  readonly currency: string
}

/** A deposit or withdrawal of fiat. */
export interface MoveCommand {
  readonly bank: string
  readonly bankUserId: string
  readonly idempotencyKey: string
  readonly type: 'DEPOSIT' | 'WITHDRAWAL'
  readonly amount: Units
  readonly currency: string
  readonly reference: string
}

/** A question for a price that is held; the header's id becomes the quote's. */
export interface QuoteCommand {
  readonly ticker: Ticker
  readonly bank: string
  readonly bankUserId: string
  readonly side: 'BUY' | 'SELL'
  readonly amount: Units
  readonly currency: string
}

/** Takes an unused quote back. */
export interface CancelQuoteCommand {
  readonly bank: string
  readonly quoteName: string
}

/** Sends acknowledged events to the bank again; the header's id is the redelivery's. */
export interface RedeliverCommand {
  readonly bank: string
  /** Sequence of the first event. */
  readonly first: bigint
  /** Sequence of the last one; 0: as many as there are and one redelivery may have. */
  readonly through: bigint
}

/** Who sends it: id and hash (16 bytes each). */
export interface Identity {
  readonly id: Uint8Array
  readonly requestHash: Uint8Array
}

const writeTicker = (writer: BinaryWriter, ticker: Ticker): BinaryWriter =>
  writer.u8(tickerStates.indexOf(ticker.state)).i128(ticker.price)

const readTicker = (reader: BinaryReader): Ticker => {
  const state = tickerStates[reader.u8()]
  if (state === undefined) throw new RangeError('an unknown state of a ticker')
  return { state, price: reader.i128() }
}

const oneOf = <First extends string, Second extends string>(
  first: First,
  second: Second,
  flag: boolean,
): First | Second => (flag ? second : first)

/** Encodes a CONFIG command: the bank's rules from now on. */
export const encodeConfig = (rules: BankRules): Uint8Array => {
  const writer = createBinaryWriter()
  writeBankRules(writer, rules)
  return encodeCommand({ kind: commandKinds.config }, writer.finish())
}

/** Encodes a TRADE command. */
export const encodeTrade = (identity: Identity, trade: TradeCommand): Uint8Array => {
  const writer = writeTicker(createBinaryWriter(), trade.ticker)
  writer
    .text(trade.bank)
    .text(trade.bankUserId)
    .text(trade.idempotencyKey)
    .flag(trade.side === 'SELL')
  writer.text(trade.quoteName).i128(trade.amount).text(trade.currency)
  return encodeCommand({ kind: commandKinds.trade, ...identity }, writer.finish())
}

/** Encodes a MOVE command. */
export const encodeMove = (identity: Identity, move: MoveCommand): Uint8Array => {
  const writer = createBinaryWriter()
  writer
    .text(move.bank)
    .text(move.bankUserId)
    .text(move.idempotencyKey)
    .flag(move.type === 'WITHDRAWAL')
  writer.i128(move.amount).text(move.currency).text(move.reference)
  return encodeCommand({ kind: commandKinds.move, ...identity }, writer.finish())
}

/** Encodes a QUOTE command. */
export const encodeQuote = (id: Uint8Array, quote: QuoteCommand): Uint8Array => {
  const writer = writeTicker(createBinaryWriter(), quote.ticker)
  writer
    .text(quote.bank)
    .text(quote.bankUserId)
    .flag(quote.side === 'SELL')
    .i128(quote.amount)
    .text(quote.currency)
  return encodeCommand({ kind: commandKinds.quote, id }, writer.finish())
}

/** Encodes a CANCEL_QUOTE command. */
export const encodeCancelQuote = (cancel: CancelQuoteCommand): Uint8Array =>
  encodeCommand(
    { kind: commandKinds.cancelQuote },
    createBinaryWriter().text(cancel.bank).text(cancel.quoteName).finish(),
  )

/** Encodes a REDELIVER command. */
export const encodeRedeliver = (identity: Identity, { bank, first, through }: RedeliverCommand): Uint8Array =>
  encodeCommand(
    { kind: commandKinds.redeliver, ...identity },
    createBinaryWriter().text(bank).u64(first).u64(through).finish(),
  )

/** Any client command, decoded. */
export type ClientCommand =
  | { readonly kind: 'config'; readonly rules: BankRules }
  | { readonly kind: 'trade'; readonly trade: TradeCommand }
  | { readonly kind: 'move'; readonly move: MoveCommand }
  | { readonly kind: 'quote'; readonly quote: QuoteCommand }
  | { readonly kind: 'cancelQuote'; readonly cancel: CancelQuoteCommand }
  | { readonly kind: 'redeliver'; readonly redeliver: RedeliverCommand }

const readTrade = (reader: BinaryReader): TradeCommand => ({
  ticker: readTicker(reader),
  bank: reader.text(),
  bankUserId: reader.text(),
  idempotencyKey: reader.text(),
  side: oneOf('BUY', 'SELL', reader.flag()),
  quoteName: reader.text(),
  amount: reader.i128(),
  currency: reader.text(),
})

const readMove = (reader: BinaryReader): MoveCommand => ({
  bank: reader.text(),
  bankUserId: reader.text(),
  idempotencyKey: reader.text(),
  type: oneOf('DEPOSIT', 'WITHDRAWAL', reader.flag()),
  amount: reader.i128(),
  currency: reader.text(),
  reference: reader.text(),
})

const readQuote = (reader: BinaryReader): QuoteCommand => ({
  ticker: readTicker(reader),
  bank: reader.text(),
  bankUserId: reader.text(),
  side: oneOf('BUY', 'SELL', reader.flag()),
  amount: reader.i128(),
  currency: reader.text(),
})

const readBody = (kind: number, reader: BinaryReader): ClientCommand | null => {
  switch (kind) {
    case commandKinds.config:
      return { kind: 'config', rules: readBankRules(reader) }
    case commandKinds.trade:
      return { kind: 'trade', trade: readTrade(reader) }
    case commandKinds.move:
      return { kind: 'move', move: readMove(reader) }
    case commandKinds.quote:
      return { kind: 'quote', quote: readQuote(reader) }
    case commandKinds.cancelQuote:
      return { kind: 'cancelQuote', cancel: { bank: reader.text(), quoteName: reader.text() } }
    case commandKinds.redeliver:
      return { kind: 'redeliver', redeliver: { bank: reader.text(), first: reader.u64(), through: reader.u64() } }
    default:
      return null
  }
}

/** Decodes a client's command; null for a kind that is none. Throws BinaryError or RangeError on a broken body. */
export const decodeClientCommand = (kind: number, body: Uint8Array): ClientCommand | null => {
  const reader = createBinaryReader(body)
  const command = readBody(kind, reader)
  if (command !== null) reader.end()
  return command
}

/** A copy of a TRADE or QUOTE command with the ticker put in. */
export const withTicker = (command: Uint8Array, ticker: Ticker): Uint8Array => {
  const header = decodeHeader(command)
  const decoded = decodeClientCommand(header.kind, bodyOf(command))
  if (decoded?.kind === 'trade') return encodeTrade(header, { ...decoded.trade, ticker })
  if (decoded?.kind === 'quote') return encodeQuote(header.id, { ...decoded.quote, ticker })
  return command
}
