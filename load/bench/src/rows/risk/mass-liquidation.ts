import type { Group, Sample } from '../../row.ts'
import { atMost } from '../../goals.ts'
import { parseAmount } from '@bourse/common/money/amount.ts'
import type { TradingMachine } from '@bourse/risk-rules/trading/machine.ts'
import {
  applyAll,
  createMarket,
  fillMarket,
  ID_WINDOW_MS,
  openCommand,
  PRICE,
  SEGMENT_COMMANDS,
  tickCommand,
  usualTrade,
  type OpenWords,
} from '../../market.ts'
import { nanosecondsEach } from '../core/timing.ts'
import { median } from '../../goals.ts'

const OPEN_TRADES = 1_000_000
const IDS_MAX = 131_072
const ROUNDS = 5

/** Each row's tick: how many trades it closes, and at which price. */
const FEW = 1_000
const TICKS = [
  { name: 'risk/mass-liquidation-1k', closes: FEW, price: PRICE - parseAmount('420') },
  { name: 'risk/mass-liquidation-100k', closes: 100_000, price: PRICE - parseAmount('900') },
] as const

/** One trade in a thousand, and 99 others of them. */
const isFew = (index: number): boolean => index % 1_000 === 500
const isMany = (index: number): boolean => index % 10 === 3 && index % 1_000 !== 3

/**
 * Trade 500, 1500, … is liquidated 0.6 % below its entry (leverage 100), one in ten 1.2 % below (leverage 62), the others far
 * below both; each in another account, so that nothing is near anything else in memory.
 */
const wordsOf = (index: number): OpenWords => {
  const usual = { ...usualTrade(index), account: index }
  const nothing = { stopLoss: 0n, takeProfit: 0n, isShort: false, margin: parseAmount('100') }
  if (isFew(index)) return { ...usual, ...nothing, leverage: 100 }
  return isMany(index) ? { ...usual, ...nothing, leverage: 62 } : usual
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

/** Opens again what a tick closed, so that the machine is as full as before: indexes of trades that fall at `price`. */
const refill = (machine: TradingMachine, next: { index: number }, closes: number, nowMs: bigint): void => {
  const isWanted = (index: number): boolean => isFew(index) || (closes !== FEW && isMany(index))
  for (let left = closes; left > 0;) {
    const batch: Uint8Array[] = []
    while (batch.length < Math.min(SEGMENT_COMMANDS, left)) {
      if (isWanted(next.index)) batch.push(openCommand(wordsOf(next.index)))
      next.index += 1
    }
    applyAll(machine, batch, nowMs)
    left -= batch.length
  }
}

const roundOf = (machine: TradingMachine, price: bigint, closes: number, nowMs: bigint): number => {
  let result = { closed: 0, effects: 0 }
  const each = nanosecondsEach(closes, () => {
    result = closeAll(machine, price, nowMs)
  })
  if (result.closed !== closes || result.effects !== closes)
    throw new Error(`the tick closed ${result.closed} trades with ${result.effects} effects instead of ${closes}`)
  return each
}

const measure = async (): Promise<Record<string, Sample>> => {
  const machine = createMarket({ tradesMax: OPEN_TRADES, idsMax: IDS_MAX })
  let { nowMs } = fillMarket(machine, OPEN_TRADES, wordsOf)
  const next = { index: OPEN_TRADES }
  const samples: Record<string, Sample> = {}
  for (const { name, price, closes } of TICKS) {
    const rounds: number[] = []
    // The first round is not counted: its calls are compiled while they run.
    for (let round = 0; round <= ROUNDS; round++) {
      nowMs += ID_WINDOW_MS + 1n
      const took = roundOf(machine, price, closes, nowMs)
      if (round > 0) rounds.push(took)
      refill(machine, next, closes, nowMs)
    }
    samples[name] = { value: median(rounds), peers: {} }
  }
  return samples
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
