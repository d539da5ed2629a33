import { randomBytes } from 'node:crypto'
import type { Logger } from 'pino'
import type { PartitionNumber } from '../../kernel/partition.ts'
import type { Bus, BusMessage, Consumer } from '../../ports/bus.ts'
import type { Clock } from '../../ports/clock.ts'
import { PortError } from '../../ports/failure.ts'
import { EXPIRY_TOLERANCE_MS, noConsumerCounts, startConsumer, type ConsumerCounts } from './bus-consumer.ts'
import { createDeadLetters } from './bus-dead-letters.ts'
import type { PackingLimits } from './bus-lane.ts'
import type { Settlement } from './bus-pack.ts'
import { createPublisher, type Publisher, type PublisherCounts } from './bus-publisher.ts'
import { createReplies, type ReplyCounts } from './bus-replies.ts'
import { createRequests, type RequestCounts, type Requests } from './bus-requests.ts'
import { createSettledMemory } from './bus-settled.ts'
import {
  openRabbitConnection,
  type ConnectionCounts,
  type ConnectionState,
  type RabbitConnection,
} from './connection.ts'
import { PARTITION_QUEUE_MAX, partitionQueue, partitionQueueName, QUEUE_PREFIX } from './topology.ts'

/** How long a message without a deadline of its own waits for the broker, ms. */
export const SEND_DEADLINE_MS = 5_000

/** What the bus has counted since it was opened, by what it does. */
export interface RabbitBusCounts {
  /** Commands and reads. */
  readonly commands: Readonly<PublisherCounts>
  /** Effects and confirmations between partitions. */
  readonly bulk: Readonly<PublisherCounts>
  readonly requests: Readonly<RequestCounts>
  readonly replies: Readonly<ReplyCounts>
  readonly consumers: Readonly<ConsumerCounts>
  readonly connections: Readonly<Record<ConnectionName, ConnectionCounts>>
  /** Messages in this process that the broker has not confirmed, and requests without a reply. */
  readonly waitingMessages: number
  readonly waitingRequests: number
}

/** Commands and replies; messages between partitions; and deliveries, which never publish and so are never blocked. */
export type ConnectionName = 'commands' | 'bulk' | 'deliveries'

/** The bus on RabbitMQ, what it counts, and how its connections are. */
export interface RabbitBus extends Bus {
  counts(): RabbitBusCounts
  state(): Readonly<Record<ConnectionName, ConnectionState>>
}

/** What the bus needs and where it is bounded. */
export interface RabbitBusOptions {
  /** `amqp://user:password@host:port/vhost`. */
  readonly url: string
  readonly clock: Clock
  readonly logger: Logger
  /** First part of our queues' names; default `bourse`. */
  readonly prefix?: string
  /** AMQP messages (packs) a partition's queue holds; the same in all processes. */
  readonly queueMax?: number
  /** How commands, reads and replies are packed, where it is not as usual. */
  readonly packing?: PackingLimits
  /** How far clocks may be apart before a message is taken for expired, ms; default EXPIRY_TOLERANCE_MS. */
  readonly expiryToleranceMs?: number
  readonly heartbeatSeconds?: number
  readonly firstConnectMs?: number
}

const isBulk = (message: BusMessage): boolean => message.type === 'effect' || message.type === 'confirmation'

const openConnections = async (options: RabbitBusOptions): Promise<Record<ConnectionName, RabbitConnection>> => {
  const { url, clock, logger, prefix = QUEUE_PREFIX, heartbeatSeconds, firstConnectMs } = options
  const open = (name: ConnectionName): Promise<RabbitConnection> =>
    openRabbitConnection({ url, clock, logger, name: `${prefix} ${name}`, heartbeatSeconds, firstConnectMs })
  const opening = [open('commands'), open('bulk'), open('deliveries')] as const
  try {
    const [commands, bulk, deliveries] = await Promise.all(opening)
    return { commands, bulk, deliveries }
  } catch (error) {
    // Those that stood do not stay.
    for (const result of await Promise.allSettled(opening)) {
      if (result.status === 'fulfilled') await result.value.close()
    }
    throw error
  }
}

/** The promise of a `send`. */
const sending = (put: (settlement: Settlement) => void): Promise<void> =>
  new Promise((resolve, reject) => {
    put({
      done: resolve,
      failed: reject,
      expired: (wasPublished) =>
        reject(
          wasPublished
            ? new PortError('unknown', 'the broker did not confirm in time')
            : new PortError('unavailable', 'the broker could not be reached in time'),
        ),
      published: () => undefined,
    })
  })

/**
 * Opens the bus on RabbitMQ: a quorum queue for each partition, declared when it is first used. Messages to one partition that
 * are sent in one turn, or while others are on their way, travel in one AMQP message. Commands and reads of a process keep
 * their order, and so do effects and confirmations; between the two there is none.
 * @throws PortError `unavailable` when the broker can't be reached
 */
