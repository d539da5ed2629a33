import { quantile, rate, select, sum } from './promql.ts'
import type { Row } from './specification.ts'

/** Rate, failures and time of orders. */
export const ORDERS: Row = {
  title: 'Orders',
  panels: [
    {
      title: 'Orders by outcome',
      shows: 'Opens and closes a second: accepted, refused by a rule, failed by our own doing.',
      good: 'Accepted, some refused, none failed.',
      otherwise: 'Failed: a partition, the broker or the journal. Many refused: see the codes.',
      unit: 'requestsPerSecond',
      queries: [
        { expr: sum(['operation', 'outcome'], rate('bourse_orders_total')), legend: '{{operation}} {{outcome}}' },
      ],
      seeAlso: ['bourse-shards'],
      alerts: ['BourseOrderAvailabilityBudgetBurn'],
    },
    {
      title: 'Order time',
      shows: 'p50 and p99 from an order’s request to its answer.',
      good: 'p99 below 50 ms.',
      otherwise: 'The stages on the shards dashboard show where it goes.',
      unit: 'seconds',
      queries: [
        { expr: quantile(0.5, 'bourse_order_duration_seconds', ['operation']), legend: '{{operation}} p50' },
        { expr: quantile(0.99, 'bourse_order_duration_seconds', ['operation']), legend: '{{operation}} p99' },
      ],
      limits: { bad: 'above', warning: 0.05, critical: 0.25 },
      seeAlso: ['bourse-shards'],
      alerts: ['BourseOrderLatencyBudgetBurn'],
    },
    {
      title: 'Orders refused by markets',
      shows: 'Refusals of markets a second, by code.',
      good: 'Codes that lie with customers.',
      otherwise:
        'PRICE_STALE: market data. MARKET_HALTED: the audit. CAPACITY_EXCEEDED: docs/failure-modes.md, “Full”.',
      unit: 'requestsPerSecond',
      queries: [{ expr: sum(['code'], rate('bourse_trading_refusals_total')), legend: '{{code}}' }],
      seeAlso: ['bourse-market', 'bourse-money'],
    },
  ],
}

/** Rate, failures and time of bank trades. */
export const BANKS: Row = {
  title: 'Banks',
  panels: [
    {
      title: 'Bank trades',
      shows: 'Buys and sells of banks a second, by outcome.',
      good: 'Completed; none failed.',
      otherwise: 'The bridge dashboard tells bank from exchange.',
      unit: 'requestsPerSecond',
      queries: [{ expr: sum(['side', 'outcome'], rate('bourse_bank_trades_total')), legend: '{{side}} {{outcome}}' }],
      seeAlso: ['bourse-bridge'],
      alerts: ['BourseBankTradeAvailabilityBudgetBurn'],
    },
    {
      title: 'Bank trade time',
      shows: 'p50 and p99 until a bank trade was decided.',
      good: 'p99 below 2 s.',
      otherwise: 'The bridge dashboard shows whose calls are slow.',
      unit: 'seconds',
      queries: [
        { expr: quantile(0.5, 'bourse_bank_trade_duration_seconds'), legend: 'p50' },
        { expr: quantile(0.99, 'bourse_bank_trade_duration_seconds'), legend: 'p99' },
      ],
      limits: { bad: 'above', warning: 1, critical: 2 },
      seeAlso: ['bourse-bridge'],
      alerts: ['BourseBankTradeLatencyBudgetBurn'],
    },
    {
      title: 'Bank calls refused',
      shows: 'Refusals of calls of banks a second, by code.',
      good: 'Codes that lie with customers of banks.',
      otherwise: 'The bridge dashboard shows them by bank.',
      unit: 'requestsPerSecond',
      queries: [{ expr: sum(['code'], rate('bourse_bank_refusals_total')), legend: '{{code}}' }],
      seeAlso: ['bourse-bridge'],
    },
  ],
}

/** Rate, failures and time of all requests, and WebSockets. */
export const EDGE: Row = {
  title: 'HTTP and WebSockets',
  panels: [
    {
      title: 'Requests by status',
      shows: 'HTTP requests a second, by status.',
      good: '2xx and some 4xx.',
      otherwise:
        '5xx: the codes beside tell UNAVAILABLE (servers, partitions) from INTERNAL_ERROR (a bug, read the log).',
      unit: 'requestsPerSecond',
      queries: [{ expr: sum(['status'], rate('bourse_http_requests_total')), legend: '{{status}}' }],
      alerts: ['BourseHttpAvailabilityBudgetBurn'],
    },
    {
      title: 'Refusals by code',
      shows: 'Refusals answered over HTTP a second, by code.',
      good: 'VALIDATION_ERROR, INSUFFICIENT_BALANCE and the like.',
      otherwise:
        'UNAVAILABLE, ENGINE_FAULT, INTERNAL_ERROR and CAPACITY_EXCEEDED are ours; docs/failure-modes.md has each.',
      unit: 'requestsPerSecond',
      queries: [{ expr: sum(['code'], rate('bourse_http_refusals_total')), legend: '{{code}}' }],
      alerts: ['BourseHttpAvailabilityBudgetBurn'],
    },
    {
      title: 'Request time',
      shows: 'p50 and p99 of all requests, and the five slowest routes.',
      good: 'p99 below 250 ms; sign-up and sign-in hash passwords and take longer.',
      otherwise: 'One route: what it reads. All routes: the event loop of the gateway.',
      unit: 'seconds',
      queries: [
        { expr: quantile(0.5, 'bourse_http_request_duration_seconds'), legend: 'all p50' },
        { expr: quantile(0.99, 'bourse_http_request_duration_seconds'), legend: 'all p99' },
        {
          expr: `topk(5, ${quantile(0.99, 'bourse_http_request_duration_seconds', ['route'])})`,
          legend: '{{route}} p99',
        },
      ],
      seeAlso: ['bourse-node'],
    },
    {
      title: 'Requests under way',
      shows: 'HTTP requests under way and open WebSockets, by gateway.',
      good: 'Follow the day.',
      otherwise: 'Requests pile up: what they wait for is slow. At BOURSE_LIMIT_REQUESTS_IN_FLIGHT more are refused.',
      unit: 'count',
      queries: [
        { expr: sum(['pod'], select('bourse_http_requests_in_flight')), legend: '{{pod}} requests' },
        { expr: sum(['pod'], select('bourse_ws_sockets')), legend: '{{pod}} sockets' },
      ],
      alerts: ['BourseWebSocketsRefused'],
    },
    {
      title: 'WebSockets closed or refused',
      shows: 'Sockets closed because their reader was too slow, and upgrades refused, a second.',
      good: '0.',
      otherwise: 'Market data shows the gateways; refused for capacity: add a gateway.',
      unit: 'eventsPerSecond',
      queries: [
        { expr: sum([], rate('bourse_ws_slow_readers_closed_total')), legend: 'slow readers closed' },
        { expr: sum(['reason'], rate('bourse_ws_refused_total')), legend: 'refused: {{reason}}' },
      ],
      seeAlso: ['bourse-market'],
      alerts: ['BourseSlowReaders', 'BourseWebSocketsRefused'],
    },
    {
      title: 'Requests past the rate limits',
      shows: 'Requests since the start that passed because Redis did not answer.',
      good: 'Flat.',
      otherwise: 'Rising: nobody is limited until Redis is back.',
      unit: 'count',
      queries: [{ expr: sum(['pod'], select('bourse_rate_limits_let_pass')), legend: '{{pod}}' }],
      seeAlso: ['bourse-broker'],
      alerts: ['BourseRateLimiterOpen'],
    },
  ],
}
