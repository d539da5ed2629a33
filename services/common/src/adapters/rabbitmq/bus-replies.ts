import type { BusReply } from '../../ports/bus.ts'
import type { Keeper } from './channel-keeper.ts'
import type { RabbitConnection } from './connection.ts'
import { createReplyWriter, type ReplyWriter } from './pack-codec.ts'

/** Packs of replies that wait because the socket takes no more; beyond it replies are dropped and their askers time out. */
export const REPLY_PACKS_WAITING_MAX = 1_024

/** What replies have counted. */
export interface ReplyCounts {
  replies: number
  packs: number
  /** Replies that could not be sent: disconnected, blocked, or too many waiting. */
  dropped: number
}

/** Carries replies back to their askers; those of one turn to the same asker travel together. */
export interface Replies {
  /** `replyTo` is what the broker made of the asker's address. The body is copied. */
  add(replyTo: string, correlation: number, reply: BusReply): void
  readonly counts: Readonly<ReplyCounts>
  close(): Promise<void>
}

interface Parcel {
  readonly replyTo: string
  readonly writer: ReplyWriter
}

/** Makes the way back, on a channel of its own. */
export const createReplies = (deps: {
  readonly connection: RabbitConnection
  /** Replies of one pack. */
  readonly countMax?: number | undefined
}): Replies => {
  const { connection } = deps
  const counts: ReplyCounts = { replies: 0, packs: 0, dropped: 0 }
  const open = new Map<string, Parcel>()
  let waiting: Parcel[] = []
  let isStuck = false
  let isScheduled = false

  const keeper: Keeper = connection.keep({
    name: 'replies',
    onOpen: async (channel) => {
      isStuck = false
      channel.on('drain', () => {
        isStuck = false
        flush()
      })
      setImmediate(flush)
    },
    onLost: () => undefined,
  })

  const drop = (parcels: readonly Parcel[]): void => {
    for (const { writer } of parcels) counts.dropped += writer.count()
  }

  const flush = (): void => {
    isScheduled = false
    waiting.push(...open.values())
    open.clear()
    if (waiting.length > REPLY_PACKS_WAITING_MAX) drop(waiting.splice(0, waiting.length - REPLY_PACKS_WAITING_MAX))
    const channel = keeper.channel()
    if (channel === null || connection.state() !== 'connected') {
      // Whoever asked over a lost connection has been told so.
      drop(waiting.splice(0))
      return
    }
    let sent = 0
    try {
      while (!isStuck && sent < waiting.length) {
        const { replyTo, writer } = waiting[sent]!
        // An asker that is gone is no error: the broker drops what nobody takes.
        isStuck = !channel.publish('', replyTo, writer.seal(), {})
        counts.packs += 1
        sent += 1
      }
    } catch (error) {
      if (!(error instanceof Error) || error.name !== 'IllegalOperationError') throw error
      // The channel is closing: its askers are told of the loss.
      drop(waiting.slice(sent))
      sent = waiting.length
    }
    waiting = waiting.slice(sent)
  }

  return {
    counts,
    add: (replyTo, correlation, reply) => {
      let parcel = open.get(replyTo)
      if (parcel !== undefined && !parcel.writer.hasRoomFor(reply)) {
        waiting.push(parcel)
        parcel = undefined
      }
      if (parcel === undefined) {
        parcel = { replyTo, writer: createReplyWriter(deps.countMax) }
        open.set(replyTo, parcel)
      }
      parcel.writer.add(correlation, reply)
      counts.replies += 1
      if (isScheduled) return
      isScheduled = true
      setImmediate(flush)
    },
    close: () => keeper.stop(),
  }
}
