import { YES_IS_GOOD } from './choices.ts'
import { max, min, quantile, rate, select, sum } from './promql.ts'
import type { Dashboard, Row } from './specification.ts'
import { MESSAGES } from './broker-messages.ts'

const SYMPTOMS: Row = {
  title: 'Are the servers there?',
  panels: [
    {
      title: 'Connected',
      shows: 'Each process’s connections to RabbitMQ, MongoDB and Redis.',
      good: 'All green.',
      otherwise:
        'One process red: its network. All red for one server: that server. Commands wait and are refused once ' +
        'their time is over; nothing acknowledged is lost.',
      unit: 'none',
      view: 'states',
      words: YES_IS_GOOD,
      queries: [
        {
          expr: min(['pod', 'server', 'connection'], select('bourse_server_connected')),
          legend: '{{server}} {{connection}} {{pod}}',
        },
      ],
      width: 12,
      height: 10,
      alerts: ['BourseServerAway', 'BourseConnectionLost'],
    },
    {
      title: 'Dead letters',
      shows: 'Messages set aside because nobody could read them.',
      good: '0.',
      otherwise: 'List them with `npm run dlq`, find out who sent them, then send them again or drop them.',
      unit: 'count',
      view: 'number',
      queries: [{ expr: max([], select('bourse_bus_dead_letters')), legend: 'dead letters' }],
      limits: { bad: 'above', critical: 1 },
      width: 4,
      height: 10,
      alerts: ['BourseDeadLetters'],
    },
    {
      title: 'RabbitMQ alarms',
      shows: 'RabbitMQ’s own alarms: while one is on it takes no messages from anybody.',
      good: 'All off.',
      otherwise: 'Memory: who does not consume? Disk: make room. Publishing goes on by itself when the alarm ends.',
      unit: 'none',
      view: 'number',
      queries: [
        { expr: max([], select('rabbitmq_alarms_memory_used_watermark')), legend: 'memory' },
        { expr: max([], select('rabbitmq_alarms_free_disk_space_watermark')), legend: 'disk' },
        { expr: max([], select('rabbitmq_alarms_file_descriptor_limit')), legend: 'file descriptors' },
      ],
      limits: { bad: 'above', critical: 1 },
      words: { 0: { text: 'off', color: 'green' }, 1: { text: 'ON', color: 'red' } },
      height: 10,
      alerts: ['BourseBrokerBlocked', 'BourseBrokerMetricsAbsent'],
    },
  ],
}

const STORES: Row = {
  title: 'Is the journal fast, and are the stores well?',
  panels: [
    {
      title: 'Append times',
      shows: 'Time until a record is journaled, the slowest partition of each process.',
      good: 'p99 below 25 ms with majority writes.',
      otherwise: 'MongoDB: elections, slow disks, too few connections. Everything that clients see waits for this.',
      unit: 'seconds',
      queries: ([0.5, 0.99] as const).map((share) => ({
        expr: max(
          ['pod'],
          quantile(share, 'bourse_partition_stage_seconds', ['pod', 'partition'], { stage: 'append' }),
        ),
        legend: `{{pod}} p${share * 100}`,
      })),
      limits: { bad: 'above', warning: 0.025, critical: 0.1 },
      seeAlso: ['bourse-shards'],
    },
    {
      title: 'MongoDB events',
      alerts: ['BourseDatabaseFailing'],
      shows: 'What our adapters counted of MongoDB, a second.',
      good: 'No lost connections, no time-outs.',
      otherwise: 'Look at its primary: an election takes seconds, a full disk does not end by itself.',
      unit: 'eventsPerSecond',
      queries: [
        {
          expr: sum(['event', 'pod'], rate('bourse_server_events_total', { server: 'mongodb' })),
          legend: '{{event}} {{pod}}',
        },
      ],
    },
    {
      title: 'Redis events',
      alerts: ['BourseCacheFailing'],
      shows: 'What our adapters counted of Redis, a second.',
      good: 'No lost connections.',
      otherwise: 'Prices do not reach gateways and shards, rate limits let pass; nothing of money is kept there.',
      unit: 'eventsPerSecond',
      queries: [
        {
          expr: sum(['event', 'pod'], rate('bourse_server_events_total', { server: 'redis' })),
          legend: '{{event}} {{pod}}',
        },
      ],
    },
    {
      title: 'Free part of data disks',
      alerts: ['BourseDiskFilling', 'BourseDiskAlmostFull'],
      shows: 'Free part of the disk that a process’s data folder lies on.',
      good: 'Above 20 %.',
      otherwise:
        'Make room: at 0 nothing is journaled, so nothing is answered. It goes on by itself once there is room.',
      unit: 'ratio',
      queries: [{ expr: min(['pod'], select('bourse_data_folder_free_ratio')), legend: '{{pod}}' }],
      limits: { bad: 'below', warning: 0.15, critical: 0.03 },
    },
    {
      title: 'Clock offset',
      alerts: ['BourseClockOff'],
      shows: 'Clock of each process less that of a server.',
      good: 'Below 100 ms either way.',
      otherwise:
        'Slew the clock (chrony), never step it: quotes look stale or of the future, funding is charged ahead.',
      unit: 'seconds',
      queries: [
        {
          expr: `max by (pod, server) (abs(${select('bourse_clock_offset_seconds')}))`,
          legend: '{{pod}} to {{server}}',
        },
      ],
      limits: { bad: 'above', warning: 0.1, critical: 0.5 },
    },
    {
      title: 'Rate limits that let pass',
      alerts: ['BourseRateLimiterOpen'],
      shows: 'Requests that passed a rate limit because Redis did not answer.',
      good: 'Flat.',
      otherwise: 'Rising: Redis is away and nobody is limited. Watch the edge until it is back.',
      unit: 'count',
      queries: [{ expr: max(['pod'], select('bourse_rate_limits_let_pass')), legend: '{{pod}}' }],
    },
  ],
}

