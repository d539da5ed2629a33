import { TEN_MINUTES, casesOf, type RuleCase } from './case.ts'

const A = { severity: 'warning', pod: 'a' }

/** Situations of servers. */
export const SERVER_CASES: readonly RuleCase[] = [
  ...casesOf('BourseServerAway')(
    [
      'when no process reaches it',
      {
        'bourse_server_connected{server="mongodb",connection="commands",pod="a"}': '1x4 0x20',
        'bourse_server_connected{server="mongodb",connection="commands",pod="b"}': '1x4 0x20',
        'bourse_server_connected{server="redis",connection="commands",pod="b"}': '1x30',
      },
      180,
      [{ severity: 'critical', server: 'mongodb' }],
    ],
    [
      'when one process does not',
      {
        'bourse_server_connected{server="mongodb",connection="commands",pod="a"}': '0x20',
        'bourse_server_connected{server="mongodb",connection="commands",pod="b"}': '1x20',
      },
      180,
      [],
    ],
  ),
  ...casesOf('BourseConnectionLost')(
    [
      'when one of the connections of a process is away',
      {
        'bourse_server_connected{server="rabbitmq",connection="bulk",pod="a"}': '0x20',
        'bourse_server_connected{server="rabbitmq",connection="commands",pod="a"}': '1x20',
        'bourse_server_connected{server="rabbitmq",connection="commands",pod="b"}': '1x20',
      },
      120,
      [{ ...A, server: 'rabbitmq' }],
    ],
    [
      'when it came back at once',
      { 'bourse_server_connected{server="rabbitmq",connection="bulk",pod="a"}': '1x5 0 1x9' },
      105,
      [],
    ],
  ),
  ...casesOf('BourseDatabaseFailing')(
    [
      'when writes fail for minutes',
      { 'bourse_server_events_total{server="mongodb",event="failed",pod="a"}': '0+2x20' },
      240,
      [A],
    ],
    [
      'when nothing fails',
      { 'bourse_server_events_total{server="mongodb",event="writes",pod="a"}': '0+200x20' },
      240,
      [],
    ],
  ),
  ...casesOf('BourseCacheFailing')(
    [
      'when commands time out',
      { 'bourse_server_events_total{server="redis",event="timed_out",pod="a"}': '0+2x20' },
      240,
      [A],
    ],
    [
      'when MongoDB fails',
      { 'bourse_server_events_total{server="mongodb",event="failed",pod="a"}': '0+2x20' },
      240,
      [],
    ],
  ),
  ...casesOf('BourseClockOff')(
    [
      'when it is three seconds behind',
      { 'bourse_clock_offset_seconds{server="redis",pod="a"}': `-3x${TEN_MINUTES}` },
      120,
      [{ ...A, server: 'redis' }],
    ],
    ['when it is milliseconds off', { 'bourse_clock_offset_seconds{server="redis",pod="a"}': '0.02x40' }, 120, []],
  ),
]
