import { closeReasons, type SpecCommand } from '@bourse/risk-rules/trading/codec.ts'
import { feeAt, settle, withAmounts, type Position, type Tier } from '../../arithmetic/cfd.ts'

/** A trade as the auditor knows it: in the market as it stands, in its life as it was opened. Ids in hex, money in units. */
export interface Trade extends Position {
  readonly number: bigint
  readonly account: string
  readonly openId: string
  readonly ledgerPartition: number
  readonly leverage: number
  readonly stopLoss: bigint
  readonly takeProfit: bigint
  readonly openFee: bigint
  readonly openedAt: bigint
  readonly tiers: readonly Tier[]
  /** Sequence of the record that opened it. */
  readonly openedIn: bigint
}

/** Other stops of a trade, from one command on. */
export interface Change {
  /** The command's id in hex; null when it has none. */
  readonly id: string | null
  readonly stopLoss: bigint
  readonly takeProfit: bigint
  /** F when its liquidation price was told. */
  readonly fundingAt: bigint
  /** Sequence of the record that changed them. */
  readonly changedIn: bigint
}

/** How a trade came to its end. */
export interface End {
  readonly reason: number
  readonly exitPrice: bigint
  readonly closedAt: bigint
  readonly pnl: bigint
  readonly funding: bigint
  readonly fee: bigint
  readonly returned: bigint
  readonly deficit: bigint
  /** F at the close. */
  readonly fundingAt: bigint
  /** Sequence of the record that closed it. */
  readonly closedIn: bigint
}

/** A market's rules as journaled, with the amounts of its tiers. */
export interface Terms extends SpecCommand {
  readonly tiersWithAmounts: readonly Tier[]
}

/** Terms of a journaled spec. */
export const termsOf = (spec: SpecCommand): Terms => ({ ...spec, tiersWithAmounts: withAmounts(spec.tiers) })

/** What a close at `price` is by the auditor's arithmetic. */
export const endOf = (
  trade: Trade,
  terms: Terms,
  close: {
    readonly price: bigint
    readonly reason: number
    readonly funding: bigint
    readonly now: bigint
    readonly sequence: bigint
  },
): End => {
  const bps = close.reason === closeReasons.LIQUIDATION ? terms.liquidationBps : terms.closeBps
  return {
    reason: close.reason,
    exitPrice: close.price,
    closedAt: close.now,
    fundingAt: close.funding,
    closedIn: close.sequence,
    ...settle(trade, close.price, close.funding, bps),
  }
}

/** The open fee of a quantity at its entry. */
export const openFeeFor = (terms: Terms, quantity: bigint, entryPrice: bigint): bigint =>
  feeAt(quantity, entryPrice, terms.openBps)
