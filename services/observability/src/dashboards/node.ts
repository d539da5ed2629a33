import { CHOICES } from './choices.ts'
import { amount, max, min, observed, quantile, rate, select, sum } from './promql.ts'
import type { Dashboard, Row } from './specification.ts'

const POD = { pod: '=~$pod' } as const

const PROCESSES: Row = {
  title: 'Do the processes run, and which ones?',
  panels: [
    {
      title: 'Up',
      alerts: ['BourseTargetDown', 'BourseMetricsAbsent'],
      shows: 'Each scraped process: whether it answered the last scrape.',
      good: 'Green.',
      otherwise: 'It is gone or hangs: `kubectl get pods`, then the log of its last run.',
      unit: 'none',
      view: 'states',
      words: { 0: { text: 'down', color: 'red' }, 1: { text: 'up', color: 'green' } },
      queries: [{ expr: max(['job', 'pod'], select('up')), legend: '{{job}} {{pod}}' }],
    },
    {
      title: 'Watchdog',
      alerts: ['BourseWatchdog'],
      shows: 'The alert that always fires: as long as it arrives, alerts are evaluated and sent.',
      good: '1.',
      otherwise: 'Prometheus does not evaluate its rules: nobody is told of anything. Look at its /rules and its log.',
      unit: 'none',
      view: 'number',
      queries: [{ expr: 'count(ALERTS{namespace=~"$namespace|", alertname="BourseWatchdog"})', legend: 'watchdog' }],
      limits: { bad: 'below', critical: 1 },
      width: 4,
    },
    {
      title: 'Versions',
      shows: 'Program, version and Node of each process.',
      good: 'One version; two during an update.',
      otherwise: 'Two for long: the update stands still, see the operator and `kubectl rollout status`.',
      unit: 'none',
      view: 'table',
      queries: [{ expr: max(['program', 'version', 'node', 'pod'], select('bourse_build_info', POD)), legend: '' }],
      width: 12,
      seeAlso: ['bourse-operator'],
    },
    {
      title: 'Running since',
      alerts: ['BourseProcessRestarts'],
      shows: 'Time since each process started.',
      good: 'Days.',
      otherwise: 'Minutes: it was restarted. `kubectl describe pod` has the reason (OOMKilled, a failed probe).',
      unit: 'seconds',
      queries: [{ expr: `time() - ${max(['pod'], select('process_start_time_seconds', POD))}`, legend: '{{pod}}' }],
    },
    {
      title: 'Log lines',
      alerts: ['BourseLogErrors'],
      shows: 'Lines logged a second, by level.',
      good: 'Hardly a warning.',
      otherwise: 'Errors: read them; their codes and ids lead on. A flood of one line is a loop.',
      unit: 'eventsPerSecond',
      queries: [{ expr: sum(['pod', 'level'], rate('bourse_log_lines_total', POD)), legend: '{{pod}} {{level}}' }],
    },
    {
      title: 'Looks at manifests that failed',
      alerts: ['BourseManifestsUnreadable'],
      shows: 'Looks at stored manifests that failed since the start.',
      good: 'Flat.',
      otherwise: 'Rising: changes of pairs and banks are not taken up; the log names file and field.',
      unit: 'count',
      queries: [{ expr: max(['pod'], select('bourse_manifest_looks_failed', POD)), legend: '{{pod}}' }],
    },
  ],
}

