import type { ConfirmChannel, ConsumeMessage } from 'amqplib'
import type { Logger } from 'pino'
import type { PartitionNumber } from '../../kernel/partition.ts'
import type { Consumer, Delivery } from '../../ports/bus.ts'
import type { Clock } from '../../ports/clock.ts'
import { PortError } from '../../ports/failure.ts'
import { createAcknowledger, type Acknowledger } from './bus-acks.ts'
import { watchConsumer } from './bus-consumer-watch.ts'
import type { DeadLetterSink } from './bus-dead-letters.ts'
import { createLine, type HeldPack, type Part } from './bus-line.ts'
import type { Replies } from './bus-replies.ts'
import type { SettledMemory } from './bus-settled.ts'
import type { RabbitConnection } from './connection.ts'
import { decodeMessages, PackError, type MessagePack } from './pack-codec.ts'

/** AMQP messages a consumer holds unacknowledged; each may be a pack. */
export const PREFETCH_PACKS_MAX = 2_048
/** How long `consume` waits for the broker, ms. */
export const CONSUME_TIMEOUT_MS = 10_000
/** Deliveries in one turn of the event loop, so that a long queue holds nobody else up. */
const DELIVERIES_PER_TURN_MAX = 1_024
/** How long a consumer rests after its handler threw: a handler that always throws must not spin, ms. */
const FAILURE_PAUSE_MS = 20
/** A message given back more than once comes again after a pause, which doubles up to GIVEN_BACK_PAUSE_MS_MAX, ms. */
const GIVEN_BACK_PAUSE_MS = 1
/** Longest such pause, ms. */
const GIVEN_BACK_PAUSE_MS_MAX = 250
/**
 * Clocks may be this far apart before a message that nobody waits for any more is dropped, ms: the sender's and ours may each be
 * CLOCK_DIFFERENCE_MS_MAX from the servers' when a process starts. Dropping too late costs a little work, too early a command.
 */
export const EXPIRY_TOLERANCE_MS = 11_000
/** Pause before a dead letter that could not be set aside is tried again, ms. */
const DEAD_LETTER_PAUSE_MS = 250

/** What all consumers of a bus have counted. */
export interface ConsumerCounts {
  deliveries: number
  packs: number
  redeliveries: number
  handlerFailures: number
  /** Messages dropped because nobody waited for them any more. */
  expired: number
  /** AMQP messages that could not be decoded. */
  unreadable: number
  deadLettered: number
  /** Messages that came again although this process had dealt with them. */
  repeats: number
  /** The server ended the consumer, or forgot it: its queue was deleted or moved. */
  cancelled: number
}

/** Nothing counted yet. */
export const noConsumerCounts = (): ConsumerCounts => ({
  deliveries: 0,
  packs: 0,
  redeliveries: 0,
  handlerFailures: 0,
  expired: 0,
  unreadable: 0,
  deadLettered: 0,
  repeats: 0,
  cancelled: 0,
})

/** What a consumer needs. */
export interface ConsumerDeps {
  readonly connection: RabbitConnection
  readonly partition: PartitionNumber
  readonly queueName: string
  readonly inFlightMax: number
  readonly clock: Clock
  readonly logger: Logger
  readonly counts: ConsumerCounts
  readonly replies: Replies
  readonly deadLetters: DeadLetterSink
  readonly settled: SettledMemory
  readonly expiryToleranceMs: number
  readonly handler: (delivery: Delivery) => void
  /** Aborted when the bus is closed. */
  readonly closing: AbortSignal
  declare(channel: ConfirmChannel): Promise<void>
  onStopped(): void
}

/** Deliveries before this one, as the broker counts them: quorum queues count what was given back. */
const attemptsBefore = (message: ConsumeMessage): number => {
  const counted: unknown = message.properties.headers?.['x-delivery-count']
  const before = typeof counted === 'number' ? counted : 0
  return message.fields.redelivered ? Math.max(before, 1) : before
}

/** What a consumer holds of one channel; with the channel it all becomes void. */
interface Hold {
  readonly acks: Acknowledger
  readonly channel: ConfirmChannel
  readonly inFlight: Set<Part>
  isVoid: boolean
}

/**
 * Starts a consumer of a partition. It lives through reconnects: what it held returns to the queue and comes again.
 * @throws PortError `unavailable` when the broker did not take it within CONSUME_TIMEOUT_MS, `closed` when the bus is closed
 * meanwhile
 */
