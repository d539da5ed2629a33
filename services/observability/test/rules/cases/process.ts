import { casesOf, type RuleCase } from './case.ts'

const A = { severity: 'warning', pod: 'a' }

const ALL_PROGRAMS = {
  'bourse_http_requests_in_flight{pod="g"}': '0x40',
  'bourse_market_feed_live{symbol="BTC_USDC"}': '1x40',
  'bourse_partition_serving{partition="ledger/0"}': '1x40',
  'bourse_partition_serving{partition="trading/BTC_USDC/0"}': '1x40',
  'bourse_partition_serving{partition="bridge/0"}': '1x40',
}
const { 'bourse_partition_serving{partition="bridge/0"}': _, ...WITHOUT_BRIDGE } = ALL_PROGRAMS

const WATCHING: readonly RuleCase[] = [
  ...casesOf('BourseWatchdog')(['at any time', { up: '1x4' }, 30, [{ severity: 'info' }]]),
  ...casesOf('BourseMetricsAbsent')(
    ['for the program that is not seen', WITHOUT_BRIDGE, 300, [{ severity: 'critical', program: 'bridge' }]],
    ['when all are seen', ALL_PROGRAMS, 300, []],
  ),
  ...casesOf('BourseTargetDown')(
    [
      'for the process that does not answer',
      { 'up{job="ledger",pod="a",instance="i"}': '1x4 0x20', 'up{job="ledger",pod="b",instance="j"}': '1x20' },
      180,
      [{ ...A, job: 'ledger' }],
    ],
    ['when one scrape is lost', { 'up{job="ledger",pod="a",instance="i"}': '1x4 0 1x20' }, 180, []],
  ),
  ...casesOf('BourseSeriesClamped')(
    [
      'when a bound was reached',
      { 'bourse_series_clamped_total{series="bourse_orders_total"}': '_x4 1x9' },
      120,
      [{ severity: 'info', series: 'bourse_orders_total' }],
    ],
    ['when none was', { 'bourse_series_clamped_total{series="bourse_orders_total"}': '0x9' }, 120, []],
  ),
]

const PROCESSES: readonly RuleCase[] = [
  ...casesOf('BourseProcessRestarts')(
    [
      'when it dies every minute',
      { 'process_start_time_seconds{job="ledger",pod="a"}': '1x4 60x4 120x4 180x4 240x4' },
      300,
      [{ ...A, job: 'ledger' }],
    ],
    ['when it was restarted once', { 'process_start_time_seconds{job="ledger",pod="a"}': '1x4 60x20' }, 300, []],
  ),
  ...casesOf('BourseEventLoopBlocked')(
    ['when every second has a long pause', { 'nodejs_eventloop_lag_p99_seconds{pod="a"}': '0.4x30' }, 240, [A]],
    ['at a single pause', { 'nodejs_eventloop_lag_p99_seconds{pod="a"}': '0.01x10 2 0.01x20' }, 240, []],
  ),
  ...casesOf('BourseMemoryGrowing', 300)(
    [
      'when it doubles within hours',
      {
        'process_resident_memory_bytes{pod="a"}': '300000000+5000000x100',
        'process_start_time_seconds{pod="a"}': '-7200x100',
      },
      28_800,
      [A],
    ],
    [
      'when it was small only after its start',
      {
        'process_resident_memory_bytes{pod="a"}': '90000000x2 400000000x100',
        'process_start_time_seconds{pod="a"}': '0x100',
      },
      25_500,
      [],
    ],
    [
      'when it comes and goes',
      {
        'process_start_time_seconds{pod="a"}': '-7200x100',
        'process_resident_memory_bytes{pod="a"}': Array.from({ length: 10 }, () => '300000000+40000000x9').join(' '),
      },
      28_800,
      [],
    ],
    [
      'when a small process becomes a little larger',
      {
        'process_resident_memory_bytes{pod="a"}': '50000000+1000000x100',
        'process_start_time_seconds{pod="a"}': '-7200x100',
      },
      28_800,
      [],
    ],
  ),
  ...casesOf('BourseFileDescriptors')(
    ['at nine tenths', { 'process_open_fds{pod="a"}': '900x20', 'process_max_fds{pod="a"}': '1000x20' }, 180, [A]],
    ['at a tenth', { 'process_open_fds{pod="a"}': '100x20', 'process_max_fds{pod="a"}': '1000x20' }, 180, []],
  ),
  ...casesOf('BourseLogErrors')(
    ['when errors come one after the other', { 'bourse_log_lines_total{level="error",pod="a"}': '0+1x20' }, 240, [A]],
    [
      'when there was one',
      {
        'bourse_log_lines_total{level="error",pod="a"}': '0x4 1x16',
        'bourse_log_lines_total{level="info",pod="a"}': '0+90x20',
      },
      240,
      [],
    ],
  ),
  ...casesOf('BourseManifestsUnreadable')(
    ['when look after look fails', { 'bourse_manifest_looks_failed{pod="a"}': '0+1x20' }, 240, [A]],
    ['when one failed', { 'bourse_manifest_looks_failed{pod="a"}': '0x9 1x9' }, 240, []],
  ),
  ...casesOf('BourseDiskFilling', 60)(
    ['when a tenth is left', { 'bourse_data_folder_free_ratio{pod="a"}': '0.1x20' }, 600, [A]],
    ['when it will be full within hours', { 'bourse_data_folder_free_ratio{pod="a"}': '0.9-0.005x60' }, 1_800, [A]],
    ['when it lasts for days', { 'bourse_data_folder_free_ratio{pod="a"}': '0.5-0.0001x60' }, 1_800, []],
  ),
  ...casesOf('BourseDiskAlmostFull')(
    [
      'at two percent',
      { 'bourse_data_folder_free_ratio{pod="a"}': '0.02x9' },
      60,
      [{ severity: 'critical', pod: 'a' }],
    ],
    ['at a tenth', { 'bourse_data_folder_free_ratio{pod="a"}': '0.1x9' }, 60, []],
  ),
]

/** Situations of processes. */
export const PROCESS_CASES: readonly RuleCase[] = [...WATCHING, ...PROCESSES]
