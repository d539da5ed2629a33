import type { AlertRule } from '../alert-rule.ts'
import { absence, rise, select } from '../expressions.ts'

const node = { dashboard: 'bourse-node', component: 'process' } as const

const HOUR = 3_600

/** One series of each program that is there as long as the program is, embedded or alone. */
const PROGRAMS = [
  ['gateway', 'bourse_http_requests_in_flight'],
  ['market', 'bourse_market_feed_live'],
  ['ledger', 'bourse_partition_serving', 'partition=~"ledger/.+"'],
  ['trading', 'bourse_partition_serving', 'partition=~"trading/.+"'],
  ['bridge', 'bourse_partition_serving', 'partition=~"bridge/.+"'],
] as const

/** What is wrong with what is measured. */
const WATCHING: readonly AlertRule[] = [
  {
    ...node,
    alert: 'BourseWatchdog',
    panel: 'Watchdog',
    severity: 'info',
    expr: () => 'vector(1)',
    forSeconds: 0,
    summary: 'Alerts are evaluated and sent',
    description:
      'Always fires. Who receives it regularly knows that the chain of alerts works; when it stays away, it does not.',
  },
  {
    ...node,
    alert: 'BourseMetricsAbsent',
    panel: 'Up',
    severity: 'critical',
    expr: (context) =>
      PROGRAMS.map(([program, series, ...matchers]) => absence(program, context, series, ...matchers)).join(' or '),
    forSeconds: 180,
    summary: 'No metrics of the {{ $labels.program }}',
    description: 'Either none of its processes runs, or nobody sees them: no other alert about it can fire.',
  },
  {
    ...node,
    alert: 'BourseTargetDown',
    panel: 'Up',
    severity: 'warning',
    expr: ({ selector }) => `min by (namespace, job, pod, instance) (${select('up', selector)}) == 0`,
    forSeconds: 60,
    summary: '{{ $labels.pod }} ({{ $labels.job }}) does not show its metrics',
    description: 'The process is gone, hangs, or can not be reached from where it is watched.',
  },
  {
    ...node,
    alert: 'BourseSeriesClamped',
    panel: 'Labels beyond their bound',
    severity: 'info',
    expr: (context) => `${rise(context, 900, { series: 'bourse_series_clamped_total', by: 'series' })} > 0`,
    forSeconds: 0,
    summary: 'A label of {{ $labels.series }} has more values than it may',
    description: 'What came after the bound is counted as `other`. The bound is in the catalogue of series.',
  },
]

/** What is wrong with a process or what it stands on. */
const PROCESSES: readonly AlertRule[] = [
  {
    ...node,
    alert: 'BourseProcessRestarts',
    panel: 'Running since',
    severity: 'warning',
    expr: ({ selector, duration }) =>
      `max by (namespace, job, pod) (changes(${select('process_start_time_seconds', selector)}[${duration(1_800)}])) > 1`,
    forSeconds: 0,
    summary: '{{ $labels.pod }} was started {{ $value }} times within half an hour',
    description: 'It dies again and again. The last lines of its log before the start say why.',
  },
  {
    ...node,
    alert: 'BourseEventLoopBlocked',
    panel: 'Event loop lag',
    severity: 'warning',
    expr: ({ selector, duration }) =>
      `max by (namespace, pod) (min_over_time(${select('nodejs_eventloop_lag_p99_seconds', selector)}[${duration(120)}])) > 0.1`,
    forSeconds: 60,
    summary: 'The event loop of {{ $labels.pod }} is blocked for {{ $value | humanizeDuration }}',
    description: 'Everything that this process does waits that long: heartbeats, answers, appends.',
  },
  {
    ...node,
    alert: 'BourseMemoryGrowing',
    panel: 'Resident memory',
    severity: 'warning',
    expr: ({ selector, duration, seconds }) => {
      const memory = `${select('process_resident_memory_bytes', selector)}[${duration(HOUR)}]`
      const [floor, before] = [`min_over_time(${memory})`, `min_over_time(${memory} offset ${duration(6 * HOUR)})`]
      // Six hours after its start a process is compared with the hour in which it was still small.
      const age = `time() - ${select('process_start_time_seconds', selector)} > ${seconds(8 * HOUR)}`
      const grows = `${floor} > 1.5 * ${before} and ${floor} > 200e6`
      return `max by (namespace, pod) (${grows}) and max by (namespace, pod) (${age})`
    },
    forSeconds: 600,
    summary: 'The memory of {{ $labels.pod }} grows: {{ $value | humanize1024 }}B and never less',
    description: 'Half more than six hours ago, at its lowest. A leak ends with the process killed by its limit.',
  },
  {
    ...node,
    alert: 'BourseFileDescriptors',
    panel: 'Open files',
    severity: 'warning',
    expr: ({ selector }) =>
      `max by (namespace, pod) (${select('process_open_fds', selector)} / ${select('process_max_fds', selector)}) > 0.8`,
    forSeconds: 60,
    summary: '{{ $labels.pod }} uses {{ $value | humanizePercentage }} of its file descriptors',
    description: 'Without any left it takes no connections and opens no files.',
  },
  {
    ...node,
    alert: 'BourseLogErrors',
    panel: 'Log lines',
    severity: 'warning',
    expr: (context) =>
      `${rise(context, 300, { series: 'bourse_log_lines_total', matchers: ['level=~"error|fatal"'], by: 'pod' })} > 5`,
    forSeconds: 0,
    summary: '{{ $labels.pod }} logged {{ $value | humanize }} errors within five minutes',
    description: 'Something that somebody should know, and that no other alert may have told.',
  },
  {
    ...node,
    alert: 'BourseManifestsUnreadable',
    panel: 'Looks at manifests that failed',
    severity: 'warning',
    expr: ({ selector, duration }) =>
      `sum by (namespace, pod) (increase(${select('bourse_manifest_looks_failed', selector)}[${duration(300)}])) > 3`,
    forSeconds: 0,
    summary: '{{ $labels.pod }} can not read the manifests',
    description: 'What was in force stays; changes of pairs and banks do not arrive.',
  },
  {
    ...node,
    alert: 'BourseDiskFilling',
    panel: 'Free part of the disk',
    severity: 'warning',
    expr: ({ selector, duration, seconds }) => {
      const free = select('bourse_data_folder_free_ratio', selector)
      const soon = `predict_linear(${free}[${duration(HOUR)}], ${seconds(4 * HOUR)})`
      return `min by (namespace, pod) (${free}) < 0.15 or min by (namespace, pod) (${soon}) < 0`
    },
    forSeconds: 300,
    summary: 'The disk under the data of {{ $labels.pod }} fills',
    description:
      'Full, nothing can be journaled: every command is refused as UNAVAILABLE. Nothing acknowledged is lost.',
  },
  {
    ...node,
    alert: 'BourseDiskAlmostFull',
    panel: 'Free part of the disk',
    severity: 'critical',
    expr: ({ selector }) => `min by (namespace, pod) (${select('bourse_data_folder_free_ratio', selector)}) < 0.03`,
    forSeconds: 0,
    summary: 'The disk under the data of {{ $labels.pod }} has {{ $value | humanizePercentage }} left',
    description: 'In a moment nothing can be journaled any more and every command is refused as UNAVAILABLE.',
  },
]

/** Processes, and the watch over them. */
export const PROCESS_ALERTS: readonly AlertRule[] = [...WATCHING, ...PROCESSES]
