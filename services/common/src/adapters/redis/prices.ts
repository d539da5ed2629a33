import type { Clock } from '../../ports/clock.ts'
import { PortError } from '../../ports/failure.ts'
import type { FeedQuote, Prices } from '../../ports/prices.ts'
import { createPriceFeeds, type PriceFeedsOptions } from '../price-feeds.ts'
import type { RedisConnection } from './connection.ts'
import { decodeQuote, encodeQuote } from './quote-codec.ts'
import { createStreamReader } from './stream-reader.ts'

/** Quotes kept in each symbol's stream, about: Redis trims whole blocks. */
export const QUOTES_KEPT = 4_096
/** Quotes on their way to Redis at most; one more is dropped, counted. */
export const PUBLISHES_IN_FLIGHT_MAX = 1_000
/** Longest `load` waits for Redis, ms. */
export const LOAD_WAIT_MS = 2_000

/** What the prices on Redis need. */
export interface RedisPricesOptions extends Omit<PriceFeedsOptions, 'onFollow'> {
  readonly clock: Clock
}

/** What happened to quotes. */
export interface RedisPricesCounters {
  /** Quotes that did not get to Redis: it was away, too slow, or a value fitted no field. */
  readonly dropped: number
  /** Entries of the streams that are no quote. */
  readonly undecodable: number
  /** Times a stream was found emptied and its reading begun anew. */
  readonly restarts: number
}

/** Prices on Redis. */
export interface RedisPrices extends Prices {
  /**
   * Follows these symbols and waits until their newest quotes are known, at most LOAD_WAIT_MS: for a process that has to
   * know the last sequence before it publishes.
   */
  load(symbols: readonly string[]): Promise<void>
  /** The newest quotes of a symbol, oldest first, at most `limit` and QUOTES_KEPT. PortError when Redis does not answer. */
  recentQuotes(symbol: string, limit: number): Promise<readonly FeedQuote[]>
  counters(): RedisPricesCounters
  close(): Promise<void>
}

/** One entry of XRANGE and its kin: id, then names and values. */
type Entry = readonly [Buffer, readonly Buffer[]]

/**
 * Prices on Redis (port Prices): a stream per symbol, `<prefix>:prices:<symbol>`, written by whoever publishes and read by
 * everybody else over one blocking connection. `latest` is what this process saw; asking for a symbol, or subscribing to it,
 * follows it from then on. What this process publishes its own subscribers get at once, whether Redis is there or not.
 */
export const createRedisPrices = (connection: RedisConnection, options: RedisPricesOptions): RedisPrices => {
  const { clock, ...limits } = options
  const root = `${connection.prefix}:prices:`
  let publishing = 0
  let dropped = 0
  let undecodable = 0

  const decoded = (symbol: string, fields: readonly Buffer[]): FeedQuote | null => {
    const quote = fields[1] === undefined ? null : decodeQuote(symbol, fields[1])
    if (quote === null) undecodable += 1
    return quote
  }

  const reader = createStreamReader({
    connection,
    clock,
    keyOf: (symbol) => root + symbol,
    onEntry: (symbol, fields) => {
      const quote = decoded(symbol, fields)
      if (quote !== null) feeds.take(quote)
    },
  })

  const feeds = createPriceFeeds({ ...limits, onFollow: reader.follow })

  const send = async (quote: FeedQuote, bytes: Uint8Array): Promise<void> => {
    publishing += 1
    try {
      await connection.command('XADD', root + quote.symbol, 'MAXLEN', '~', QUOTES_KEPT, '*', 'q', bytes)
    } catch (error) {
      if (!(error instanceof PortError)) throw error
      dropped += 1
    } finally {
      publishing -= 1
    }
  }
  const encoded = (quote: FeedQuote): Uint8Array | null => {
    try {
      return encodeQuote(quote)
    } catch (error) {
      connection.logger.error({ err: error, symbol: quote.symbol }, 'a quote does not fit its stream and stays here')
      return null
    }
  }

  return {
    publish: (quote) => {
      if (!feeds.follow(quote.symbol) || !feeds.take(quote)) return
      const bytes = publishing < PUBLISHES_IN_FLIGHT_MAX ? encoded(quote) : null
      if (bytes === null) dropped += 1
      else void send(quote, bytes)
    },
    latest: (symbol) => (feeds.follow(symbol) ? feeds.latest(symbol) : null),
    subscribe: feeds.subscribe,
    load: async (symbols) => {
      for (const symbol of symbols) feeds.follow(symbol)
      const waiting = new AbortController()
      const patience = clock.sleep(LOAD_WAIT_MS, waiting.signal).catch(() => undefined)
      await Promise.race([reader.whenSeen(symbols), patience])
      waiting.abort(new Error('the newest quotes are known'))
    },
    recentQuotes: async (symbol, limit) => {
      const count = Math.max(1, Math.min(Math.floor(limit), QUOTES_KEPT))
      const entries = (await connection.command('XREVRANGE', root + symbol, '+', '-', 'COUNT', count)) as Entry[]
      const quotes = entries.map(([, fields]) => decoded(symbol, fields)).filter((quote) => quote !== null)
      // A sequence that is not older than the one after it was written by a process whose clock had gone back.
      return quotes.reverse().filter((quote, index) => index === 0 || quote.sequence > quotes[index - 1]!.sequence)
    },
    counters: () => ({ dropped, undecodable, restarts: reader.restarts() }),
    close: () => reader.close(),
  }
}
