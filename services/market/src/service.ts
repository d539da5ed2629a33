import type { Clock } from '@bourse/common/ports/clock.ts'
import type { FeedQuote, Prices } from '@bourse/common/ports/prices.ts'
import type { Random } from '@bourse/common/ports/random.ts'
import type { PriceSource } from '@bourse/common/resources/price-source.ts'
import type { TradingPair } from '@bourse/common/resources/trading-pair.ts'
import type { Logger } from '@bourse/common/telemetry/logger.ts'
import type { Metrics } from '@bourse/common/telemetry/metrics.ts'
import { candleIntervalsMs, createCandles } from './client/candles.ts'
import type { Candle, CandleInterval } from './client/candles.ts'
import { startFeed } from './feed.ts'
import { rejectReasons } from './normaliser.ts'
import { sourceFaults } from './sources/source.ts'
import type { Feed, FeedCounters } from './feed.ts'

/** What the market needs. */
export interface MarketDeps {
  readonly pairs: readonly TradingPair[]
  readonly prices: Prices
  readonly clock: Clock
  readonly random: Pick<Random, 'below'>
  readonly logger: Logger
  readonly metrics: Metrics
  /** `POLLER_UPDATE_INTERVAL`. */
  readonly pollIntervalMs: number
  /** `POLLER_ASSETS`; null: every pair with a poll source. */
  readonly pollAssets: readonly string[] | null
}

/**
 * How a symbol's feed is: `waiting` for its first quote, `live`, or `stale` when the last quote is older than
 * the market allows.
 */
export interface FeedHealth {
  readonly symbol: string
  readonly source: PriceSource['source']
  readonly state: 'waiting' | 'live' | 'stale'
  /** Since the last quote arrived; null before the first. */
  readonly ageMs: number | null
  /** Spread of the last quote over its middle; null before the first. */
  readonly spreadRatio: number | null
  readonly sequence: number | null
}

/** The prices of all pairs, running. */
export interface Market {
  /** Bars of an asset, oldest first, at most `limit`; the last one is still growing. Empty for an unknown asset. */
  candles(asset: string, interval: CandleInterval, limit: number): readonly Candle[]
  health(): readonly FeedHealth[]
  /** What each symbol's feed has counted since it was (re)started. */
  counters(): Readonly<Record<string, FeedCounters>>
  /**
   * The pairs as the manifests say now: new ones start, gone ones stop, one whose price settings changed starts
   * anew and keeps its bars.
   */
  update(pairs: readonly TradingPair[]): Promise<void>
  stop(): Promise<void>
}

export { candleIntervalsMs }
export type { Candle, CandleInterval }

/** For eyes, not for money: the nearest double. */
const spreadRatioOf = ({ feedBid, feedAsk }: FeedQuote): number =>
  (2 * Number(feedAsk - feedBid)) / Number(feedBid + feedAsk)

const settingsOf = ({ spec }: TradingPair): string =>
  JSON.stringify([spec.prices, spec.tickSize], (_, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value))

/**
 * Starts the price feeds of all pairs and publishes what their normalisers believe to `prices`. Sequences begin
 * at the clock's milliseconds, so that they rise over a restart too.
 */
export const startMarket = async (deps: MarketDeps): Promise<Market> => {
  const { prices, clock, random, logger, metrics, pollIntervalMs, pollAssets } = deps
  const quotesTotal = metrics.counter('bourse_market_quotes_total')
  const rejectedTotal = metrics.counter('bourse_market_rejected_total')
  const faultsTotal = metrics.counter('bourse_market_source_faults_total')
  const feeds = new Map<string, Feed>()

  const start = (pair: TradingPair, before: Feed | undefined): void => {
    const { symbol } = pair.spec
    // Shown from the start: of a series that appears with its first event nobody sees the increase.
    for (const reason of rejectReasons) rejectedTotal.inc({ symbol, reason }, 0)
    for (const fault of sourceFaults) faultsTotal.inc({ symbol, fault }, 0)
    const feed = startFeed(
      {
        pair,
        pollIntervalMs,
        isPolled: pollAssets === null || pollAssets.includes(symbol),
        candles: before?.candles ?? createCandles(),
        firstSequence: Math.max(clock.nowMs(), (prices.latest(symbol)?.sequence ?? 0) + 1),
        onQuote: (quote) => {
          quotesTotal.inc({ symbol })
          prices.publish(quote)
        },
        onRejected: (reason) => {
          rejectedTotal.inc({ symbol, reason })
        },
      },
      {
        clock,
        random,
        logger: logger.child({ symbol }),
        onFault: (fault) => {
          faultsTotal.inc({ symbol, fault })
        },
      },
    )
    feeds.set(symbol, feed)
  }
  const update = async (pairs: readonly TradingPair[]): Promise<void> => {
    const wanted = new Map(pairs.map((pair) => [pair.spec.symbol, pair]))
    for (const [symbol, feed] of [...feeds]) {
      const pair = wanted.get(symbol)
      if (pair !== undefined && settingsOf(pair) === settingsOf(feed.pair)) continue
      await feed.stop()
      feeds.delete(symbol)
      if (pair !== undefined) start(pair, feed)
    }
    for (const [symbol, pair] of wanted) if (!feeds.has(symbol)) start(pair, undefined)
  }
  const healthOf = ({ pair, lastQuote }: Feed): FeedHealth => {
    const quote = lastQuote()
    const ageMs = quote === null ? null : Math.max(clock.nowMs() - quote.receiveTimeMs, 0)
    const isStale = ageMs !== null && ageMs > pair.spec.prices.maxAgeSeconds * 1_000
    const state = ageMs === null ? 'waiting' : isStale ? 'stale' : 'live'
    return {
      symbol: pair.spec.symbol,
      source: pair.spec.prices.source.source,
      state,
      ageMs,
      spreadRatio: quote === null ? null : spreadRatioOf(quote),
      sequence: quote?.sequence ?? null,
    }
  }

  let updating = update(deps.pairs)
  await updating
  return {
    candles: (asset, interval, limit) => feeds.get(asset)?.candles.read(interval, limit) ?? [],
    health: () => [...feeds.values()].map(healthOf),
    counters: () => Object.fromEntries([...feeds].map(([symbol, feed]) => [symbol, feed.counters()])),
    update: (pairs) => {
      updating = updating.then(() => update(pairs))
      return updating
    },
    stop: async () => {
      await updating
      await Promise.all([...feeds.values()].map((feed) => feed.stop()))
      feeds.clear()
    },
  }
}
