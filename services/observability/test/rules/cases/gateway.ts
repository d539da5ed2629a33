import { casesOf, type RuleCase } from './case.ts'

const A = { pod: 'a' }
const REQUESTS = 'bourse_http_requests_total{route="/api/v1/trades",method="POST",status="201",pod="a"}'

/** Situations of the edge. */
export const GATEWAY_CASES: readonly RuleCase[] = [
  ...casesOf('BourseRateLimiterOpen')(
    [
      'when requests pass uncounted',
      { 'bourse_rate_limits_let_pass{pod="a"}': '0+9x20', [REQUESTS]: '0+9x20' },
      180,
      [{ severity: 'warning' }],
    ],
    ['when they did long ago', { 'bourse_rate_limits_let_pass{pod="a"}': '812x20', [REQUESTS]: '0+9x20' }, 180, []],
    [
      'when one of many waited too long',
      { 'bourse_rate_limits_let_pass{pod="a"}': '0+1x20', [REQUESTS]: '0+90x20' },
      180,
      [],
    ],
  ),
  ...casesOf('BourseWebSocketsRefused')(
    [
      'when there is no room',
      { 'bourse_ws_refused_total{reason="capacity",pod="a"}': '0+2x20' },
      180,
      [{ severity: 'warning', ...A }],
    ],
    ['when strangers are refused', { 'bourse_ws_refused_total{reason="unauthenticated",pod="a"}': '0+2x20' }, 180, []],
  ),
  ...casesOf('BourseSlowReaders')(
    [
      'when many are closed',
      { 'bourse_ws_slow_readers_closed_total{pod="a"}': '0+1x30' },
      300,
      [{ severity: 'info', ...A }],
    ],
    ['when one is closed', { 'bourse_ws_slow_readers_closed_total{pod="a"}': '0x9 1x20' }, 300, []],
  ),
]
