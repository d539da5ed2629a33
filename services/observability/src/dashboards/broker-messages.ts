import { rate, select, sum } from './promql.ts'
import type { Row } from './specification.ts'

/** Messages: what becomes of them, and what waits. */
export const MESSAGES: Row = {
  title: 'What becomes of messages?',
  panels: [
    {
      title: 'Messages by event',
      shows: 'Messages of this platform a second: published, confirmed, returned, redelivered, dead-lettered.',
      good: 'Confirmed follows published; nothing returned or dead-lettered; redelivered only after a restart.',
      otherwise:
        'Confirmed falls behind: RabbitMQ or its disk is slow. Returned: a partition’s queue is missing. ' +
        'Redelivered: a consumer dies or does not acknowledge.',
      unit: 'messagesPerSecond',
      queries: [{ expr: sum(['event'], rate('bourse_bus_messages_total')), legend: '{{event}}' }],
      width: 12,
      alerts: ['BourseMessagesUnroutable', 'BourseRedeliveries', 'BourseMessagesNotConfirmed'],
    },
    {
      title: 'Ready messages',
      shows: 'Messages in queues that no consumer holds yet.',
      good: 'Close to 0.',
      otherwise:
        'Grows at one queue: its partition is not served or is too slow. Streams keep what was sent: a level ' +
        'is no fault there.',
      unit: 'count',
      queries: [
        {
          expr: `topk(10, ${sum(['queue'], select('rabbitmq_queue_messages_ready', { queue: '!=' }))})`,
          legend: '{{queue}}',
        },
      ],
      width: 12,
      seeAlso: ['bourse-shards'],
      alerts: ['BourseQueueGrowing'],
    },
    {
      title: 'Unacknowledged messages',
      shows: 'Messages that a consumer holds and has not acknowledged.',
      good: 'Follows the traffic and falls to 0 with it.',
      otherwise:
        'Stays up: a consumer leaks. Its process is restarted; the messages are delivered again and known by their ids.',
      unit: 'count',
      queries: [
        {
          expr: `topk(10, ${sum(['queue'], select('rabbitmq_queue_messages_unacked', { queue: '!=' }))})`,
          legend: '{{queue}}',
        },
      ],
      alerts: ['BourseDeliveriesUnacknowledged'],
    },
    {
      title: 'Consumers',
      shows: 'Consumers by queue, the ten queues with the fewest.',
      good: 'One at least at each partition’s queue.',
      otherwise: '0: nobody serves that partition; see the shards and the operator.',
      unit: 'count',
      queries: [
        {
          expr: `bottomk(10, ${sum(['queue'], select('rabbitmq_queue_consumers', { queue: '!=' }))})`,
          legend: '{{queue}}',
        },
      ],
      seeAlso: ['bourse-shards', 'bourse-operator'],
      alerts: ['BourseQueueWithoutConsumer'],
    },
    {
      title: 'RabbitMQ in and out',
      shows: 'What RabbitMQ received, confirmed, delivered, redelivered and had acknowledged, a second.',
      good: 'All follow one another.',
      otherwise: 'Delivered without acknowledged: consumers are stuck. Received without confirmed: its disk.',
      unit: 'messagesPerSecond',
      queries: [
        { expr: sum([], rate('rabbitmq_global_messages_received_total')), legend: 'received' },
        { expr: sum([], rate('rabbitmq_global_messages_confirmed_total')), legend: 'confirmed' },
        { expr: sum([], rate('rabbitmq_global_messages_delivered_total')), legend: 'delivered' },
        { expr: sum([], rate('rabbitmq_global_messages_acknowledged_total')), legend: 'acknowledged' },
        { expr: sum([], rate('rabbitmq_global_messages_redelivered_total')), legend: 'redelivered' },
      ],
    },
    {
      title: 'Unroutable messages',
      shows: 'Messages that found no queue: returned to their sender, or dropped.',
      good: '0; a few returned at a first start.',
      otherwise: 'A queue was deleted by hand. The platform declares its queues at a start of the partition.',
      unit: 'messagesPerSecond',
      queries: [
        { expr: sum([], rate('rabbitmq_global_messages_unroutable_returned_total')), legend: 'returned' },
        { expr: sum([], rate('rabbitmq_global_messages_unroutable_dropped_total')), legend: 'dropped' },
      ],
    },
    {
      title: 'Waiting for servers',
      shows: 'What waits in our processes for a server: messages to be sent, requests without an answer.',
      good: 'Few, for milliseconds.',
      otherwise: 'Grows: the server does not take or does not answer. At its limit commands are refused UNAVAILABLE.',
      unit: 'count',
      queries: [
        {
          expr: sum(['server', 'what', 'pod'], select('bourse_server_waiting')),
          legend: '{{server}} {{what}} {{pod}}',
        },
      ],
    },
    {
      title: 'RabbitMQ events',
      alerts: ['BourseMessagesNotConfirmed'],
      shows: 'What our adapters counted of RabbitMQ, a second: reconnects, limits, losses.',
      good: 'Ordinary traffic only; no reconnects, nothing lost or refused.',
      otherwise: 'The name says which; docs/operations/backing-services.md has a line for each.',
      unit: 'eventsPerSecond',
      queries: [
        {
          expr: `topk(15, ${sum(['event'], rate('bourse_server_events_total', { server: 'rabbitmq' }))})`,
          legend: '{{event}}',
        },
      ],
    },
  ],
}