const RUNTIME: Row = {
  title: 'Is a process short of time or memory?',
  panels: [
    {
      title: 'Event loop lag',
      alerts: ['BourseEventLoopBlocked'],
      shows: 'p50, p99 and the largest delay of the event loop since the last scrape.',
      good: 'p99 below 50 ms.',
      otherwise:
        'Something computes too long at once: take a CPU profile by the control interface (docs/operations/dashboards.md).',
      unit: 'seconds',
      queries: [
        { expr: max(['pod'], select('nodejs_eventloop_lag_p50_seconds', POD)), legend: '{{pod}} p50' },
        { expr: max(['pod'], select('nodejs_eventloop_lag_p99_seconds', POD)), legend: '{{pod}} p99' },
        { expr: max(['pod'], select('nodejs_eventloop_lag_max_seconds', POD)), legend: '{{pod}} max' },
      ],
      limits: { bad: 'above', warning: 0.05, critical: 0.1 },
    },
    {
      title: 'Processor',
      shows: 'Processors in use by each process.',
      good: 'Below 0.7 of a processor for a shard: its partitions share one thread.',
      otherwise: 'At 1 the thread is full: move partitions away or add shards.',
      unit: 'none',
      queries: [{ expr: sum(['pod'], rate('process_cpu_seconds_total', POD)), legend: '{{pod}}' }],
      limits: { bad: 'above', warning: 0.7, critical: 0.95 },
    },
    {
      title: 'Resident memory',
      alerts: ['BourseMemoryGrowing'],
      shows: 'Memory that the system has given to each process.',
      good: 'Level after the start.',
      otherwise: 'Rising for hours: compare heap and external memory. Near the pod’s limit it is killed.',
      unit: 'bytes',
      queries: [{ expr: max(['pod'], select('process_resident_memory_bytes', POD)), legend: '{{pod}}' }],
    },
    {
      title: 'Heap',
      shows: 'JavaScript heap in use and taken.',
      good: 'A saw without a slope.',
      otherwise: 'The lows rise: a leak. Take two heap profiles, an hour apart.',
      unit: 'bytes',
      queries: [
        { expr: max(['pod'], select('nodejs_heap_size_used_bytes', POD)), legend: '{{pod}} used' },
        { expr: max(['pod'], select('nodejs_heap_size_total_bytes', POD)), legend: '{{pod}} taken' },
      ],
    },
    {
      title: 'External memory',
      shows: 'Buffers and WASM memory outside of the heap.',
      good: 'Level: machines take theirs once.',
      otherwise: 'Rising: messages pile up in buffers; see what waits for servers.',
      unit: 'bytes',
      queries: [{ expr: max(['pod'], select('nodejs_external_memory_bytes', POD)), legend: '{{pod}}' }],
      seeAlso: ['bourse-broker'],
    },
    {
      title: 'Time in garbage collection',
      shows: 'Share of the time, by kind of collection.',
      good: 'Below 5 %, hardly any of it major.',
      otherwise: 'Much major collection: the heap is nearly full.',
      unit: 'ratio',
      queries: [{ expr: sum(['pod', 'kind'], amount('nodejs_gc_duration_seconds', POD)), legend: '{{pod}} {{kind}}' }],
      limits: { bad: 'above', warning: 0.05, critical: 0.2 },
    },
    {
      title: 'Pauses of garbage collection',
      shows: 'p99 of a pause, and collections a second.',
      good: 'Below 10 ms.',
      otherwise:
        'Long pauses are latency of everything in the process: fewer partitions in it, or less memory per request.',
      unit: 'seconds',
      queries: [{ expr: quantile(0.99, 'nodejs_gc_duration_seconds', ['pod'], POD), legend: '{{pod}} p99' }],
      limits: { bad: 'above', warning: 0.01, critical: 0.1 },
    },
    {
      title: 'Collections',
      shows: 'Garbage collections a second, by kind.',
      good: 'Follows the load.',
      otherwise: 'Many under little load: something allocates in a loop; take a CPU profile.',
      unit: 'eventsPerSecond',
      queries: [
        { expr: sum(['pod', 'kind'], observed('nodejs_gc_duration_seconds', POD)), legend: '{{pod}} {{kind}}' },
      ],
    },
    {
      title: 'Open files',
      alerts: ['BourseFileDescriptors'],
      shows: 'Open file descriptors as a part of what is allowed.',
      good: 'Below 50 %.',
      otherwise: 'Rising: sockets or files are not closed; the resources below tell which kind.',
      unit: 'ratio',
      queries: [
        {
          expr: `${max(['pod'], select('process_open_fds', POD))} / ${max(['pod'], select('process_max_fds', POD))}`,
          legend: '{{pod}}',
        },
      ],
      limits: { bad: 'above', warning: 0.5, critical: 0.8 },
    },
    {
      title: 'Free part of the disk',
      alerts: ['BourseDiskFilling', 'BourseDiskAlmostFull'],
      shows: 'Free part of the disk that the process’s data folder lies on.',
      good: 'Above 20 %.',
      otherwise:
        'Make room: at 0 nothing is journaled, so nothing is answered. It goes on by itself once there is room.',
      unit: 'ratio',
      queries: [{ expr: min(['pod'], select('bourse_data_folder_free_ratio', POD)), legend: '{{pod}}' }],
      limits: { bad: 'below', warning: 0.15, critical: 0.03 },
    },
    {
      title: 'Active resources',
      shows: 'Sockets, timers and requests that keep the process alive, by kind.',
      good: 'Level.',
      otherwise: 'One kind rises without end: that is what leaks.',
      unit: 'count',
      queries: [{ expr: sum(['pod', 'type'], select('nodejs_active_resources', POD)), legend: '{{pod}} {{type}}' }],
    },
    {
      title: 'Labels beyond their bound',
      alerts: ['BourseSeriesClamped'],
      shows: 'Observations shown as “other” because a label had too many values.',
      good: 'None.',
      otherwise: 'The series named hides values: raise its bound in the catalogue, or find who invents names.',
      unit: 'eventsPerSecond',
      queries: [
        { expr: sum(['pod', 'series'], rate('bourse_series_clamped_total', POD)), legend: '{{pod}} {{series}}' },
      ],
    },
  ],
}

/** Node’s runtime in every process. */
export const NODE: Dashboard = {
  uid: 'bourse-node',
  title: 'Node runtime',
  description: 'Do the processes run, and is one of them short of time or memory.',
  choices: [CHOICES.pod],
  rows: [PROCESSES, RUNTIME],
}
