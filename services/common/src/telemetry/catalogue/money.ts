import { LABEL_BOUNDS, type SeriesDefinition } from './definition.ts'

const { partition, symbol, bank, currency, code } = LABEL_BOUNDS

const ledger = (help: string, labels: Readonly<Record<string, number>> = { partition, currency }) =>
  ({ type: 'gauge', unit: 'units', help, labels, owner: 'ledger' }) as const

/** What ledger partitions show of the money. Sums are exact in the machine; a series shows the nearest double of 1e-8 units. */
export const LEDGER_SERIES = {
  bourse_ledger_imbalance_units: ledger(
    'Sum of all accounts of a currency in a partition, clearing included: must be 0 at every moment, ' +
      'anything else is lost or made money.',
  ),
  bourse_ledger_clearing_units: ledger(
    'Balance of the clearing accounts: money on its way between partitions; over all partitions it returns to 0.',
  ),
  bourse_ledger_locked_units: ledger('Money locked by holds.'),
  bourse_ledger_system_units: ledger(
    'Balance of system accounts by kind: house, omnibus, exchange, fees, spread, promotion, clearing, insurance, bank.',
    { partition, currency, kind: 16 },
  ),
  bourse_ledger_holds: {
    type: 'gauge',
    unit: 'none',
    help: 'Open holds in a partition.',
    labels: { partition },
    owner: 'ledger',
  },
} as const satisfies Record<string, SeriesDefinition>

const market = (unit: SeriesDefinition['unit'], help: string) =>
  ({ type: 'gauge', unit, help, labels: { symbol, partition }, owner: 'trading' }) as const

/** What trading partitions show. */
export const TRADING_SERIES = {
  bourse_trading_open_trades: market('none', 'Open trades.'),
  bourse_trading_margin_units: market('units', 'Margin of the open trades.'),
  bourse_trading_exposure_units: market(
    'units',
    'Net quantity of the open trades (longs less shorts): what the house is short of.',
  ),
  bourse_trading_halted: market('none', '1 while the market takes no orders.'),
  bourse_trading_opens_total: {
    type: 'counter',
    unit: 'none',
    help: 'Trades opened.',
    labels: { symbol, direction: 2 },
    owner: 'trading',
  },
  bourse_trading_closes_total: {
    type: 'counter',
    unit: 'none',
    help: 'Trades closed, by reason: client, stop_loss, take_profit, liquidation.',
    labels: { symbol, reason: 8 },
    owner: 'trading',
  },
  bourse_trading_deficits_total: {
    type: 'counter',
    unit: 'none',
    help: 'Closes that left a deficit, which the house and the insurance fund bear.',
    labels: { symbol },
    owner: 'trading',
  },
  bourse_trading_deficit_units_total: {
    type: 'counter',
    unit: 'units',
    help: 'Money of those deficits.',
    labels: { symbol },
    owner: 'trading',
  },
  bourse_trading_refusals_total: {
    type: 'counter',
    unit: 'none',
    help: 'Opens and closes that a market refused, by code.',
    labels: { symbol, code },
    owner: 'trading',
  },
} as const satisfies Record<string, SeriesDefinition>

/** What bridge partitions show. */
export const BRIDGE_SERIES = {
  bourse_bridge_trades_total: {
    type: 'counter',
    unit: 'none',
    help: 'Bank trades that came to their end, by outcome (COMPLETED or the code of their failure).',
    labels: { bank, side: 4, outcome: code },
    owner: 'bridge',
  },
  bourse_bridge_pending_trades: {
    type: 'gauge',
    unit: 'none',
    help: 'Bank trades, deposits and withdrawals that have not come to their end.',
    labels: { partition },
    owner: 'bridge',
  },
  bourse_bridge_oldest_pending_seconds: {
    type: 'gauge',
    unit: 'seconds',
    help: 'Age of the oldest of them; 0 when there is none.',
    labels: { partition },
    owner: 'bridge',
  },
  bourse_bridge_calls_total: {
    type: 'counter',
    unit: 'none',
    help:
      'Attempts at exchanges (ticker, order, order_status) and banks (authorization, reversal, webhook): ' +
      'answered, declined by a clear no, or failed (no clear answer).',
    labels: { target: 2, operation: 16, outcome: 8 },
    owner: 'bridge',
  },
  bourse_bridge_call_duration_seconds: {
    type: 'histogram',
    unit: 'seconds',
    help: 'Time of one attempt at an exchange or a bank, until its answer or its time limit.',
    labels: { target: 2, operation: 16 },
    owner: 'bridge',
  },
  bourse_bridge_webhooks_waiting: {
    type: 'gauge',
    unit: 'none',
    help: 'Events and reversals that a bank has not acknowledged.',
    labels: { bank },
    owner: 'bridge',
  },
} as const satisfies Record<string, SeriesDefinition>

/** What price feeds show. */
export const MARKET_SERIES = {
  bourse_market_feed_live: {
    type: 'gauge',
    unit: 'none',
    help: '1 while a symbol’s feed brings quotes that may be traded on.',
    labels: { symbol },
    owner: 'market',
  },
  bourse_market_feed_age_seconds: {
    type: 'gauge',
    unit: 'seconds',
    help: 'Since the last believed quote.',
    labels: { symbol },
    owner: 'market',
  },
  bourse_market_quotes_total: {
    type: 'counter',
    unit: 'none',
    help: 'Quotes published.',
    labels: { symbol },
    owner: 'market',
  },
  bourse_market_rejected_total: {
    type: 'counter',
    unit: 'none',
    help: 'Quotes that were not believed, by reason.',
    labels: { symbol, reason: 16 },
    owner: 'market',
  },
  bourse_market_source_faults_total: {
    type: 'counter',
    unit: 'none',
    help: 'Faults of price sources: gaps, garbage, silence, lost connections.',
    labels: { symbol, fault: 16 },
    owner: 'market',
  },
  bourse_market_spread_ratio: {
    type: 'gauge',
    unit: 'ratio',
    help: 'Spread of the last believed quote over its middle.',
    labels: { symbol },
    owner: 'market',
  },
} as const satisfies Record<string, SeriesDefinition>
