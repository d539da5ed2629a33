import { casesOf, type RuleCase } from './case.ts'

const Q = 'queue="bourse.partition.ledger/0"'
const QUEUE = { severity: 'warning', queue: 'bourse.partition.ledger/0' }
const NODE = { severity: 'warning', instance: 'r:15692' }

const BROKER: readonly RuleCase[] = [
  ...casesOf('BourseBrokerMetricsAbsent')(
    [
      'when nobody scrapes RabbitMQ',
      { up: '1x40' },
      240,
      [
        { severity: 'warning', program: 'queues' },
        { severity: 'warning', program: 'alarms' },
      ],
    ],
    [
      'when its queues are scraped and its alarms are not',
      { [`rabbitmq_queue_messages{${Q}}`]: '0x40' },
      240,
      [{ severity: 'warning', program: 'alarms' }],
    ],
    [
      'while both are seen',
      { [`rabbitmq_queue_messages{${Q}}`]: '0x40', rabbitmq_alarms_memory_used_watermark: '0x40' },
      240,
      [],
    ],
  ),
  ...casesOf('BourseBrokerBlocked')(
    [
      'when the disk alarm is on',
      { rabbitmq_alarms_free_disk_space_watermark: '0x4 1x20', rabbitmq_alarms_memory_used_watermark: '0x30' },
      120,
      [{ severity: 'critical', alarm: 'disk' }],
    ],
    [
      'when the memory alarm is on',
      { rabbitmq_alarms_free_disk_space_watermark: '0x30', rabbitmq_alarms_memory_used_watermark: '1x30' },
      120,
      [{ severity: 'critical', alarm: 'memory' }],
    ],
    [
      'without an alarm',
      { rabbitmq_alarms_free_disk_space_watermark: '0x30', rabbitmq_alarms_memory_used_watermark: '0x30' },
      120,
      [],
    ],
  ),
  ...casesOf('BourseBrokerMemoryHigh')(
    [
      'at nine tenths',
      {
        'rabbitmq_process_resident_memory_bytes{instance="r:15692"}': '900x40',
        'rabbitmq_resident_memory_limit_bytes{instance="r:15692"}': '1000x40',
      },
      480,
      [NODE],
    ],
    [
      'at half',
      {
        'rabbitmq_process_resident_memory_bytes{instance="r:15692"}': '500x40',
        'rabbitmq_resident_memory_limit_bytes{instance="r:15692"}': '1000x40',
      },
      480,
      [],
    ],
  ),
  ...casesOf('BourseBrokerDiskFilling', 60)(
    [
      'when what is left goes within three hours',
      {
        'rabbitmq_disk_space_available_bytes{instance="r:15692"}': '10000-50x60',
        'rabbitmq_disk_space_available_limit_bytes{instance="r:15692"}': '1000x60',
      },
      2_400,
      [NODE],
    ],
    [
      'when it lasts for days',
      {
        'rabbitmq_disk_space_available_bytes{instance="r:15692"}': '10000-1x60',
        'rabbitmq_disk_space_available_limit_bytes{instance="r:15692"}': '1000x60',
      },
      2_400,
      [],
    ],
  ),
  ...casesOf('BourseQueueGrowing')(
    ['when more comes than goes', { [`rabbitmq_queue_messages{${Q}}`]: '0+30x40' }, 540, [QUEUE]],
    ['when it is long and gets shorter', { [`rabbitmq_queue_messages{${Q}}`]: '5000-30x40' }, 540, []],
    ['when dead letters gather', { 'rabbitmq_queue_messages{queue="bourse.dead-letters"}': '0+30x40' }, 540, []],
  ),
  ...casesOf('BourseQueueWithoutConsumer')(
    ['when its consumer is gone', { [`rabbitmq_queue_consumers{${Q}}`]: '1x4 0x20' }, 180, [QUEUE]],
    [
      'while it has one',
      { [`rabbitmq_queue_consumers{${Q}}`]: '1x40', 'rabbitmq_queue_consumers{queue="bourse.dead-letters"}': '0x40' },
      180,
      [],
    ],
  ),
  ...casesOf('BourseDeliveriesUnacknowledged')(
    ['when a consumer takes and takes', { [`rabbitmq_queue_messages_unacked{${Q}}`]: '0+2x60' }, 600, [QUEUE]],
    ['when a consumer holds all that it may', { [`rabbitmq_queue_messages_unacked{${Q}}`]: '2000x60' }, 600, [QUEUE]],
    [
      'when a busy consumer always has some',
      {
        [`rabbitmq_queue_messages_unacked{${Q}}`]:
          '20 31 12 40 25 18 33 22 27 14 38 20 16 29 31 12 24 18 33 22 27 20 31 12 40 25 18 33 22 27 14 38 20 16 29 31 12 24',
      },
      600,
      [],
    ],
  ),
]

const A = { severity: 'warning', pod: 'a' }

const messages = (event: string): string => `bourse_bus_messages_total{event="${event}",pod="a"}`

const MESSAGES: readonly RuleCase[] = [
  ...casesOf('BourseDeadLetters')(
    ['at the first one', { 'bourse_bus_dead_letters{pod="a"}': '0x4 1x9' }, 90, [{ severity: 'warning' }]],
    ['when there is none', { 'bourse_bus_dead_letters{pod="a"}': '0x9' }, 90, []],
  ),
  ...casesOf('BourseMessagesUnroutable')(
    ['when messages come back', { [messages('returned')]: '_x4 3x20' }, 180, [A]],
    ['when all find a queue', { [messages('published')]: '0+90x20', [messages('returned')]: '0x20' }, 180, []],
  ),
  ...casesOf('BourseMessagesNotConfirmed')(
    [
      'when confirmations do not come',
      { 'bourse_server_events_total{server="rabbitmq",event="commands_confirm_timeouts",pod="a"}': '0x4 3x20' },
      180,
      [{ ...A, event: 'commands_confirm_timeouts' }],
    ],
    [
      'when all is confirmed',
      {
        'bourse_server_events_total{server="rabbitmq",event="commands_confirmed",pod="a"}': '0+90x20',
        'bourse_server_events_total{server="rabbitmq",event="requests_refused",pod="a"}': '0+1x20',
      },
      180,
      [],
    ],
  ),
  ...casesOf('BourseRedeliveries')(
    [
      'when a tenth is delivered again',
      { [messages('published')]: '0+100x60', [messages('redelivered')]: '0+10x60' },
      600,
      [{ severity: 'info' }],
    ],
    [
      'when one of thousands is',
      { [messages('published')]: '0+100x60', [messages('redelivered')]: '0x30 1x30' },
      600,
      [],
    ],
  ),
]

/** Situations of the broker. */
export const BROKER_CASES: readonly RuleCase[] = [...BROKER, ...MESSAGES]
