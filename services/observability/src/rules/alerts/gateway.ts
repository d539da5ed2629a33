import type { AlertRule } from '../alert-rule.ts'
import { rise, select } from '../expressions.ts'

/** Part of the requests that may pass uncounted. */
const LET_PASS_RATIO_MAX = 0.1

const gateway = { dashboard: 'bourse-overview', component: 'gateway' } as const

/** The edge. */
export const GATEWAY_ALERTS: readonly AlertRule[] = [
  {
    ...gateway,
    alert: 'BourseRateLimiterOpen',
    panel: 'Requests past the rate limits',
    severity: 'warning',
    expr: ({ selector, duration }) => {
      const lately = (series: string): string =>
        `sum by (namespace) (increase(${select(series, selector)}[${duration(300)}]))`
      // A request that once waited too long is no open door.
      return `${lately('bourse_rate_limits_let_pass')} > ${LET_PASS_RATIO_MAX} * ${lately('bourse_http_requests_total')}`
    },
    forSeconds: 60,
    summary: 'Rate limits are not enforced',
    description: 'Redis does not answer, so requests pass uncounted: whoever floods us now is not stopped.',
  },
  {
    ...gateway,
    alert: 'BourseWebSocketsRefused',
    panel: 'WebSockets closed or refused',
    severity: 'warning',
    expr: (context) =>
      `${rise(context, 300, { series: 'bourse_ws_refused_total', matchers: ['reason="capacity"'], by: 'pod' })} > 0`,
    forSeconds: 60,
    summary: '{{ $labels.pod }} has no room for more WebSockets',
    description: 'Upgrades are answered 503: more gateways, or a higher BOURSE_LIMIT_WEB_SOCKETS.',
  },
  {
    ...gateway,
    alert: 'BourseSlowReaders',
    panel: 'WebSockets closed or refused',
    severity: 'info',
    expr: (context) => `${rise(context, 600, { series: 'bourse_ws_slow_readers_closed_total', by: 'pod' })} > 10`,
    forSeconds: 0,
    summary: '{{ $labels.pod }} closed {{ $value | humanize }} WebSockets whose readers were too slow',
    description:
      'Clients or the way to them are slow; they resume with `after`. If all gateways say so, look at the network.',
  },
]
