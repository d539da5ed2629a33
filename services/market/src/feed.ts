import type { FeedQuote } from '@bourse/common/ports/prices.ts'
import type { PriceSource } from '@bourse/common/resources/price-source.ts'
import type { TradingPair } from '@bourse/common/resources/trading-pair.ts'
import type { Candles } from './client/candles.ts'
import { createNormaliser } from './normaliser.ts'
import type { RejectReason } from './normaliser.ts'
import { startBinance } from './sources/binance.ts'
import { startPoll } from './sources/poll.ts'
import { sourceFaults } from './sources/source.ts'
import type { RunningSource, SourceDeps, SourceFault, SourceTick } from './sources/source.ts'
import { startTape } from './sources/tape.ts'
import { startWalk } from './sources/walk.ts'

/** What a feed is told besides its pair. */
export interface FeedOptions {
  readonly pair: TradingPair
  /** For a poll source whose manifest is silent. */
  readonly pollIntervalMs: number
  /** False: the pair's poll source is not asked. */
  readonly isPolled: boolean
  readonly candles: Candles
  /** Above every sequence that the symbol has had in this process. */
  readonly firstSequence: number
  readonly onQuote: (quote: FeedQuote) => void
  readonly onRejected: (reason: RejectReason) => void
}

/** What one feed has counted. */
export interface FeedCounters {
  readonly quotes: number
  readonly rejected: Readonly<Record<RejectReason, number>>
  readonly faults: Readonly<Record<SourceFault, number>>
}

/** A pair's source, its normaliser and its bars, running. */
export interface Feed {
  readonly pair: TradingPair
  readonly candles: Candles
  /** Null before the first quote. */
  lastQuote(): FeedQuote | null
  counters(): FeedCounters
  stop(): Promise<void>
}

const startSource = ({ pair, pollIntervalMs, isPolled }: FeedOptions, deps: SourceDeps): RunningSource => {
  const source: PriceSource = pair.spec.prices.source
  switch (source.source) {
    case 'walk':
      return startWalk(source, pair.spec.tickSize, deps)
    case 'tape':
      return startTape(source, deps)
    case 'binance':
      return startBinance(source, deps)
    case 'poll':
      return isPolled ? startPoll(source, source.intervalMs ?? pollIntervalMs, deps) : { stop: () => Promise.resolve() }
  }
}

/**
 * Starts the feed of one pair. Every tick of the source passes the normaliser; what it believes goes to the
 * bars and to `onQuote`.
 */
export const startFeed = (options: FeedOptions, deps: Omit<SourceDeps, 'onTick'>): Feed => {
  const { pair, candles, onQuote, onRejected } = options
  const { clock, onFault } = deps
  const { maxJumpBps, maxAgeSeconds } = pair.spec.prices
  const normaliser = createNormaliser({
    symbol: pair.spec.symbol,
    maxJumpBps,
    maxAgeMs: maxAgeSeconds * 1_000,
    firstSequence: options.firstSequence,
  })
  const faults = Object.fromEntries(sourceFaults.map((fault) => [fault, 0])) as Record<SourceFault, number>
  let quotes = 0
  let lastQuote: FeedQuote | null = null
  const onTick = ({ exchangeTimeMs, ...prices }: SourceTick): void => {
    const receiveTimeMs = clock.nowMs()
    const normalised = normaliser.accept({ ...prices, receiveTimeMs, exchangeTimeMs: exchangeTimeMs ?? receiveTimeMs })
    if (!normalised.ok) {
      onRejected(normalised.reason)
      return
    }
    quotes += 1
    lastQuote = normalised.quote
    candles.add(normalised.quote)
    onQuote(normalised.quote)
  }
  const source = startSource(options, {
    ...deps,
    onTick,
    onFault: (fault) => {
      faults[fault] += 1
      onFault(fault)
    },
  })
  return {
    pair,
    candles,
    lastQuote: () => lastQuote,
    counters: () => ({ quotes, rejected: normaliser.rejected(), faults: { ...faults } }),
    stop: () => source.stop(),
  }
}
