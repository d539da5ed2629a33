import type { SpecCommand } from '../../src/trading/commands.ts'
import type { Tier } from './rules.ts'

/** An open trade. */
export interface Trade {
  readonly number: bigint
  readonly account: Uint8Array
  readonly openId: Uint8Array
  readonly ledgerPartition: number
  readonly direction: number
  readonly leverage: number
  readonly margin: bigint
  readonly quantity: bigint
  readonly entryPrice: bigint
  readonly fundingAtOpen: bigint
  readonly stopLoss: bigint
  readonly takeProfit: bigint
  readonly openFee: bigint
  readonly openedAt: bigint
  readonly table: number
  readonly tiers: readonly Tier[]
}

/** All state of a market's partition but the remembered ids. */
export interface State {
  spec: SpecCommand | null
  marketState: number
  funding: bigint
  nextFunding: bigint
  firstTickAt: bigint
  quantityMax: bigint
  lastNumber: bigint
  lastTable: number
  /** In opening order: numbers only grow. */
  trades: Map<bigint, Trade>
  /** What the running tick still closes, in order. */
  pending: { readonly number: bigint; readonly reason: number }[]
  pendingBid: bigint
  pendingAsk: bigint
}

/** The state before the first command. */
export const emptyState = (): State => ({
  spec: null,
  marketState: 0,
  funding: 0n,
  nextFunding: 0n,
  firstTickAt: 0n,
  quantityMax: 0n,
  lastNumber: 0n,
  lastTable: 0,
  trades: new Map(),
  pending: [],
  pendingBid: 0n,
  pendingAsk: 0n,
})

/** Sum of a number over the open trades. */
export const sumOf = (state: State, of: (trade: Trade) => bigint): bigint => {
  let sum = 0n
  for (const trade of state.trades.values()) sum += of(trade)
  return sum
}

/** Longs minus shorts. */
export const netQuantityOf = (state: State): bigint =>
  sumOf(state, ({ direction, quantity }) => (direction === 0 ? quantity : -quantity))
