import type { DirectionName } from '@bourse/risk-rules/trading/codec.ts'
import type { Result } from '@bourse/common/errors/codes.ts'
import type { CommandIdentity } from '@bourse/common/platform/request.ts'
import type { Units } from '@bourse/common/money/amount.ts'
import type { ClosedTradeFields, OpenTradeFields } from '../codec/present.ts'

/** An open trade as the edge gets it. */
export type OpenTrade = OpenTradeFields
/** A closed trade as the edge gets it. */
export type ClosedTrade = ClosedTradeFields

/** What a trader asks for. */
export interface CreateTradeRequest {
  readonly identity: CommandIdentity
  /** Owner bytes of the account (the user's UUID). */
  readonly account: Uint8Array
  readonly asset: string
  readonly direction: DirectionName
  readonly margin: Units
  readonly leverage: number
  readonly stopLossPrice: Units | null
  readonly takeProfitPrice: Units | null
  readonly worstPrice: Units | null
}

/** What a trader asks for. */
export interface CloseTradeRequest {
  readonly identity: CommandIdentity
  readonly account: Uint8Array
  readonly tradeId: string
  readonly worstPrice: Units | null
}

/** What a trader asks for. Of each price, one at least: `undefined` leaves it as it is, `null` takes it away, a value sets it. */
export interface UpdateTradeRequest {
  readonly identity: CommandIdentity
  readonly account: Uint8Array
  readonly tradeId: string
  readonly stopLossPrice: Units | null | undefined
  readonly takeProfitPrice: Units | null | undefined
}

/** Commands and strong reads of all markets. Every call answers within its deadline or refuses `UNAVAILABLE`. */
export interface TradingClient {
  createTrade(request: CreateTradeRequest): Promise<Result<OpenTrade>>
  closeTrade(request: CloseTradeRequest): Promise<Result<ClosedTrade>>
  /** Answers the open trade with its stops as this command left them, again and again, whatever became of it since. */
  updateTrade(request: UpdateTradeRequest): Promise<Result<OpenTrade>>
  /**
   * Open trades of an account in all markets. Answers only once the money of everything decided so far has reached the
   * ledger, so that
   * balances read afterwards include it.
   */
  openTrades(account: Uint8Array): Promise<Result<readonly OpenTrade[]>>
  /** Halts, reopens or restricts a market in all its partitions. */
  setMarketState(
    identity: CommandIdentity,
    asset: string,
    state: 'Open' | 'ReduceOnly' | 'Halted',
  ): Promise<Result<void>>
  /** State of the market as its partitions have it. */
  marketState(
    asset: string,
  ): Promise<Result<{ readonly state: 'Open' | 'ReduceOnly' | 'Halted'; readonly openTrades: number }>>
}
