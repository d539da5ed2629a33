import { AmountError, parseAmount } from '@bourse/common/money/amount.ts'
import type { Units } from '@bourse/common/money/amount.ts'

/** Best bid and ask; `updateId` rises with every change of the book. */
export interface BookTickerFrame {
  readonly kind: 'bookTicker'
  readonly updateId: number
  readonly bid: Units
  readonly ask: Units
}

/** One trade; ids of a symbol are contiguous. */
export interface TradeFrame {
  readonly kind: 'trade'
  readonly tradeId: number
  readonly price: Units
  readonly timeMs: number
}

/** A message of a combined stream: one of ours, one that is none of our business, or garbage. */
export type Frame = BookTickerFrame | TradeFrame | { readonly kind: 'other' } | { readonly kind: 'garbage' }

const garbage: Frame = { kind: 'garbage' }

const parseObject = (text: string): Record<string, unknown> | undefined => {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined // Not JSON: the caller counts it as garbage.
  }
}

const unitsOf = (value: unknown): Units | undefined => {
  if (typeof value !== 'string') return undefined
  try {
    return parseAmount(value)
  } catch (error) {
    if (!(error instanceof AmountError)) throw error
    return undefined // Not a price: the caller counts the message as garbage.
  }
}

const wholeOf = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined

const bookTickerOf = (data: Record<string, unknown>): Frame => {
  const updateId = wholeOf(data['u'])
  const bid = unitsOf(data['b'])
  const ask = unitsOf(data['a'])
  return updateId === undefined || bid === undefined || ask === undefined
    ? garbage
    : { kind: 'bookTicker', updateId, bid, ask }
}

const tradeOf = (data: Record<string, unknown>): Frame => {
  const tradeId = wholeOf(data['t'])
  const price = unitsOf(data['p'])
  const timeMs = wholeOf(data['T'])
  return tradeId === undefined || price === undefined || timeMs === undefined
    ? garbage
    : { kind: 'trade', tradeId, price, timeMs }
}

/**
 * Reads one message of a combined stream (`{stream, data}`) of a symbol. Prices are read from their text,
 * exactly. Messages of other streams and answers to requests are `other`; what is no such message, or another
 * symbol's, is `garbage`.
 */
export const readFrame = (text: string, symbol: string): Frame => {
  const message = parseObject(text)
  const stream = message?.['stream']
  const data = message?.['data']
  if (message === undefined) return garbage
  if (typeof stream !== 'string') return { kind: 'other' }
  if (typeof data !== 'object' || data === null) return garbage
  const fields = data as Record<string, unknown>
  const isBookTicker = stream.endsWith('@bookTicker')
  if (!isBookTicker && !stream.endsWith('@trade')) return { kind: 'other' }
  if (fields['s'] !== symbol.toUpperCase()) return garbage
  return isBookTicker ? bookTickerOf(fields) : tradeOf(fields)
}
