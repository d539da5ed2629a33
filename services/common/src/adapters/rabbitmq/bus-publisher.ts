import type { ConfirmChannel, Message } from 'amqplib'
import type { Logger } from 'pino'
import type { PartitionNumber } from '../../kernel/partition.ts'
import type { BusMessage } from '../../ports/bus.ts'
import type { Clock, Repeating } from '../../ports/clock.ts'
import { PortError } from '../../ports/failure.ts'
import { createLane, type Lane, type PackingLimits } from './bus-lane.ts'
import type { Pack, Settlement } from './bus-pack.ts'
import type { RabbitConnection } from './connection.ts'
import { REPLY_TO } from './topology.ts'

/** Messages one publisher holds that the broker has not confirmed. */
export const WAITING_MESSAGES_MAX = 65_536
/** Their bytes. */
export const WAITING_BYTES_MAX = 67_108_864
/** A pack that is unconfirmed for this long on a sound connection gives its channel up, ms. */
export const CONFIRM_TIMEOUT_MS = 30_000
/** How often deadlines of unconfirmed messages are looked at, ms. */
const SWEEP_INTERVAL_MS = 20
/** What of a lone message's headers is shown beside it, for tools that follow traces. */
const SHOWN_HEADERS = ['traceparent', 'tracestate'] as const

/** What a publisher has counted. */
export interface PublisherCounts {
  sent: number
  packs: number
  confirmed: number
  /** Messages that a full queue refused. */
  refused: number
  /** Packs whose queue was missing. */
  returned: number
  bufferFull: number
  expired: number
  /** Packs whose fate is not known: the connection was lost. */
  lost: number
  confirmTimeouts: number
}

/** Carries messages to the queues of partitions, packed. */
export interface Publisher {
  /**
   * Takes a message; `dueAtMs` is monotonic. The body is copied.
   * @throws PortError `full` when too much waits, `closed`
   */
  publish(
    partition: PartitionNumber,
    message: BusMessage,
    correlation: number,
    settlement: Settlement,
    dueAtMs: number,
  ): void
  readonly counts: Readonly<PublisherCounts>
  /** Messages that are not confirmed. */
  waiting(): number
  close(): Promise<void>
}

/** What a publisher needs. */
export interface PublisherDeps {
  readonly connection: RabbitConnection
  /** Tells the packs of this process from those of others. */
  readonly producer: string
  readonly name: string
  readonly clock: Clock
  readonly logger: Logger
  readonly limits?: PackingLimits | undefined
  queueName(partition: PartitionNumber): string
  declare(partition: PartitionNumber): Promise<void>
  /** Gets each fresh channel before anything is published on it. */
  onOpen?(channel: ConfirmChannel): Promise<void>
  onLost?(error: Error): void
}

const shownHeaders = (pack: Pack): { headers: Record<string, string> } | null => {
  const headers = pack.loneHeaders()
  if (headers === undefined) return null
  const shown: Record<string, string> = {}
  for (const name of SHOWN_HEADERS) if (headers[name] !== undefined) shown[name] = headers[name]
  return { headers: shown }
}

/** The driver tells a refusal from a lost channel only by its words. */
const isRefusal = (error: Error): boolean => error.message === 'message nacked'

