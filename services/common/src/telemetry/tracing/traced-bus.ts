import type { PartitionNumber } from '../../kernel/partition.ts'
import type { Bus, BusMessage, BusReply } from '../../ports/bus.ts'
import {
  traceContextIn,
  type MessagingNames,
  type OpenSpan,
  type TraceContext,
  type Tracer,
} from '../../ports/tracing.ts'

const wordsOf = (error: unknown): string => (error instanceof Error ? error.name : 'error')

/**
 * A bus whose traced messages have a `send` span each, as the semantic conventions of messaging have it, and carry its context: a
 * command or read of who works within a trace, an effect that brings its context along. A request has a `receive` span too, for
 * as long as it waits for its reply. What is not traced passes untouched.
 */
export const createTracedBus = <Inner extends Bus>(bus: Inner, tracer: Tracer, messaging: MessagingNames): Inner => {
  const { system, destinationOf, replyDestination } = messaging

  /** Confirmations belong to no command, and who sends an effect may be woken by anyone: only what it brings counts. */
  const parentOf = (message: BusMessage): TraceContext | undefined =>
    message.type === 'command' || message.type === 'read' ? tracer.active() : traceContextIn(message.headers)

  const beginSend = (parent: TraceContext, partition: PartitionNumber, message: BusMessage): OpenSpan => {
    const destination = destinationOf(partition)
    return tracer.child(parent, {
      name: `send ${destination}`,
      kind: 'producer',
      attributes: {
        'messaging.system': system,
        'messaging.operation.name': 'send',
        'messaging.operation.type': 'send',
        'messaging.destination.name': destination,
        'messaging.message.body.size': message.body.length,
        'bourse.message.type': message.type,
        ...(system === 'rabbitmq' ? { 'messaging.rabbitmq.destination.routing_key': destination } : null),
      },
    })
  }
  const beginReceive = (parent: TraceContext): OpenSpan =>
    tracer.child(parent, {
      name: `receive ${replyDestination}`,
      kind: 'client',
      attributes: {
        'messaging.system': system,
        'messaging.operation.name': 'receive',
        'messaging.operation.type': 'receive',
        'messaging.destination.name': replyDestination,
        'messaging.destination.temporary': true,
      },
    })
  const carrying = <Message extends BusMessage>(message: Message, { context }: OpenSpan): Message => ({
    ...message,
    headers: { ...message.headers, ...context },
  })
  const failed = (span: OpenSpan, error: unknown): void => {
    span.set({ 'error.type': wordsOf(error) })
    span.end({ error: wordsOf(error) })
  }

  const sendTraced = async (parent: TraceContext, ...[partition, message]: Parameters<Bus['send']>): Promise<void> => {
    const span = beginSend(parent, partition, message)
    try {
      await bus.send(partition, carrying(message, span))
      span.end()
    } catch (error) {
      failed(span, error)
      throw error
    }
  }

  const requestTraced = async (
    parent: TraceContext,
    ...[partition, message, onTaken]: Parameters<Bus['request']>
  ): Promise<BusReply> => {
    const sent = beginSend(parent, partition, message)
    const received = beginReceive(parent)
    try {
      const reply = await bus.request(partition, carrying(message, sent), () => {
        sent.end()
        onTaken?.()
      })
      received.set({ 'bourse.reply.status': reply.status, 'messaging.message.body.size': reply.body.length })
      received.end()
      // Where the confirmation comes after the reply, or is not told of.
      sent.end()
      return reply
    } catch (error) {
      failed(received, error)
      failed(sent, error)
      throw error
    }
  }

  return {
    ...bus,
    send: (...message) => {
      const parent = parentOf(message[1])
      return parent === undefined ? bus.send(...message) : sendTraced(parent, ...message)
    },
    request: (...message) => {
      const parent = parentOf(message[1])
      return parent === undefined ? bus.request(...message) : requestTraced(parent, ...message)
    },
  }
}