export const openRabbitBus = async (options: RabbitBusOptions): Promise<RabbitBus> => {
  const { clock, logger, prefix = QUEUE_PREFIX, queueMax = PARTITION_QUEUE_MAX } = options
  const connections = await openConnections(options)
  const { commands: commandConnection, bulk: bulkConnection, deliveries } = connections
  const producer = randomBytes(8).toString('hex')
  const consumerCounts = noConsumerCounts()
  const consumers = new Set<Consumer>()
  const settled = createSettledMemory()
  const closing = new AbortController()
  const checkOpen = (): void => {
    if (closing.signal.aborted) throw new PortError('closed', 'the bus is closed')
  }

  const queueName = (partition: PartitionNumber): string => partitionQueueName(prefix, partition)
  const queueSpec = (partition: PartitionNumber) => partitionQueue(prefix, partition, deliveries.version(), queueMax)
  /** On the connection that is never blocked by an alarm. */
  const declare = (partition: PartitionNumber): Promise<void> =>
    deliveries.withChannel(async (channel) => {
      const { name, options: wanted } = queueSpec(partition)
      await channel.assertQueue(name, wanted)
    })

  const bulk = createPublisher({
    connection: bulkConnection,
    producer: `${producer}b`,
    name: 'effects and confirmations',
    clock,
    logger,
    queueName,
    declare,
  })
  const requests: Requests = createRequests({
    clock,
    logger,
    publish: (...message) => commands.publish(...message),
  })
  const commands: Publisher = createPublisher({
    connection: commandConnection,
    producer: `${producer}c`,
    name: 'commands and reads',
    clock,
    logger,
    limits: options.packing,
    queueName,
    declare,
    onOpen: (channel) => requests.listen(channel),
    onLost: (error) => requests.lost(error),
  })
  const replies = createReplies({ connection: commandConnection, countMax: options.packing?.packCountMax })

  const send: Bus['send'] = async (partition, message) => {
    checkOpen()
    const dueAtMs = clock.monotonicMs() + (message.deadlineMs ?? SEND_DEADLINE_MS)
    const publisher = isBulk(message) ? bulk : commands
    await sending((settlement) => publisher.publish(partition, message, 0, settlement, dueAtMs))
  }
  const deadLetters = createDeadLetters({ connection: bulkConnection, producer, prefix, clock, send })

  const consume: Bus['consume'] = async (partition, handler, { inFlightMax }) => {
    checkOpen()
    if (!(inFlightMax >= 1)) throw new RangeError(`inFlightMax of ${inFlightMax}`)
    const started: { consumer: Consumer | null } = { consumer: null }
    const consumer = await startConsumer({
      connection: deliveries,
      partition,
      queueName: queueName(partition),
      inFlightMax,
      clock,
      logger,
      counts: consumerCounts,
      replies,
      deadLetters,
      settled,
      expiryToleranceMs: options.expiryToleranceMs ?? EXPIRY_TOLERANCE_MS,
      handler,
      closing: closing.signal,
      declare: async (channel) => {
        const { name, options: wanted } = queueSpec(partition)
        await channel.assertQueue(name, wanted)
      },
      onStopped: () => {
        if (started.consumer !== null) consumers.delete(started.consumer)
      },
    })
    started.consumer = consumer
    consumers.add(consumer)
    return consumer
  }

  const close = async (): Promise<void> => {
    if (closing.signal.aborted) return
    closing.abort()
    await requests.close()
    await Promise.all([...consumers].map((consumer) => consumer.stop()))
    await Promise.all([commands.close(), bulk.close(), replies.close(), deadLetters.close()])
    await Promise.all(Object.values(connections).map((connection) => connection.close()))
  }

  return {
    send,
    request: async (partition, message, onTaken) => {
      checkOpen()
      return requests.ask(partition, message, onTaken)
    },
    consume,
    deadLetters: async (limit) => {
      checkOpen()
      return deadLetters.list(limit)
    },
    deadLetterCount: async () => {
      checkOpen()
      return deadLetters.count()
    },
    resend: async (id) => {
      checkOpen()
      return deadLetters.resend(id)
    },
    close,
    counts: () => ({
      commands: { ...commands.counts },
      bulk: { ...bulk.counts },
      requests: { ...requests.counts },
      replies: { ...replies.counts },
      consumers: { ...consumerCounts },
      connections: {
        commands: commandConnection.counts(),
        bulk: bulkConnection.counts(),
        deliveries: deliveries.counts(),
      },
      waitingMessages: commands.waiting() + bulk.waiting(),
      waitingRequests: requests.waiting(),
    }),
    state: () => ({
      commands: commandConnection.state(),
      bulk: bulkConnection.state(),
      deliveries: deliveries.state(),
    }),
  }
}
