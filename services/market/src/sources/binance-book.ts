import type { Units } from '@bourse/common/money/amount.ts'
import type { Frame } from './binance-frames.ts'
import type { SourceFault, SourceTick } from './source.ts'

/** What one message comes to: a tick, a fault, both (a gap does not make the trade behind it wrong) or nothing. */
export interface FrameEffect {
  readonly tick?: SourceTick
  readonly fault?: SourceFault
}

/** One symbol's state over all connections to it. */
export interface BinanceBook {
  apply(frame: Frame, receiveTimeMs: number): FrameEffect
  /** A connection was lost: the book may have moved on, or begun anew, meanwhile. */
  forgetQuote(): void
}

/**
 * Joins bookTicker (prices without a time) and trades (with one) into ticks. Ids must rise: an older message is
 * dropped, so that two overlapping connections give each message once; a jump of trade ids is a gap. A book
 * ticker's time is its arrival by the exchange's clock, as far as the last trade told it; times never go back.
 * Nothing is given before the first book ticker.
 */
export const createBinanceBook = (): BinanceBook => {
  let quote: { readonly bid: Units; readonly ask: Units } | undefined
  let last: Units | undefined
  let updateId = -1
  let tradeId = -1
  let clockAheadMs = 0
  let timeMs = 0

  const tickAt = (atMs: number): FrameEffect => {
    timeMs = Math.max(timeMs, atMs)
    if (quote === undefined) return {}
    const { bid, ask } = quote
    return { tick: { feedBid: bid, feedAsk: ask, last: last ?? bid, exchangeTimeMs: timeMs } }
  }
  return {
    apply: (frame, receiveTimeMs) => {
      if (frame.kind === 'garbage') return { fault: 'garbage' }
      if (frame.kind === 'other') return {}
      if (frame.kind === 'bookTicker') {
        if (frame.updateId <= updateId) return { fault: 'out-of-order' }
        updateId = frame.updateId
        quote = { bid: frame.bid, ask: frame.ask }
        return tickAt(receiveTimeMs + clockAheadMs)
      }
      if (frame.tradeId <= tradeId) return { fault: 'out-of-order' }
      const isGap = tradeId >= 0 && frame.tradeId !== tradeId + 1
      tradeId = frame.tradeId
      last = frame.price
      clockAheadMs = frame.timeMs - receiveTimeMs
      return { ...tickAt(frame.timeMs), ...(isGap ? { fault: 'gap' as const } : {}) }
    },
    forgetQuote: () => {
      quote = undefined
      updateId = -1
    },
  }
}