/** Makes a publisher on a connection. */
export const createPublisher = (deps: PublisherDeps): Publisher => {
  const { connection, clock, logger } = deps
  const counts: PublisherCounts = {
    sent: 0,
    packs: 0,
    confirmed: 0,
    refused: 0,
    returned: 0,
    bufferFull: 0,
    expired: 0,
    lost: 0,
    confirmTimeouts: 0,
  }
  const lanes = new Map<PartitionNumber, Lane>()
  const dirty = new Set<Lane>()
  const onTheirWay = new Map<string, { readonly lane: Lane; readonly pack: Pack }>()
  let waitingMessages = 0
  let waitingBytes = 0
  let packsMade = 0
  let isScheduled = false
  let isClosed = false
  let sweeping: Repeating | null = null
  /** Under an alarm nothing is confirmed: how long the broker takes counts from its end. */
  let soundSinceMs = clock.monotonicMs()

  const settle = (lane: Lane, pack: Pack, id: string, error: Error | null): void => {
    if (!onTheirWay.delete(id)) return
    if (error === null) {
      if (!pack.isReturned) counts.confirmed += pack.count()
      lane.settled(pack, 'confirmed')
    } else if (isRefusal(error)) lane.settled(pack, 'refused')
    else {
      counts.lost += 1
      lane.settled(pack, 'lost', error)
    }
  }

  const publish = (lane: Lane, pack: Pack): boolean => {
    const channel = keeper.channel()
    if (channel === null || connection.state() !== 'connected') return false
    pack.number = ++packsMade
    pack.publishedAtMs = clock.monotonicMs()
    const id = `${deps.producer}-${pack.number}`
    const options = {
      persistent: true,
      mandatory: true,
      messageId: id,
      ...(pack.hasAsker() ? { replyTo: REPLY_TO } : null),
      ...shownHeaders(pack),
    }
    onTheirWay.set(id, { lane, pack })
    try {
      channel.publish('', deps.queueName(lane.partition), pack.seal(clock.nowMs()), options, (error: Error | null) =>
        settle(lane, pack, id, error),
      )
    } catch (error) {
      if (!(error instanceof Error) || error.name !== 'IllegalOperationError') throw error
      // The channel is closing and took nothing: the pack waits for the next one.
      onTheirWay.delete(id)
      return false
    }
    counts.packs += 1
    return true
  }

  const onReturn = (message: Message): void => {
    const found = onTheirWay.get(String(message.properties.messageId))
    if (found === undefined) return
    counts.returned += 1
    logger.warn({ queue: message.fields.routingKey }, 'a queue is missing and is declared again')
    found.lane.returned(found.pack)
  }

  const keeper = connection.keep({
    name: deps.name,
    onOpen: async (channel) => {
      channel.on('return', onReturn)
      await deps.onOpen?.(channel)
      setImmediate(pumpAll)
    },
    onLost: (error) => deps.onLost?.(error),
  })

  const pumpAll = (): void => {
    for (const lane of lanes.values()) lane.pump()
  }
  const stopListening = connection.onState((state) => {
    if (state !== 'connected') return
    soundSinceMs = clock.monotonicMs()
    pumpAll()
  })

  const flush = (): void => {
    isScheduled = false
    for (const lane of dirty) {
      dirty.delete(lane)
      lane.pump()
    }
  }

  const sweep = (): void => {
    const nowMs = clock.monotonicMs()
    let oldestMs = Infinity
    for (const lane of lanes.values()) {
      if (lane.isIdle()) continue
      lane.expire(nowMs)
      oldestMs = Math.min(oldestMs, lane.oldestPublishedAtMs())
    }
    if (nowMs - Math.max(oldestMs, soundSinceMs) < CONFIRM_TIMEOUT_MS || connection.state() !== 'connected') return
    counts.confirmTimeouts += 1
    logger.warn({ channel: deps.name }, 'the broker does not confirm; the channel is opened anew')
    keeper.renew()
  }

  const makeLane = (partition: PartitionNumber): Lane => {
    const lane = createLane({
      partition,
      limits: deps.limits,
      publish,
      nowMs: () => clock.monotonicMs(),
      isReachable: () => connection.state() === 'connected',
      declare: deps.declare,
      onDeclareFailed: (error) => logger.warn({ err: error, partition }, 'a queue could not be declared'),
      onLeft: (messages, bytes) => {
        waitingMessages -= messages
        waitingBytes -= bytes
      },
      onRefused: (messages) => void (counts.refused += messages),
      onExpired: (messages) => void (counts.expired += messages),
    })
    lanes.set(partition, lane)
    return lane
  }

  return {
    counts,
    waiting: () => waitingMessages,
    publish: (partition, message, correlation, settlement, dueAtMs) => {
      if (isClosed) throw new PortError('closed', 'the bus is closed')
      if (waitingMessages >= WAITING_MESSAGES_MAX || waitingBytes >= WAITING_BYTES_MAX) {
        counts.bufferFull += 1
        throw new PortError('full', `${waitingMessages} messages of ${waitingBytes} bytes wait for the broker`)
      }
      sweeping ??= clock.every(SWEEP_INTERVAL_MS, sweep, (error) => {
        throw error // A sweep only moves data in memory: a failure is a bug.
      })
      const lane = lanes.get(partition) ?? makeLane(partition)
      waitingBytes += lane.add(message, correlation, settlement, dueAtMs)
      waitingMessages += 1
      counts.sent += 1
      dirty.add(lane)
      if (isScheduled) return
      isScheduled = true
      setImmediate(flush)
    },
    close: async () => {
      if (isClosed) return
      isClosed = true
      stopListening()
      const error = new PortError('closed', 'the bus was closed before the broker confirmed')
      onTheirWay.clear()
      for (const lane of lanes.values()) lane.failAll(error)
      await keeper.stop()
      await sweeping?.stop()
    },
  }
}
