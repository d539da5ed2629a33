import type { AlertRule } from '../alert-rule.ts'
import { perSecond, select } from '../expressions.ts'

const bridge = { dashboard: 'bourse-bridge', component: 'bridge' } as const

/** Part of the calls to the exchange that ended with `outcome`. */
const exchangeCalls = (outcome: string, above: number): AlertRule['expr'] => {
  return (context) => {
    const calls = (...matchers: readonly string[]): string =>
      perSecond(context, 120, {
        series: 'bourse_bridge_calls_total',
        matchers: ['target="exchange"', ...matchers],
        by: 'operation',
      })
    return `${calls(`outcome="${outcome}"`)} / (${calls()} > 0) > ${above}`
  }
}

/** Part of the trades of each bank that ended with `outcome`. */
const bankTrades = (outcome: string, above: number): AlertRule['expr'] => {
  return (context) => {
    const trades = (...matchers: readonly string[]): string =>
      perSecond(context, 300, { series: 'bourse_bridge_trades_total', matchers, by: 'bank' })
    return `${trades(`outcome="${outcome}"`)} / (${trades()} > 0) > ${above}`
  }
}

/** Banks and exchanges. */
export const BRIDGE_ALERTS: readonly AlertRule[] = [
  {
    ...bridge,
    alert: 'BourseExchangeDown',
    panel: 'Calls by outcome',
    severity: 'critical',
    expr: exchangeCalls('failed', 0.5),
    forSeconds: 60,
    summary: 'The exchange does not answer: {{ $labels.operation }}',
    description:
      'Banks’ trades are refused as INSUFFICIENT_LIQUIDITY, or stay PENDING with the money held. No money is at risk.',
  },
  {
    ...bridge,
    alert: 'BourseExchangeRejecting',
    panel: 'Calls by outcome',
    severity: 'warning',
    expr: exchangeCalls('declined', 0.2),
    forSeconds: 120,
    summary: 'The exchange declines {{ $value | humanizePercentage }} of {{ $labels.operation }}',
    description:
      'Banks’ trades are refused as INSUFFICIENT_LIQUIDITY: our balance there, its limits, or an order it does not like.',
  },
  {
    ...bridge,
    alert: 'BourseBankDown',
    panel: 'Calls by outcome',
    severity: 'warning',
    expr: bankTrades('BANK_CONNECTION_ERROR', 0.5),
    forSeconds: 120,
    summary: 'The bank {{ $labels.bank }} does not answer our calls',
    description:
      'Its customers can not trade; holds are released, and reversals are repeated until it acknowledges them.',
  },
  {
    ...bridge,
    alert: 'BourseBankDeclining',
    panel: 'Trades that ended',
    severity: 'info',
    expr: bankTrades('BANK_DECLINED', 0.5),
    forSeconds: 300,
    summary: 'The bank {{ $labels.bank }} declines {{ $value | humanizePercentage }} of its trades',
    description: 'Its own decision, for instance about a customer’s money. Its people should know.',
  },
  {
    ...bridge,
    alert: 'BourseBankTradesPending',
    panel: 'Oldest trade under way',
    severity: 'warning',
    expr: ({ selector }) =>
      `max by (namespace, partition) (${select('bourse_bridge_oldest_pending_seconds', selector)}) > 60`,
    forSeconds: 30,
    summary: 'A bank trade at {{ $labels.partition }} has no end since {{ $value | humanizeDuration }}',
    description:
      'The exchange or the bank gives no clear answer; the money stays held until one comes. It is asked again and again.',
  },
  {
    ...bridge,
    alert: 'BourseWebhooksNotTaken',
    panel: 'Events a bank has not taken',
    severity: 'warning',
    expr: ({ selector, duration }) => {
      const waiting = select('bourse_bridge_webhooks_waiting', selector)
      const lately = (fold: string): string => `sum by (namespace, bank) (${fold}(${waiting}[${duration(600)}]))`
      return `${lately('min_over_time')} > 0 and ${lately('delta')} >= 0`
    },
    forSeconds: 120,
    summary: 'The bank {{ $labels.bank }} does not take its events',
    description:
      '{{ $value }} at least have waited for ten minutes. At 100,000 its new calls are refused as UNAVAILABLE.',
  },
]
