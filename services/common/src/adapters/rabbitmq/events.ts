import type { Logger } from 'pino'
import type { PartitionNumber } from '../../kernel/partition.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Events } from '../../ports/events.ts'
import type { Journal } from '../../ports/journal.ts'
import { createEmbeddedEvents } from '../embedded/events.ts'
import { openRabbitConnection, type RabbitConnection } from './connection.ts'
import { createEventsConsumers, type ConsumerCounts } from './events-consumers.ts'
import { createEventsPublisher, type PublisherCounts } from './events-publisher.ts'

/** What the streams on RabbitMQ need. */
export interface RabbitEventsOptions {
  /** `amqp://user:password@host:port/vhost`. */
  readonly url: string
  readonly journal: Journal
  readonly clock: Clock
  readonly logger: Logger
  /** First part of the streams' names. Default `bourse`. */
  readonly prefix?: string
  readonly heartbeatSeconds?: number
  readonly firstConnectMs?: number
  /** Hears of every handler or journal failure; the event comes again after a pause. Logged by default. */
  readonly onFailure?: (error: unknown, partition: PartitionNumber) => void
}

/** Streams on RabbitMQ and what happened on them. */
export interface RabbitEvents extends Events {
  counts(): PublisherCounts & ConsumerCounts
}

/** A sequence no record ever has: a subscriber that is offered it finds that it lacks something and looks into the journal. */
const NEVER = (1n << 63n) - 1n
const NOTHING = new Uint8Array(0)

/**
 * Events over RabbitMQ streams (port Events), one stream per partition. A subscriber reads the journal from its sequence to the
 * end and is then fed by the stream, which it follows from the moment it subscribed; sequences tell what is old, what is
 * next, and where a gap has to be read from the journal. So the stream carries the news quickly and proves nothing: what it
 * loses (its confirms are not flushed to disk, it may be deleted, the server may be away) is found within HEAL_INTERVAL_MS.
 * Publishing and reading have a connection each: an alarm holds up publishers only.
 * @throws PortError `unavailable` when RabbitMQ is not reached
 */
export const openRabbitEvents = async (options: RabbitEventsOptions): Promise<RabbitEvents> => {
  const { url, journal, clock, prefix = 'bourse', heartbeatSeconds, firstConnectMs } = options
  const logger = options.logger.child({ port: 'events' })
  const onFailure =
    options.onFailure ??
    ((error: unknown, partition: PartitionNumber) => logger.warn({ err: error, partition }, 'an event comes again'))
  const open = (name: string): Promise<RabbitConnection> =>
    openRabbitConnection({ url, clock, logger, name: `${prefix} ${name}`, heartbeatSeconds, firstConnectMs })
  const writing = await open('events out')
  const reading = await open('events in').catch(async (error: unknown) => {
    await writing.close()
    throw error
  })
  // The subscribers of this process: each with its buffer and its looks into the journal.
  const local = createEmbeddedEvents({ journal, clock, onFailure })
  const publisher = createEventsPublisher({ connection: writing, clock, logger, prefix })
  const consumers = createEventsConsumers({
    connection: reading,
    logger,
    prefix,
    onEvent: local.publish,
    // Something may have come between a subscriber's look into the journal and this moment.
    onAttached: (partition) => local.publish({ partition, sequence: NEVER, body: NOTHING }),
  })

  await publisher.whenOpen()
  return {
    publish: (event) => {
      // Whoever listens in this process hears it whether RabbitMQ is there or not, and drops what the stream brings back.
      local.publish(event)
      publisher.publish(event)
    },
    subscribe: (partition, fromSequence, handler) => {
      const subscription = local.subscribe(partition, fromSequence, handler)
      const release = consumers.attach(partition)
      return {
        stop: async () => {
          await subscription.stop()
          await release()
        },
      }
    },
    close: async () => {
      await local.close()
      await Promise.all([publisher.close(), consumers.close()])
      await Promise.all([writing.close(), reading.close()])
    },
    counts: () => ({ ...publisher.counts(), ...consumers.counts() }),
  }
}
