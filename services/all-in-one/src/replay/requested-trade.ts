import { createHash } from 'node:crypto'
import type { Units } from '@bourse/common/money/amount.ts'
import type { DirectionName } from '@bourse/risk-rules/trading/codec.ts'
import { TRADES_MAX } from '@bourse/risk-rules/trading/codec.ts'

/** Most trades of one replay: what one partition can be made for. */
export const REQUESTED_TRADES_MAX = TRADES_MAX

/** A trade to be opened at the first tick at or after `openAtMs`. */
export interface RequestedTrade {
  /** As the trade file names it; unique in a replay. */
  readonly id: string
  readonly openAtMs: number
  /** Owner (16 bytes). */
  readonly account: Uint8Array
  readonly direction: DirectionName
  readonly margin: Units
  readonly leverage: number
  /** 0 = none, as in the engine's command. */
  readonly stopLoss: Units
  readonly takeProfit: Units
}

/** Sixteen bytes that follow from a name: ids and accounts of a replay are the same in every run. */
export const replayId = (name: string): Uint8Array =>
  new Uint8Array(createHash('sha256').update(`replay:${name}`, 'utf8').digest().subarray(0, 16))

/** The account with this number. All trades of a file belong to number 0. */
export const replayAccount = (number: number): Uint8Array => replayId(`account ${number}`)
