import { floorTo, mulDivFloor } from '@bourse/common/money/rounding.ts'
import { parseAmount } from '@bourse/common/money/amount.ts'
import type { TradingPairSpec } from '@bourse/common/resources/trading-pair.ts'
import type { SeededRandom } from '@bourse/common/testkit/seeded-random.ts'
import type { SimulatedPlatform } from '../platform/exchange-platform.ts'
import type { World } from '../world/world.ts'
import type { KnownTrade } from './knowledge.ts'

/** 10,000 bps in hundredths of a bp: how moves are drawn. */
const ONE = 1_000_000n
/** What a lot costs at the beginning, units; one of these. */
const LOT_VALUES = ['0.02', '0.5', '3'] as const
const TICKS_LEAST = 400n
const PRICE_MOST = parseAmount('400000')

/** The price sources of a run: quotes as they come from outside, good and bad. */
export interface PriceMaker {
  /** The middle that the source stands at, a multiple of the tick. */
  mid(pair: TradingPairSpec): bigint
  /** Moves by at most `most` hundredths of a bp either way and publishes. */
  walk(pair: TradingPairSpec, random: SeededRandom, most: number): void
  /** Moves to a price and publishes; further than the market believes at once, it is published three times. */
  moveTo(pair: TradingPairSpec, random: SeededRandom, price: bigint): void
  /** A quote that must not be believed, for most reasons that there are; a late one may be. */
  bad(pair: TradingPairSpec, random: SeededRandom): void
  /** Publishes when the last quote is older than a third of what the market allows. */
  refresh(pair: TradingPairSpec, random: SeededRandom): void
}

const scaled = (price: bigint, hundredths: number): bigint => mulDivFloor(price, ONE + BigInt(hundredths), ONE)

const either = (random: SeededRandom, most: number): number => random.between(-most, most)

/** A first price at which a lot costs a little and a tick is far smaller than it. */
const firstPrice = ({ tickSize, lotSize }: TradingPairSpec, random: SeededRandom): bigint => {
  const wanted = mulDivFloor(parseAmount(random.pick(LOT_VALUES)), parseAmount('1'), lotSize)
  const least = tickSize * TICKS_LEAST
  const bounded = wanted < least ? least : wanted > PRICE_MOST ? PRICE_MOST : wanted
  return floorTo(scaled(bounded, either(random, 200_000)), tickSize)
}

/** Makes the sources. */
export const createPriceMaker = (world: World, platform: Pick<SimulatedPlatform, 'quote'>): PriceMaker => {
  const random = world.chance('workload/prices')
  const mids = new Map<string, bigint>()
  const publishedAtMs = new Map<string, number>()

  const mid = (pair: TradingPairSpec): bigint => {
    const known = mids.get(pair.symbol) ?? firstPrice(pair, random)
    mids.set(pair.symbol, known)
    return known
  }
  const publish = (pair: TradingPairSpec, price: bigint, own: SeededRandom): void => {
    const { symbol, tickSize } = pair
    const least = tickSize * 10n
    const middle = floorTo(price < least ? least : price > PRICE_MOST * 4n ? PRICE_MOST * 4n : price, tickSize)
    mids.set(symbol, middle)
    publishedAtMs.set(symbol, world.nowMs())
    // Mostly narrow, now and then so wide that a trade at high leverage would be liquidated as it opens.
    const half = own.chance(4) ? scaled(middle, own.between(2_000, 30_000)) - middle : tickSize * BigInt(own.below(3))
    const bid = middle - half
    platform.quote(symbol, bid > 0n ? bid : tickSize, middle + half)
  }
  return {
    mid,
    walk: (pair, own, most) => publish(pair, scaled(mid(pair), either(own, most)), own),
    moveTo: (pair, own, price) => {
      const before = mid(pair)
      publish(pair, price, own)
      const jump = pair.prices.maxJumpBps / 1_000_000n
      const distance = mid(pair) > before ? mid(pair) - before : before - mid(pair)
      if (distance * ONE <= before * jump) return
      for (let count = 0; count < 3; count++) publish(pair, mid(pair), own)
    },
    bad: (pair, own) => {
      const { symbol, tickSize } = pair
      const middle = mid(pair)
      const far = scaled(middle, own.pick([-700_000, 3_000_000]))
      const maxAgeMs = pair.prices.maxAgeSeconds * 1_000
      const quotes: readonly (readonly [bid: bigint, ask: bigint, ageMs: number])[] = [
        [middle + tickSize, middle - tickSize, 0],
        [0n, middle, 0],
        [middle, middle * 3n, 0],
        [far, far, 0],
        [parseAmount('2000000000'), parseAmount('2000000000'), 0],
        // Too old, out of order, from the future.
        [middle + tickSize, middle + tickSize, maxAgeMs + 1],
        [middle + tickSize, middle + tickSize, own.between(1, maxAgeMs)],
        [middle + tickSize, middle + tickSize, -10_001],
      ]
      platform.quote(symbol, ...own.pick(quotes))
    },
    refresh: (pair, own) => {
      const ageMs = world.nowMs() - (publishedAtMs.get(pair.symbol) ?? -1_000_000)
      if (ageMs * 3 > pair.prices.maxAgeSeconds * 1_000) publish(pair, scaled(mid(pair), either(own, 800)), own)
    },
  }
}

/** A price near one that decides about a trade: its stop, its target, its liquidation, or where its margin is gone. */
export const decidingPrice = ({ trade }: KnownTrade, tickSize: bigint, random: SeededRandom): bigint => {
  const { entryPrice, leverage, direction, liquidationPrice, stopLossPrice, takeProfitPrice } = trade
  const away = direction === 'LONG' ? -1n : 1n
  // Past the price at which the whole margin is lost: a deficit.
  const gone = entryPrice + (away * entryPrice * BigInt(random.between(102, 180))) / (100n * BigInt(leverage))
  const prices = [liquidationPrice, gone, stopLossPrice, stopLossPrice, takeProfitPrice, takeProfitPrice].filter(
    (price) => price !== null && price > 0n,
  )
  const price = random.pick(prices.length === 0 ? [entryPrice] : prices) ?? entryPrice
  return price + tickSize * BigInt(either(random, 3))
}
