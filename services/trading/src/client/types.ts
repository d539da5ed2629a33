import type { Result } from '@bourse/common/errors/codes.ts'
import type { CommandIdentity } from '@bourse/common/platform/request.ts'
import type { Units } from '@bourse/common/money/amount.ts'

/** Side of a trade. */
export type Direction = 'LONG' | 'SHORT'
/** Why a trade was closed. */
export type CloseReason = 'USER' | 'STOP_LOSS' | 'TAKE_PROFIT' | 'LIQUIDATION'

/** An open trade. Prices, quantities and margin in units of 1e-8, moments in ms. */
export interface OpenTrade {
  readonly tradeId: string
  readonly asset: string
  readonly direction: Direction
  readonly margin: Units
  readonly leverage: number
  readonly quantity: Units
  readonly entryPrice: Units
  /** Null when no price above zero liquidates it. */
  readonly liquidationPrice: Units | null
  readonly stopLossPrice: Units | null
  readonly takeProfitPrice: Units | null
  readonly openFee: Units
  readonly openedAtMs: number
  /** Funding paid so far (negative: received), at today's F. */
  readonly fundingCost: Units
}

/** What closing adds. */
export interface ClosedTrade extends OpenTrade {
  readonly exitPrice: Units
  readonly pnl: Units
  /** Open fee plus close or liquidation fee. */
  readonly fees: Units
  readonly funding: Units
  readonly returned: Units
  readonly reason: CloseReason
  readonly closedAtMs: number
}

/** What a trader asks for. */
export interface CreateTradeRequest {
  readonly identity: CommandIdentity
  /** Owner bytes of the account (the user's UUID). */
  readonly account: Uint8Array
  readonly asset: string
  readonly direction: Direction
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

/** Commands and strong reads of all markets. Every call answers within its deadline or refuses `UNAVAILABLE`. */
export interface TradingClient {
  createTrade(request: CreateTradeRequest): Promise<Result<OpenTrade>>
  closeTrade(request: CloseTradeRequest): Promise<Result<ClosedTrade>>
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