export const startConsumer = async (deps: ConsumerDeps): Promise<Consumer> => {
  const { clock, counts, inFlightMax, settled } = deps
  const logger = deps.logger.child({ queue: deps.queueName })
  const line = createLine()
  const quit = new AbortController()
  let hold: Hold | null = null
  let orders = 0
  let arrived = 0
  let pausedUntilMs = 0
  let isScheduled = false
  let isDelivering = false

  const schedule = (): void => {
    if (isScheduled || hold === null || line.size() === 0) return
    isScheduled = true
    setImmediate(() => {
      isScheduled = false
      deliverSome()
    })
  }
  const rest = (pauseMs: number): void => {
    pausedUntilMs = Math.max(pausedUntilMs, clock.monotonicMs() + pauseMs)
    const resume = async (): Promise<void> => {
      try {
        await clock.sleep(pauseMs, quit.signal)
        deliverSome()
      } catch {
        // Stopped: there is nothing left to deliver.
      }
    }
    void resume()
  }

  /** The part is dealt with; the last one of its pack acknowledges it. */
  const finish = (held: Hold, { pack, index }: Part): void => {
    pack.left -= 1
    if (pack.count > 1) (pack.settled ??= new Set()).add(index)
    if (pack.left === 0) held.acks.finished(pack)
  }
  /** Whether the part was still in this consumer's hands; a second word about it, or one about a lost channel, is void. */
  const release = (held: Hold, part: Part): boolean => !held.isVoid && held.inFlight.delete(part)

  const giveBack = (held: Hold, part: Part): boolean => {
    if (!release(held, part)) return false
    part.givenBack += 1
    line.giveBack(part)
    return true
  }

  const setAside = async (held: Hold, part: Part, reason: string): Promise<void> => {
    while (!held.isVoid) {
      try {
        await deps.deadLetters.add({ partition: deps.partition, reason, message: part.message })
        counts.deadLettered += 1
        if (!release(held, part)) return
        finish(held, part)
        schedule()
        return
      } catch (error) {
        if (!(error instanceof PortError)) throw error
        logger.warn({ err: error }, 'a dead letter could not be set aside and is tried again')
        await clock.sleep(DEAD_LETTER_PAUSE_MS, quit.signal).catch(() => undefined)
      }
    }
  }

  const deliveryOf = (held: Hold, part: Part): Delivery => {
    let isSetAside = false
    return {
      message: part.message,
      attempt: part.attempt,
      acknowledge: () => {
        if (isSetAside || !release(held, part)) return
        finish(held, part)
        schedule()
      },
      requeue: () => {
        if (isSetAside || !giveBack(held, part)) return
        if (part.givenBack > 1) rest(Math.min(GIVEN_BACK_PAUSE_MS * 2 ** (part.givenBack - 2), GIVEN_BACK_PAUSE_MS_MAX))
        schedule()
      },
      deadLetter: (reason) => {
        if (isSetAside || !held.inFlight.has(part)) return
        isSetAside = true
        void setAside(held, part, reason)
      },
      reply: (reply) => {
        if (part.correlation !== 0 && part.pack.replyTo !== undefined) {
          deps.replies.add(part.pack.replyTo, part.correlation, reply)
        }
      },
    }
  }

  /** Delivers one message; false when the handler threw. */
  const deliver = (held: Hold, part: Part): boolean => {
    part.attempt += 1
    held.inFlight.add(part)
    counts.deliveries += 1
    try {
      deps.handler(deliveryOf(held, part))
      return true
    } catch (error) {
      // The consumer goes on (B12): the message comes again after a pause, and the failure is counted.
      counts.handlerFailures += 1
      logger.warn({ err: error }, 'a handler threw; the message comes again')
      giveBack(held, part)
      return false
    }
  }

  const deliverSome = (): void => {
    const held = hold
    if (held === null || isDelivering || clock.monotonicMs() < pausedUntilMs) return
    isDelivering = true
    for (let count = 0; count < DELIVERIES_PER_TURN_MAX && !held.isVoid && held.inFlight.size < inFlightMax; count++) {
      const part = line.take()
      if (part === undefined) break
      if (deliver(held, part)) {
        if (pausedUntilMs > 0 && clock.monotonicMs() < pausedUntilMs) break
        continue
      }
      rest(FAILURE_PAUSE_MS)
      break
    }
    isDelivering = false
    if (held.inFlight.size < inFlightMax && clock.monotonicMs() >= pausedUntilMs) schedule()
  }

  const setAsideRaw = async (held: Hold, pack: HeldPack, content: Uint8Array, reason: string): Promise<void> => {
    const part: Part = {
      pack,
      index: 0,
      message: { type: 'command', body: new Uint8Array(content) },
      correlation: 0,
      order: orders++,
      attempt: 1,
      givenBack: 0,
    }
    held.inFlight.add(part)
    await setAside(held, part, reason)
  }

  const take = (held: Hold, message: ConsumeMessage): void => {
    const { deliveryTag: tag, redelivered } = message.fields
    const { messageId, replyTo } = message.properties
    const id = typeof messageId === 'string' ? messageId : ''
    const base = { tag, id, replyTo: typeof replyTo === 'string' ? replyTo : undefined, settled: null }
    counts.packs += 1
    arrived += 1
    let content: MessagePack
    try {
      content = decodeMessages(message.content)
    } catch (error) {
      if (!(error instanceof PackError)) throw error
      counts.unreadable += 1
      const pack: HeldPack = { ...base, count: 1, left: 1 }
      held.acks.received(pack)
      void setAsideRaw(held, pack, message.content, `unreadable: ${error.message}`)
      return
    }
    const { parts, sentAtMs } = content
    const pack: HeldPack = { ...base, count: parts.length, left: parts.length }
    held.acks.received(pack)
    const before = attemptsBefore(message)
    if (redelivered) counts.redeliveries += parts.length
    const ageMs = clock.nowMs() - sentAtMs - deps.expiryToleranceMs
    for (const [index, { message: sent, correlation }] of parts.entries()) {
      const part: Part = { pack, index, message: sent, correlation, order: orders++, attempt: before, givenBack: 0 }
      const isRepeat = redelivered && settled.isSettled(id, index)
      const isExpired = sent.deadlineMs !== undefined && ageMs > sent.deadlineMs
      if (isRepeat) counts.repeats += 1
      else if (isExpired) counts.expired += 1
      if (isRepeat || isExpired) finish(held, part)
      else line.push(part)
    }
    deliverSome()
  }

  /** All that is held returns to the queue; what was dealt with of it is remembered. */
  const letGo = (): void => {
    const held = hold
    if (held === null) return
    hold = null
    held.isVoid = true
    held.inFlight.clear()
    line.clear()
    for (const pack of held.acks.forget()) settled.remember(pack)
  }

  const renew = (why: string): void => {
    counts.cancelled += 1
    logger.warn(why)
    keeper.renew()
  }

  let announce: () => void = () => undefined
  const announced = new Promise<void>((resolve) => (announce = resolve))
  let failure: Error | null = null

  const keeper = deps.connection.keep({
    name: `consumer of ${deps.queueName}`,
    onOpen: async (channel) => {
      await deps.declare(channel)
      await channel.prefetch(Math.min(inFlightMax, PREFETCH_PACKS_MAX))
      const held: Hold = {
        acks: createAcknowledger(channel, (pack) => settled.remember(pack)),
        channel,
        inFlight: new Set(),
        isVoid: false,
      }
      hold = held
      pausedUntilMs = 0
      const onMessage = (message: ConsumeMessage | null): void => {
        if (message !== null) {
          if (!held.isVoid) take(held, message)
          return
        }
        if (!held.isVoid) renew('the server ended the consumer; the queue is declared again')
      }
      await channel.consume(deps.queueName, onMessage, { noAck: false })
      announce()
    },
    onLost: (error) => {
      failure = error
      letGo()
    },
  })

  const watch = watchConsumer({
    clock,
    queueName: deps.queueName,
    channel: () => hold?.channel ?? null,
    arrived: () => arrived,
    onForgotten: () => renew('the queue does not know its consumer any more; the consumer is declared again'),
  })

  const stop = async (): Promise<void> => {
    if (quit.signal.aborted) return
    hold?.acks.flush()
    letGo()
    quit.abort()
    deps.onStopped()
    await Promise.all([keeper.stop(), watch.stop()])
  }

  const late = new AbortController()
  const isInTime = await Promise.race([
    announced.then(() => true),
    clock.sleep(CONSUME_TIMEOUT_MS, AbortSignal.any([late.signal, deps.closing])).then(
      () => false,
      () => false,
    ),
  ])
  late.abort()
  if (isInTime && !deps.closing.aborted) return { stop }
  await stop()
  if (deps.closing.aborted) throw new PortError('closed', 'the bus was closed before its consumer started')
  const why = (failure as Error | null)?.message ?? 'RabbitMQ did not answer'
  throw new PortError('unavailable', `the consumer of ${deps.queueName} could not start: ${why}`, { cause: failure })
}
