import type { PartitionNumber } from '@bourse/common/kernel/partition.ts'
import type { Instruction } from '../../evidence/instruction.ts'
import type { Memory } from '../memory.ts'
import type { End, Terms, Trade } from './trade.ts'

/** A trade with its end, null while it is open. */
export interface TradeLife {
  readonly trade: Trade
  end: End | null
  /** The market's rules at the close (at the opening while it is open). */
  terms: Terms
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
