import type { AlertRule } from '../alert-rule.ts'
import { rise, select } from '../expressions.ts'

/** Open holds that a ledger partition has room for. */
const HOLDS_MAX = 262_144

/** 2^-50: eight times what a double is rounded by. */
const DUST = 2 ** -50

const money = { dashboard: 'bourse-money', component: 'money' } as const

/** What must hold of the books, and who bears losses. */
export const MONEY_ALERTS: readonly AlertRule[] = [
  {
    ...money,
    alert: 'BourseLedgerImbalance',
    panel: 'Imbalance',
    severity: 'critical',
    expr: ({ selector }) =>
      `max by (namespace, partition, currency) (abs(${select('bourse_ledger_imbalance_units', selector)})) > 0`,
    forSeconds: 0,
    summary: 'The books of {{ $labels.partition }} do not sum to zero in {{ $labels.currency }}',
    description: 'Money was made or lost: {{ $value }} units of 1e-8. Nothing that the platform does explains this.',
  },
  {
    ...money,
    alert: 'BourseClearingNotZero',
    panel: 'Clearing',
    severity: 'critical',
    expr: ({ selector, duration }) => {
      const clearing = select('bourse_ledger_clearing_units', selector)
      const serving = select('bourse_partition_serving', selector, 'partition=~"ledger/.+"')
      const by = 'by (namespace, partition)'
      // Sums of doubles: what partitions of large balances differ by may be dust of their rounding.
      const dust = `${DUST} * sum by (namespace, currency) (abs(${clearing}))`
      return (
        `(sum by (namespace, currency) (${clearing}) and abs(sum by (namespace, currency) (${clearing})) > ${dust}) ` +
        `unless on (namespace) ` +
        `sum by (namespace) (${select('bourse_partition_unconfirmed_effects', selector)}) > 0 ` +
        // The sum lacks a partition that nobody shows.
        `unless on (namespace) (max ${by} (max_over_time(${serving}[${duration(86_400)}])) unless max ${by} (${serving}) == 1)`
      )
    },
    forSeconds: 300,
    summary: 'Clearing does not return to zero in {{ $labels.currency }}',
    description: '{{ $value }} units of 1e-8 left one partition and arrived in none, though nothing is on its way.',
  },
  {
    ...money,
    alert: 'BourseInsuranceFundLow',
    panel: 'Insurance fund',
    severity: 'warning',
    expr: ({ selector, duration }) => {
      const fund = `sum by (namespace, currency) (${select('bourse_ledger_system_units', selector, 'kind="insurance"')})`
      const week = `[${duration(7 * 86_400)}:${duration(3_600)}]`
      return `${fund} < 0.5 * max_over_time((${fund})${week}) or ${fund} < 0`
    },
    forSeconds: 300,
    summary: 'The insurance fund in {{ $labels.currency }} is below half of what it was within a week',
    description:
      'It pays what liquidated customers lack; beyond it the house pays. {{ $value }} units of 1e-8 are left.',
  },
  {
    ...money,
    alert: 'BourseDeficits',
    panel: 'Deficits',
    severity: 'warning',
    expr: (context) => `${rise(context, 900, { series: 'bourse_trading_deficits_total', by: 'symbol' })} > 0`,
    forSeconds: 0,
    summary: 'Trades of {{ $labels.symbol }} closed below zero',
    description:
      'A price gapped through liquidation prices: the house and the insurance fund bore what customers lacked.',
  },
  {
    ...money,
    alert: 'BourseHoldsNearLimit',
    panel: 'Holds',
    severity: 'warning',
    expr: ({ selector }) =>
      `max by (namespace, partition) (${select('bourse_ledger_holds', selector)}) > ${0.8 * HOLDS_MAX}`,
    forSeconds: 60,
    summary: `{{ $labels.partition }} has {{ $value }} open holds of ${HOLDS_MAX} at most`,
    description: 'At the limit orders are refused as CAPACITY_EXCEEDED. Holds end with their trades.',
  },
]
