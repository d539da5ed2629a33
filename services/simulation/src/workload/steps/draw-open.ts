import { floorTo, mulDivFloor } from '@bourse/common/money/rounding.ts'
import { UNITS_PER_WHOLE } from '@bourse/common/money/amount.ts'
import type { TradingPairSpec } from '@bourse/common/resources/trading-pair.ts'
import type { SeededRandom } from '@bourse/common/testkit/seeded-random.ts'
import { TRADE_AMOUNT_MAX } from '@bourse/gateway/engine/commands.ts'
import type { Request, Trader } from '../../history/history.ts'
import type { KnownTrade } from '../knowledge.ts'
import { grantOf } from '../style.ts'
import type { StepRun } from './run.ts'

type UpdateRequest = Extract<Request, { readonly kind: 'update-trade' }>
type OpenRequest = Extract<Request, { readonly kind: 'open-trade' }>

const CENT = UNITS_PER_WHOLE / 100n
const USUAL_MONEY = 1_000n * UNITS_PER_WHOLE

const drawLeverage = (random: SeededRandom, { margin }: TradingPairSpec): number => {
  const { maxLeverage } = margin
  const drawn = random.below(100)
  if (drawn < 25) return random.between(1, Math.min(5, maxLeverage))
  if (drawn < 60) return random.between(1, maxLeverage)
  if (drawn < 93) return maxLeverage
  return maxLeverage + random.between(1, 3)
}

/** Per mille of an amount, between two bounds. */
const share = (random: SeededRandom, amount: bigint, least: number, most: number): bigint =>
  mulDivFloor(amount, BigInt(random.between(least, most)), 1_000n)

/** A margin that makes this notional, give or take a unit. */
const marginFor = (random: SeededRandom, notional: bigint, leverage: number): bigint =>
  notional / BigInt(leverage) + BigInt(random.between(-1, 1))

/** The leverage, or what the tier of this notional allows of it. */
const allowedLeverage = ({ margin: { tiers } }: TradingPairSpec, margin: bigint, leverage: number): number =>
  tiers.reduce(
    (allowed, tier) => (margin * BigInt(allowed) >= tier.notionalFloor ? Math.min(allowed, tier.maxLeverage) : allowed),
    leverage,
  )

const drawMargin = (run: StepRun, pair: TradingPairSpec, trader: Trader, leverage: number): bigint => {
  const { random, style, prices } = run
  const grant = grantOf(style, trader)
  const money = grant === 0n ? USUAL_MONEY : grant
  const drawn = random.below(100)
  if (drawn < 60) return floorTo(share(random, money, 1, 40), CENT)
  if (drawn < 72) return floorTo(share(random, money, 40, 400), CENT)
  if (drawn < 75) return share(random, money, 990, 3_000)
  if (drawn < 79) return pair.limits.minMargin + BigInt(random.between(-2, 1))
  if (drawn < 84) {
    const lot = mulDivFloor(prices.mid(pair), pair.lotSize, UNITS_PER_WHOLE)
    return share(random, lot / BigInt(leverage), 500, 1_500)
  }
  if (drawn < 90 && pair.limits.maxNotional !== null) {
    return marginFor(random, share(random, pair.limits.maxNotional, 985, 1_030), leverage)
  }
  if (drawn < 95) return marginFor(random, random.pick(pair.margin.tiers).notionalFloor, leverage)
  return BigInt(random.between(1, 2_000_000_000)) * BigInt(random.between(1, 1_000))
}

const bounded = (margin: bigint): bigint => (margin < 1n ? 1n : margin > TRADE_AMOUNT_MAX ? TRADE_AMOUNT_MAX : margin)

/** A price this many hundredths of a bp from another, on a tick but for a few. */
const priceAt = (random: SeededRandom, from: bigint, hundredths: number, tickSize: bigint): bigint | null => {
  const price = floorTo(mulDivFloor(from, BigInt(1_000_000 + hundredths), 1_000_000n), tickSize)
  const drawn = random.chance(5) ? price + 1n : price
  return drawn > 0n ? drawn : null
}

/** A trade to open: mostly one that can be opened, and every way in which it cannot. */
export const drawOpen = (run: StepRun, pair: TradingPairSpec, trader: Trader): OpenRequest => {
  const { random, prices } = run
  const { symbol, tickSize } = pair
  const direction = random.pick(['LONG', 'SHORT'] as const)
  const wanted = drawLeverage(random, pair)
  const margin = bounded(drawMargin(run, pair, trader, wanted))
  const leverage = random.chance(85) ? allowedLeverage(pair, margin, wanted) : wanted
  const mid = prices.mid(pair)
  const losing = direction === 'LONG' ? -1 : 1
  const side = (percent: number): number => (random.chance(percent) ? -1 : 1)
  const distance = (): number => random.between(300, Math.max(2_000, Math.floor(900_000 / leverage)))
  return {
    kind: 'open-trade',
    trader,
    asset: symbol,
    direction,
    margin,
    leverage,
    stopLossPrice: random.chance(45) ? priceAt(random, mid, losing * side(7) * distance(), tickSize) : null,
    takeProfitPrice: random.chance(45) ? priceAt(random, mid, -losing * side(7) * distance(), tickSize) : null,
    worstPrice: random.chance(12) ? priceAt(random, mid, -losing * random.between(-2_000, 4_000), tickSize) : null,
  }
}

/** Other stops for a trade: mostly right ones, some on the wrong side or off the tick; one of the two at least changes. */
export const drawUpdate = (run: StepRun, pair: TradingPairSpec, { trader, trade }: KnownTrade): UpdateRequest => {
  const { random, prices } = run
  const losing = trade.direction === 'LONG' ? -1 : 1
  const changed = (side: number): bigint | null | undefined => {
    const drawn = random.below(100)
    if (drawn < 30) return undefined
    if (drawn < 45) return null
    const distance = random.between(100, Math.max(2_000, Math.floor(900_000 / trade.leverage)))
    return priceAt(random, prices.mid(pair), side * (random.chance(9) ? -1 : 1) * distance, pair.tickSize)
  }
  const [stopLossPrice, takeProfitPrice] = [changed(losing), changed(-losing)]
  const isNothing = stopLossPrice === undefined && takeProfitPrice === undefined
  return {
    kind: 'update-trade',
    trader: random.chance(4) ? random.below(run.style.traders) : trader,
    tradeId: trade.tradeId,
    stopLossPrice: isNothing ? null : stopLossPrice,
    takeProfitPrice,
  }
}
