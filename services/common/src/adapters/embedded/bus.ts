import { partitionName, type PartitionNumber } from '../../kernel/partition.ts'
import type { Bus, BusMessage, Consumer, DeadLetter } from '../../ports/bus.ts'
import type { Clock, Repeating } from '../../ports/clock.ts'
import { PortError } from '../../ports/failure.ts'
import type { MessagingNames } from '../../ports/tracing.ts'
import { createBytePool } from '../../codec/byte-pool.ts'
import { createDeadlines, type Asker, type Deadlines } from './bus-deadlines.ts'
import { createQueue, type Entry, type Queue } from './bus-queue.ts'

/** What the bus has counted since it was made. */
export interface EmbeddedBusStats {
  /** Messages in all queues, those in the hands of consumers included. */
  readonly waiting: number
  readonly refusedFull: number
  /** Messages dropped because their deadline had passed before anyone took them. */
  readonly expired: number
  readonly deadLettersDropped: number
  readonly handlerFailures: number
}

/** The in-process bus, and what it counts. */
export interface EmbeddedBus extends Bus {
  stats(): EmbeddedBusStats
}

/** What the in-process bus needs and where it is bounded. */
export interface EmbeddedBusOptions {
  readonly clock: Clock
  /** Messages a partition's queue holds, those in flight included; default 65,536. */
  readonly queueMax?: number
  /** Dead letters kept; beyond it the oldest goes. Default 10,000. */
  readonly deadLettersMax?: number
}

/** What spans call messages within one process. */
export const embeddedMessagingNames: MessagingNames = {
  system: 'bourse_embedded',
  destinationOf: partitionName,
  replyDestination: 'reply',
}

const QUEUE_MAX = 65_536
const DEAD_LETTERS_MAX = 10_000
/** Requests time out at most this much late; nothing has a timer of its own. */
const SWEEP_INTERVAL_MS = 10

/**
 * Bus in one process. Queues are bounded arrays; deliveries of a turn of the event loop go out together in the next one;
 * one sweep serves all deadlines. Nothing survives the process: the kernel sends unconfirmed effects again from its journal.
 */
export const createEmbeddedBus = (options: EmbeddedBusOptions): EmbeddedBus => {
  const { clock, queueMax = QUEUE_MAX, deadLettersMax = DEAD_LETTERS_MAX } = options
  const queues = new Map<PartitionNumber, Queue>()
  const letters = new Map<string, DeadLetter>()
  const deadlines: Deadlines = createDeadlines(SWEEP_INTERVAL_MS)
  const copied = createBytePool()
  let sweeping: Repeating | null = null
  let isClosed = false
  let lettersMade = 0
  const counts = { refusedFull: 0, expired: 0, deadLettersDropped: 0, handlerFailures: 0 }

  const keep = (partition: PartitionNumber, message: BusMessage, reason: string): void => {
    const id = `dead-${++lettersMade}`
    letters.set(id, { id, partition, reason, message, atMs: clock.nowMs() })
    const oldest = letters.keys().next().value
    if (letters.size <= deadLettersMax || oldest === undefined) return
    letters.delete(oldest)
    counts.deadLettersDropped += 1
  }

  const queueOf = (partition: PartitionNumber): Queue => {
    const existing = queues.get(partition)
    if (existing !== undefined) return existing
    const made = createQueue({
      monotonicMs: () => clock.monotonicMs(),
      onDeadLetter: (message, reason) => keep(partition, message, reason),
      onExpired: () => void (counts.expired += 1),
      onHandlerFailure: () => void (counts.handlerFailures += 1),
    })
    queues.set(partition, made)
    return made
  }

  const sweep = (): void => {
    const nowMs = clock.monotonicMs()
    deadlines.expire(nowMs)
    for (const queue of queues.values()) queue.resume(nowMs)
  }
  /** The sweep starts with the first message, so that a bus nobody uses costs nothing. */
  const ensureSweep = (): void => {
    sweeping ??= clock.every(SWEEP_INTERVAL_MS, sweep, (error) => {
      throw error // A sweep only moves data in memory: a failure is a bug.
    })
  }

  const enqueue = (partition: PartitionNumber, message: BusMessage, asker: Asker | null): void => {
    if (isClosed) throw new PortError('closed', 'the bus is closed')
    const queue = queueOf(partition)
    if (queue.size() >= queueMax) {
      counts.refusedFull += 1
      throw new PortError('full', `partition ${partition} has ${queueMax} messages waiting`)
    }
    ensureSweep()
    const { deadlineMs } = message
    const expiresAtMs = deadlineMs === undefined ? Infinity : clock.monotonicMs() + deadlineMs
    // A copy, so that the sender may write over its buffer (a view of a module's memory, say) once `send` has returned.
    const entry: Entry = {
      message: { ...message, body: copied(message.body) },
      expiresAtMs,
      asker,
      attempt: 0,
      order: 0,
    }
    queue.push(entry)
    if (asker !== null) deadlines.add(asker, expiresAtMs)
  }

  const ask: Bus['request'] = (partition, message, onTaken) =>
    new Promise((resolve, reject) => {
      const asker: Asker = {
        answer: (reply) => {
          if (deadlines.remove(asker))
            resolve({ status: reply.status, sequence: reply.sequence, body: copied(reply.body) })
        },
        fail: reject,
        timedOut: () => reject(new PortError('timeout', `no reply within ${message.deadlineMs} ms`)),
        dueTick: 0,
      }
      enqueue(partition, message, asker)
      onTaken?.()
    })

  const consume: Bus['consume'] = async (partition, handler, { inFlightMax }): Promise<Consumer> => {
    if (isClosed) throw new PortError('closed', 'the bus is closed')
    if (!(inFlightMax >= 1)) throw new RangeError(`inFlightMax of ${inFlightMax}`)
    ensureSweep()
    return queueOf(partition).consume(handler, inFlightMax)
  }

  const resend = async (id: string): Promise<boolean> => {
    if (isClosed) throw new PortError('closed', 'the bus is closed')
    const letter = letters.get(id)
    if (letter === undefined) return false
    enqueue(letter.partition, letter.message, null)
    letters.delete(id)
    return true
  }

  const close = async (): Promise<void> => {
    isClosed = true
    for (const queue of queues.values()) queue.close()
    queues.clear()
    deadlines.failAll(new PortError('closed', 'the bus was closed before the reply came'))
    await sweeping?.stop()
  }

  return {
    send: async (partition, message) => enqueue(partition, message, null),
    request: ask,
    consume,
    deadLetters: async (limit) => {
      if (isClosed) throw new PortError('closed', 'the bus is closed')
      return [...letters.values()].slice(0, Math.max(0, limit))
    },
    deadLetterCount: async () => {
      if (isClosed) throw new PortError('closed', 'the bus is closed')
      return letters.size
    },
    resend,
    close,
    stats: () => ({ waiting: [...queues.values()].reduce((sum, queue) => sum + queue.size(), 0), ...counts }),
  }
}
