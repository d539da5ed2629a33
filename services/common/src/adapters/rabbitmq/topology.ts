import type { Options } from 'amqplib'
import { partitionName, type PartitionNumber } from '../../kernel/partition.ts'
import type { MessagingNames } from '../../ports/tracing.ts'
import type { ServerVersion } from './connection.ts'

/** AMQP messages (packs) a partition's queue holds before it refuses more. */
export const PARTITION_QUEUE_MAX = 50_000
/** Dead letters kept; beyond it the oldest goes. */
export const DEAD_LETTERS_MAX = 100_000
/** First part of the names of all our queues. */
export const QUEUE_PREFIX = 'bourse'
/** Exclusive to RabbitMQ: replies come to the channel that asked, without a queue. */
export const REPLY_TO = 'amq.rabbitmq.reply-to'
/** RabbitMQ 4 gives every quorum queue a limit of 20 deliveries, after which it drops the message; -1 is none. */
const MAJOR_WITH_DELIVERY_LIMIT = 4

/** A queue of ours, as it must be. */
export interface QueueSpec {
  readonly name: string
  readonly purpose: 'partition' | 'dead-letters'
  readonly options: Options.AssertQueue & { readonly arguments: Readonly<Record<string, string | number | boolean>> }
}

const quorum = (version: ServerVersion, more: Readonly<Record<string, string | number | boolean>>) => ({
  durable: true,
  autoDelete: false,
  exclusive: false,
  arguments: {
    'x-queue-type': 'quorum',
    ...(version.major >= MAJOR_WITH_DELIVERY_LIMIT ? { 'x-delivery-limit': -1 } : {}),
    ...more,
  },
})

/** Name of a partition's queue. */
export const partitionQueueName = (prefix: string, partition: PartitionNumber): string =>
  `${prefix}.partition.${partitionName(partition)}`

/** What spans call our messages: sent to the default exchange, whose routing key is the queue. */
export const rabbitMessagingNames = (prefix: string): MessagingNames => ({
  system: 'rabbitmq',
  destinationOf: (partition) => partitionQueueName(prefix, partition),
  replyDestination: REPLY_TO,
})

/** Name of the queue of dead letters. */
export const deadLetterQueueName = (prefix: string): string => `${prefix}.dead-letters`

/**
 * The queue of a partition: one consumer at a time, and what is one too many is refused (a nack), never dropped. No limit of
 * deliveries: a partition that moves often returns its messages often.
 */
export const partitionQueue = (
  prefix: string,
  partition: PartitionNumber,
  version: ServerVersion,
  lengthMax: number = PARTITION_QUEUE_MAX,
): QueueSpec => ({
  name: partitionQueueName(prefix, partition),
  purpose: 'partition',
  options: quorum(version, {
    'x-single-active-consumer': true,
    'x-overflow': 'reject-publish',
    // Quorum queues refuse once they hold more than this.
    'x-max-length': lengthMax - 1,
  }),
})

/** The queue of dead letters. */
export const deadLetterQueue = (
  prefix: string,
  version: ServerVersion,
  lengthMax: number = DEAD_LETTERS_MAX,
): QueueSpec => ({
  name: deadLetterQueueName(prefix),
  purpose: 'dead-letters',
  options: quorum(version, { 'x-overflow': 'drop-head', 'x-max-length': lengthMax }),
})
