import { resolve } from 'node:path'
import { parseAmount } from '../money/amount.ts'
import type { Units } from '../money/amount.ts'
import { isUrlOf, ruleFault } from './faults.ts'
import type { Fault } from './faults.ts'
import { tradingPairRules as rules } from './rules.ts'

/** A seeded random walk: every `stepMs` the price moves by at most `stepBps` (units of 1e-8 bp) either way. */
export interface WalkSource {
  readonly source: 'walk'
  readonly startPrice: Units
  readonly seed: number
  readonly stepMs: number
  readonly stepBps: Units
}

/** A recorded tape played at `speed` (units of 1e-8; 1e8 is the speed of the recording). */
export interface TapeSource {
  readonly source: 'tape'
  /** Absolute when the manifest came from a file. */
  readonly file: string
  readonly speed: Units
  readonly atEnd: 'loop' | 'stop'
}

/** Binance streams: `bookTicker` and `trade` of one symbol. */
export interface BinanceSource {
  readonly source: 'binance'
  readonly url: string
  readonly symbol: string
}

/**
 * An HTTP ticker asked every `intervalMs` (null: `POLLER_UPDATE_INTERVAL`). `{symbol}` in the URL is replaced
 * by the symbol.
 */
export interface PollSource {
  readonly source: 'poll'
  readonly url: string
  readonly symbol: string
  readonly intervalMs: number | null
}

/** Where a pair's prices come from. */
export type PriceSource = WalkSource | TapeSource | BinanceSource | PollSource

/** `spec.prices` as written. */
export interface RawPrices {
  readonly source?: PriceSource['source']
  readonly maxAgeSeconds?: number
  readonly maxJumpBps?: string
  readonly startPrice?: string
  readonly seed?: number
  readonly stepMs?: number
  readonly stepBps?: string
  readonly file?: string
  readonly speed?: string
  readonly atEnd?: 'loop' | 'stop'
  readonly url?: string
  readonly symbol?: string
  readonly intervalMs?: number
}

const fieldsOf: Readonly<Record<PriceSource['source'], readonly string[]>> = {
  walk: ['startPrice', 'seed', 'stepMs', 'stepBps'],
  tape: ['file', 'speed', 'atEnd'],
  binance: ['url', 'symbol'],
  poll: ['url', 'symbol', 'intervalMs'],
}
const COMMON_FIELDS = ['source', 'maxAgeSeconds', 'maxJumpBps']

/** Where Binance's public streams are. */
export const BINANCE_STREAM_URL = 'wss://stream.binance.com:9443'
/** Binance's public best-price ticker. */
export const BINANCE_TICKER_URL = 'https://api.binance.com/api/v3/ticker/bookTicker?symbol={symbol}'

/** FNV-1a over the symbol: walks of different pairs differ without anybody choosing a seed. */
const seedOf = (symbol: string): number => {
  let hash = 0x811c9dc5
  for (const character of symbol) hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193) >>> 0
  return hash
}

/**
 * Reads the source of `spec.prices`. Defaults: source walk; walk: startPrice 100, seed by symbol, stepMs 250,
 * stepBps 2; tape: speed 1, atEnd loop; binance and poll: the public endpoints, symbol baseAsset + quoteAsset,
 * intervalMs null.
 */
export const readPriceSource = (
  raw: RawPrices,
  pair: { readonly symbol: string; readonly baseAsset: string; readonly quoteAsset: string },
  folder: string | undefined,
): PriceSource => {
  const symbol = raw.symbol ?? `${pair.baseAsset}${pair.quoteAsset}`
  switch (raw.source ?? 'walk') {
    case 'walk':
      return {
        source: 'walk',
        startPrice: parseAmount(raw.startPrice ?? '100'),
        seed: raw.seed ?? seedOf(pair.symbol),
        stepMs: raw.stepMs ?? 250,
        stepBps: parseAmount(raw.stepBps ?? '2'),
      }
    case 'tape': {
      const file = raw.file ?? ''
      const place = folder === undefined || file === '' ? file : resolve(folder, file)
      return { source: 'tape', file: place, speed: parseAmount(raw.speed ?? '1'), atEnd: raw.atEnd ?? 'loop' }
    }
    case 'binance':
      return { source: 'binance', url: raw.url ?? BINANCE_STREAM_URL, symbol }
    case 'poll':
      return { source: 'poll', url: raw.url ?? BINANCE_TICKER_URL, symbol, intervalMs: raw.intervalMs ?? null }
  }
}

/** What is wrong with a source: fields of another source, a tape without a file, a URL of the wrong scheme. */
export const priceSourceFaults = (raw: RawPrices, source: PriceSource): Fault[] => {
  const allowed = [...COMMON_FIELDS, ...fieldsOf[source.source]]
  const faults = Object.keys(raw)
    .filter((key) => !allowed.includes(key))
    .map((key) => ruleFault(rules.sourceField, `spec.prices.${key}`))
  const check = (holds: boolean, rule: (typeof rules)[keyof typeof rules]): void => {
    if (!holds) faults.push(ruleFault(rule))
  }
  if (source.source === 'walk') {
    check(source.startPrice > 0n, rules.startPricePositive)
    check(source.stepBps > 0n && source.stepBps <= parseAmount('1000'), rules.stepMax)
  }
  if (source.source === 'tape') {
    check(source.file !== '', rules.tapeFile)
    check(source.speed > 0n, rules.speedPositive)
  }
  if (source.source === 'binance') check(isUrlOf(source.url, ['ws', 'wss']), rules.streamUrl)
  if (source.source === 'poll') check(isUrlOf(source.url, ['http', 'https']), rules.pollUrl)
  return faults
}
