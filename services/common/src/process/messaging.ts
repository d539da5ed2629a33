import { openRabbitBus, type RabbitBus } from '../adapters/rabbitmq/bus.ts'
import { openRabbitEvents, type RabbitEvents } from '../adapters/rabbitmq/events.ts'
import { checkRabbitMq } from '../adapters/rabbitmq/preflight.ts'
import { rabbitMessagingNames } from '../adapters/rabbitmq/topology.ts'
import { allPartitions, type Topology } from '../platform/topology.ts'
import type { Journal } from '../ports/journal.ts'
import type { MessagingNames } from '../ports/tracing.ts'
import { createTracedBus } from '../telemetry/tracing/traced-bus.ts'
import { given } from './given.ts'
import { judgeFindings } from './preflight.ts'
import type { ProgramContext } from './run.ts'
import type { MeasuredServer } from './server-metrics.ts'

/** What a process says and hears over RabbitMQ. */
export interface Messaging {
  readonly bus: RabbitBus
  readonly events: RabbitEvents
  readonly names: MessagingNames
}

/**
 * Looks at RabbitMQ and connects to it.
 * @throws {StartRefused} in production, when it could lose data
 * @throws {PortError} when it does not answer
 */
export const openMessaging = async (
  context: ProgramContext,
  journal: Journal,
  topology: Topology,
): Promise<Messaging> => {
  const { config, clock, logger, tracer, lifetime } = context
  const url = given(config.cluster.rabbitMqUrl).reveal()
  const prefix = config.cluster.namespace
  const findings = await checkRabbitMq({ url, clock, logger, prefix, partitions: allPartitions(topology) })
  judgeFindings(findings, config.profile, logger)
  const opened = await openRabbitBus({ url, clock, logger, prefix })
  const names = rabbitMessagingNames(prefix)
  const bus = tracer === undefined ? opened : createTracedBus(opened, tracer, names)
  lifetime.onStop(() => bus.close())
  const events = await openRabbitEvents({ url, journal, clock, logger, prefix })
  lifetime.onStop(() => events.close())
  return { bus, events, names }
}

/** What this process counts of RabbitMQ. */
export const measuredMessaging = ({ bus, events }: Pick<Messaging, 'bus' | 'events'>): MeasuredServer => ({
  server: 'rabbitmq',
  connections: () =>
    Object.fromEntries(Object.entries(bus.state()).map(([name, state]) => [name, state === 'connected'])),
  counts: () => {
    const { waitingMessages: _, waitingRequests: __, ...risen } = bus.counts()
    return { ...risen, events: events.counts() }
  },
  messages: () => {
    const { commands, bulk, consumers } = bus.counts()
    return {
      published: commands.sent + bulk.sent,
      confirmed: commands.confirmed + bulk.confirmed,
      refused: commands.refused + bulk.refused,
      returned: commands.returned + bulk.returned,
      redelivered: consumers.redeliveries,
      dead_lettered: consumers.deadLettered,
    }
  },
  waiting: () => {
    const { waitingMessages, waitingRequests } = bus.counts()
    return { messages: waitingMessages, requests: waitingRequests }
  },
})
