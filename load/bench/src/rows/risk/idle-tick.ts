import type { Group, Sample } from '../../row.ts'
import { allOf, atMost, ratioAtMost } from '../../goals.ts'
import type { TradingMachine } from '@bourse/risk-rules/trading/machine.ts'
import { createMarket, fillMarket, PRICE, START_MS, usualTrade } from '../../market.ts'
import { lowestOf, nanosecondsEach } from '../core/timing.ts'

const SIZES = { 'risk/idle-tick-10k': 10_000, 'risk/idle-tick-100k': 100_000, 'risk/idle-tick-1m': 1_000_000 } as const
const SMALLEST = 'risk/idle-tick-10k'
const CALLS = 1_000_000
const ROUNDS = 5
const IDS_MAX = 131_072

const tick = atMost(40, 'ns')
const what = (size: string): string =>
  `A tick that triggers nothing among ${size} open trades, asked through wouldTrigger from TypeScript, per call`

/** Prices the feed goes through: bigints made beforehand, as a feed's decoder has them. */
const pricesAround = (count: number): bigint[] =>
  Array.from({ length: count }, (_, index) => PRICE + BigInt((index - count / 2) * 100_000))

const PRICES = 1_024

const idleCalls = (machine: TradingMachine, prices: readonly bigint[]): void => {
  let fired = 0
  for (let call = 0; call < CALLS; call++) {
    const price = prices[call & (PRICES - 1)]!
    if (machine.wouldTrigger(price, price, START_MS)) fired += 1
  }
  if (fired !== 0) throw new Error(`${fired} of the idle ticks would trigger`)
}

/** What a tick costs who keeps the liquidation prices of both directions in float64 and looks at each. */
const createScan = (size: number) => {
  const half = size / 2
  const longs = new Float64Array(half)
  const shorts = new Float64Array(half)
  for (let index = 0; index < half; index++) {
    longs[index] = 50_000 + (index % 5_000)
    shorts[index] = 65_000 + (index % 5_000)
  }
  return (bid: number, ask: number): number => {
    let fired = 0
    for (let index = 0; index < longs.length; index++) if (bid <= longs[index]!) fired += 1
    for (let index = 0; index < shorts.length; index++) if (ask >= shorts[index]!) fired += 1
    return fired
  }
}

const scanTick = (size: number): number => {
  const scan = createScan(size)
  const calls = Math.max(20, 20_000_000 / size)
  let fired = 0
  const each = lowestOf(ROUNDS, () =>
    nanosecondsEach(calls, () => {
      for (let call = 0; call < calls; call++) fired += scan(60_000 + (call & 1_023), 60_000 + (call & 1_023))
    }),
  )
  if (fired !== 0) throw new Error('a scanned tick fired')
  return each
}

const measure = async (): Promise<Record<string, Sample>> => {
  const prices = pricesAround(PRICES)
  const machines = Object.entries(SIZES).map(([name, size]) => {
    const machine = createMarket({ tradesMax: size, idsMax: IDS_MAX })
    fillMarket(machine, size, usualTrade)
    return { name, size, machine, value: Infinity }
  })
  // In turns: a slow second of the machine falls on all sizes alike.
  for (let round = 0; round < ROUNDS; round++) {
    for (const each of machines) {
      each.value = Math.min(
        each.value,
        nanosecondsEach(CALLS, () => idleCalls(each.machine, prices)),
      )
    }
  }
  const smallest = machines.find(({ name }) => name === SMALLEST)!.value
  return Object.fromEntries(
    machines.map(({ name, size, value }) => [
      name,
      {
        value,
        peers: { 'float64-scan': scanTick(size), ...(name === SMALLEST ? {} : { 'idle-tick-10k': smallest }) },
      },
    ]),
  )
}

/** A tick that triggers nothing costs the same whatever is open. */
export const idleTick: Group = {
  name: 'risk/idle-tick',
  rows: [
    { name: SMALLEST, what: what('10,000'), unit: 'ns', kind: 'core', goal: tick },
    { name: 'risk/idle-tick-100k', what: what('100,000'), unit: 'ns', kind: 'core', goal: tick },
    {
      name: 'risk/idle-tick-1m',
      what: what('1,000,000'),
      unit: 'ns',
      kind: 'core',
      goal: allOf(tick, ratioAtMost('idle-tick-10k', 1.5)),
    },
  ],
  measure,
}
