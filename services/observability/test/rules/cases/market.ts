import { casesOf, type RuleCase } from './case.ts'

const SYMBOL = { symbol: 'BTC_USDC' }
const L = 'symbol="BTC_USDC"'

/** Situations of prices and markets. */
export const MARKET_CASES: readonly RuleCase[] = [
  ...casesOf('BourseFeedDead')(
    [
      'for the symbol that has no quotes',
      { [`bourse_market_feed_live{${L}}`]: '1x4 0x20', 'bourse_market_feed_live{symbol="ETH_USDC"}': '1x30' },
      150,
      [{ severity: 'critical', ...SYMBOL }],
    ],
    ['when quotes pause for a moment', { [`bourse_market_feed_live{${L}}`]: '1x4 0 1x20' }, 90, []],
  ),
  ...casesOf('BoursePriceStale')(
    [
      'when a market refuses again and again',
      { [`bourse_trading_refusals_total{${L},code="PRICE_STALE"}`]: '0+3x30' },
      240,
      [{ severity: 'critical', ...SYMBOL }],
    ],
    [
      'when customers ask for too much',
      {
        [`bourse_trading_refusals_total{${L},code="LEVERAGE_TOO_HIGH"}`]: '0+3x30',
        [`bourse_trading_refusals_total{${L},code="PRICE_STALE"}`]: '8x30',
      },
      240,
      [],
    ],
    [
      'when a start has no prices for a moment',
      { [`bourse_trading_refusals_total{${L},code="PRICE_STALE"}`]: '0x4 5 9 9x20' },
      150,
      [],
    ],
  ),
  ...casesOf('BourseQuotesRejected')(
    [
      'when a fifth is not believed',
      {
        [`bourse_market_rejected_total{${L},reason="stale"}`]: '0+10x40',
        [`bourse_market_rejected_total{${L},reason="jump"}`]: '0+10x40',
        [`bourse_market_quotes_total{${L}}`]: '0+80x40',
      },
      480,
      [{ severity: 'warning', ...SYMBOL }],
    ],
    [
      'when none is believed',
      {
        [`bourse_market_rejected_total{${L},reason="stale"}`]: '0+10x40',
        [`bourse_market_quotes_total{${L}}`]: '5x40',
      },
      480,
      [{ severity: 'warning', ...SYMBOL }],
    ],
    [
      'when one of a thousand jumps',
      {
        [`bourse_market_rejected_total{${L},reason="jump"}`]: '0x20 1x20',
        [`bourse_market_quotes_total{${L}}`]: '0+80x40',
      },
      480,
      [],
    ],
  ),
  ...casesOf('BourseFeedFaults')(
    [
      'when the connection is lost every half minute',
      {
        [`bourse_market_source_faults_total{${L},fault="disconnected"}`]:
          '0 0 1 1 2 2 3 3 4 4 5 5 6 6 7 7 8 8 9 9 10 10',
      },
      300,
      [{ severity: 'warning', ...SYMBOL }],
    ],
    [
      'when the source gave up',
      { [`bourse_market_source_faults_total{${L},fault="failed"}`]: '_x4 1x20' },
      120,
      [{ severity: 'warning', ...SYMBOL }],
    ],
    ['at a single gap', { [`bourse_market_source_faults_total{${L},fault="gap"}`]: '0x4 1x20' }, 120, []],
  ),
  ...casesOf('BourseMarketHalted')(
    [
      'when it is halted',
      { [`bourse_trading_halted{${L},partition="trading/BTC_USDC/0"}`]: '0 1x9' },
      60,
      [{ severity: 'info', ...SYMBOL }],
    ],
    ['when it is open', { [`bourse_trading_halted{${L},partition="trading/BTC_USDC/0"}`]: '0x9' }, 60, []],
  ),
  ...casesOf('BourseMassLiquidations')(
    [
      'when a hundred trades are liquidated',
      { [`bourse_trading_closes_total{${L},reason="liquidation"}`]: '0x4 100x9' },
      120,
      [{ severity: 'info', ...SYMBOL }],
    ],
    [
      'when a hundred clients close',
      {
        [`bourse_trading_closes_total{${L},reason="client"}`]: '0x4 100x9',
        [`bourse_trading_closes_total{${L},reason="liquidation"}`]: '0x4 3x9',
      },
      120,
      [],
    ],
  ),
]
