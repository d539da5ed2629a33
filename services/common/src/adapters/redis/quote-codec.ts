import { BinaryError, createBinaryReader, createBinaryWriter } from '../../codec/binary.ts'
import type { FeedQuote } from '../../ports/prices.ts'

/**
 * Layout of a quote in a price stream, little endian: `0 u8 version | 1 u8[7] zero | 8 i64 bid | 16 i64 ask | 24 i64 last |
 * 32 u64 exchange time ms | 40 u64 receive time ms | 48 u64 sequence`. The symbol is the stream's.
 */
export const QUOTE_BYTES = 56
const VERSION = 1

/** A quote as bytes. Throws BinaryError or RangeError when a value does not fit its field. */
export const encodeQuote = (quote: FeedQuote): Uint8Array =>
  createBinaryWriter(QUOTE_BYTES)
    .u8(VERSION)
    .pad8()
    .i64(quote.feedBid)
    .i64(quote.feedAsk)
    .i64(quote.last)
    .u64(BigInt(quote.exchangeTimeMs))
    .u64(BigInt(quote.receiveTimeMs))
    .u64(BigInt(quote.sequence))
    .finish()

/** A quote from bytes, or null when they are not one: what stands in Redis may be anybody's. */
export const decodeQuote = (symbol: string, bytes: Uint8Array): FeedQuote | null => {
  if (bytes.length !== QUOTE_BYTES || bytes[0] !== VERSION) return null
  try {
    const reader = createBinaryReader(bytes)
    reader.u8()
    reader.pad8()
    const [feedBid, feedAsk, last] = [reader.i64(), reader.i64(), reader.i64()]
    const [exchangeTimeMs, receiveTimeMs, sequence] = [reader.u64(), reader.u64(), reader.u64()].map(Number)
    if (![exchangeTimeMs, receiveTimeMs, sequence].every(Number.isSafeInteger)) return null
    return {
      symbol,
      feedBid,
      feedAsk,
      last,
      exchangeTimeMs: exchangeTimeMs!,
      receiveTimeMs: receiveTimeMs!,
      sequence: sequence!,
    }
  } catch (error) {
    if (error instanceof BinaryError) return null
    throw error
  }
}