const BROKER_ITSELF: Row = {
  title: 'Is RabbitMQ itself well?',
  panels: [
    {
      title: 'RabbitMQ memory',
      shows: 'Memory in use and its watermark.',
      good: 'Below half of the watermark.',
      otherwise: 'At the watermark publishers stand still. Long queues or many connections take it.',
      unit: 'bytes',
      queries: [
        { expr: sum(['instance'], select('rabbitmq_process_resident_memory_bytes')), legend: '{{instance}} in use' },
        { expr: sum(['instance'], select('rabbitmq_resident_memory_limit_bytes')), legend: '{{instance}} watermark' },
      ],
      alerts: ['BourseBrokerMemoryHigh'],
    },
    {
      title: 'RabbitMQ disk',
      shows: 'Free disk and the limit below which it takes no messages.',
      good: 'Far above the limit, not falling.',
      otherwise: 'Make room or shorten the retention of streams before it reaches the limit.',
      unit: 'bytes',
      queries: [
        { expr: min(['instance'], select('rabbitmq_disk_space_available_bytes')), legend: '{{instance}} free' },
        { expr: min(['instance'], select('rabbitmq_disk_space_available_limit_bytes')), legend: '{{instance}} limit' },
      ],
      alerts: ['BourseBrokerDiskFilling'],
    },
    {
      title: 'RabbitMQ connections',
      shows: 'Connections, channels and queues; connections opened and closed a second.',
      good: 'Level.',
      otherwise: 'Opened and closed all the time: a process cannot stay connected; its log says why.',
      unit: 'count',
      queries: [
        { expr: sum([], select('rabbitmq_connections')), legend: 'connections' },
        { expr: sum([], select('rabbitmq_channels')), legend: 'channels' },
        { expr: sum([], select('rabbitmq_queues')), legend: 'queues' },
        { expr: sum([], rate('rabbitmq_connections_opened_total')), legend: 'opened a second' },
        { expr: sum([], rate('rabbitmq_connections_closed_total')), legend: 'closed a second' },
      ],
    },
    {
      title: 'RabbitMQ file descriptors',
      shows: 'Share of the allowed file descriptors in use.',
      good: 'Below 80 %.',
      otherwise: 'At 100 % it takes no connections: raise its limit and restart it.',
      unit: 'ratio',
      queries: [
        {
          expr:
            `${max(['instance'], select('rabbitmq_process_open_fds'))} / ` +
            `${max(['instance'], select('rabbitmq_process_max_fds'))}`,
          legend: '{{instance}}',
        },
      ],
      limits: { bad: 'above', warning: 0.8, critical: 0.95 },
    },
  ],
}

/** RabbitMQ, MongoDB, Redis and disks. */
export const BROKER: Dashboard = {
  uid: 'bourse-broker',
  title: 'Broker and storage',
  description: 'Are the servers there, what becomes of messages, is the journal fast.',
  choices: [],
  rows: [SYMPTOMS, MESSAGES, STORES, BROKER_ITSELF],
}
