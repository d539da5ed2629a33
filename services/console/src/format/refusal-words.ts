import type { RefusalCode } from '@bourse/common/errors/codes.ts'

/** The words of a refusal as this console has them. */
export interface Words {
  readonly title: string
  readonly what: string
  readonly remedy: string
}

const words = (title: string, what: string, remedy: string): Words => ({ title, what, remedy })

const AGAIN = 'Try again in a moment.'
const RELOAD = 'Load the page again; if it stays, tell support the words above.'

/** Of every refusal of the platform. Adding a code without deciding its words does not compile. */
export const REFUSAL_WORDS = {
  VALIDATION_ERROR: words(
    'Not accepted',
    'A field has a value that cannot be meant.',
    'Correct the field it names and send again.',
  ),
  UNAUTHENTICATED: words('Not signed in', 'There is no session, or it has ended.', 'Sign in and go on where you were.'),
  FORBIDDEN: words('Not allowed', 'This is not open to your account.', 'Ask whoever runs the platform to open it.'),
  NOT_FOUND: words(
    'Not there',
    'There is no such thing, or it is not yours to see.',
    'Check the number and look again.',
  ),
  RATE_LIMITED: words(
    'Too many requests',
    'More was asked in a short time than is allowed.',
    'Wait a little and try again.',
  ),
  UNAVAILABLE: words('Not available', 'The platform is starting, stopping or overloaded.', AGAIN),
  ENGINE_FAULT: words(
    'A fault of the engine',
    'The engine hit a fault and did nothing; what was held is free again.',
    RELOAD,
  ),
  IDEMPOTENCY_CONFLICT: words(
    'A different request',
    'This request was sent before with other values.',
    'Send it anew.',
  ),
  PAYLOAD_TOO_LARGE: words('Too large', 'More was sent than the platform takes at once.', 'Send less.'),
  REQUEST_TIMEOUT: words('Too slow', 'The request did not arrive in time.', 'Check the network and send again.'),
  INTERNAL_ERROR: words('A fault of the platform', 'The platform hit a fault of its own.', RELOAD),
  EMAIL_TAKEN: words(
    'Address in use',
    'There is an account with this e-mail address.',
    'Sign in instead, or use another address.',
  ),
  METHOD_NOT_ALLOWED: words('Not possible', 'The platform does not do this here.', RELOAD),
  ACCOUNT_NOT_FOUND: words('No account', 'You have no trading account yet.', 'Open one in the wallet.'),
  INSUFFICIENT_FUNDS: words(
    'Not enough funds',
    'Margin and open fee together are more than is available.',
    'Use less margin or leverage, or close a trade first.',
  ),
  HOLD_CLOSED: words(
    'Settled already',
    'The amount held for this was settled or released before.',
    'Look at your balances: nothing more is to do.',
  ),
  HOLD_NOT_FOUND: words('Nothing held', 'There is no amount held for this.', RELOAD),
  NOT_ZERO_SUM: words(
    'Does not add up',
    'The entries of a booking do not add up to zero.',
    'Correct the amounts and send again.',
  ),
  CAPACITY_EXCEEDED: words('Full', 'The market holds as many open trades as it can.', AGAIN),
  INVALID_COMMAND: words('Not understood', 'The engine does not understand this command.', RELOAD),
  AMOUNT_OVERFLOW: words('Too large', 'An amount would be larger than the platform counts.', 'Use a smaller amount.'),
  TRANSACTION_NOT_FOUND: words('No such transaction', 'There is no transaction with this number.', 'Check the number.'),
  LEVERAGE_TOO_HIGH: words(
    'Leverage too high',
    'A trade of this size may not have so much leverage.',
    'Use less leverage, or less margin to stay in a smaller tier.',
  ),
  MARGIN_TOO_SMALL: words(
    'Margin too small',
    'The margin is below the least, or does not buy one lot.',
    'Use more margin or leverage.',
  ),
  NOTIONAL_TOO_HIGH: words(
    'Trade too large',
    'The trade would be worth more than the market allows.',
    'Use less margin or leverage.',
  ),
  TOO_MANY_TRADES: words(
    'Too many trades',
    'You have as many open trades in this market as are allowed.',
    'Close one first.',
  ),
  EXPOSURE_LIMIT: words(
    'Market full on this side',
    'The market takes no more trades in this direction.',
    'Trade smaller, the other way, or later.',
  ),
  INVALID_STOP_LOSS: words(
    'Stop on the wrong side',
    'The stop is not on the losing side of the price, or no multiple of the tick.',
    'Set a long’s stop below the price, a short’s above it.',
  ),
  INVALID_TAKE_PROFIT: words(
    'Target on the wrong side',
    'The target is not on the winning side of the price, or no multiple of the tick.',
    'Set a long’s target above the price, a short’s below it.',
  ),
  WOULD_LIQUIDATE: words(
    'Would be liquidated at once',
    'With this leverage the price it closes at is beyond liquidation already.',
    'Use less leverage.',
  ),
  PRICE_MOVED: words(
    'Price moved',
    'The price went beyond the worst you accept; nothing was done.',
    'Look at the price and decide again.',
  ),
  TRADE_NOT_FOUND: words('No such trade', 'There is no such trade of yours.', 'Look at your open trades and history.'),
  TRADE_CLOSED: words(
    'Closed already',
    'The trade was closed before this arrived.',
    'See how it ended in the history.',
  ),
  MARKET_HALTED: words(
    'Market halted',
    'The market is halted: nothing opens or closes.',
    'Wait until it reopens; triggers reached meanwhile fire then.',
  ),
  MARKET_REDUCE_ONLY: words(
    'Only closing',
    'The market takes no new trades at present.',
    'You can close; open when the market is open again.',
  ),
  PRICE_STALE: words('No fresh price', 'The last price is too old to trade on.', 'Wait for the next price.'),
  MARKET_NOT_FOUND: words('No such market', 'There is no such market.', 'Choose one of the list.'),
  INSUFFICIENT_LIQUIDITY: words(
    'Exchange did not fill',
    'The exchange refused the order or is down; the customer’s money is free again.',
    AGAIN,
  ),
  SLIPPAGE: words('Price moved', 'The price moved too far between quote and execution.', 'Make a new quote.'),
  BANK_CONNECTION_ERROR: words(
    'Bank did not answer',
    'The bank did not acknowledge, so nothing was bought.',
    'Check the bank’s callback, then try again.',
  ),
  BANK_DECLINED: words(
    'Declined by the bank',
    'The bank said no to this transaction.',
    'The bank’s own records say why.',
  ),
  QUOTE_NOT_FOUND: words('No such quote', 'There is no such quote.', 'Make a new quote.'),
  QUOTE_EXPIRED: words('Quote expired', 'The quote’s time was over.', 'Make a new quote and use it in time.'),
  QUOTE_USED: words('Quote used', 'A quote is good for one trade, and this one had it.', 'Make a new quote.'),
  LIMIT_EXCEEDED: words(
    'Limit reached',
    'The amount is outside the limits of the bank or the customer.',
    'Use an amount within the limits, or wait for the next day.',
  ),
  BANK_SUSPENDED: words('Bank suspended', 'The bank may not trade at present.', 'Ask whoever runs the platform.'),
} as const satisfies Record<RefusalCode, Words>
