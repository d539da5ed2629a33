import { refuse, type RefusalCode, type Result } from '@bourse/common/errors/codes.ts'

/** What each refusal means to a trader and what helps; the codes of the contract all have one. */
const words: Partial<Record<RefusalCode, string>> = {
  LEVERAGE_TOO_HIGH:
    'the leverage is above what the pair or the tier of this notional allows; use a lower leverage or margin',
  MARGIN_TOO_SMALL: 'the margin is below the minimum or buys less than one lot; use a larger margin',
  NOTIONAL_TOO_HIGH: 'the notional is above the limit of one trade; use a smaller margin or leverage',
  TOO_MANY_TRADES: 'the account has as many open trades in this pair as allowed; close one first',
  EXPOSURE_LIMIT: 'the market takes no more on this side right now; try a smaller trade or later',
  INVALID_STOP_LOSS: 'stopLossPrice must be a multiple of the tick size on the losing side of the current price',
  INVALID_TAKE_PROFIT: 'takeProfitPrice must be a multiple of the tick size on the winning side of the current price',
  WOULD_LIQUIDATE: 'the trade would be liquidated at once; use a lower leverage',
  PRICE_MOVED: 'the price is beyond worstPrice; give another worstPrice or try again',
  TRADE_NOT_FOUND: 'there is no such trade of yours; read GET /api/v1/trades',
  TRADE_CLOSED: 'the trade is closed already; read it from GET /api/v1/trades?status=closed',
  MARKET_HALTED: 'the market is halted; until it reopens nothing opens or closes, and stops can only be taken away',
  MARKET_REDUCE_ONLY: 'the market only closes trades right now',
  MARKET_NOT_FOUND: 'there is no such market; read GET /api/v1/markets',
  PRICE_STALE: 'the latest price is too old to trade on; try again in a moment',
  INSUFFICIENT_FUNDS: 'margin and opening fee are more than the available balance; use a smaller margin',
  ACCOUNT_NOT_FOUND: 'there is no trading account; send CREATE_ACCOUNT first',
  IDEMPOTENCY_CONFLICT: 'this x-idempotency-key was used for another request; use a new key',
  CAPACITY_EXCEEDED: 'the market has no room for another open trade right now; try later',
  ENGINE_FAULT: 'the command failed inside the engine, moved no money and was reported',
  UNAVAILABLE: 'the platform takes no new commands right now; repeat with the same key',
}

/** A refusal of the engine in words. */
export const tradingRefusal = (code: RefusalCode): Result<never> =>
  refuse(code, words[code] ?? `the engine refused: ${code}`, code === 'UNAVAILABLE' ? 1 : undefined)
