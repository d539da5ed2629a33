import type { AlertRule } from '../alert-rule.ts'
import { absence, perSecond, rise, select } from '../expressions.ts'

const broker = { dashboard: 'bourse-broker', component: 'broker' } as const

/** Queues of partitions, whatever prefix an installation gives them. */
const QUEUES = 'queue=~".+[.]partition[.].+"'

/** RabbitMQ itself, by its own series. */
const BROKER: readonly AlertRule[] = [
  {
    ...broker,
    alert: 'BourseBrokerMetricsAbsent',
    panel: 'RabbitMQ alarms',
    severity: 'warning',
    expr: (context) =>
      `${absence('queues', context, 'rabbitmq_queue_messages', QUEUES)} or ` +
      absence('alarms', context, 'rabbitmq_alarms_memory_used_watermark'),
    forSeconds: 180,
    summary: 'No metrics of the {{ $labels.program }} of RabbitMQ',
    description:
      'Nobody sees queues grow, lose their consumers, or that it blocks. Processes tell on their own whether they reach it.',
  },
  {
    ...broker,
    alert: 'BourseBrokerBlocked',
    panel: 'RabbitMQ alarms',
    severity: 'critical',
    expr: ({ selector }) =>
      [
        ['memory', 'rabbitmq_alarms_memory_used_watermark'],
        ['disk', 'rabbitmq_alarms_free_disk_space_watermark'],
      ]
        .map(([alarm = '', series = '']) => [alarm, `max by (namespace) (${select(series, selector)}) > 0`] as const)
        .map(([alarm, isOn]) => `label_replace(${isOn}, "alarm", "${alarm}", "", "")`)
        .join(' or '),
    forSeconds: 15,
    summary: 'RabbitMQ takes no messages: its {{ $labels.alarm }} alarm is on',
    description:
      'It blocks everybody who publishes. Commands wait and are refused as UNAVAILABLE once their time is over.',
  },
  {
    ...broker,
    alert: 'BourseBrokerMemoryHigh',
    panel: 'RabbitMQ memory',
    severity: 'warning',
    expr: ({ selector }) =>
      `max by (namespace, instance) (${select('rabbitmq_process_resident_memory_bytes', selector)} ` +
      `/ ${select('rabbitmq_resident_memory_limit_bytes', selector)}) > 0.85`,
    forSeconds: 300,
    summary: 'RabbitMQ on {{ $labels.instance }} uses {{ $value | humanizePercentage }} of its memory',
    description: 'At 100 % its alarm blocks everybody who publishes.',
  },
  {
    ...broker,
    alert: 'BourseBrokerDiskFilling',
    panel: 'RabbitMQ disk',
    severity: 'warning',
    expr: ({ selector, duration, seconds }) =>
      `min by (namespace, instance) (predict_linear(${select('rabbitmq_disk_space_available_bytes', selector)}` +
      `[${duration(3_600)}], ${seconds(4 * 3_600)}) - ${select('rabbitmq_disk_space_available_limit_bytes', selector)}) < 0`,
    forSeconds: 600,
    summary: 'The disk of RabbitMQ on {{ $labels.instance }} is full within four hours',
    description: 'Below its limit RabbitMQ blocks everybody who publishes.',
  },
  {
    ...broker,
    alert: 'BourseQueueGrowing',
    panel: 'Ready messages',
    severity: 'warning',
    expr: ({ selector, duration }) => {
      const waiting = select('rabbitmq_queue_messages', selector, QUEUES)
      const mean = (offset: string): string => `avg_over_time(${waiting}[${duration(300)}]${offset})`
      return (
        `sum by (namespace, queue) (${mean('')}) > 100 and ` +
        `sum by (namespace, queue) (${mean('')} - ${mean(` offset ${duration(60)}`)}) > 0`
      )
    },
    forSeconds: 120,
    summary: '{{ $labels.queue }} grows: {{ $value | humanize }} messages',
    description: 'Its partition takes less than it is sent. At 50,000 messages senders are refused as UNAVAILABLE.',
  },
  {
    ...broker,
    alert: 'BourseQueueWithoutConsumer',
    panel: 'Consumers',
    severity: 'warning',
    expr: ({ selector }) => `sum by (namespace, queue) (${select('rabbitmq_queue_consumers', selector, QUEUES)}) == 0`,
    forSeconds: 60,
    summary: 'Nobody consumes {{ $labels.queue }}',
    description: 'No shard holds the partition of this queue: its commands wait.',
  },
  {
    ...broker,
    alert: 'BourseDeliveriesUnacknowledged',
    panel: 'Unacknowledged messages',
    severity: 'warning',
    expr: ({ selector, duration }) => {
      const unacked = select('rabbitmq_queue_messages_unacked', selector, 'queue!=""')
      const [now, floor] = [duration(120), `min_over_time(${unacked}[${duration(300)}])`]
      // The floor of two minutes above the ceiling of earlier two: it only grows. Or a consumer that holds all it may.
      return (
        `sum by (namespace, queue) (min_over_time(${unacked}[${now}]) > 10 and ` +
        `min_over_time(${unacked}[${now}]) > max_over_time(${unacked}[${now}] offset ${duration(180)})) ` +
        `or sum by (namespace, queue) (${floor}) > 500`
      )
    },
    forSeconds: 120,
    summary: 'A consumer of {{ $labels.queue }} takes messages and does not acknowledge them',
    description:
      'What it holds is worked on by nobody else until it acknowledges or goes: a leaking or stuck consumer.',
  },
]

