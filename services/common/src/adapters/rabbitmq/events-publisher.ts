import type { ConfirmChannel } from 'amqplib'
import type { Logger } from 'pino'
import type { PartitionNumber } from '../../kernel/partition.ts'
import type { Clock } from '../../ports/clock.ts'
import type { StreamEvent } from '../../ports/events.ts'
import type { Keeper } from './channel-keeper.ts'
import type { RabbitConnection } from './connection.ts'
import { declareEventStream, eventStreamName } from './events-topology.ts'

/** Events on their way to the server at most; one more is dropped. */
export const EVENTS_IN_FLIGHT_MAX = 4_096
/** Bytes on their way to the server at most, but for the last event. */
export const EVENT_BYTES_IN_FLIGHT_MAX = 67_108_864
/** Pause after a stream could not be declared, ms; until then its events are dropped. */
export const DECLARE_PAUSE_MS = 500

/** What became of published events. Subscribers get the dropped, lost and returned ones from the journal. */
export interface PublisherCounts {
  /** The server answered for them; the returned ones are among them. */
  readonly confirmed: number
  /** Not sent: no connection, an alarm, or too many on their way. */
  readonly dropped: number
  /** Sent and never confirmed: the channel went with them, or the server refused. */
  readonly lost: number
  /** Sent to a stream that was not there. */
  readonly returned: number
}

/** Sends events and forgets them. */
export interface EventsPublisher {
  /** Never waits and never throws. */
  publish(event: StreamEvent): void
  /** Resolves when events can be sent for the first time. */
  whenOpen(): Promise<void>
  counts(): PublisherCounts
  close(): Promise<void>
}

/** What the publisher needs. */
export interface EventsPublisherDeps {
  readonly connection: RabbitConnection
  readonly clock: Clock
  readonly logger: Logger
  readonly prefix: string
}

/** The kind of message: what is not of it is not ours. */
export const EVENT_TYPE = 'bourse.event.1'

interface Stream {
  readonly name: string
  isDeclared: boolean
  isDeclaring: boolean
  /** Monotonic time before which it is not declared again, ms. */
  nextTryMs: number
  /** Events that wait for the declaration; they count as on their way. */
  waiting: StreamEvent[]
}

/** Makes the publisher. */
export const createEventsPublisher = (deps: EventsPublisherDeps): EventsPublisher => {
  const { connection, clock, logger, prefix } = deps
  const counts = { confirmed: 0, dropped: 0, lost: 0, returned: 0 }
  const streams = new Map<PartitionNumber, Stream>()
  const byName = new Map<string, Stream>()
  const opening = Promise.withResolvers<void>()
  let channel: ConfirmChannel | null = null
  let [eventsInFlight, bytesInFlight] = [0, 0]

  const streamOf = (partition: PartitionNumber): Stream => {
    const known = streams.get(partition)
    if (known !== undefined) return known
    const name = eventStreamName(prefix, partition)
    const made: Stream = { name, isDeclared: false, isDeclaring: false, nextTryMs: -Infinity, waiting: [] }
    streams.set(partition, made)
    byName.set(name, made)
    return made
  }
  const settle = (event: StreamEvent, fate: 'confirmed' | 'lost' | 'dropped'): void => {
    eventsInFlight -= 1
    bytesInFlight -= event.body.length
    counts[fate] += 1
  }

  /** Sends an event that is counted as on its way. */
  const send = (stream: Stream, event: StreamEvent): void => {
    if (channel === null || connection.state() !== 'connected') return settle(event, 'dropped')
    const { buffer, byteOffset, byteLength } = event.body
    const options = { type: EVENT_TYPE, messageId: String(event.sequence), persistent: true, mandatory: true }
    try {
      channel.publish('', stream.name, Buffer.from(buffer, byteOffset, byteLength), options, (error: unknown) =>
        settle(event, error === null || error === undefined ? 'confirmed' : 'lost'),
      )
    } catch (error) {
      // The channel closed between the look and the sending.
      logger.debug({ err: error }, 'an event could not be sent')
      settle(event, 'dropped')
    }
  }
  const declare = async (stream: Stream): Promise<void> => {
    stream.isDeclaring = true
    try {
      await declareEventStream(connection, stream.name)
      stream.isDeclared = true
      stream.nextTryMs = -Infinity
    } catch (error) {
      // A server that has just come up may take a moment for its streams; one whose node is gone, longer.
      if (stream.nextTryMs === -Infinity) logger.warn({ err: error, stream: stream.name }, 'a stream is not there')
      stream.nextTryMs = clock.monotonicMs() + DECLARE_PAUSE_MS
    }
    stream.isDeclaring = false
    for (const event of stream.waiting.splice(0)) {
      if (stream.isDeclared) send(stream, event)
      else settle(event, 'dropped')
    }
  }

  const keeper: Keeper = connection.keep({
    name: 'events',
    onOpen: (opened) => {
      opened.on('return', ({ fields }: { fields: { routingKey: string } }) => {
        counts.returned += 1
        const stream = byName.get(fields.routingKey)
        if (stream !== undefined) stream.isDeclared = false
      })
      channel = opened
      opening.resolve()
      return Promise.resolve()
    },
    // The server that comes back may know nothing of our streams. What was on its way the driver gives back as failed.
    onLost: () => {
      channel = null
      for (const stream of streams.values()) stream.isDeclared = false
    },
  })

  return {
    publish: (event) => {
      const isFull = eventsInFlight >= EVENTS_IN_FLIGHT_MAX || bytesInFlight >= EVENT_BYTES_IN_FLIGHT_MAX
      if (isFull || channel === null || connection.state() !== 'connected') {
        counts.dropped += 1
        return
      }
      const stream = streamOf(event.partition)
      if (!stream.isDeclared && clock.monotonicMs() < stream.nextTryMs) {
        counts.dropped += 1
        return
      }
      eventsInFlight += 1
      bytesInFlight += event.body.length
      if (stream.isDeclared) return send(stream, event)
      stream.waiting.push(event)
      if (!stream.isDeclaring) void declare(stream)
    },
    whenOpen: () => opening.promise,
    counts: () => ({ ...counts }),
    close: () => {
      opening.resolve()
      return keeper.stop()
    },
  }
}
