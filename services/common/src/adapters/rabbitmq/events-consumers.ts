import type { ConfirmChannel, ConsumeMessage } from 'amqplib'
import type { Logger } from 'pino'
import type { PartitionNumber } from '../../kernel/partition.ts'
import type { StreamEvent } from '../../ports/events.ts'
import type { Keeper } from './channel-keeper.ts'
import type { RabbitConnection } from './connection.ts'
import { EVENT_TYPE } from './events-publisher.ts'
import { declareEventStream, eventStreamName } from './events-topology.ts'

/** Events of one partition the server sends ahead of our acknowledgements. */
export const EVENTS_PREFETCH = 64

/** What came over the streams. */
export interface ConsumerCounts {
  readonly received: number
  /** Messages in a stream that are no events. */
  readonly undecodable: number
  /** Times a stream was attached to: the first time, after a lost connection, after the stream was deleted. */
  readonly attached: number
}

/** Reads streams, one consumer per partition however many listen. */
export interface EventsConsumers {
  /** Attaches to the end of the partition's stream, unless that is done; ends when all who called have released it. */
  attach(partition: PartitionNumber): () => Promise<void>
  counts(): ConsumerCounts
  close(): Promise<void>
}

/** What the consumers need. */
export interface EventsConsumersDeps {
  readonly connection: RabbitConnection
  readonly logger: Logger
  readonly prefix: string
  /** Gets every event at once and never throws: what it can not hold it drops. */
  readonly onEvent: (event: StreamEvent) => void
  /** The stream is followed from this moment on. */
  readonly onAttached: (partition: PartitionNumber) => void
}

interface Consumer {
  readonly keeper: Keeper
  users: number
}

/** An event out of a message, or null when it is none of ours. */
const eventOf = (partition: PartitionNumber, message: ConsumeMessage): StreamEvent | null => {
  const { type, messageId } = message.properties as { readonly type?: unknown; readonly messageId?: unknown }
  if (type !== EVENT_TYPE || typeof messageId !== 'string' || !/^[1-9]\d{0,18}$/.test(messageId)) return null
  return { partition, sequence: BigInt(messageId), body: message.content }
}

/** Makes the consumers. */
export const createEventsConsumers = (deps: EventsConsumersDeps): EventsConsumers => {
  const { connection, logger, prefix } = deps
  const consumers = new Map<PartitionNumber, Consumer>()
  const counts = { received: 0, undecodable: 0, attached: 0 }

  const take = (partition: PartitionNumber, channel: ConfirmChannel, message: ConsumeMessage): void => {
    const event = eventOf(partition, message)
    if (event === null) counts.undecodable += 1
    else {
      counts.received += 1
      deps.onEvent(event)
    }
    channel.ack(message)
  }

  const open = (partition: PartitionNumber): Keeper => {
    const stream = eventStreamName(prefix, partition)
    const keeper: Keeper = connection.keep({
      name: stream,
      onOpen: async (channel) => {
        await declareEventStream(connection, stream)
        await channel.prefetch(EVENTS_PREFETCH)
        const onMessage = (message: ConsumeMessage | null): void => {
          if (message !== null) return take(partition, channel, message)
          logger.warn({ stream }, 'a stream was deleted underneath; it is declared again')
          keeper.renew()
        }
        // Only what is to come: what was before a subscriber reads from the journal, which it has to trust anyway.
        await channel.consume(stream, onMessage, { noAck: false, arguments: { 'x-stream-offset': 'next' } })
        counts.attached += 1
        deps.onAttached(partition)
      },
      onLost: (error) => logger.debug({ err: error, stream }, 'a stream is not read for a moment'),
    })
    return keeper
  }

  return {
    attach: (partition) => {
      const consumer = consumers.get(partition) ?? { keeper: open(partition), users: 0 }
      consumers.set(partition, consumer)
      consumer.users += 1
      let isReleased = false
      return async () => {
        if (isReleased) return
        isReleased = true
        consumer.users -= 1
        if (consumer.users > 0) return
        consumers.delete(partition)
        await consumer.keeper.stop()
      }
    },
    counts: () => ({ ...counts }),
    close: async () => {
      const all = [...consumers.values()]
      consumers.clear()
      await Promise.all(all.map(({ keeper }) => keeper.stop()))
    },
  }
}
