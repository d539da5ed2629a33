import { parseAmount } from '@bourse/common/money/amount.ts'
import type { Units } from '@bourse/common/money/amount.ts'
import { ceilTo, floorTo } from '@bourse/common/money/rounding.ts'
import type { TradingPairSpec } from '@bourse/common/resources/trading-pair.ts'
import { directions } from '@bourse/risk-rules/trading/codec.ts'
import type { DirectionName } from '@bourse/risk-rules/trading/codec.ts'
import { closingPriceOf, quoteOf } from '@bourse/risk-rules/trading/quote.ts'
import { createChance } from './chance.ts'
import type { Chance } from './chance.ts'
import { replayAccount } from './requested-trade.ts'
import type { RequestedTrade } from './requested-trade.ts'
import { firstTickAt } from './tape.ts'
import type { ReplayTape } from './tape.ts'

/** Trades per account on average. */
export const TRADES_PER_ACCOUNT = 20
/** Of 100 trades, how many ask for what the pair does not allow, in each of several ways. */
const WRONG_PERCENT = 1
/** Where a pair sets no notional limit. */
const NOTIONAL_MOST = parseAmount('1000000')
const MARGIN_LEAST = parseAmount('1')

/** A third near the most, a third small, a third anywhere, so that a fall liquidates many and some last. */
const leverageOf = (chance: Chance, { margin }: TradingPairSpec): number => {
  const most = margin.maxLeverage
  if (chance.percent(WRONG_PERCENT)) return most + chance.between(1, most)
  switch (chance.between(0, 2)) {
    case 0:
      return chance.between(Math.ceil(most / 2), most)
    case 1:
      return chance.between(1, Math.min(10, most))
    default:
      return chance.between(1, most)
  }
}

/** The most a trade may be worth at a leverage: up to the first tier that does not allow it. */
const notionalMost = ({ limits, margin }: TradingPairSpec, leverage: number): Units => {
  const limit = limits.maxNotional ?? NOTIONAL_MOST
  const tier = margin.tiers.find(({ notionalFloor, maxLeverage }) => notionalFloor > 0n && maxLeverage < leverage)
  return tier !== undefined && tier.notionalFloor <= limit ? tier.notionalFloor - 1n : limit
}

/**
 * Every power of ten between the least margin and what the notional limit allows is as likely; a few go
 * beyond either.
 */
const marginOf = (chance: Chance, spec: TradingPairSpec, leverage: number): Units => {
  const least = spec.limits.minMargin > 0n ? spec.limits.minMargin : MARGIN_LEAST
  const most = notionalMost(spec, leverage) / BigInt(leverage)
  if (chance.percent(WRONG_PERCENT)) return chance.percent(50) ? least - 1n || 1n : most * 2n + 1n
  let powers = 0
  for (let bound = least * 10n; bound <= most; bound *= 10n) powers += 1
  const drawn = (least * 10n ** BigInt(chance.between(0, powers)) * BigInt(chance.between(100, 999))) / 100n
  return drawn < most || most <= least ? drawn : most
}

/** A distance from the price: up to the whole span of the tape, small ones as likely as large ones. */
const distanceOf = (chance: Chance, span: Units): Units =>
  ((span * BigInt(chance.between(1, 1_000))) / 1_000n) >> BigInt(chance.between(0, 7))

/**
 * A stop or target on the given side of the price the trade would close at, a whole number of ticks unless it
 * is one of the wrong ones.
 */
const levelOf = (chance: Chance, price: Units, below: boolean, span: Units, tickSize: Units): Units => {
  const isBelow = chance.percent(WRONG_PERCENT) ? !below : below
  const distance = distanceOf(chance, span)
  const level = isBelow ? floorTo(price - distance, tickSize) - tickSize : ceilTo(price + distance, tickSize) + tickSize
  const offTick = chance.percent(WRONG_PERCENT) && tickSize > 1n ? 1n : 0n
  return level > 0n ? level + offTick : 0n
}

const spanOf = ({ prices }: ReplayTape): Units => {
  let [low, high] = [prices[0] ?? 0n, prices[0] ?? 0n]
  for (const price of prices) {
    if (price < low) low = price
    if (price > high) high = price
  }
  return high - low
}

/** `count` moments over the tape, evenly likely, in order of time. */
const momentsOf = (chance: Chance, { timesMs, count: ticks }: ReplayTape, count: number): number[] => {
  const first = timesMs[0] ?? 0
  const lengthMs = (timesMs[ticks - 1] ?? first) - first
  const slots = Math.min(lengthMs, 0xffff_fffe)
  const moments = Array.from(
    { length: count },
    () => first + Math.floor((chance.between(0, slots) * lengthMs) / Math.max(slots, 1)),
  )
  return moments.sort((left, right) => left - right)
}

/**
 * `count` trades that follow from the seed: over the whole tape, both directions, margins and leverages over
 * the whole allowed range and a little beyond, stops on half of them and targets on half, over count ÷
 * TRADES_PER_ACCOUNT accounts. Named `random-1` onward in the order in which they are due.
 */
export const randomTrades = (
  tape: ReplayTape,
  spec: TradingPairSpec,
  count: number,
  seed: number,
): RequestedTrade[] => {
  const chance = createChance(seed)
  const span = spanOf(tape)
  const accounts = Array.from({ length: Math.max(1, Math.ceil(count / TRADES_PER_ACCOUNT)) }, (_, number) =>
    replayAccount(number),
  )
  return momentsOf(chance, tape, count).map((openAtMs, index) => {
    const feed = tape.prices[firstTickAt(tape, openAtMs, 0)] ?? 0n
    const direction: DirectionName = chance.percent(50) ? 'LONG' : 'SHORT'
    const isLong = direction === 'LONG'
    const price = closingPriceOf(directions[direction], quoteOf(feed, feed, spec.spreadBps, spec.tickSize))
    const leverage = leverageOf(chance, spec)
    return {
      id: `random-${index + 1}`,
      openAtMs,
      account: accounts[chance.between(0, accounts.length - 1)]!,
      direction,
      margin: marginOf(chance, spec, leverage),
      leverage,
      stopLoss: chance.percent(50) ? levelOf(chance, price, isLong, span, spec.tickSize) : 0n,
      takeProfit: chance.percent(50) ? levelOf(chance, price, !isLong, span, spec.tickSize) : 0n,
    }
  })
}
