import type { Group, Sample } from '../../row.ts'
import { atMost } from '../../goals.ts'
import { parseAmount } from '@bourse/common/money/amount.ts'
import type { TradingMachine } from '@bourse/risk-rules/trading/machine.ts'
import { applyAll, createMarket, fillMarket, PRICE, tickCommand, usualTrade, type OpenWords } from '../core/market.ts'
import { nanosecondsEach } from '../core/timing.ts'
import { median } from '../../goals.ts'

const OPEN_TRADES = 1_000_000
const IDS_MAX = 131_072
const ROUNDS = 3

/** Each row's tick: how many trades it closes, and at which price. */
const TICKS = [
  { name: 'risk/mass-liquidation-1k', closes: 1_000, price: PRICE - parseAmount('420') },
  { name: 'risk/mass-liquidation-100k', closes: 100_000, price: PRICE - parseAmount('900') },
] as const

/**
 * Trade 500, 1500, … is liquidated 0.6 % below its entry (leverage 100), one in ten 1.2 % below (leverage 62), the others far
 * below both; each in another account, so that nothing is near anything else in memory.
 */
const wordsOf = (index: number): OpenWords => {
  const usual = { ...usualTrade(index), account: index }
  const nothing = { stopLoss: 0n, takeProfit: 0n, isShort: false, margin: parseAmount('100') }
  if (index % 1_000 === 500) return { ...usual, ...nothing, leverage: 100 }
  return index % 10 === 3 ? { ...usual, ...nothing, leverage: 62 } : usual
}

/** The tick and its continuations, from binary command to binary outcomes and effects; answers how many trades it closed. */
const closeAll = (machine: TradingMachine, price: bigint, nowMs: bigint): { closed: number; effects: number } => {
  let closed = 0
  let effects = 0
  let next: Uint8Array | null = tickCommand(price)
  while (next !== null) {
    const applied = applyAll(machine, [next], nowMs)
    closed += new DataView(applied.outcomes[0]!.buffer, applied.outcomes[0]!.byteOffset).getUint32(24, true)
    effects += applied.effects.length
    next = machine.continuation()
  }
  return { closed, effects }
}

const roundOf = (machine: TradingMachine, snapshot: Uint8Array, price: bigint, closes: number, nowMs: bigint) => {
  machine.restore(snapshot)
  let result = { closed: 0, effects: 0 }
  const each = nanosecondsEach(closes, () => {
    result = closeAll(machine, price, nowMs)
  })
  const off = Math.abs(result.closed - closes) / closes
  if (off > 0.02 || result.effects !== result.closed)
    throw new Error(`the tick closed ${result.closed} trades with ${result.effects} effects instead of ${closes}`)
  return (each * closes) / result.closed
}

const measure = async (): Promise<Record<string, Sample>> => {
  const machine = createMarket({ tradesMax: OPEN_TRADES, idsMax: IDS_MAX })
  const { nowMs } = fillMarket(machine, OPEN_TRADES, wordsOf)
  const snapshot = machine.snapshot()
  // One of each beforehand: the first calls of a process are compiled while they run.
  for (const { price, closes } of TICKS) roundOf(machine, snapshot, price, closes, nowMs)
  return Object.fromEntries(
    TICKS.map(({ name, price, closes }) => {
      const rounds = Array.from({ length: ROUNDS }, () => roundOf(machine, snapshot, price, closes, nowMs))
      return [name, { value: median(rounds), peers: {} }]
    }),
  )
}

/** One tick that closes very many. */
export const massLiquidation: Group = {
  name: 'risk/mass-liquidation',
  rows: TICKS.map(({ name, closes }) => ({
    name,
    what:
      `One tick closes ${closes.toLocaleString('en-US')} of 1,000,000 open trades, with its continuations, ` +
      'outcomes and ledger effects encoded, per closed trade',
    unit: 'ns',
    kind: 'core',
    goal: atMost(1_000, 'ns'),
  })),
  measure,
}
