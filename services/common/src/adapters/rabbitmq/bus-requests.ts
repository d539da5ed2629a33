import type { ConfirmChannel } from 'amqplib'
import type { Logger } from 'pino'
import type { PartitionNumber } from '../../kernel/partition.ts'
import type { BusMessage, BusReply } from '../../ports/bus.ts'
import type { Clock, Repeating } from '../../ports/clock.ts'
import { PortError } from '../../ports/failure.ts'
import { createDeadlines, type Asker } from '../embedded/bus-deadlines.ts'
import type { Settlement } from './bus-pack.ts'
import { decodeReplies, PackError } from './pack-codec.ts'
import { REPLY_TO } from './topology.ts'

/** Requests of one process that wait for a reply. */
export const REQUESTS_MAX = 65_536
/** Requests time out at most this much late, ms; nothing has a timer of its own. */
const SWEEP_INTERVAL_MS = 10
/**
 * How much later than its message an asker gives up, ms: the publisher, which sweeps every 20 ms, comes first to say that the
 * broker never got it. On a machine that stands still the asker may be first; it then says less, and nothing wrong.
 */
const LEAD_MS = 30
/** Correlations are u32 and begin anew after the last; 0 is nobody. */
const CORRELATION_MAX = 0xffff_ffff

/** What requests have counted. */
export interface RequestCounts {
  requests: number
  replies: number
  timeouts: number
  /** Requests that failed because too many wait. */
  refused: number
  /** Replies nobody waited for any more. */
  lateReplies: number
  /** Packs of replies that could not be read. */
  unreadable: number
}

/** The askers of this process. */
export interface Requests {
  ask(
    partition: PartitionNumber,
    message: BusMessage & { readonly deadlineMs: number },
    onTaken?: () => void,
  ): Promise<BusReply>
  /** Takes replies from this channel, which is the one requests are published on. */
  listen(channel: ConfirmChannel): Promise<void>
  /** The channel is gone: replies to what was published on it will never come. */
  lost(error: Error): void
  waiting(): number
  readonly counts: Readonly<RequestCounts>
  close(): Promise<void>
}

interface Waiting extends Asker {
  isPublished: boolean
}

/** What requests need. */
export interface RequestsDeps {
  readonly clock: Clock
  readonly logger: Logger
  publish(
    partition: PartitionNumber,
    message: BusMessage,
    correlation: number,
    settlement: Settlement,
    dueAtMs: number,
  ): void
}

/** Makes the table of askers. */
export const createRequests = (deps: RequestsDeps): Requests => {
  const { clock } = deps
  const counts: RequestCounts = { requests: 0, replies: 0, timeouts: 0, refused: 0, lateReplies: 0, unreadable: 0 }
  const askers = new Map<number, Waiting>()
  const deadlines = createDeadlines(SWEEP_INTERVAL_MS)
  let sweeping: Repeating | null = null
  let lastCorrelation = 0

  const nextCorrelation = (): number => {
    do lastCorrelation = lastCorrelation >= CORRELATION_MAX ? 1 : lastCorrelation + 1
    while (askers.has(lastCorrelation))
    return lastCorrelation
  }

  const askerOf = (
    correlation: number,
    deadlineMs: number,
    resolve: (reply: BusReply) => void,
    reject: (error: Error) => void,
  ): Waiting => {
    const forget = (): boolean => {
      askers.delete(correlation)
      return deadlines.remove(asker)
    }
    const asker: Waiting = {
      dueTick: 0,
      isPublished: false,
      answer: (reply) => {
        if (forget()) resolve(reply)
      },
      fail: (error) => {
        forget()
        reject(error)
      },
      timedOut: () => {
        counts.timeouts += 1
        askers.delete(correlation)
        reject(new PortError('timeout', `no reply within ${deadlineMs} ms`))
      },
    }
    return asker
  }

  const ask: Requests['ask'] = (partition, message, onTaken = () => undefined) =>
    new Promise((resolve, reject) => {
      if (askers.size >= REQUESTS_MAX) {
        counts.refused += 1
        throw new PortError('full', `${askers.size} requests wait for replies`)
      }
      const correlation = nextCorrelation()
      const asker = askerOf(correlation, message.deadlineMs, resolve, reject)
      const settlement: Settlement = {
        done: onTaken,
        failed: (error) => {
          if (askers.get(correlation) === asker) asker.fail(error)
        },
        // Of what was published the deadlines say so, a moment later.
        expired: (wasPublished) => {
          if (wasPublished || askers.get(correlation) !== asker) return
          counts.timeouts += 1
          asker.fail(new PortError('unavailable', `RabbitMQ took nothing within ${message.deadlineMs} ms`))
        },
        published: () => void (asker.isPublished = true),
      }
      const dueAtMs = clock.monotonicMs() + message.deadlineMs
      deps.publish(partition, message, correlation, settlement, dueAtMs)
      askers.set(correlation, asker)
      deadlines.add(asker, dueAtMs + LEAD_MS)
      counts.requests += 1
      sweeping ??= clock.every(
        SWEEP_INTERVAL_MS,
        () => deadlines.expire(clock.monotonicMs()),
        (error) => {
          throw error // A sweep only moves data in memory: a failure is a bug.
        },
      )
    })

  const take = (correlation: number, reply: BusReply): void => {
    const asker = askers.get(correlation)
    if (asker === undefined) {
      counts.lateReplies += 1
      return
    }
    counts.replies += 1
    asker.answer(reply)
  }

  const failAll = (error: PortError, isMeant: (asker: Waiting) => boolean): void => {
    for (const asker of [...askers.values()]) if (isMeant(asker)) asker.fail(error)
  }

  return {
    ask,
    counts,
    waiting: () => askers.size,
    listen: async (channel) => {
      await channel.consume(
        REPLY_TO,
        (message) => {
          if (message === null) return
          try {
            decodeReplies(message.content, take)
          } catch (error) {
            if (!(error instanceof PackError)) throw error
            counts.unreadable += 1
            deps.logger.error({ err: error }, 'replies could not be read; their askers time out')
          }
        },
        { noAck: true },
      )
    },
    lost: (error) => {
      const failure = new PortError('unknown', 'the connection was lost before the reply came', { cause: error })
      failAll(failure, (asker) => asker.isPublished)
    },
    close: async () => {
      failAll(new PortError('closed', 'the bus was closed before the reply came'), () => true)
      await sweeping?.stop()
    },
  }
}
