import type { Group, Sample } from '../../row.ts'
import { allOf, fasterThan } from '../../goals.ts'
import { parseAmount } from '@bourse/common/money/amount.ts'
import { createChance, marketSpec, PRICE } from '../../market.ts'
import { lowestOf, nanosecondsEach } from '../core/timing.ts'
import { compileLoop } from './liquidation-loop.ts'
import {
  bigintPrice,
  decimalMarket,
  decimalPrice,
  decimalTrade,
  type PeerMarket,
  type PeerTrade,
} from './liquidation-peers.ts'

const TRADES = 1_000_000
/** decimal.js is asked for fewer: it takes seconds. */
const DECIMAL_TRADES = 100_000
const ROUNDS = 5

const RATE_ONE = 100_000_000n

/** The tiers with their c, which makes the maintenance continuous. */
const continuous = (): PeerMarket['tiers'] => {
  let continuity = 0n
  return marketSpec.tiers.map(({ floor, rate }, k) => {
    if (k > 0) continuity += (floor * (rate - marketSpec.tiers[k - 1]!.rate)) / RATE_ONE
    return { rate, continuity }
  })
}

const tradeOf = (index: number): PeerTrade => {
  const chance = createChance(index + 1)
  const margin = parseAmount(String(10 + chance(9_990)))
  const entryPrice = PRICE + BigInt(chance(1_000_000)) * marketSpec.tickSize
  const exact = (margin * BigInt(1 + chance(50)) * RATE_ONE) / entryPrice
  return {
    isLong: chance(2) === 0,
    margin,
    quantity: exact - (exact % marketSpec.lotSize),
    entryPrice,
    fundingAtOpen: BigInt(chance(1_000_000)) - 500_000n,
  }
}

const measure = async (): Promise<Record<string, Sample>> => {
  const market: PeerMarket = { tickSize: marketSpec.tickSize, funding: 123_456n, tiers: continuous() }
  const trades = Array.from({ length: TRADES }, (_, index) => tradeOf(index))
  const loop = compileLoop()
  loop.prepare(TRADES, market.tickSize, market.funding)
  market.tiers.forEach(({ rate, continuity }, k) => loop.setTier(k, rate, continuity))
  trades.forEach(({ isLong, margin, quantity, entryPrice, fundingAtOpen }, index) =>
    loop.setTrade(index, isLong ? 0 : 1, margin, quantity, entryPrice, fundingAtOpen),
  )
  const bigints = new BigInt64Array(TRADES)
  const decimals = trades.slice(0, DECIMAL_TRADES).map(decimalTrade)
  const inDecimals = decimalMarket(market)
  // The three in turns, so that a slow second falls on all alike.
  let value = Infinity
  let bigint = Infinity
  for (let round = 0; round < ROUNDS; round++) {
    value = Math.min(
      value,
      nanosecondsEach(TRADES, () => loop.run(TRADES)),
    )
    const bigintRound = nanosecondsEach(TRADES, () => {
      for (let index = 0; index < TRADES; index++) bigints[index] = bigintPrice(trades[index]!, market)
    })
    bigint = Math.min(bigint, bigintRound)
  }
  const results = new Array<ReturnType<typeof decimalPrice>>(DECIMAL_TRADES)
  const decimal = lowestOf(2, () =>
    nanosecondsEach(DECIMAL_TRADES, () => {
      for (let index = 0; index < DECIMAL_TRADES; index++) results[index] = decimalPrice(decimals[index]!, inDecimals)
    }),
  )
  const prices = new BigInt64Array(loop.memory.buffer, loop.keysPtr(), TRADES)
  prices.forEach((price, index) => {
    if (price !== bigints[index]) throw new Error(`trade ${index}: ${price} in WASM, ${bigints[index]} in bigint`)
  })
  results.forEach((result, index) => {
    const price = result.toFixed()
    if (price !== String(prices[index]))
      throw new Error(`trade ${index}: ${prices[index]} in WASM, ${price} in Decimal`)
  })
  return { 'risk/liquidation-price': { value, peers: { bigint, 'decimal.js': decimal } } }
}

/** The exact liquidation price from scratch. */
export const liquidationPrice: Group = {
  name: 'risk/liquidation-price',
  rows: [
    {
      name: 'risk/liquidation-price',
      what:
        'The exact liquidation price of 1,000,000 trades with two maintenance tiers, in a WASM loop; the peers compute ' +
        'the same formula to the same results, decimal.js of the first 100,000',
      unit: 'ns',
      kind: 'core',
      goal: allOf(fasterThan('bigint', 5), fasterThan('decimal.js', 70)),
    },
  ],
  measure,
}
