import { badPart, select } from './promql.ts'

/** What the platform promises, and how the broken part of the promise is read from its series. */
export interface Objective {
  /** Names its recording rules: `order_latency:burnrate5m`. */
  readonly name: string
  readonly title: string
  /** What counts as good, in words of its users. */
  readonly description: string
  /** Part of the events that must be good over 30 days. */
  readonly target: number
  /** Start of its alert's name: `BourseOrderLatency` makes `BourseOrderLatencyBudgetBurn`. */
  readonly alertPrefix: string
  /** PromQL: part of the bad events over `window` (`5m`) by namespace, with `selector` (`namespace="x"`) in every series. */
  readonly badRatio: (window: string, selector: string) => string
}

/** An order has to be answered within this time; it is a bound of the histogram. */
export const ORDER_SECONDS = 0.05
/** A bank trade has to be decided within this time. */
export const BANK_TRADE_SECONDS = 2
/**
 * An effect has to be journaled by its receiver within this time. One that is lost on its way is sent again after 1 s: the bound
 * lets one loss and its repetition pass, and is what a customer who reads a balance would wait for.
 */
export const SETTLEMENT_SECONDS = 2.5

/** Codes of refusals that are the platform's own failure; others speak of the request, a market, a bank or an exchange. */
export const OWN_FAILURE_CODES = ['UNAVAILABLE', 'ENGINE_FAULT', 'INTERNAL_ERROR', 'CAPACITY_EXCEEDED'] as const

const rate = (window: string, selector: string, series: string, ...matchers: readonly string[]): string =>
  `sum by (namespace) (rate(${select(series, selector, ...matchers)}[${window}]))`

/** Part of a histogram's observations above `seconds`, which must be one of its bounds. */
const slowerThan =
  (histogram: string, seconds: number): Objective['badRatio'] =>
  (window, selector) => {
    const total = rate(window, selector, `${histogram}_count`)
    // Prometheus 3 writes whole bounds as `2.0`, whatever they are scraped as.
    const bound = Number.isInteger(seconds) ? `le=~"${seconds}([.]0)?"` : `le="${seconds}"`
    const fast = rate(window, selector, `${histogram}_bucket`, bound)
    return badPart(`${total} - ${fast}`, total)
  }

/** Part of a counter's events that carry `matcher`. */
const withLabel =
  (counter: string, matcher: string): Objective['badRatio'] =>
  (window, selector) =>
    badPart(rate(window, selector, counter, matcher), rate(window, selector, counter))

/** The promise about the time of orders, for a bound that is one of the histogram's. */
export const orderLatencyWithin = (seconds: number): Objective => ({
  name: 'order_latency',
  title: `Orders answered within ${seconds * 1_000} ms`,
  description:
    '99 % of the orders (opens and closes of trades) are answered, journaled and safe, ' +
    `within ${seconds * 1_000} ms of their arrival.`,
  target: 0.99,
  alertPrefix: 'BourseOrderLatency',
  badRatio: slowerThan('bourse_order_duration_seconds', seconds),
})

/** What the platform promises over any 30 days. */
export const OBJECTIVES: readonly Objective[] = [
  orderLatencyWithin(ORDER_SECONDS),
  {
    name: 'bank_trade_latency',
    title: 'Bank trades decided within 2 s',
    description: '99 % of the buys and sells of banks are decided, bank and exchange asked, within 2 s.',
    target: 0.99,
    alertPrefix: 'BourseBankTradeLatency',
    badRatio: slowerThan('bourse_bank_trade_duration_seconds', BANK_TRADE_SECONDS),
  },
  {
    name: 'price_freshness',
    title: 'Prices fresh',
    description: 'Each market has a price that may be traded on for 99.9 % of the time.',
    target: 0.999,
    alertPrefix: 'BoursePriceFreshness',
    badRatio: (window, selector) =>
      `1 - avg by (namespace) (avg_over_time(${select('bourse_market_feed_live', selector)}[${window}]))`,
  },
  {
    name: 'settlement',
    title: 'Money settled within 2.5 s',
    description:
      '99.9 % of what one partition owes another (settlements, releases, fees) is journaled there within 2.5 s.',
    target: 0.999,
    alertPrefix: 'BourseSettlement',
    badRatio: slowerThan('bourse_partition_settlement_seconds', SETTLEMENT_SECONDS),
  },
  {
    name: 'order_availability',
    title: 'Orders not failed',
    description:
      '99.9 % of the orders are accepted or refused by a rule; none of the rest failed by the platform’s own doing.',
    target: 0.999,
    alertPrefix: 'BourseOrderAvailability',
    badRatio: withLabel('bourse_orders_total', 'outcome="failed"'),
  },
  {
    name: 'bank_trade_availability',
    title: 'Bank trades not failed',
    description: '99.9 % of the buys and sells of banks do not fail by the platform’s own doing.',
    target: 0.999,
    alertPrefix: 'BourseBankTradeAvailability',
    badRatio: withLabel('bourse_bank_trades_total', 'outcome="failed"'),
  },
  {
    name: 'http_availability',
    title: 'Requests not failed',
    description: '99.9 % of all HTTP requests are answered without a failure of the platform’s own.',
    target: 0.999,
    alertPrefix: 'BourseHttpAvailability',
    badRatio: (window, selector) =>
      badPart(
        rate(window, selector, 'bourse_http_refusals_total', `code=~"${OWN_FAILURE_CODES.join('|')}"`),
        rate(window, selector, 'bourse_http_requests_total'),
      ),
  },
]

/** Length of the period that a target speaks of, seconds. */
export const BUDGET_PERIOD_SECONDS = 30 * 86_400

/** Two windows that must both burn the budget `factor` times too fast, before anybody hears of it. */
export interface BurnWindow {
  readonly long: string
  readonly short: string
  readonly longSeconds: number
  readonly shortSeconds: number
  readonly factor: number
  readonly forSeconds: number
  readonly severity: 'critical' | 'warning'
}

const HOUR = 3_600
const DAY = 86_400

/** At 14.4 the budget of 30 days is gone in two days, at 6 in five, at 3 in ten, at 1 in thirty. */
export const BURN_WINDOWS: readonly BurnWindow[] = [
  {
    long: '1h',
    short: '5m',
    longSeconds: HOUR,
    shortSeconds: 300,
    factor: 14.4,
    forSeconds: 120,
    severity: 'critical',
  },
  {
    long: '6h',
    short: '30m',
    longSeconds: 6 * HOUR,
    shortSeconds: 1_800,
    factor: 6,
    forSeconds: 900,
    severity: 'critical',
  },
  {
    long: '1d',
    short: '2h',
    longSeconds: DAY,
    shortSeconds: 2 * HOUR,
    factor: 3,
    forSeconds: 3_600,
    severity: 'warning',
  },
  {
    long: '3d',
    short: '6h',
    longSeconds: 3 * DAY,
    shortSeconds: 6 * HOUR,
    factor: 1,
    forSeconds: 10_800,
    severity: 'warning',
  },
]

/** Name of the recorded part of bad events: `order_latency:burnrate5m`. Above `factor * (1 - target)` it burns too fast. */
export const burnRateSeries = ({ name }: Objective, window: string): string => `${name}:burnrate${window}`

/** Name of the recorded part of the 30 days' error budget that is left: 1 untouched, 0 used up, below 0 the promise is broken. */
export const budgetRemainingSeries = ({ name }: Objective): string => `${name}:error_budget_remaining`
