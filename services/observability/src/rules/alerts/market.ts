import type { AlertRule } from '../alert-rule.ts'
import { perSecond, rise, select } from '../expressions.ts'

const market = { dashboard: 'bourse-market', component: 'market' } as const

/** Prices, and what markets do with them. */
export const MARKET_ALERTS: readonly AlertRule[] = [
  {
    ...market,
    alert: 'BourseFeedDead',
    panel: 'Feeds live',
    severity: 'critical',
    expr: ({ selector }) => `max by (namespace, symbol) (${select('bourse_market_feed_live', selector)}) == 0`,
    forSeconds: 30,
    summary: '{{ $labels.symbol }} has no prices',
    description: 'Its market refuses trades as PRICE_STALE, and liquidates nobody, until its source answers again.',
  },
  {
    ...market,
    alert: 'BoursePriceStale',
    panel: 'Age of prices',
    severity: 'critical',
    expr: (context) => {
      const stale = { series: 'bourse_trading_refusals_total', matchers: ['code="PRICE_STALE"'], by: 'symbol' }
      return `${perSecond(context, 60, stale)} > 0`
    },
    // Longer than the window: refusals of a moment, as after a start, are in it for a minute and wake nobody.
    forSeconds: 120,
    summary: '{{ $labels.symbol }} refuses trades: its prices are too old',
    description:
      'Customers can neither open nor close. With a live feed the prices are lost on their way, or a clock is off.',
  },
  {
    ...market,
    alert: 'BourseQuotesRejected',
    panel: 'Rejected quotes',
    severity: 'warning',
    expr: (context) => {
      const rejected = perSecond(context, 300, { series: 'bourse_market_rejected_total', by: 'symbol' })
      const published = perSecond(context, 300, { series: 'bourse_market_quotes_total', by: 'symbol' })
      return `${rejected} > 0.1 * (${published} > 0 or ${rejected}) and ${rejected} > 0`
    },
    forSeconds: 120,
    summary: 'More than a tenth of the quotes of {{ $labels.symbol }} are not believed',
    description:
      'Stale, crossed, absurd, out of order or jumping: the source is wrong, or a clock is off. Trading uses good ones only.',
  },
  {
    ...market,
    alert: 'BourseFeedFaults',
    panel: 'Source faults',
    severity: 'warning',
    expr: (context) =>
      `${rise(context, 600, { series: 'bourse_market_source_faults_total', by: 'symbol' })} > 5 or ` +
      `${rise(context, 600, { series: 'bourse_market_source_faults_total', matchers: ['fault="failed"'], by: 'symbol' })} > 0`,
    forSeconds: 0,
    summary: 'The price source of {{ $labels.symbol }} fails again and again',
    description:
      'Gaps, garbage, silence or lost connections; it connects again with pauses. A failed source waits for its manifest.',
  },
  {
    ...market,
    alert: 'BourseMarketHalted',
    panel: 'Markets halted',
    severity: 'info',
    expr: ({ selector }) => `max by (namespace, symbol) (${select('bourse_trading_halted', selector)}) > 0`,
    forSeconds: 0,
    summary: '{{ $labels.symbol }} is halted',
    description:
      'An administrator, or the manifest, halted it: nothing opens, closes or is liquidated until it is opened again.',
  },
  {
    ...market,
    alert: 'BourseMassLiquidations',
    panel: 'Liquidations and stops',
    severity: 'info',
    expr: (context) => {
      const liquidated = { series: 'bourse_trading_closes_total', matchers: ['reason="liquidation"'], by: 'symbol' }
      return `${rise(context, 300, liquidated)} > 50`
    },
    forSeconds: 0,
    summary: '{{ $value | humanize }} trades of {{ $labels.symbol }} were liquidated within five minutes',
    description:
      'The market moved against many. Look whether the price is right, and at deficits and the insurance fund.',
  },
]
