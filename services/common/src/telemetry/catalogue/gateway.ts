import { LABEL_BOUNDS, type SeriesDefinition } from './definition.ts'

const { route, bank, code } = LABEL_BOUNDS

/** What the edge shows. */
export const GATEWAY_SERIES = {
  bourse_http_requests_total: {
    type: 'counter',
    unit: 'none',
    help: 'HTTP requests answered, by route template, method and status.',
    labels: { route, method: 8, status: 48 },
    owner: 'gateway',
  },
  bourse_http_refusals_total: {
    type: 'counter',
    unit: 'none',
    help: 'Refusals answered over HTTP, by code.',
    labels: { code },
    owner: 'gateway',
  },
  bourse_http_request_duration_seconds: {
    type: 'histogram',
    unit: 'seconds',
    help: 'Time from the request to its answer.',
    labels: { route, method: 8 },
    owner: 'gateway',
  },
  bourse_http_requests_in_flight: {
    type: 'gauge',
    unit: 'none',
    help: 'HTTP requests under way.',
    labels: {},
    owner: 'gateway',
  },
  bourse_orders_total: {
    type: 'counter',
    unit: 'none',
    help: 'Opens, updates and closes of trades: accepted, refused by a rule, or failed (the platform’s own doing).',
    labels: { operation: 4, outcome: 4 },
    owner: 'gateway',
  },
  bourse_order_duration_seconds: {
    type: 'histogram',
    unit: 'seconds',
    help: 'Time from an order’s request to its answer, whatever the answer is.',
    labels: { operation: 4 },
    owner: 'gateway',
  },
  bourse_bank_trades_total: {
    type: 'counter',
    unit: 'none',
    help: 'Buys and sells of banks: completed, refused, pending (no clear end in time) or failed (the platform’s own doing).',
    labels: { bank, side: 4, outcome: 6 },
    owner: 'gateway',
  },
  bourse_bank_trade_duration_seconds: {
    type: 'histogram',
    unit: 'seconds',
    help: 'Time from a bank trade’s request until it was decided; one that was answered PENDING counts with its wait.',
    labels: { side: 4 },
    owner: 'gateway',
    buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 15, 30],
  },
  bourse_bank_refusals_total: {
    type: 'counter',
    unit: 'none',
    help: 'Calls of banks that were refused, by code.',
    labels: { bank, code },
    owner: 'gateway',
  },
  bourse_bank_quotes_total: {
    type: 'counter',
    unit: 'none',
    help: 'Quotes asked by banks: given, refused, or failed (the platform’s own doing).',
    labels: { bank, outcome: 4 },
    owner: 'gateway',
  },
  bourse_ws_sockets: { type: 'gauge', unit: 'none', help: 'Open WebSockets.', labels: {}, owner: 'gateway' },
  bourse_ws_prices_conflated_total: {
    type: 'counter',
    unit: 'none',
    help: 'Quotes left out because a newer one of the symbol replaced them before they were sent.',
    labels: {},
    owner: 'gateway',
  },
  bourse_ws_slow_readers_closed_total: {
    type: 'counter',
    unit: 'none',
    help: 'WebSockets closed because their reader was too slow.',
    labels: {},
    owner: 'gateway',
  },
  bourse_ws_refused_total: {
    type: 'counter',
    unit: 'none',
    help: 'Upgrades to WebSocket that were refused.',
    labels: { reason: 16 },
    owner: 'gateway',
  },
  bourse_rate_limits_let_pass: {
    type: 'gauge',
    unit: 'none',
    help: 'Requests since the start that passed a rate limit because Redis did not answer.',
    labels: {},
    owner: 'gateway',
    profile: 'distributed',
  },
} as const satisfies Record<string, SeriesDefinition>