/** Messages, by what became of them. */
const MESSAGES: readonly AlertRule[] = [
  {
    ...broker,
    alert: 'BourseDeadLetters',
    panel: 'Dead letters',
    severity: 'warning',
    expr: ({ selector }) => `max by (namespace) (${select('bourse_bus_dead_letters', selector)}) > 0`,
    forSeconds: 0,
    summary: 'Messages that nobody could read were set aside: {{ $value }}',
    description:
      'Who sent them waits for nothing; if one was an effect, its sender repeats it. Look who sent them and why.',
  },
  {
    ...broker,
    alert: 'BourseMessagesUnroutable',
    panel: 'Messages by event',
    severity: 'warning',
    expr: (context) =>
      `${rise(context, 300, { series: 'bourse_bus_messages_total', matchers: ['event="returned"'], by: 'pod' })} >= 1`,
    forSeconds: 60,
    summary: 'RabbitMQ returns messages of {{ $labels.pod }}: no queue takes them',
    description:
      'A partition’s queue is missing. Senders declare it again and repeat; what comes back for long has no partition.',
  },
  {
    ...broker,
    alert: 'BourseMessagesNotConfirmed',
    panel: 'Messages by event',
    severity: 'warning',
    expr: (context) =>
      `${rise(context, 300, {
        series: 'bourse_server_events_total',
        matchers: ['server="rabbitmq"', 'event=~"(commands|bulk)_(buffer_full|confirm_timeouts|lost|refused)"'],
        by: 'pod, event',
      })} > 0`,
    forSeconds: 60,
    summary: 'RabbitMQ does not take what {{ $labels.pod }} publishes ({{ $labels.event }})',
    description:
      'Messages were refused, lost with their connection or not confirmed in time. Senders repeat them; clients wait.',
  },
  {
    ...broker,
    alert: 'BourseRedeliveries',
    panel: 'Messages by event',
    severity: 'info',
    expr: (context) => {
      const of = (event: string): string =>
        perSecond(context, 300, { series: 'bourse_bus_messages_total', matchers: [`event="${event}"`], by: 'pod' })
      return `sum by (namespace) (${of('redelivered')}) > 0.05 * sum by (namespace) (${of('published')})`
    },
    forSeconds: 300,
    summary: 'RabbitMQ delivers more than 5 % of the messages again',
    description:
      'Consumers come and go, or do not acknowledge. Receivers know repetitions by their id; it costs time only.',
  },
]

/** The broker and its messages. */
export const BROKER_ALERTS: readonly AlertRule[] = [...BROKER, ...MESSAGES]
