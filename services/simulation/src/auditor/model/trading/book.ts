import type { PartitionNumber } from '@bourse/common/kernel/partition.ts'
import type { Instruction } from '../../evidence/instruction.ts'
import type { Memory } from '../memory.ts'
import type { Change, End, Terms, Trade } from './trade.ts'

/** A trade as it was opened, every change of its stops, and its end, null while it is open. */
export interface TradeLife {
  readonly trade: Trade
  /** In their order. */
  readonly changes: Change[]
  end: End | null
  /** The market's rules at the close (at the opening while it is open). */
  terms: Terms
}

/** The trade with the stops that it had after a record; after the last one when none is named. */
export const tradeAfter = ({ trade, changes }: TradeLife, sequence?: bigint): Trade => {
  const last = changes.findLast(({ changedIn }) => sequence === undefined || changedIn <= sequence)
  return last === undefined ? trade : { ...trade, stopLoss: last.stopLoss, takeProfit: last.takeProfit }
}

/** A transfer that a trade owes, where. */
export interface Transfer {
  readonly partition: PartitionNumber
  readonly instruction: Instruction
}

/** What the auditor makes of a trading partition's journal. */
export interface TradingBook {
  readonly partition: PartitionNumber
  readonly lives: ReadonlyMap<bigint, TradeLife>
  /** F after each record, by its sequence. */
  readonly fundingAfter: ReadonlyMap<bigint, bigint>
  readonly terms: Terms | null
  readonly state: number
  readonly memory: Memory
  /** Money of all trades, in the order it was decided. */
  readonly transfers: readonly Transfer[]
}
