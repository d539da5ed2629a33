import type { AlertRule } from '../alert-rule.ts'
import { rise, select } from '../expressions.ts'

const servers = { dashboard: 'bourse-broker', component: 'servers' } as const

/** RabbitMQ, MongoDB and Redis as the processes see them. */
export const SERVER_ALERTS: readonly AlertRule[] = [
  {
    ...servers,
    alert: 'BourseServerAway',
    panel: 'Connected',
    severity: 'critical',
    expr: ({ selector }) => `max by (namespace, server) (${select('bourse_server_connected', selector)}) == 0`,
    forSeconds: 30,
    summary: 'No process reaches {{ $labels.server }}',
    description: 'Commands wait and are refused once their time is over; nothing acknowledged is lost.',
  },
  {
    ...servers,
    alert: 'BourseConnectionLost',
    panel: 'Connected',
    severity: 'warning',
    expr: ({ selector }) => `min by (namespace, pod, server) (${select('bourse_server_connected', selector)}) == 0`,
    forSeconds: 30,
    summary: '{{ $labels.pod }} does not reach {{ $labels.server }}',
    description: 'What this process serves waits; others go on. It connects again by itself.',
  },
  {
    ...servers,
    alert: 'BourseDatabaseFailing',
    panel: 'MongoDB events',
    severity: 'warning',
    labels: { server: 'mongodb' },
    expr: (context) =>
      `${rise(context, 300, {
        series: 'bourse_server_events_total',
        matchers: ['server="mongodb"', 'event=~"failed|in_doubt|refused"'],
        by: 'pod',
      })} > 5`,
    forSeconds: 60,
    summary: 'MongoDB fails what {{ $labels.pod }} asks',
    description:
      '{{ $value | humanize }} reads and writes failed, or ended unknown, within five minutes: appends are tried again.',
  },
  {
    ...servers,
    alert: 'BourseCacheFailing',
    panel: 'Redis events',
    severity: 'warning',
    labels: { server: 'redis' },
    expr: (context) =>
      `${rise(context, 300, {
        series: 'bourse_server_events_total',
        matchers: ['server="redis"', 'event=~"failed|timed_out|refused"'],
        by: 'pod',
      })} > 5`,
    forSeconds: 60,
    summary: 'Redis fails what {{ $labels.pod }} asks',
    description: 'Prices travel over Redis: markets refuse trades as PRICE_STALE while they do not arrive.',
  },
  {
    ...servers,
    alert: 'BourseClockOff',
    panel: 'Clock offset',
    severity: 'warning',
    expr: ({ selector }) =>
      `max by (namespace, pod, server) (abs(${select('bourse_clock_offset_seconds', selector)})) > 0.5`,
    forSeconds: 60,
    summary: 'The clock of {{ $labels.pod }} is {{ $value | humanizeDuration }} off that of {{ $labels.server }}',
    description: 'Quotes look old or from the future, deadlines end early: markets refuse trades as PRICE_STALE.',
  },
]
